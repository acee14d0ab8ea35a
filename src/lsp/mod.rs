//! The language server, `pyqa lsp`: findings as you type, formatting and quick fixes in every
//! editor that speaks the Language Server Protocol. Its main type is [`server::Server`].
//!
//! One thread owns all state and handles one message after the other; nothing that it does takes
//! long. Tools run on the threads of [`lane`]s, which are given a text that never changes and tell
//! what they find; what was found in a text that is no longer the current one is dropped. The
//! model is rust-analyzer's main loop.
//!
//! There is no second way to check: a lane makes a request to the engine, with the unsaved texts
//! in it, so that results come from and go to the store that the hook and `pyqa check` use.
//!
//! The protocol's types are those of `gen-lsp-types`, made from the protocol's own description
//! and released with each of its versions; `lsp-types` has had no release since 2024. The
//! transport is `lsp-server`, which rust-analyzer and ruff use: threads and channels, no runtime.

mod actions;
mod checks;
mod comments;
mod convert;
mod diagnostics;
mod document;
mod format;
mod lane;
mod messages;
mod options;
mod project;
mod pulls;
mod remedy;
mod results;
mod server;
mod shift;
mod start;
mod sync;
mod text;
mod uri;

use std::io;

use lsp_server::Connection;

use crate::error::ExitStatus;
use crate::exec::signals;
use crate::project::variables::Variables;

/// Serves the client on standard input and output until it says goodbye or goes away.
///
/// # Errors
/// Where threads or signal handlers cannot be had.
pub fn serve(variables: Variables) -> io::Result<ExitStatus> {
    let interrupts = signals::interrupts()?;
    let (connection, threads) = Connection::stdio();
    let status = server::Server::run(&connection, &interrupts, variables);
    // The thread that writes ends when nobody can give it anything; the one that reads may wait
    // for a client that says nothing more.
    drop(connection);
    if status == ExitStatus::Clean {
        // What was answered last is still on its way.
        if let Err(error) = threads.join() {
            log::warn!("the client went away: {error}");
        }
    }
    Ok(status)
}
