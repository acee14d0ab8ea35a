//! Guards a tool's own incremental state (mypy's cache folder) against edits that the tool cannot
//! see. mypy takes a file as unchanged when its size and the whole second of its modification time
//! are the same (`validate_meta` in mypy/build.py); pyqa knows the content, and drops the state
//! when a file changed behind such a disguise.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::frame::{self, Kind};
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
        self.content != earlier.content
            && self.size == earlier.size
            && self.seconds == earlier.seconds
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Manifest {
    /// A run began and was not seen to end with all files as they were.
    open: bool,
    files: BTreeMap<RelPath, Seen>,
}

/// One state folder and the record of what the tool saw when it wrote there.
pub struct ToolState {
    folder: PathBuf,
    manifest: Manifest,
}

impl ToolState {
    /// Makes `folder` ready for a run over `files`: as it is, or empty where it cannot be trusted.
    ///
    /// # Errors
    /// Those of writing; the tool then has to run without state.
    pub fn prepare(
        folder: &Path,
        files: impl Iterator<Item = (RelPath, Seen)>,
    ) -> io::Result<Self> {
        let record = record_path(folder);
        let earlier: Option<Manifest> = frame::read(&record, Kind::ToolState)
            .and_then(|payload| postcard::from_bytes(&payload).ok());
        let files: Vec<_> = files.collect();
        let trusted = earlier.filter(|manifest| {
            !manifest.open
                && !files.iter().any(|(path, seen)| {
                    manifest.files.get(path).is_some_and(|earlier| seen.hides(earlier))
                })
        });
        if trusted.is_none() {
            match fs::remove_dir_all(folder) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        // A file that is gone may come back: the tool still has its state.
        let mut manifest = trusted.unwrap_or_default();
        manifest.files.extend(files);
        manifest.open = true;
        fs::create_dir_all(folder)?;
        let state = Self { folder: folder.to_owned(), manifest };
        state.write()?;
        Ok(state)
    }

    /// The run ended by itself, and no file moved while it lasted.
    ///
    /// # Errors
    /// Those of writing; the next run then starts without state.
    pub fn close(mut self) -> io::Result<()> {
        self.manifest.open = false;
        self.write()
    }

    fn write(&self) -> io::Result<()> {
        let payload = postcard::to_stdvec(&self.manifest).expect("plain data always encodes");
        frame::write(&record_path(&self.folder), Kind::ToolState, &payload)
    }
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

    /// Runs once over `file`, leaves a mark in the folder, and tells whether one stood there.
    fn run(folder: &Path, file: (RelPath, Seen)) -> bool {
        let state = ToolState::prepare(folder, [file].into_iter()).unwrap();
        let mark = folder.join("mark");
        let kept = mark.exists();
        fs::write(mark, "").unwrap();
        state.close().unwrap();
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
    fn state_of_a_run_that_never_ended_is_dropped() {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("state");
        let file = seen(5, 1_000_000_000, b"x = 1");
        run(&folder, file.clone());
        drop(ToolState::prepare(&folder, [file.clone()].into_iter()).unwrap());
        assert!(!run(&folder, file));
    }
}
