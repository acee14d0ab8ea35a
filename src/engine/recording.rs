//! What a tool was seen to read beside the project's files: inputs of its result that no key
//! covers.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::lookup::observe;
use crate::cache::entry::ExtraInput;
use crate::hash::FileStates;
use crate::paths::RelPath;
use crate::project::files::{FileSet, is_foreign_folder};

/// The inputs noted in `file`, one absolute path after the other, each ended by a zero byte.
/// Caches, environments and the project's own files are no inputs of this kind.
pub fn read(
    file: &Path,
    root: &Path,
    files: &FileSet,
    environments: &[&Path],
    states: &dyn FileStates,
) -> Vec<ExtraInput> {
    let bytes = std::fs::read(file).unwrap_or_default();
    let folders = folders_of(files);
    bytes
        .split(|&byte| byte == 0)
        .filter(|path| !path.is_empty())
        .map(|path| RelPath::from_bytes(path).to_path())
        .filter(|path| !environments.iter().any(|environment| path.starts_with(environment)))
        .filter_map(|path| RelPath::from_absolute(&path, root))
        .filter(|path| !path.as_bytes().is_empty() && files.find(path).is_none())
        .filter(|path| !folders.contains(path.as_bytes()))
        .filter(|path| !path.as_bytes().split(|&b| b == b'/').any(is_foreign_folder))
        .map(|path| {
            let state = observe(path.as_bytes(), states, root);
            ExtraInput { path: path.as_bytes().to_vec(), state }
        })
        .collect()
}

/// Folders that hold files of the project: what is new in them is seen without noting it.
fn folders_of(files: &FileSet) -> BTreeSet<Vec<u8>> {
    let mut folders = BTreeSet::new();
    for file in &files.files {
        let mut folder = file.path.parent();
        while !folder.is_empty() && folders.insert(folder.to_vec()) {
            folder = match folder.iter().rposition(|&b| b == b'/') {
                Some(at) => &folder[..at],
                None => b"",
            };
        }
    }
    folders
}

/// Files that are made for one process and read when it is over.
#[derive(Debug)]
pub struct SideFiles {
    folder: tempfile::TempDir,
    rule: Option<PathBuf>,
}

impl SideFiles {
    /// `rule` is what pytest's plugin is told of this shard.
    ///
    /// # Errors
    /// Those of making a folder for temporary files and of writing there.
    pub fn new(rule: Option<&[u8]>) -> std::io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("pyqa-").tempdir()?;
        let file = rule.map(|_| folder.path().join("shard.json"));
        if let (Some(rule), Some(file)) = (rule, &file) {
            std::fs::write(file, rule)?;
        }
        Ok(Self { folder, rule: file })
    }

    /// The file with the rule.
    pub fn rule(&self) -> Option<PathBuf> {
        self.rule.clone()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
