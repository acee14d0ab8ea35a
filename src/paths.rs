//! Paths inside a project. [`RelPath`] is the only form in which a project's file travels through
//! the program: bytes with `/` between the parts, relative to the project's root, in any encoding.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

/// A path relative to the project's root: bytes, `/` between the parts, no leading `./`.
///
/// File names of a Python project need not be UTF-8, so nothing here is a `str`. Ordering is by
/// bytes, which is git's order and the order of every report.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RelPath(Arc<[u8]>);

/// Many stored findings in a row have the same; memory holds it once, and comparing them is quick.
impl<'de> Deserialize<'de> for RelPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Bytes<'a>(#[serde(borrow)] Cow<'a, [u8]>);

        thread_local! {
            static LAST: RefCell<RelPath> = RefCell::new(RelPath::from_bytes([]));
        }
        let Bytes(path) = Bytes::deserialize(deserializer)?;
        Ok(LAST.with_borrow_mut(|last| {
            if *last.0 != *path {
                *last = Self::from_bytes(&*path);
            }
            last.clone()
        }))
    }
}

impl RelPath {
    /// Takes bytes that already have the form of a [`RelPath`], such as a name in git's index.
    pub fn from_bytes(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// `path` relative to `root`; `None` where it lies outside of it. Both are taken as written:
    /// no link is followed and no `..` is resolved.
    pub fn from_absolute(path: &Path, root: &Path) -> Option<Self> {
        Some(Self::from_relative(path.strip_prefix(root).ok()?))
    }

    /// A path that is relative to the root already; `.` parts are dropped.
    pub fn from_relative(path: &Path) -> Self {
        let mut bytes = Vec::new();
        for part in path.components() {
            if let std::path::Component::Normal(name) = part {
                if !bytes.is_empty() {
                    bytes.push(b'/');
                }
                bytes.extend_from_slice(name.as_encoded_bytes());
            }
        }
        Self(bytes.into())
    }

    /// The bytes, `/` between the parts.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The text, with U+FFFD for what is not UTF-8. For showing only: two paths may show alike.
    pub fn to_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.0)
    }

    /// The relative path in the system's own form.
    pub fn to_path(&self) -> PathBuf {
        os::path_from_bytes(&self.0)
    }

    /// The path below `root`.
    pub fn below(&self, root: &Path) -> PathBuf {
        root.join(self.to_path())
    }

    /// The last part of the path.
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|&b| b == b'/').next().unwrap_or(&self.0)
    }

    /// The folder, empty for a file at the root.
    pub fn parent(&self) -> &[u8] {
        match self.0.iter().rposition(|&b| b == b'/') {
            Some(at) => &self.0[..at],
            None => b"",
        }
    }

    /// Whether the file's name ends with `.` and one of `extensions`, compared as bytes.
    pub fn has_extension(&self, extensions: &[&str]) -> bool {
        let name = self.file_name();
        name.iter()
            .rposition(|&b| b == b'.')
            .is_some_and(|dot| extensions.iter().any(|e| e.as_bytes() == &name[dot + 1..]))
    }

    /// The path of `name`, which counts from this folder. The empty folder is the root.
    #[must_use]
    pub fn join(&self, name: &Self) -> Self {
        if self.0.is_empty() {
            return name.clone();
        }
        Self::from_bytes([&self.0, &b"/"[..], &name.0].concat())
    }

    /// What is left of the path below `folder`; `None` where it does not lie there.
    pub fn below_folder(&self, folder: &[u8]) -> Option<&[u8]> {
        if folder.is_empty() {
            return Some(&self.0);
        }
        self.0.strip_prefix(folder)?.strip_prefix(b"/")
    }

    /// Whether the path is `folder` or lies below it. The empty folder is the root.
    pub fn is_within(&self, folder: &[u8]) -> bool {
        folder.is_empty()
            || (self.0.starts_with(folder)
                && (self.0.len() == folder.len() || self.0[folder.len()] == b'/'))
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_text())
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_text())
    }
}

