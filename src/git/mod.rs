//! git: what is tracked, staged and changed, and content that is not checked out as a folder.
//!
//! Reading goes through libgit2 where it knows the repository's format, else through the git
//! program; writing always through the git program, so that its filters and locks apply.

pub mod agreement;
pub mod changes;
pub mod entries;
mod filters;
pub mod hooks;
pub mod ignored;
pub mod program;
pub mod push;
mod record;
pub mod renames;
pub mod restage;
pub mod snapshot;
pub mod tracked;
pub mod worktree;

#[cfg(test)]
mod testing;
