//! Tells when something below the project's root was touched: [`Watcher`]. What it tells is a hint:
//! whether content changed is for the caller to find out.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, unbounded};
use ignore::{DirEntry, WalkBuilder};
use notify::{Event, RecommendedWatcher};

use super::files::{FileSet, is_foreign_folder, is_own};

/// A save is several events, and an editor saves several files: they count as one when no more
/// than this passes between two of them.
const QUIET: Duration = Duration::from_millis(50);
/// Something that writes without a pause does not hold a check back for longer.
const LONGEST: Duration = Duration::from_millis(500);
/// How often the caller is asked whether to go on.
const TICK: Duration = Duration::from_millis(50);

/// Why waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    Touched,
    /// The caller does not want to wait any longer.
    GivenUp,
}

/// Watches the folders of a project that may hold files of it, and no others: what is ignored
/// wakes nobody.
pub struct Watcher {
    service: RecommendedWatcher,
    events: Receiver<notify::Result<Event>>,
    root: PathBuf,
    in_repository: bool,
    watched: BTreeSet<PathBuf>,
}

impl Watcher {
    /// # Errors
    /// Those of the system's service for it.
    pub fn new(root: &Path, in_repository: bool) -> notify::Result<Self> {
        let (sender, events) = unbounded();
        let service = notify::recommended_watcher(move |event| {
            // The receiver lives as long as the watcher.
            let _ = sender.send(event);
        })?;
        let root = root.to_owned();
        Ok(Self { service, events, root, in_repository, watched: BTreeSet::new() })
    }

    /// Begins to watch folders that have come, and forgets those that have gone. After it, nothing
    /// that happens in any of them is missed.
    ///
    /// # Errors
    /// Those of the system, as when it watches no more folders.
    pub fn follow(&mut self, files: &FileSet) -> notify::Result<()> {
        loop {
            let mut folders = list_folders(&self.root, self.in_repository);
            // Tracked files may lie in ignored folders.
            for file in files.files.iter().filter(|file| file.ignored) {
                folders.extend(file.path.below(&self.root).parent().map(Path::to_owned));
            }
            self.watched.retain(|folder| folders.contains(folder));
            let new: Vec<PathBuf> = folders.difference(&self.watched).cloned().collect();
            if new.is_empty() {
                return Ok(());
            }
            for folder in new {
                match os::watch(&mut self.service, &folder, &self.root) {
                    Err(error) if folder.is_dir() => return Err(error),
                    // Gone already, which its parent tells.
                    _ => self.watched.insert(folder),
                };
            }
            // A folder may have been made before its parent was watched.
        }
    }

    /// Waits until something was touched and all is quiet again. `go_on` is asked now and then.
    ///
    /// # Errors
    /// Those of the system.
    pub fn wait(&self, go_on: &dyn Fn() -> bool) -> notify::Result<Wake> {
        while go_on() {
            match self.events.recv_timeout(TICK) {
                Ok(event) => {
                    if is_touch(&event?, &self.root) {
                        return Ok(self.quiet());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Wake::GivenUp),
            }
        }
        Ok(Wake::GivenUp)
    }

    fn quiet(&self) -> Wake {
        let begun = Instant::now();
        while begun.elapsed() < LONGEST && self.events.recv_timeout(QUIET).is_ok() {}
        Wake::Touched
    }
}

/// The folders that may hold files of the project, also those that hold none yet.
fn list_folders(root: &Path, in_repository: bool) -> BTreeSet<PathBuf> {
    const MARKS: [&str; 2] = [".git", "pyvenv.cfg"];
    let is_open = |entry: &DirEntry| {
        let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
        let has_mark = |mark: &&str| entry.path().join(mark).symlink_metadata().is_ok();
        let is_other = entry.depth() > 0 && MARKS.iter().any(has_mark);
        is_folder && is_own(entry) && entry.file_name() != ".git" && !is_other
    };
    let walk = WalkBuilder::new(root)
        .hidden(false)
        .ignore(false)
        .require_git(in_repository)
        .filter_entry(is_open)
        .build();
    walk.flatten().map(DirEntry::into_path).collect()
}

/// Whether anything but reading happened, at a place that may be the project's.
fn is_touch(event: &Event, root: &Path) -> bool {
    let is_foreign = |path: &PathBuf| {
        let inside = path.strip_prefix(root).unwrap_or(path);
        inside.components().any(|part| is_foreign_folder(part.as_os_str().as_encoded_bytes()))
    };
    !event.kind.is_access() && (event.paths.is_empty() || !event.paths.iter().all(is_foreign))
}

#[cfg(target_os = "linux")]
mod os {
    use std::path::Path;

    use notify::{RecommendedWatcher, RecursiveMode, Watcher};

    /// inotify watches folders one by one.
    pub(super) fn watch(
        watcher: &mut RecommendedWatcher,
        folder: &Path,
        _root: &Path,
    ) -> notify::Result<()> {
        watcher.watch(folder, RecursiveMode::NonRecursive)
    }
}

#[cfg(not(target_os = "linux"))]
mod os {
    use std::path::Path;

    use notify::{RecommendedWatcher, RecursiveMode, Watcher};

    /// Elsewhere one watch holds for everything below the root.
    pub(super) fn watch(
        watcher: &mut RecommendedWatcher,
        folder: &Path,
        root: &Path,
    ) -> notify::Result<()> {
        if folder == root { watcher.watch(root, RecursiveMode::Recursive) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn watcher(root: &Path) -> Watcher {
        let mut watcher = Watcher::new(root, false).unwrap();
        watcher.follow(&FileSet::list(root, None)).unwrap();
        watcher
    }

    fn wakes(watcher: &Watcher, seconds: u64) -> bool {
        let begun = Instant::now();
        let limit = Duration::from_secs(seconds);
        watcher.wait(&|| begun.elapsed() < limit).unwrap() == Wake::Touched
    }

    #[test]
    fn files_in_new_folders_wake_and_ignored_ones_and_reading_do_not() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        fs::write(root.join(".gitignore"), "out/\n").unwrap();
        fs::create_dir_all(root.join("out")).unwrap();
        fs::create_dir_all(root.join("__pycache__")).unwrap();
        fs::write(root.join("a.py"), "").unwrap();
        let mut watcher = watcher(&root);
        fs::read(root.join("a.py")).unwrap();
        fs::write(root.join("out/a.py"), "").unwrap();
        fs::write(root.join("__pycache__/a.pyc"), "").unwrap();
        assert!(!wakes(&watcher, 1));
        fs::create_dir_all(root.join("new/deep")).unwrap();
        assert!(wakes(&watcher, 60));
        watcher.follow(&FileSet::default()).unwrap();
        fs::write(root.join("new/deep/b.py"), "").unwrap();
        assert!(wakes(&watcher, 60));
        fs::remove_dir_all(root.join("new")).unwrap();
        assert!(wakes(&watcher, 60));
    }
}
