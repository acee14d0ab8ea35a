//! pyqa as a git hook: where git looks for hooks, the script that is put there, what becomes of a
//! hook that was there before, and whether git will run what was installed. What the hook then
//! checks stands elsewhere.

pub mod config;
pub mod inspect;
pub mod install;
pub mod legacy;
mod os;
pub mod place;
mod record;
pub mod script;

use std::fmt;

/// A hook of git's that pyqa can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum HookName {
    /// Before a commit is made.
    PreCommit,
    /// Before a merge without conflicts is committed; git does not run pre-commit for it.
    PreMergeCommit,
    /// Before commits are sent to another repository.
    PrePush,
}

impl HookName {
    pub const ALL: [Self; 3] = [Self::PreCommit, Self::PreMergeCommit, Self::PrePush];

    /// As git calls it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PreMergeCommit => "pre-merge-commit",
            Self::PrePush => "pre-push",
        }
    }

    /// The name of the file that keeps a hook that was there before.
    pub fn legacy(self) -> String {
        format!("{}.legacy", self.as_str())
    }
}

impl fmt::Display for HookName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