impl From<&str> for RelPath {
    fn from(text: &str) -> Self {
        Self::from_bytes(text.as_bytes())
    }
}

#[cfg(unix)]
mod os {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::path::PathBuf;

    pub(super) fn path_from_bytes(bytes: &[u8]) -> PathBuf {
        PathBuf::from(OsStr::from_bytes(bytes))
    }
}

#[cfg(not(unix))]
mod os {
    use std::path::PathBuf;

    /// Windows names are UTF-16; git keeps them as UTF-8.
    pub(super) fn path_from_bytes(bytes: &[u8]) -> PathBuf {
        PathBuf::from(String::from_utf8_lossy(bytes).replace('/', "\\"))
    }
}

/// A path as the path of a URI: every byte that RFC 3986 does not leave alone in a path becomes
/// `%XX`, so that any file name survives.
pub fn percent_encode(path: &[u8]) -> String {
    let mut uri = String::with_capacity(path.len());
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=@".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}

/// The bytes behind [`percent_encode`]; a `%` that no two digits follow stands for itself.
pub fn percent_decode(text: &str) -> Vec<u8> {
    let mut rest = text.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let [first, tail @ ..] = rest {
        let digits = tail.get(..2).filter(|two| two.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|two| std::str::from_utf8(two).ok());
        let decoded = digits.and_then(|two| u8::from_str_radix(two, 16).ok());
        let (byte, length) = match decoded {
            Some(byte) if *first == b'%' => (byte, 3),
            _ => (*first, 1),
        };
        bytes.push(byte);
        rest = &rest[length..];
    }
    bytes
}

/// Replaces the file at `path` with `bytes` in one step: a reader sees the old content or the new.
///
/// The temporary file stands in the same folder, which is made when it is missing.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::io::Write;
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.persist(path)?;
    Ok(())
}

/// Marks the file as used today, at most once a day. Failing is no trouble: it is collected early.
pub fn touch_daily(path: &Path) {
    const DAY: std::time::Duration = std::time::Duration::from_hours(24);
    let is_old = std::fs::metadata(path)
        .and_then(|meta| meta.modified())
        .is_ok_and(|time| time.elapsed().is_ok_and(|age| age > DAY));
    if is_old {
        let _ = std::fs::File::options()
            .append(true)
            .open(path)
            .and_then(|file| file.set_modified(std::time::SystemTime::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bytes_become_a_uri_path() {
        assert_eq!(percent_encode(b"src/a b%c#d?.py"), "src/a%20b%25c%23d%3F.py");
        assert_eq!(percent_encode(b"caf\xe9:x.py"), "caf%E9%3Ax.py");
    }

    #[test]
    fn decoding_gives_the_bytes_back_and_takes_anything() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(percent_decode(&percent_encode(&all)), all);
        assert_eq!(percent_decode("%zz%4%+1%é"), "%zz%4%+1%é".as_bytes());
    }

    #[test]
    fn dots_are_dropped_and_parts_joined_by_slashes() {
        assert_eq!(RelPath::from_relative(Path::new("./a/./b.py")), "a/b.py".into());
    }

    #[test]
    fn a_path_outside_of_the_root_is_none() {
        assert_eq!(RelPath::from_absolute(Path::new("/x/a.py"), Path::new("/y")), None);
    }

    #[test]
    fn within_compares_whole_parts() {
        let path = RelPath::from("src/app/a.py");
        assert!(path.is_within(b"src/app"));
        assert!(path.is_within(b""));
        assert!(!path.is_within(b"src/ap"));
    }

    #[test]
    fn extension_is_what_follows_the_last_dot_of_the_name() {
        assert!(RelPath::from("a.d/b.pyi").has_extension(&["py", "pyi"]));
        assert!(!RelPath::from("a.py/b").has_extension(&["py"]));
    }
}
