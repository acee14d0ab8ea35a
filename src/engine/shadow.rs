//! A folder in which texts stand that are not on disk: [`Shadow`]. Each lies at the path that it
//! has in the project, beside links to all that lies beside it there, so that a tool which runs in
//! the folder sees the same names and settings as in the project.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
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
    folder: PathBuf,
    root: PathBuf,
    /// How often it has served.
    uses: usize,
    /// The name that it had first.
    name: OsString,
}

impl Drop for Shadow {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            log::info!("{}: {error}", self.folder.display());
        }
    }
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
        let above: Vec<&Path> =
            settings.iter().filter(|file| is_above(file, root)).copied().collect();
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
        let root_place = place(root);
        let folder = folder.keep();
        let first = folder.file_name().unwrap_or_default().to_owned();
        let shadow = Self { root: root_place, folder, uses: 1, name: first };
        fs::create_dir_all(&shadow.root)?;
        for file in above {
            os::link(file, &place(file))?;
        }
        shadow.fill(root, texts)?;
        Ok(shadow)
    }

    /// A folder that has served before, for other texts at the same paths; `None` where that cannot
    /// be had. It gets another name, so that no tool can take it for the one that it knows. Settings
    /// above the root are not looked for here.
    pub(super) fn renewed<'a>(
        mut self,
        root: &Path,
        texts: impl Iterator<Item = Text<'a>>,
    ) -> Option<Self> {
        let texts: Vec<Text<'a>> = texts.collect();
        if !self.still_shows(root, &texts).is_ok_and(|shows| shows) {
            return None;
        }
        let renewed = self.rename().and_then(|()| {
            for text in &texts {
                // Whoever has the old one open keeps it.
                fs::remove_file(text.path.below(&self.root))?;
                self.write(text)?;
            }
            Ok(())
        });
        renewed.ok().map(|()| self)
    }

    fn rename(&mut self) -> io::Result<()> {
        self.uses += 1;
        let mut name = self.name.clone();
        name.push(format!("-{}", self.uses));
        let new = self.folder.with_file_name(name);
        let way = self.root.strip_prefix(&self.folder).map_err(io::Error::other)?.to_owned();
        fs::rename(&self.folder, &new)?;
        self.root = new.join(way);
        self.folder = new;
        // It is not left behind.
        File::open(&self.folder)?.set_modified(SystemTime::now())
    }

    /// Whether it holds texts at these paths, links to all that lies beside them in the project, and
    /// nothing else.
    fn still_shows(&self, root: &Path, texts: &[Text<'_>]) -> io::Result<bool> {
        let only_root = BTreeSet::from([root.file_name().unwrap_or(OsStr::new("root")).to_owned()]);
        let top: io::Result<BTreeSet<OsString>> =
            fs::read_dir(&self.folder)?.map(|entry| Ok(entry?.file_name())).collect();
        let at_top = self.root.parent() == Some(self.folder.as_path());
        if !at_top || top? != only_root {
            return Ok(false);
        }
        let folders = folders(texts);
        let mut own = folders.clone();
        own.extend(texts.iter().map(|text| text.path.to_path()));
        for folder in &folders {
            // Each name with where its link leads; `None`: it is no link.
            let mut expected = BTreeMap::new();
            // A folder that is not on disk yet has nothing to show.
            for entry in fs::read_dir(root.join(folder)).into_iter().flatten().flatten() {
                expected.insert(entry.file_name(), Some(entry.path()));
            }
            let here = own.iter().filter(|path| path.parent() == Some(folder.as_path()));
            for name in here.filter_map(|path| path.file_name()) {
                expected.insert(name.to_owned(), None);
            }
            for entry in fs::read_dir(self.root.join(folder))? {
                let entry = entry?;
                let link = entry.file_type()?.is_symlink().then(|| fs::read_link(entry.path()));
                match expected.remove(&entry.file_name()) {
                    Some(to) if to == link.transpose()? => {}
                    _ => return Ok(false),
                }
            }
            if !expected.is_empty() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Where the tool runs.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    fn fill<'a>(&self, root: &Path, texts: impl Iterator<Item = Text<'a>>) -> io::Result<()> {
        let texts: Vec<Text<'a>> = texts.collect();
        let folders = folders(&texts);
        for folder in &folders {
            fs::create_dir_all(self.root.join(folder))?;
        }
        for text in &texts {
            self.write(text)?;
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

    fn write(&self, text: &Text<'_>) -> io::Result<()> {
        let path = text.path.below(&self.root);
        fs::write(&path, text.bytes)?;
        os::make_like(&path, text.is_executable)
    }
}

/// Whether one of the files lies in a folder above the root.
pub(super) fn are_above(files: &[&Path], root: &Path) -> bool {
    files.iter().any(|file| is_above(file, root))
}

fn is_above(file: &Path, root: &Path) -> bool {
    file.parent().is_some_and(|of| of != root && root.starts_with(of))
}

/// The folders in which the texts lie, and those above, from the root.
fn folders(texts: &[Text<'_>]) -> BTreeSet<PathBuf> {
    let mut folders = BTreeSet::from([PathBuf::new()]);
    for text in texts {
        folders.extend(text.path.to_path().ancestors().skip(1).map(Path::to_owned));
    }
    folders
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

    /// A project with one file, and a place for shadows of it; they go with the first.
    fn project() -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let (root, cache) = (folder.path().join("project"), folder.path().join("cache"));
        fs::create_dir_all(root.join("src")).unwrap();
        fs::write(root.join("src/b.py"), "old").unwrap();
        (folder, root, cache)
    }

    fn renewed(shadow: Shadow, root: &Path, path: &str) -> Option<Shadow> {
        let path = RelPath::from(path);
        let text = Text { path: &path, bytes: b"newer", is_executable: false };
        shadow.renewed(root, std::iter::once(text))
    }

    #[cfg(unix)]
    #[test]
    fn a_folder_serves_again_under_another_name_while_the_project_has_the_same_names() {
        let (_folder, root, cache) = project();
        let first = shadow(&cache, &root, &[], "src/a.py");
        let old = first.root().to_owned();
        let mut again = renewed(first, &root, "src/a.py").unwrap();
        for _ in 0..3 {
            again = renewed(again, &root, "src/a.py").unwrap();
            assert_ne!(again.root(), old);
            assert_eq!(again.root().file_name(), old.file_name());
            assert_eq!(fs::read_to_string(again.root().join("src/a.py")).unwrap(), "newer");
            assert_eq!(fs::read_to_string(again.root().join("src/b.py")).unwrap(), "old");
            assert!(!old.exists());
        }
        drop(again);
        assert_eq!(fs::read_dir(cache).unwrap().count(), 0);
    }

    #[test]
    fn a_folder_does_not_serve_again_where_names_differ_or_a_tool_has_written() {
        let (_folder, root, cache) = project();
        let served = || shadow(&cache, &root, &[], "src/a.py");
        assert!(renewed(served(), &root, "src/c.py").is_none());
        assert!(renewed(served(), &root.join("src"), "src/a.py").is_none());
        let ways: [&dyn Fn(&Path); 5] = [
            &|shadow| fs::write(shadow.join("src/left"), "").unwrap(),
            &|shadow| fs::write(shadow.join("../left"), "").unwrap(),
            &|shadow| fs::remove_file(shadow.join("src/b.py")).unwrap(),
            &|shadow| {
                fs::remove_file(shadow.join("src/b.py")).unwrap();
                fs::write(shadow.join("src/b.py"), "mine").unwrap();
            },
            &|_| fs::write(root.join("src/d.py"), "").unwrap(),
        ];
        for way in ways {
            let served = served();
            way(served.root());
            assert!(renewed(served, &root, "src/a.py").is_none());
        }
        let served = served();
        fs::remove_file(root.join("src/d.py")).unwrap();
        assert!(renewed(served, &root, "src/a.py").is_none());
        assert_eq!(fs::read_dir(cache).unwrap().count(), 0);
    }

    #[test]
    fn the_folder_goes_with_its_value() {
        let folder = tempfile::tempdir().unwrap();
        let within = folder.path().join("cache");
        drop(shadow(&within, folder.path(), &[], "a.py"));
        assert_eq!(fs::read_dir(within).unwrap().count(), 0);
    }
}
