//! Python sources outside of the project that count by their content: editable installs,
//! `PYTHONPATH`, folders in an environment that no distribution lists.

use std::path::Path;

use super::files::{FileSet, ProjectFile};
use crate::hash::{Digest, FileStates, Fingerprint};

/// Stands for the Python files below `place`: their names, from there, and their content. Ignored
/// ones count as well: an import does not ask git. A file, such as an archive, counts whatever it is.
pub fn sources_digest(place: &Path, states: &dyn FileStates) -> Fingerprint {
    digest(place, states, |file| file.path.has_extension(&["py", "pyi", "so", "pyd", "typed"]))
}

/// The same of all files but bytecode.
pub fn content_digest(place: &Path, states: &dyn FileStates) -> Fingerprint {
    digest(place, states, |file| !file.path.has_extension(&["pyc"]))
}

fn digest(
    place: &Path,
    states: &dyn FileStates,
    counts: impl Fn(&ProjectFile) -> bool,
) -> Fingerprint {
    let mut digest = Digest::new("pyqa sources");
    if place.is_file() {
        if let Ok(hash) = states.content_hash(place) {
            digest.field("content", hash);
        }
        return digest.finish();
    }
    for file in FileSet::everything(place).files.into_iter().filter(counts) {
        digest.field("path", file.path.as_bytes());
        if let Ok(hash) = states.content_hash(&file.path.below(place)) {
            digest.field("content", hash);
        }
    }
    digest.finish()
}
