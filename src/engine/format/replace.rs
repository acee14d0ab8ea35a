//! Puts a formatted text in the place of a file's content, in one step where that is possible:
//! [`replace`].

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::Path;

/// What became of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replaced {
    Done,
    /// Its content is not the one that was formatted; it was left alone.
    Moved,
}

/// Replaces `old`, which the file at `path` held, by `new`. Links are followed; permissions and
/// owner stay.
///
/// # Errors
/// Those of reading and writing.
pub(super) fn replace(path: &Path, old: &[u8], new: &[u8]) -> io::Result<Replaced> {
    let target = fs::canonicalize(path)?;
    let meta = fs::metadata(&target)?;
    let prepared = prepare(&target, &meta, new);
    // As late as can be: an editor may have saved the file meanwhile.
    if fs::read(&target)? != old {
        return Ok(Replaced::Moved);
    }
    match prepared? {
        Some(temporary) => {
            temporary.persist(&target)?;
        }
        None => File::options().write(true).truncate(true).open(&target)?.write_all(new)?,
    }
    Ok(Replaced::Done)
}

/// The new content in a file of its own beside the old one; `None` where such a file could not
/// take the old one's place: it has other names, it would have another owner, or the folder cannot
/// be written.
fn prepare(
    target: &Path,
    meta: &Metadata,
    new: &[u8],
) -> io::Result<Option<tempfile::NamedTempFile>> {
    if os::has_other_names(meta) {
        return Ok(None);
    }
    let folder = target.parent().unwrap_or(Path::new("."));
    let mut temporary = match tempfile::Builder::new().prefix(".pyqa-").tempfile_in(folder) {
        Ok(temporary) => temporary,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(error),
    };
    temporary.write_all(new)?;
    if os::give_to_owner(temporary.as_file(), meta).is_err() {
        return Ok(None);
    }
    // After the owner, whose change takes special bits away.
    temporary.as_file().set_permissions(meta.permissions())?;
    Ok(Some(temporary))
}

#[cfg(unix)]
mod os {
    use std::fs::{File, Metadata};
    use std::io;
    use std::os::unix::fs::{MetadataExt, fchown};

    pub(super) fn has_other_names(meta: &Metadata) -> bool {
        meta.nlink() > 1
    }

    pub(super) fn give_to_owner(file: &File, owner: &Metadata) -> io::Result<()> {
        let own = file.metadata()?;
        if (own.uid(), own.gid()) == (owner.uid(), owner.gid()) {
            return Ok(());
        }
        fchown(file, Some(owner.uid()), Some(owner.gid()))
    }
}

#[cfg(not(unix))]
mod os {
    use std::fs::{File, Metadata};
    use std::io;

    pub(super) fn has_other_names(_: &Metadata) -> bool {
        false
    }

    /// Elsewhere a new file belongs to whom the folder says.
    pub(super) fn give_to_owner(_: &File, _: &Metadata) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    fn file(text: &str, mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.py");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (folder, path)
    }

    #[test]
    fn content_changes_and_permissions_stay() {
        let (folder, path) = file("old", 0o751);
        let before = fs::metadata(&path).unwrap();
        assert_eq!(replace(&path, b"old", b"new").unwrap(), Replaced::Done);
        let after = fs::metadata(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!((after.mode(), after.uid()), (before.mode(), before.uid()));
        assert_ne!(after.ino(), before.ino());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_was_edited_meanwhile_is_left_alone() {
        let (folder, path) = file("edited", 0o644);
        assert_eq!(replace(&path, b"old", b"new").unwrap(), Replaced::Moved);
        assert_eq!(fs::read(&path).unwrap(), b"edited");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn links_of_both_kinds_stay_what_they_are() {
        let (folder, path) = file("old", 0o644);
        let soft = folder.path().join("soft.py");
        symlink("a.py", &soft).unwrap();
        assert_eq!(replace(&soft, b"old", b"new").unwrap(), Replaced::Done);
        assert!(fs::symlink_metadata(&soft).unwrap().is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"new");
        let hard = folder.path().join("hard.py");
        fs::hard_link(&path, &hard).unwrap();
        assert_eq!(replace(&path, b"new", b"newer").unwrap(), Replaced::Done);
        assert_eq!(fs::read(&hard).unwrap(), b"newer");
    }

    #[test]
    fn an_owner_other_than_us_stays_the_owner() {
        if rustix::process::geteuid().as_raw() != 0 {
            return;
        }
        let (_folder, path) = file("old", 0o640);
        std::os::unix::fs::chown(&path, Some(12345), Some(12346)).unwrap();
        assert_eq!(replace(&path, b"old", b"new").unwrap(), Replaced::Done);
        let meta = fs::metadata(&path).unwrap();
        assert_eq!((meta.uid(), meta.gid(), meta.mode() & 0o7777), (12345, 12346, 0o640));
    }
}
