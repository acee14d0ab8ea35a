//! Python sources outside of the project that count by their content: editable installs,
//! `PYTHONPATH`, folders in an environment that no distribution lists.

use std::path::Path;

use super::files::FileSet;
use crate::hash::{Digest, FileStates, Fingerprint};

/// Stands for the Python files below `folder`: their names, from there, and their content.
/// Ignored ones count as well: an import does not ask git.
pub fn sources_digest(folder: &Path, states: &dyn FileStates) -> Fingerprint {
    let mut digest = Digest::new("pyqa sources");
    for file in FileSet::everything(folder).files {
        if file.path.has_extension(&["py", "pyi", "so", "pyd", "typed"]) {
            digest.field("path", file.path.as_bytes());
            if let Ok(hash) = states.content_hash(&file.path.below(folder)) {
                digest.field("content", hash);
            }
        }
    }
    digest.finish()
}
