//! `.gitignore` as black reads it, for tracked files that git's rules name: those of black's root,
//! of the working folder and of each folder on the way to the file count, each by itself
//! (`_path_is_ignored` in black/files.py).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::paths::RelPath;

pub(super) struct IgnoreRules {
    root: PathBuf,
    black_root: PathBuf,
    read: HashMap<PathBuf, Gitignore>,
}

impl IgnoreRules {
    pub(super) fn new(root: &Path, black_root: &Path) -> Self {
        Self { root: root.to_owned(), black_root: black_root.to_owned(), read: HashMap::new() }
    }

    /// Whether the file, or a folder on the way to it, is ignored.
    pub(super) fn ignore(&mut self, path: &RelPath) -> bool {
        let mut rules = vec![self.black_root.clone(), self.root.clone()];
        let file = path.below(&self.root);
        let mut way: Vec<&Path> =
            file.ancestors().take_while(|folder| *folder != self.root).collect();
        way.reverse();
        for step in way {
            let is_folder = step != file;
            let ignored = |folder: &PathBuf| {
                let rules = self.read.entry(folder.clone()).or_insert_with(|| read(folder));
                rules.matched(step, is_folder).is_ignore()
            };
            if rules.iter().any(ignored) {
                return true;
            }
            rules.push(step.to_owned());
        }
        false
    }
}

fn read(folder: &Path) -> Gitignore {
    let mut builder = GitignoreBuilder::new(folder);
    let file = folder.join(".gitignore");
    if file.is_file()
        && let Some(error) = builder.add(&file)
    {
        log::warn!("{error}");
    }
    builder.build().unwrap_or_else(|error| {
        log::warn!("{error}");
        Gitignore::empty()
    })
}
