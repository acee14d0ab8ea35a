//! Guards a tool's own incremental state (mypy's cache folder) against edits that the tool cannot
//! see. mypy takes a file as unchanged when its size and the whole second of its modification time
//! are the same (`validate_meta` in mypy/build.py); pyqa knows the content, and drops the state
//! when a file changed behind such a disguise. It drops it too when a module came that a file of
//! the state may have looked for in vain.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::frame::{self, Kind};
use super::newcomers::{Shelves, names_one};
use crate::dropped::dropped;
use crate::hash::ContentHash;
use crate::paths::RelPath;
use crate::project::stat::FileStat;

/// What the tool goes by, and what the file held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    size: u64,
    seconds: i64,
    content: ContentHash,
}

impl Seen {
    pub fn new(stat: &FileStat, content: ContentHash) -> Self {
        Self { size: stat.size, seconds: stat.mtime.div_euclid(1_000_000_000), content }
    }

    /// Other content under the same size and second: the tool would take it as unchanged.
    fn hides(&self, earlier: &Self) -> bool {
        !dropped("hidden")
            && self.content != earlier.content
            && self.size == earlier.size
            && self.seconds == earlier.seconds
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Manifest {
    /// A run began and was not seen to end with all files as they were.
    open: bool,
    /// Name of the folder that is in use.
    generation: String,
    files: BTreeMap<RelPath, Seen>,
    /// Files that the key does not cover and that some run read while it wrote here. A later run
    /// that takes their part of the state does not read them again.
    beside: BTreeMap<RelPath, Option<Seen>>,
    /// What was there to be imported.
    shelves: Shelves,
}

impl Manifest {
    /// Whether a module came that a file names which the tool would take from its state: one of
    /// `files` that is as it was, or one beside them.
    fn misses_a_newcomer(&self, files: &[(RelPath, Seen)], root: &Path) -> bool {
        let newcomers = self.shelves.newcomers(root);
        if newcomers.is_empty() || dropped("newcomers") {
            return false;
        }
        let is_kept = |(path, seen): &&(RelPath, Seen)| {
            self.files.get(path).is_some_and(|earlier| earlier.content == seen.content)
        };
        let kept: Vec<&RelPath> = files.iter().filter(is_kept).map(|(path, _)| path).collect();
        let beside = self.beside.iter().filter(|(_, seen)| seen.is_some()).map(|(path, _)| path);
        let all: Vec<&RelPath> = kept.into_iter().chain(beside).collect();
        all.par_iter().any(|path| names_one(&path.below(root), &newcomers))
    }
}

/// One state folder and the record of what the tool saw when it wrote there. Locked: while one
/// run uses it, another has to do without.
pub struct ToolState {
    folder: PathBuf,
    manifest: Manifest,
    is_new: bool,
    /// Held until the end.
    _lock: File,
}

impl ToolState {
    /// Makes the state below `folder` ready for a run over `files` of the project at `root`: as it
    /// is, or empty where it cannot be trusted. `look` tells what a file beside them holds now.
    ///
    /// # Errors
    /// Those of writing, and another run that uses it; the tool then has to run without state.
    pub fn prepare(
        folder: &Path,
        root: &Path,
        files: impl Iterator<Item = (RelPath, Seen)>,
        look: &dyn Fn(&RelPath) -> Option<Seen>,
    ) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let held = File::create(folder.join("lock"))?;
        held.try_lock()?;
        let record = record_path(folder);
        let earlier: Option<Manifest> = frame::read(&record, Kind::ToolState)
            .and_then(|payload| postcard::from_bytes(&payload).ok());
        let files: Vec<_> = files.collect();
        let hidden = |path: &RelPath, earlier: &Option<Seen>| match (look(path), earlier) {
            (Some(now), Some(earlier)) => now.hides(earlier),
            (now, earlier) => now.is_some() != earlier.is_some(),
        };
        let trusted = earlier.filter(|manifest| {
            !manifest.open
                && !files.iter().any(|(path, seen)| {
                    manifest.files.get(path).is_some_and(|earlier| seen.hides(earlier))
                })
                && !manifest.beside.iter().any(|(path, earlier)| hidden(path, earlier))
                && !manifest.misses_a_newcomer(&files, root)
        });
        // A file that is gone may come back: the tool still has its state.
        let is_new = trusted.is_none();
        let mut manifest = match trusted {
            Some(manifest) => manifest,
            None => Manifest { generation: new_generation(folder)?, ..Manifest::default() },
        };
        manifest.files.extend(files);
        manifest.open = true;
        let state = Self { folder: folder.to_owned(), manifest, is_new, _lock: held };
        fs::create_dir_all(state.path())?;
        state.write()?;
        Ok(state)
    }

    /// Whether the tool finds nothing there.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// The folder that the tool is given.
    pub fn path(&self) -> PathBuf {
        self.folder.join(&self.manifest.generation)
    }

    /// Files beside those of the key that the state stands on.
    pub fn beside(&self) -> impl Iterator<Item = &RelPath> {
        self.manifest.beside.keys()
    }

    /// The run ended by itself, and no file moved while it lasted. `beside` is what it stands on
    /// beside the files of the key, and `folders` where it has looked for modules.
    ///
    /// # Errors
    /// Those of writing; the next run then starts without state.
    pub fn close(
        mut self,
        root: &Path,
        beside: impl Iterator<Item = (RelPath, Option<Seen>)>,
        folders: impl Iterator<Item = RelPath>,
    ) -> io::Result<()> {
        self.manifest.beside.extend(beside);
        self.manifest.shelves.look(folders, root);
        self.manifest.open = false;
        self.write()
    }

    fn write(&self) -> io::Result<()> {
        let payload = postcard::to_stdvec(&self.manifest).expect("plain data always encodes");
        frame::write(&record_path(&self.folder), Kind::ToolState, &payload)
    }
}

/// Removes what earlier runs left in `folder`, and names a new place: a tool that outlived the run
/// that started it may still write to the old one.
fn new_generation(folder: &Path) -> io::Result<String> {
    for entry in fs::read_dir(folder)?.flatten().filter(|entry| entry.path().is_dir()) {
        match fs::remove_dir_all(entry.path()) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                log::warn!("{}: {error}", entry.path().display());
            }
            _ => {}
        }
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    Ok(format!("{now:x}-{:x}", std::process::id()))
}

