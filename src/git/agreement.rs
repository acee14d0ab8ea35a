//! Whether a work tree holds exactly some content: [`agrees`]. The state of files proves it where
//! the index knows it; else their bytes are compared.

use std::fs;
use std::path::Path;

use git2::{ObjectType, Oid};
use rayon::prelude::*;

use super::entries::Entry;
use crate::paths::RelPath;
use crate::project::files::{FileSet, ProjectFile, look_at};

/// Whether `entries` and the files below `root`, a folder `prefix` below the `top`, are the same:
/// every entry is there with its content, mode and kind, and nothing else is. `files` were listed
/// at `root`. The entries named in `exact` are compared by their bytes, because git also calls a
/// file unchanged that its filters would make so.
pub fn agrees(
    entries: &[Entry],
    files: &FileSet,
    top: &Path,
    prefix: &RelPath,
    exact: &[RelPath],
) -> bool {
    let below = |path: &RelPath| match prefix.as_bytes() {
        b"" => Some(path.clone()),
        folder => path.as_bytes().strip_prefix(folder)?.strip_prefix(b"/").map(RelPath::from_bytes),
    };
    let mut count = 0;
    let mut pairs = Vec::with_capacity(entries.len());
    for entry in entries {
        match below(&entry.path) {
            Some(path) => {
                let file = files.find(&path).map(|at| &files.files[at]);
                count += usize::from(file.is_some());
                pairs.push((entry, file.cloned()));
            }
            // Settings may stand in the folders above the root.
            None if prefix.is_within(entry.path.parent()) => {
                pairs.push((entry, look_at(entry.path.clone(), top)));
            }
            None => {}
        }
    }
    // A file that is not among the entries is not part of the content.
    count == files.len()
        && pairs.par_iter().with_min_len(256).all(|(entry, file)| {
            let exact = exact.binary_search(&entry.path).is_ok();
            is_same(entry, file.as_ref(), top, exact)
        })
}

fn is_same(entry: &Entry, file: Option<&ProjectFile>, top: &Path, exact: bool) -> bool {
    let path = entry.path.below(top);
    if entry.is_link() {
        let target = fs::read_link(&path);
        return target.is_ok_and(|target| is_blob(target.as_os_str().as_encoded_bytes(), entry));
    }
    let Some(file) = file.filter(|file| file.link.is_none()) else { return false };
    if file.stat.is_executable() != entry.is_executable() {
        return false;
    }
    let proven = entry.seen.is_some_and(|seen| seen.proves(&file.stat));
    (proven && !exact) || fs::read(path).is_ok_and(|bytes| is_blob(&bytes, entry))
}

fn is_blob(bytes: &[u8], entry: &Entry) -> bool {
    Oid::hash_object(ObjectType::Blob, bytes).is_ok_and(|blob| blob.to_string() == entry.blob)
}
