//! Where git keeps what it knows of a work tree.

use std::fs;
use std::path::{Path, PathBuf};

/// Where the settings of the repository with this `top` lie: for a linked work tree, with the main
/// one's.
pub fn git_folder(top: &Path) -> PathBuf {
    let own = own_folder(top);
    named(&own.join("commondir"), &own).unwrap_or(own)
}

/// The list of what git tracks in the work tree. It is missing where nothing was ever added.
pub fn index_file(top: &Path) -> PathBuf {
    own_folder(top).join("index")
}

/// What belongs to this work tree alone.
fn own_folder(top: &Path) -> PathBuf {
    let mark = top.join(".git");
    mark.is_file().then(|| named(&mark, top)).flatten().unwrap_or(mark)
}

/// The folder that `file` names, seen from `base`.
fn named(file: &Path, base: &Path) -> Option<PathBuf> {
    let text = fs::read_to_string(file).ok()?;
    let target = text.strip_prefix("gitdir: ").unwrap_or(&text);
    Some(base.join(target.trim_end()))
}