/// Where the record of the state in `folder` lies: beside it.
pub(super) fn record_path(folder: &Path) -> PathBuf {
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".seen");
    folder.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(size: u64, mtime: i64, content: &[u8]) -> (RelPath, Seen) {
        let stat = FileStat { size, mtime, ctime: 0, inode: 0, device: 0, mode: 0 };
        ("a.py".into(), Seen::new(&stat, ContentHash::of(content)))
    }

    fn prepare(folder: &Path, file: (RelPath, Seen), beside: Option<Seen>) -> ToolState {
        ToolState::prepare(folder, folder, [file].into_iter(), &|_| beside).unwrap()
    }

    fn close(state: ToolState, beside: Option<(RelPath, Option<Seen>)>) {
        let root = state.folder.clone();
        state.close(&root, beside.into_iter(), std::iter::empty()).unwrap();
    }

    /// Runs once over `file`, leaves a mark in the folder, and tells whether one stood there.
    fn run(folder: &Path, file: (RelPath, Seen)) -> bool {
        let state = prepare(folder, file, None);
        let mark = state.path().join("mark");
        let kept = mark.exists();
        fs::write(mark, "").unwrap();
        close(state, None);
        kept
    }

    #[test]
    fn state_is_kept_over_edits_that_the_tool_can_see() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("state");
        assert!(!run(&folder, seen(5, 1_000_000_000, b"x = 1")));
        assert!(run(&folder, seen(5, 1_000_000_000, b"x = 1")));
        assert!(run(&folder, seen(6, 1_000_000_000, b"x = 10")));
        assert!(run(&folder, seen(6, 2_000_000_000, b"x = 20")));
    }

    #[test]
    fn state_is_dropped_when_an_edit_keeps_size_and_second() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("state");
        run(&folder, seen(5, 1_100_000_000, b"x = 1"));
        assert!(!run(&folder, seen(5, 1_900_000_000, b"x = 2")));
    }

    #[test]
    fn state_of_a_run_that_never_ended_is_dropped_and_its_place_left_to_what_still_writes_there() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("state");
        let file = seen(5, 1_000_000_000, b"x = 1");
        run(&folder, file.clone());
        let died = prepare(&folder, file.clone(), None);
        let place = died.path();
        drop(died);
        assert_ne!(prepare(&folder, file, None).path(), place);
    }

    #[test]
    fn a_second_run_at_the_same_time_has_to_do_without() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("state");
        let file = seen(5, 1_000_000_000, b"x = 1");
        let first = prepare(&folder, file.clone(), None);
        let place = first.path();
        assert!(
            ToolState::prepare(&folder, &folder, [file.clone()].into_iter(), &|_| None).is_err()
        );
        close(first, None);
        assert_eq!(prepare(&folder, file, None).path(), place);
    }

    #[test]
    fn files_beside_are_remembered_and_a_hidden_edit_of_one_drops_the_state() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("state");
        let file = seen(5, 1_000_000_000, b"x = 1");
        let (name, first) = seen(7, 1_000_000_000, b"ignored");
        let second = seen(7, 1_500_000_000, b"changed").1;
        let state = prepare(&folder, file.clone(), None);
        let place = state.path();
        close(state, Some((name.clone(), Some(first))));
        let state = prepare(&folder, file.clone(), Some(first));
        assert_eq!((state.path(), state.beside().collect()), (place.clone(), vec![&name]));
        close(state, None);
        assert_ne!(prepare(&folder, file, Some(second)).path(), place);
    }
}
