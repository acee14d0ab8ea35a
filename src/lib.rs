//! pyqa turns files, settings and an environment into findings, and does each piece of that work
//! once per distinct input. The modules, in the order in which data flows:
//!
//! - [`cli`]: what was typed
//! - [`config`]: what is configured, pyqa's own settings and each tool's
//! - [`project`]: what is on disk: root, files, interpreter, environment
//! - [`tools`]: what a tool is, where it is installed, how its output is read
//! - [`git`]: index, staged snapshot, changed files, hooks
//! - [`plan`]: which work follows, and the key of each piece
//! - [`cache`]: file states and stored results
//! - [`exec`]: processes and workers
//! - [`engine`]: one run from request to outcome
//! - [`baseline`]: which findings are known and accepted
//! - [`report`]: what is shown
//! - [`lsp`]: findings and formatting in editors
//! - [`ci`]: workflows for CI platforms
//! - [`dropped`]: what a test may leave out of keys, to prove that it would notice
//! - [`finding`], [`event`], [`shard`], [`paths`], [`hash`], [`error`]: the words they all use

pub mod baseline;
pub mod cache;
pub mod ci;
pub mod cli;
pub mod config;
pub mod dropped;
pub mod engine;
pub mod error;
pub mod event;
pub mod exec;
pub mod finding;
pub mod git;
pub mod hash;
pub mod lsp;
pub mod paths;
pub mod plan;
pub mod project;
pub mod report;
pub mod shard;
pub mod tools;
