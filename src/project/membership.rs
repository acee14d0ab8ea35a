//! Whether a single file, which need not exist, is one of the project's: [`is_walked`] answers for
//! one path as the walk of [`FileSet::list`](super::files::FileSet::list) does for all.

use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder, gitconfig_excludes_path};

use super::files::is_foreign_folder;
use super::repository::git_folder;
use crate::paths::RelPath;

/// Whether a walk from `root` that heeds ignore rules comes upon `path`. Tracked files count
/// whatever this says.
pub fn is_walked(path: &RelPath, root: &Path, repository: Option<&Path>) -> bool {
    let file = path.below(root);
    let mut way: Vec<&Path> = file.ancestors().take_while(|step| *step != root).collect();
    way.reverse();
    let Some((_, folders)) = way.split_last() else { return false };
    if folders.iter().any(|folder| is_other_project(folder)) {
        return false;
    }
    let mut rules = rules_above(root, repository);
    for step in &way {
        if rules.ignore(step, *step != file) {
            return false;
        }
        rules.enter(step);
    }
    true
}

/// A repository or an environment within the project is not the project, nor is a cache.
fn is_other_project(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| is_foreign_folder(name.as_encoded_bytes()))
        || [".git", "pyvenv.cfg"].iter().any(|mark| folder.join(mark).symlink_metadata().is_ok())
}

/// The ignore files on the way to a path, the nearest last.
struct Rules {
    folders: Vec<Gitignore>,
    /// What counts where they say nothing, the first before the second.
    elsewhere: Vec<Gitignore>,
}

impl Rules {
    fn enter(&mut self, folder: &Path) {
        let file = folder.join(".gitignore");
        if file.is_file() {
            self.folders.push(read(folder, &file));
        }
    }

    fn ignore(&self, path: &Path, is_folder: bool) -> bool {
        let matched = self.folders.iter().rev().chain(&self.elsewhere);
        let decided = matched.map(|rules| rules.matched(path, is_folder)).find(|m| !m.is_none());
        decided.is_some_and(|verdict| verdict.is_ignore())
    }
}

/// The rules that hold at the root: its own, those of the folders above as far as the repository
/// goes, the repository's and the user's.
fn rules_above(root: &Path, repository: Option<&Path>) -> Rules {
    let mut above: Vec<&Path> = match repository {
        Some(top) => root.ancestors().take_while(|folder| folder.starts_with(top)).collect(),
        None => root.ancestors().collect(),
    };
    above.reverse();
    let mut rules = Rules { folders: Vec::new(), elsewhere: Vec::new() };
    for folder in above {
        rules.enter(folder);
    }
    if let Some(top) = repository {
        let exclude = git_folder(top).join("info/exclude");
        if exclude.is_file() {
            rules.elsewhere.push(read(top, &exclude));
        }
    }
    rules.elsewhere.push(GitignoreBuilder::new(root).build_global().0);
    rules
}

/// Where ignore rules are read for folders below `root` beside the `.gitignore` files there: the
/// same of the folders above, and git's own. Whether they are there is not looked at.
pub fn rule_files(root: &Path) -> Vec<PathBuf> {
    let above = root.ancestors().skip(1).map(|folder| folder.join(".gitignore"));
    let own = root.ancestors().filter(|folder| folder.join(".git").exists());
    let own = own.map(|folder| git_folder(folder).join("info/exclude"));
    above.chain(own).chain(gitconfig_excludes_path()).collect()
}

fn read(folder: &Path, file: &Path) -> Gitignore {
    let mut builder = GitignoreBuilder::new(folder);
    if let Some(error) = builder.add(file) {
        log::warn!("{error}");
    }
    builder.build().unwrap_or_else(|error| {
        log::warn!("{error}");
        Gitignore::empty()
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::project::files::FileSet;

    const FILES: [&str; 21] = [
        "a.py",
        "build/a.py",
        "build/keep.py",
        "pkg/a.py",
        "pkg/gen/a.py",
        "pkg/gen/deep/b.py",
        "pkg/local.py",
        "pkg/x_pb2.py",
        "pkg/keep_pb2.py",
        "other/excluded.py",
        "other/.hidden/a.py",
        "node_modules/a.py",
        "env/pyvenv.cfg",
        "env/a.py",
        "deep/env2/pyvenv.cfg",
        "deep/env2/lib/a.py",
        "vendored/.git/HEAD",
        "vendored/a.py",
        "sub/other/a.py",
        "sub/build/a.py",
        "sub/a.py",
    ];

    fn tree() -> tempfile::TempDir {
        let top = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = top.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for name in FILES {
            write(name, "");
        }
        write(".gitignore", "build/\n/sub/other\n*_pb2.py\n!build/keep.py\n");
        write("pkg/.gitignore", "gen\nlocal.py\n!keep_pb2.py\n");
        top
    }

    fn agree(root: &Path, repository: Option<&Path>, tracked: Option<&[RelPath]>) {
        let listed = FileSet::list(root, tracked);
        let mut walked = 0;
        for name in FILES {
            let Some(path) = RelPath::from_absolute(&repository.unwrap_or(root).join(name), root)
            else {
                continue;
            };
            if path.has_extension(&["py"]) {
                let asked = is_walked(&path, root, repository);
                assert_eq!(asked, listed.find(&path).is_some(), "{path}");
                walked += usize::from(asked);
            }
        }
        assert!(walked > 0);
    }

    #[test]
    fn one_file_is_judged_as_the_walk_judges_it_outside_of_a_repository() {
        let top = tree();
        agree(top.path(), None, None);
    }

    #[test]
    fn one_file_is_judged_as_the_walk_judges_it_in_a_repository() {
        let top = tree();
        fs::create_dir_all(top.path().join(".git/info")).unwrap();
        fs::write(top.path().join(".git/HEAD"), "ref: refs/heads/main\n").unwrap();
        fs::write(top.path().join(".git/info/exclude"), "excluded.py\n").unwrap();
        agree(top.path(), Some(top.path()), Some(&[]));
        agree(&top.path().join("sub"), Some(top.path()), Some(&[]));
        agree(&top.path().join("pkg"), Some(top.path()), Some(&[]));
    }

    #[test]
    fn a_file_that_is_not_there_is_judged_by_its_name() {
        let top = tree();
        assert!(is_walked(&"pkg/new/file.py".into(), top.path(), None));
        assert!(!is_walked(&"pkg/gen/new.py".into(), top.path(), None));
        assert!(!is_walked(&"new/build/file.py".into(), top.path(), None));
    }
}
