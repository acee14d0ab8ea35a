//! The script that git runs as a hook, and how it is told from the scripts of others.

use std::path::{Path, PathBuf};

use super::HookName;
use crate::exec::variables::HOOK_FILE;
use crate::paths::RelPath;

/// Stands in every script that pyqa writes, and in no other file.
const ID: &str = "2593ceb93cdb41fcd5bf51ca2185a68e";
/// Goes up whenever the text changes in a way that matters to those who have an older one.
pub const VERSION: u32 = 1;

/// A script that pyqa wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    pub version: u32,
    /// The program that it starts.
    pub binary: PathBuf,
}

/// The text of the script for `hook`. With `PYQA=0`, only a hook that was there before is run.
pub fn text(hook: HookName, binary: &Path) -> Vec<u8> {
    let mut text = format!(
        "#!/bin/sh\n\
         # Written by `pyqa install`; `pyqa uninstall` puts back what was here before.\n\
         # ID: {ID} version: {VERSION}\n\
         pyqa="
    )
    .into_bytes();
    text.extend(quoted(&for_shell(binary)));
    text.extend(
        format!(
            r#"
if [ "${{PYQA-}}" = 0 ] && [ ! -x "$0.legacy" ]; then
    exit 0
fi
if [ ! -x "$pyqa" ] && ! pyqa=$(command -v pyqa); then
    [ "${{PYQA-}}" != 0 ] || exec "$0.legacy" "$@"
    echo 'error: this repository has a {hook} hook of pyqa, and pyqa is not there any more' >&2
    echo 'hint: run `pyqa install` again, or go on once with PYQA=0 in the environment' >&2
    exit 1
fi
{HOOK_FILE}=$0
export {HOOK_FILE}
exec "$pyqa" hook {hook} -- "$@"
"#
        )
        .into_bytes(),
    );
    text
}

/// What `text` says, where pyqa wrote it.
pub fn read(text: &[u8]) -> Option<Script> {
    let mark = format!("# ID: {ID} version: ").into_bytes();
    let mut lines = text.split(|&byte| byte == b'\n').skip_while(|line| !line.starts_with(&mark));
    let version =
        std::str::from_utf8(lines.next()?.get(mark.len()..)?).ok()?.trim().parse().ok()?;
    let at = memchr::memmem::find(text, b"\npyqa=")?;
    let (binary, _) = unquoted(&text[at + b"\npyqa=".len()..])?;
    Some(Script { version, binary: RelPath::from_bytes(binary).to_path() })
}

/// `text` as one word of a shell.
pub(super) fn quoted(text: &[u8]) -> Vec<u8> {
    let mut word = vec![b'\''];
    for &byte in text {
        match byte {
            b'\'' => word.extend(b"'\\''"),
            other => word.push(other),
        }
    }
    word.push(b'\'');
    word
}

/// The text of the word that [`quoted`] made, and what follows it.
pub(super) fn unquoted(word: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut text = Vec::new();
    let mut rest = word.strip_prefix(b"'")?;
    loop {
        let end = memchr::memchr(b'\'', rest)?;
        text.extend(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix(b"\\''") {
            Some(more) => {
                text.push(b'\'');
                rest = more;
            }
            None => return Some((text, rest)),
        }
    }
}

/// The shell that comes with git for Windows takes `/` in paths.
pub(super) fn for_shell(path: &Path) -> Vec<u8> {
    let bytes = path.as_os_str().as_encoded_bytes().to_vec();
    if cfg!(windows) {
        bytes.into_iter().map(|byte| if byte == b'\\' { b'/' } else { byte }).collect()
    } else {
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_is_known_again_whatever_the_program_s_path() {
        for path in ["/usr/bin/pyqa", "/a b/it's/'pyqa'", "/new\nline/pyqa", "/tr'"] {
            let written = text(HookName::PrePush, Path::new(path));
            let expected = Script { version: VERSION, binary: PathBuf::from(path) };
            assert_eq!(read(&written), Some(expected), "{path}");
        }
        assert_eq!(read(b"#!/bin/sh\npyqa='/usr/bin/pyqa'\nexec \"$pyqa\"\n"), None);
        assert_eq!(read(b""), None);
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_utf_8_is_kept() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/n\xff/pyqa"));
        assert_eq!(read(&text(HookName::PreCommit, path)).unwrap().binary, path);
    }

    /// The line that `pyqa hook` is made for.
    #[test]
    fn the_script_hands_over_the_hook_s_name_and_arguments() {
        let written = text(HookName::PreCommit, Path::new("/usr/bin/pyqa"));
        let written = String::from_utf8(written).unwrap();
        assert!(written.ends_with("\nexec \"$pyqa\" hook pre-commit -- \"$@\"\n"), "{written}");
    }
}
