//! Reads everything that is kept and tells what is damaged: [`verify`].

use std::fs;
use std::path::{Path, PathBuf};

use super::folder::CacheFolder;
use super::frame;
use super::tool_state::record_path;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    pub files: usize,
    /// Damaged, or written by another version: a run takes them as absent.
    pub damaged: Vec<PathBuf>,
}

/// Checks every file that pyqa keeps against its checksum. A tool's own state is the tool's to
/// understand; of it only pyqa's record is read.
pub fn verify(cache: &CacheFolder) -> Verified {
    let mut found = Verified::default();
    for (_, folder) in cache.kept() {
        check(&folder, &mut found);
    }
    found
}

fn check(folder: &Path, found: &mut Verified) {
    let mut items: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|item| item.path()).collect();
    items.sort();
    for path in items {
        if path.is_dir() {
            if !record_path(&path).is_file() {
                check(&path, found);
            }
            continue;
        }
        found.files += 1;
        if !frame::is_good(&path) {
            found.damaged.push(path);
        }
    }
}
