//! Where git looks for the hooks of a repository: [`Place`]. The git program is asked, because
//! `core.hooksPath`, linked work trees and `.git` files all have a say in it.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;

use super::os::Sharing;
use crate::error::UserError;
use crate::git::program;
use crate::paths::RelPath;

/// The folder of a repository's hooks.
#[derive(Clone, Debug)]
pub struct Place {
    /// Where git commands about this repository are run: the top of the work tree, else the
    /// repository itself.
    pub top: PathBuf,
    /// The folder whose hooks git runs. It need not exist.
    pub folder: PathBuf,
    /// The folder whose hooks git would run without `core.hooksPath`.
    pub own: PathBuf,
    /// Where `core.hooksPath` is set, when it is.
    pub set_in: Option<Scope>,
    /// The folder that all work trees of the repository share.
    pub common: PathBuf,
    /// Who else is to be able to read what is written.
    pub(super) sharing: Sharing,
}

/// Which of git's settings files says something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The repository's, or the work tree's own.
    Repository,
    /// The user's.
    Global,
    /// The machine's.
    System,
    /// An option or a variable of this one command.
    Command,
}

impl Scope {
    fn parse(name: &[u8]) -> Self {
        match name {
            b"local" | b"worktree" => Self::Repository,
            b"system" => Self::System,
            b"command" => Self::Command,
            _ => Self::Global,
        }
    }

    /// In a sentence: "`core.hooksPath` in …".
    pub fn describe(self) -> &'static str {
        match self {
            Self::Repository => "this repository's settings",
            Self::Global => "your own git settings",
            Self::System => "this machine's git settings",
            Self::Command => "an option or a variable of this command",
        }
    }
}

impl Place {
    /// The place for the repository that `folder` lies in.
    ///
    /// # Errors
    /// Without git, outside of a repository, and where `core.hooksPath` is empty.
    pub fn find(folder: &Path) -> Result<Self, UserError> {
        let common = rev_parse(folder, &["--git-common-dir"])?;
        // A bare repository has no work tree.
        let top = rev_parse(folder, &["--show-toplevel"]).unwrap_or_else(|_| common.clone());
        let set_in = match config(&top, &["--show-scope", "--get", "core.hooksPath"])? {
            None => None,
            Some(answer) => {
                let mut parts = answer.split(|&byte| byte == 0);
                let scope = Scope::parse(parts.next().unwrap_or_default());
                if parts.next().is_none_or(<[u8]>::is_empty) {
                    let what = format!("core.hooksPath is empty in {}", scope.describe());
                    return Err(UserError::new(what)
                        .hint("git finds no hook then; remove the setting, or name a folder"));
                }
                Some(scope)
            }
        };
        let sharing = config(&top, &["--get", "core.sharedRepository"])?;
        Ok(Self {
            folder: rev_parse(&top, &["--git-path", "hooks"])?,
            own: common.join("hooks"),
            sharing: Sharing::parse(&sharing.unwrap_or_default()),
            set_in,
            common,
            top,
        })
    }
}

/// A path that git knows.
fn rev_parse(folder: &Path, question: &[&str]) -> Result<PathBuf, UserError> {
    let output = git(folder, &[&["rev-parse", "--path-format=absolute"], question].concat())?;
    if !output.status.success() {
        return Err(refused(folder, &output));
    }
    let line = output.stdout.strip_suffix(b"\n").unwrap_or(&output.stdout);
    Ok(RelPath::from_bytes(line).to_path())
}

/// What `git config -z` says; `None` where nothing is set.
///
/// # Errors
/// Without git, and where the settings cannot be read.
pub(super) fn config(folder: &Path, question: &[&str]) -> Result<Option<Vec<u8>>, UserError> {
    let output = git(folder, &[&["config", "-z"], question].concat())?;
    match output.status.code() {
        Some(0) => {
            let value = output.stdout.strip_suffix(b"\0").unwrap_or(&output.stdout);
            Ok(Some(value.to_vec()))
        }
        Some(1) => Ok(None),
        _ => Err(refused(folder, &output)),
    }
}

/// git's answer, in English.
///
/// # Errors
/// Where git cannot be started.
pub(super) fn git<S: AsRef<OsStr>>(folder: &Path, arguments: &[S]) -> Result<Output, UserError> {
    program::command(folder).args(arguments).output().map_err(|error: io::Error| {
        UserError::new(format!("git could not be started: {error}"))
            .hint("install git, or put it on PATH")
    })
}

/// The error of a git that said no.
pub(super) fn refused(folder: &Path, output: &Output) -> UserError {
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    UserError::new(format!("git in {}: {words}", folder.display()))
        .hint("run this in a git repository; `git status` there has to work")
}
