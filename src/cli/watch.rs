//! `pyqa watch`

use std::io::{self, IsTerminal, Write};

use super::Stop;
use super::args::{CheckArgs, Global};
use super::check::{self, Stage};
use super::console::Console;
use crate::engine::request::{Content, Request};
use crate::engine::upkeep::keep_cache_small;
use crate::engine::watch::Watch;
use crate::error::{ExitStatus, UserError};
use crate::exec::cancel::CancelToken;
use crate::exec::signals::cancel_on_signals;
use crate::paths::RelPath;
use crate::project::variables::Variables;
use crate::report::Verbosity;
use crate::report::escape::one_line;
use crate::report::style::plural;

/// Names of changed files that are shown.
const NAMED: usize = 3;

/// Checks whenever something changes, until it is interrupted.
pub(super) fn run(
    args: &CheckArgs,
    global: &Global,
    console: &Console,
    variables: &Variables,
) -> Result<ExitStatus, Stop> {
    let request = check::request(args, global, variables)?;
    if args.looking.list_files || args.looking.show_settings || request.content != Content::WorkTree
    {
        let error = UserError::new("`pyqa watch` checks the work tree and nothing else");
        return Err(error.hint("use `pyqa check` for this option").into());
    }
    let cancel = CancelToken::new();
    cancel_on_signals(&cancel)?;
    let mut watch = Watch::begin(&request)?;
    let mut changed = Vec::new();
    loop {
        pass(args, &request, console, variables, &cancel, &changed)?;
        // A watch may go on for weeks.
        if !args.caching.no_cache {
            keep_cache_small(variables);
        }
        changed = match watch.checked() {
            _ if cancel.is_cancelled() => return Ok(ExitStatus::Interrupted),
            Ok(news) if !news.is_empty() => news,
            Ok(_) => {
                tell_waiting(&watch, console)?;
                match wait(&mut watch, console, &cancel) {
                    Some(news) => news,
                    None => return Ok(ExitStatus::Interrupted),
                }
            }
            Err(errors) => {
                console.show_stop(&Stop::User(errors));
                match wait(&mut watch, console, &cancel) {
                    Some(news) => news,
                    None => return Ok(ExitStatus::Interrupted),
                }
            }
        };
    }
}

/// Waits for news. Settings that are half-typed are told, and the next edit may mend them.
fn wait(watch: &mut Watch, console: &Console, cancel: &CancelToken) -> Option<Vec<RelPath>> {
    loop {
        match watch.wait(cancel) {
            Ok(news) => return news,
            Err(errors) => console.show_stop(&Stop::User(errors)),
        }
    }
}

/// Checks once and shows the result in the place of the one before.
fn pass(
    args: &CheckArgs,
    request: &Request,
    console: &Console,
    variables: &Variables,
    cancel: &CancelToken,
    changed: &[RelPath],
) -> Result<(), Stop> {
    let checked = check::perform(args, request, console, cancel, &mut |_| {});
    if cancel.is_cancelled() {
        return Ok(());
    }
    if io::stdout().is_terminal() {
        ::console::Term::stdout().clear_screen()?;
    }
    if !changed.is_empty() && console.verbosity != Verbosity::Quiet {
        writeln!(io::stderr(), "changed: {}", names(changed))?;
    }
    match checked {
        Ok(outcome) => {
            check::report(&args.output, Stage::of(args), console, variables, &outcome).map(drop)
        }
        Err(Stop::User(errors)) => {
            console.show_stop(&Stop::User(errors));
            Ok(())
        }
        Err(stop) => Err(stop),
    }
}

fn names(changed: &[RelPath]) -> String {
    let mut names: Vec<String> =
        changed.iter().take(NAMED).map(|path| one_line(&path.to_text()).into_owned()).collect();
    if changed.len() > NAMED {
        names.push(format!("{} more", changed.len() - NAMED));
    }
    names.join(", ")
}

fn tell_waiting(watch: &Watch, console: &Console) -> io::Result<()> {
    if console.verbosity == Verbosity::Quiet {
        return Ok(());
    }
    writeln!(io::stderr(), "watching {}; Ctrl-C ends", plural(watch.files(), "file"))
}
