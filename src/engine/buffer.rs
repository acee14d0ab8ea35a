//! A run over one text that stands in the place of a file: where it lies, and the file set that
//! holds nothing else.

use std::path::{Component, Path, PathBuf};

use super::request::Buffer;
use crate::error::UserError;
use crate::git::tracked::tracked;
use crate::paths::RelPath;
use crate::project::files::{FileSet, ProjectFile, look_at};
use crate::project::membership::is_walked;
use crate::project::stat::FileStat;

/// Where a file lies, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The nearest folder that exists, links resolved.
    pub folder: PathBuf,
    /// The file's path, with its existing folders resolved. The file itself is not: a link counts
    /// as what it is.
    pub path: PathBuf,
}

/// The place of `path`, seen from `folder`.
///
/// # Errors
/// A path that names no file.
pub fn place(path: &Path, folder: &Path) -> Result<Place, UserError> {
    let full = folder.join(path);
    let no_file = || {
        UserError::new(format!("{} is not the name of a file", path.display()))
            .hint("name the file to which the text belongs")
    };
    let name = full.file_name().ok_or_else(no_file)?;
    let parent = full.parent().ok_or_else(no_file)?;
    let (existing, rest) = parent
        .ancestors()
        .find_map(|ancestor| {
            let resolved = dunce::canonicalize(ancestor).ok().filter(|path| path.is_dir())?;
            Some((resolved, parent.strip_prefix(ancestor).ok()?))
        })
        .ok_or_else(no_file)?;
    let mut within = existing.clone();
    for part in rest.components() {
        match part {
            Component::ParentDir => {
                within.pop();
            }
            Component::Normal(name) => within.push(name),
            _ => {}
        }
    }
    let nearest = within.ancestors().find(|folder| folder.is_dir()).unwrap_or(&existing);
    Ok(Place { folder: nearest.to_owned(), path: within.join(name) })
}

/// The file set of the buffer alone; an empty one where the file is none of the project's.
pub(super) fn list(
    buffer: &Buffer,
    root: &Path,
    repository: Option<&Path>,
) -> Result<FileSet, UserError> {
    let path = RelPath::from_absolute(&buffer.path, root).ok_or_else(|| {
        let what = format!("{} is outside of {}", buffer.path.display(), root.display());
        UserError::new(what).hint("leave out `--root`, or name the root of the file's project")
    })?;
    let ignored = !is_walked(&path, root, repository);
    if ignored && !is_tracked(&path, root, repository)? {
        return Ok(FileSet::default());
    }
    let size = buffer.content.len() as u64;
    let file = match look_at(path.clone(), root) {
        Some(file) => ProjectFile { stat: FileStat { size, ..file.stat }, ignored, ..file },
        None => ProjectFile { path, stat: new_file(size), link: None, ignored },
    };
    Ok(FileSet { files: vec![file], ..FileSet::default() })
}

fn is_tracked(path: &RelPath, root: &Path, repository: Option<&Path>) -> Result<bool, UserError> {
    let Some(top) = repository else { return Ok(false) };
    Ok(tracked(root, top)?.binary_search(path).is_ok())
}

/// The state that the file will have when it is saved, as far as it counts.
fn new_file(size: u64) -> FileStat {
    FileStat { size, mtime: 0, ctime: 0, inode: 0, device: 0, mode: 0o100_644 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_folders_that_are_not_there_yet_lies_below_the_nearest_that_is() {
        let top = tempfile::tempdir().unwrap();
        let top = top.path().canonicalize().unwrap();
        std::fs::create_dir(top.join("src")).unwrap();
        let at = |path: &str| place(Path::new(path), &top.join("src")).unwrap();
        let expected =
            |folder: &str, path: &str| Place { folder: top.join(folder), path: top.join(path) };
        assert_eq!(at("a.py"), expected("src", "src/a.py"));
        assert_eq!(at("new/deep/a.py"), expected("src", "src/new/deep/a.py"));
        assert_eq!(at("new/../../a.py"), expected("", "a.py"));
        assert_eq!(at(top.join("b/a.py").to_str().unwrap()), expected("", "b/a.py"));
        assert!(place(Path::new(".."), &top).is_err());
    }
}
