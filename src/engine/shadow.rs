//! A folder in which texts stand that are not on disk: [`Shadow`]. Each lies at the path that it
//! has in the project, beside links to all that lies beside it there, so that a tool which runs in
//! the folder sees the same names and settings as in the project.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::paths::RelPath;

/// A folder this old was left behind by a process that was ended.
const LEFT_BEHIND: Duration = Duration::from_hours(24);

/// A text and where it belongs.
pub(super) struct Text<'a> {
    pub(super) path: &'a RelPath,
    pub(super) bytes: &'a [u8],
    pub(super) is_executable: bool,
}

/// The folder; it goes with this value.
#[derive(Debug)]
pub(super) struct Shadow {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Shadow {
    /// Makes one for the project at `root`, in `within`. `settings` are the files that tools take
    /// their settings from: those above the root are linked above the folder too, since tools look
    /// for them there.
    ///
    /// # Errors
    /// Those of writing.
    pub(super) fn make<'a>(
        within: &Path,
        root: &Path,
        settings: &[&Path],
        texts: impl Iterator<Item = Text<'a>>,
    ) -> io::Result<Self> {
        fs::create_dir_all(within)?;
        let folder = tempfile::Builder::new().prefix("texts-").tempdir_in(within)?;
        let above: Vec<&Path> = settings
            .iter()
            .filter(|file| file.parent().is_some_and(|of| of != root && root.starts_with(of)))
            .copied()
            .collect();
        let top =
            above.iter().filter_map(|file| file.parent()).min_by_key(|of| of.as_os_str().len());
        let top = top.unwrap_or(root);
        // Patterns in settings may name the root's own folder.
        let name = top.file_name().unwrap_or(OsStr::new("root"));
        let begin = folder.path().join(name);
        let place = |path: &Path| match path.strip_prefix(top) {
            Ok(way) => begin.join(way),
            Err(_) => begin.clone(),
        };
        let shadow = Self { root: place(root), _folder: folder };
        fs::create_dir_all(&shadow.root)?;
        for file in above {
            os::link(file, &place(file))?;
        }
        shadow.fill(root, texts)?;
        Ok(shadow)
    }

    /// Where the tool runs.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    fn fill<'a>(&self, root: &Path, texts: impl Iterator<Item = Text<'a>>) -> io::Result<()> {
        let texts: Vec<Text<'a>> = texts.collect();
        let mut folders = BTreeSet::from([PathBuf::new()]);
        for text in &texts {
            let path = text.path.to_path();
            folders.extend(path.ancestors().skip(1).map(Path::to_owned));
        }
        for folder in &folders {
            fs::create_dir_all(self.root.join(folder))?;
        }
        for text in &texts {
            let path = text.path.below(&self.root);
            fs::write(&path, text.bytes)?;
            os::make_like(&path, text.is_executable)?;
        }
        for folder in &folders {
            // A folder that is not on disk yet has nothing to show.
            for entry in fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
                let place = self.root.join(folder).join(entry.file_name());
                if place.symlink_metadata().is_err() {
                    os::link(&entry.path(), &place)?;
                }
            }
        }
        Ok(())
    }
}

/// Removes folders that a process which was ended has left in `within`.
pub(super) fn sweep(within: &Path) {
    for entry in fs::read_dir(within).into_iter().flatten().flatten() {
        let touched = entry.metadata().and_then(|meta| meta.modified()).ok();
        let age = touched.and_then(|time| SystemTime::now().duration_since(time).ok());
        if age.is_some_and(|age| age > LEFT_BEHIND)
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            log::warn!("{}: {error}", entry.path().display());
        }
    }
}

#[cfg(unix)]
mod os {
    use std::fs;
    use std::io;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    pub(super) fn link(to: &Path, place: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(to, place)
    }

    pub(super) fn make_like(path: &Path, is_executable: bool) -> io::Result<()> {
        let mode = if is_executable { 0o755 } else { 0o644 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    }
}

#[cfg(not(unix))]
mod os {
    use std::fs;
    use std::io;
    use std::path::Path;

    /// Links ask for rights that users lack elsewhere. Settings are files; folders are left out.
    pub(super) fn link(to: &Path, place: &Path) -> io::Result<()> {
        if to.is_file() && fs::hard_link(to, place).is_err() {
            fs::copy(to, place)?;
        }
        Ok(())
    }

    #[expect(clippy::unnecessary_wraps, reason = "as on Unix")]
    pub(super) fn make_like(_: &Path, _: bool) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shadow(within: &Path, root: &Path, settings: &[&Path], path: &str) -> Shadow {
        let path = RelPath::from(path);
        let text = Text { path: &path, bytes: b"new", is_executable: false };
        Shadow::make(within, root, settings, std::iter::once(text)).unwrap()
    }

    #[test]
    fn a_text_stands_among_what_is_beside_the_file_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        fs::create_dir_all(root.join("src/app")).unwrap();
        for name in ["tox.ini", "src/app/a.py", "src/app/__init__.py"] {
            fs::write(root.join(name), "old").unwrap();
        }
        let shadow = shadow(&folder.path().join("cache"), &root, &[], "src/app/a.py");
        let read = |name: &str| fs::read_to_string(shadow.root().join(name)).unwrap();
        assert_eq!(read("src/app/a.py"), "new");
        assert_eq!(read("src/app/__init__.py"), "old");
        assert_eq!(read("tox.ini"), "old");
        assert_eq!(shadow.root().file_name(), root.file_name());
        assert_eq!(fs::read_to_string(root.join("src/app/a.py")).unwrap(), "old");
    }

    #[test]
    fn settings_above_the_root_are_found_above_the_shadow() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("work/group/project");
        fs::create_dir_all(&root).unwrap();
        let settings = folder.path().join("work/tox.ini");
        fs::write(&settings, "settings").unwrap();
        let shadow = shadow(&folder.path().join("cache"), &root, &[&settings], "new/a.py");
        let found = fs::read_to_string(shadow.root().join("../../tox.ini")).unwrap();
        assert_eq!(found, "settings");
        assert_eq!(fs::read_to_string(shadow.root().join("new/a.py")).unwrap(), "new");
    }

    #[test]
    fn the_folder_goes_with_its_value() {
        let folder = tempfile::tempdir().unwrap();
        let within = folder.path().join("cache");
        drop(shadow(&within, folder.path(), &[], "a.py"));
        assert_eq!(fs::read_dir(within).unwrap().count(), 0);
    }
}
