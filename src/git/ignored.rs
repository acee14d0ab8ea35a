//! What git ignores in a work tree.

use super::program::names;
use super::worktree::WorkTree;
use crate::error::UserError;
use crate::paths::RelPath;

/// Ignored files, and folders of which nothing is tracked, from the top.
///
/// # Errors
/// Where git fails.
pub fn ignored(work_tree: &WorkTree) -> Result<Vec<RelPath>, UserError> {
    let arguments =
        ["ls-files", "--others", "--ignored", "--exclude-standard", "--directory", "-z"];
    let list = work_tree.read("tell what is ignored", arguments)?;
    let trimmed = |path: RelPath| match path.as_bytes().strip_suffix(b"/") {
        Some(folder) => RelPath::from_bytes(folder),
        None => path,
    };
    Ok(names(&list).map(trimmed).collect())
}
