//! The command line: what was typed becomes a request, and an outcome becomes an exit code. One
//! file per subcommand.

pub mod args;
mod baseline;
mod cache;
mod catalogue;
mod check;
mod ci;
mod console;
mod doctor;
pub mod editor;
mod format;
mod hook;
mod install;
mod listing;
mod manual;
mod mended;
mod merge;
mod rule;
mod skip;
mod tools;
mod units;
mod watch;
mod worker;

use std::io;

use clap::Parser;

use crate::engine::upkeep::keep_cache_small;
use crate::error::{ExitStatus, UserError};
use crate::lsp;
use crate::project::runner;
use crate::project::stat::umask;
use crate::project::variables::Variables;
use args::{Cli, Command};
use console::Console;

/// Why a command did not come to an end of its own.
#[derive(Debug)]
pub enum Stop {
    /// Mistakes of the user's.
    User(Vec<UserError>),
    /// Writing the output failed. A reader that went away is no error.
    Output(io::Error),
}

impl From<Vec<UserError>> for Stop {
    fn from(errors: Vec<UserError>) -> Self {
        Self::User(errors)
    }
}

impl From<UserError> for Stop {
    fn from(error: UserError) -> Self {
        Self::User(vec![error])
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// The whole program.
pub fn main() -> ExitStatus {
    umask();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no failures; their text goes to standard output.
            let status = if error.use_stderr() { ExitStatus::Failure } else { ExitStatus::Clean };
            return if error.print().is_ok() { status } else { ExitStatus::Failure };
        }
    };
    let variables = runner::without_its_environment(Variables::of_process());
    let console = Console::new(&cli.global, &variables);
    console.start_log();
    match run(&cli, &console, &variables) {
        Ok(status) => {
            if cli.command.adds_to_cache() {
                keep_cache_small(&variables);
            }
            status
        }
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitStatus::Clean,
        Err(stop) => {
            console.show_stop(&stop);
            ExitStatus::Failure
        }
    }
}

fn run(cli: &Cli, console: &Console, variables: &Variables) -> Result<ExitStatus, Stop> {
    match &cli.command {
        Command::Check(args) => check::run(args, &cli.global, console, variables),
        Command::Baseline(command) => baseline::run(command, &cli.global, console, variables),
        Command::Hook(args) => hook::run(args, &cli.global, console, variables),
        Command::Watch(args) => watch::run(args, &cli.global, console, variables),
        Command::Format(args) => format::run(args, &cli.global, console, variables),
        Command::Merge(args) => merge::run(args, &cli.global, console, variables),
        Command::Cache(command) => cache::run(*command, variables),
        Command::Worker(command) => worker::run(*command, variables),
        Command::Install(args) => install::install(args, variables),
        Command::Uninstall(args) => install::uninstall(args),
        Command::Doctor => doctor::run(&cli.global, console, variables),
        Command::Rule(args) => rule::run(args, console),
        Command::Tools => tools::run(&cli.global, variables),
        Command::Lsp => Ok(lsp::serve(variables.clone())?),
        Command::Completions { shell } => manual::completions(*shell),
        Command::Man { folder } => manual::pages(folder),
    }
}
