//! The work tree that a command is about, [`WorkTree`], found without starting git, and the git
//! commands of pyqa's own. Inside of a hook git says by variables which repository and which
//! index are meant; they are kept for these commands, and for no other process.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::program;
use crate::config::root::find_repository;
use crate::error::UserError;
use crate::paths::RelPath;
use crate::project::variables::Variables;

/// A work tree, its repository and the index that counts.
#[derive(Clone, Debug)]
pub struct WorkTree {
    /// Absolute.
    pub top: PathBuf,
    /// The folder of this work tree's index and HEAD. Absolute.
    pub git_dir: PathBuf,
    /// The index that git works on: `GIT_INDEX_FILE`, else the work tree's own. Absolute.
    pub index: PathBuf,
    /// `GIT_INDEX_FILE` is set.
    names_index: bool,
    names_git_dir: bool,
}

impl WorkTree {
    /// The work tree that `folder` lies in.
    ///
    /// # Errors
    /// Where there is none, or git does not trust its owner.
    pub fn find(folder: &Path, variables: &Variables) -> Result<Self, UserError> {
        let absolute = |name: &str| variables.path(name).map(|path| resolved(&folder.join(path)));
        let missing = || {
            UserError::new(format!("{} is in no git work tree", folder.display()))
                .hint("go to a folder of a git repository")
        };
        let found = find_repository(folder).map(|top| resolved(&top));
        let named = absolute("GIT_DIR");
        let (top, git_dir) = match (&named, found) {
            (None, found) => {
                let top = found.ok_or_else(missing)?;
                let git_dir = git_dir_of(&top).ok_or_else(missing)?;
                (top, git_dir)
            }
            (Some(named), Some(top)) if git_dir_of(&top).as_ref() == Some(named) => {
                (top, named.clone())
            }
            // As git has it: without a name for the work tree, the folder is its top.
            (Some(named), _) => {
                (absolute("GIT_WORK_TREE").unwrap_or_else(|| resolved(folder)), named.clone())
            }
        };
        let index = variables.path("GIT_INDEX_FILE").map(|path| folder.join(path));
        let work_tree = Self {
            names_index: index.is_some(),
            names_git_dir: named.is_some(),
            index: index.unwrap_or_else(|| git_dir.join("index")),
            top,
            git_dir,
        };
        if [&work_tree.top, &work_tree.git_dir].into_iter().any(|path| os::is_of_another(path)) {
            // Settings of the user and of the machine say who is trusted: git knows.
            work_tree.read("work here", ["rev-parse", "--git-dir"])?;
        }
        Ok(work_tree)
    }

    /// The same work tree with another index.
    #[must_use]
    pub fn with_index(&self, index: PathBuf) -> Self {
        Self { index, names_index: true, ..self.clone() }
    }

    /// A place for pyqa's own files of this work tree.
    pub fn own(&self, name: &str) -> PathBuf {
        self.git_dir.join("pyqa").join(name)
    }

    /// The folder of what all work trees of the repository share.
    pub fn common_dir(&self) -> PathBuf {
        match fs::read(self.git_dir.join("commondir")) {
            Ok(bytes) => resolved(&self.git_dir.join(path_in(&bytes))),
            Err(_) => self.git_dir.clone(),
        }
    }

    /// The git program on this repository and index, in English, at the top.
    pub fn git<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = program::command(&self.top);
        command.args(arguments);
        if self.names_index {
            command.env("GIT_INDEX_FILE", &self.index);
        }
        if self.names_git_dir {
            command.env("GIT_DIR", &self.git_dir).env("GIT_WORK_TREE", &self.top);
        }
        command
    }

    /// What git prints.
    ///
    /// # Errors
    /// Where git cannot be started, or fails; `task` says what it was to do.
    pub fn read<S: AsRef<OsStr>>(
        &self,
        task: &str,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Vec<u8>, UserError> {
        let output = self.git(arguments).output().map_err(|error| not_started(task, &error))?;
        succeeded(task, output)
    }

    /// `folder`, seen from the top.
    pub fn prefix(&self, folder: &Path) -> RelPath {
        RelPath::from_absolute(folder, &self.top).unwrap_or_else(|| "".into())
    }
}

/// The error of a git that is not there.
pub fn not_started(task: &str, error: &std::io::Error) -> UserError {
    UserError::new(format!("git cannot {task}: it could not be started: {error}"))
        .hint("install git, or put it on PATH")
}

/// The output of a git that succeeded.
///
/// # Errors
/// What git said otherwise.
pub fn succeeded(task: &str, output: Output) -> Result<Vec<u8>, UserError> {
    if output.status.success() {
        return Ok(output.stdout);
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(UserError::new(format!("git cannot {task}: {words}"))
        .hint("run `git status` to see what is wrong"))
}

/// `.git` is a folder, or in linked work trees and submodules a file that names one.
fn git_dir_of(top: &Path) -> Option<PathBuf> {
    let mark = top.join(".git");
    if mark.is_dir() {
        return Some(resolved(&mark));
    }
    let bytes = fs::read(mark).ok()?;
    Some(resolved(&top.join(path_in(bytes.strip_prefix(b"gitdir: ")?))))
}

fn path_in(bytes: &[u8]) -> PathBuf {
    RelPath::from_bytes(bytes.trim_ascii_end()).to_path()
}

fn resolved(path: &Path) -> PathBuf {
    dunce::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}

#[cfg(unix)]
mod os {
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    /// Whether the folder belongs to another user than this process is run by.
    pub(super) fn is_of_another(path: &Path) -> bool {
        let user = rustix::process::geteuid().as_raw();
        fs::metadata(path).is_ok_and(|meta| meta.uid() != user)
    }
}

#[cfg(not(unix))]
mod os {
    use std::path::Path;

    /// The commands that git is asked to run will tell.
    pub(super) fn is_of_another(_: &Path) -> bool {
        false
    }
}
