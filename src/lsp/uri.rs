//! Names of documents and paths of files. A document that is no file of this machine has no path.

use std::path::{Path, PathBuf};

use gen_lsp_types::Uri;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};

/// What stands for itself in a path: RFC 3986's unreserved characters and the slash.
const KEPT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

/// The absolute path behind a `file:` URI; `None` for any other, and for what is no path.
pub(super) fn to_path(uri: &Uri) -> Option<PathBuf> {
    let (scheme, rest) = uri.0.split_once(':')?;
    if !scheme.eq_ignore_ascii_case("file") {
        return None;
    }
    let rest = match rest.strip_prefix("//") {
        Some(rest) => {
            let at = rest.find('/')?;
            let host = &rest[..at];
            if !host.is_empty() && !host.eq_ignore_ascii_case("localhost") {
                return None;
            }
            &rest[at..]
        }
        None => rest,
    };
    let rest = rest.split(['?', '#']).next()?;
    let bytes: Vec<u8> = percent_decode_str(rest).collect();
    if bytes.contains(&0) {
        return None;
    }
    os::path(bytes).filter(|path| path.is_absolute())
}

/// The URI of an absolute path.
pub(super) fn from_path(path: &Path) -> Uri {
    let bytes = os::bytes(path);
    Uri(format!("file://{}", percent_encode(&bytes, KEPT)))
}

#[cfg(unix)]
mod os {
    use std::ffi::OsString;
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    use std::path::{Path, PathBuf};

    #[expect(clippy::unnecessary_wraps, reason = "elsewhere not all bytes are a path")]
    pub(super) fn path(bytes: Vec<u8>) -> Option<PathBuf> {
        Some(OsString::from_vec(bytes).into())
    }

    pub(super) fn bytes(path: &Path) -> Vec<u8> {
        path.as_os_str().as_bytes().to_vec()
    }
}

#[cfg(not(unix))]
mod os {
    use std::path::{Path, PathBuf};

    /// `/c:/folder/file`
    pub(super) fn path(bytes: Vec<u8>) -> Option<PathBuf> {
        let text = String::from_utf8(bytes).ok()?;
        let text = text.strip_prefix('/').unwrap_or(&text);
        Some(PathBuf::from(text.replace('/', "\\")))
    }

    pub(super) fn bytes(path: &Path) -> Vec<u8> {
        format!("/{}", path.to_string_lossy().replace('\\', "/")).into_bytes()
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn path(uri: &str) -> Option<PathBuf> {
        to_path(&Uri::from(uri))
    }

    #[test]
    fn percent_encoding_is_undone_and_made() {
        let given = "file:///a%20b/%E6%97%A5/c%2B%23.py";
        let found = path(given).unwrap();
        assert_eq!(found, Path::new("/a b/日/c+#.py"));
        assert_eq!(from_path(&found).0, given);
    }

    #[test]
    fn bytes_that_are_no_text_make_the_way_there_and_back() {
        let uri = Uri::from("file:///a/%FF.py");
        assert_eq!(from_path(&to_path(&uri).unwrap()), uri);
    }

    #[test]
    fn what_is_no_file_here_has_no_path() {
        for odd in [
            "untitled:Untitled-1",
            "untitled:/a/b.py",
            "git:/a/b.py?%7B%7D",
            "vscode-notebook-cell:/a/b.ipynb#W0",
            "file://server/share/a.py",
            "file:relative.py",
            "file://",
            "file:",
            "",
            "/a/b.py",
            "file:///a%00b.py",
        ] {
            assert_eq!(path(odd), None, "{odd}");
        }
        assert!(path("FILE://localhost/a.py").is_some());
        assert!(path("file:/a.py").is_some());
        assert!(path("file:///a/%zz%.py").is_some());
    }
}
