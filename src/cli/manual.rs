//! What is made of the command line's own description: completion scripts and manual pages.

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use clap::CommandFactory;

use super::Stop;
use super::args::Cli;
use crate::error::{ExitStatus, Source, UserError};

pub(super) fn completions(shell: clap_complete::Shell) -> Result<ExitStatus, Stop> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "pyqa", &mut script);
    io::stdout().write_all(&script)?;
    Ok(ExitStatus::Clean)
}

/// `pyqa.1`, and a page such as `pyqa-check.1` for each command that is not hidden.
pub(super) fn pages(folder: &Path) -> Result<ExitStatus, Stop> {
    let written =
        fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written.map_err(|error| {
        UserError::new(format!("the manual cannot be written: {error}"))
            .at(Source::file(folder))
            .hint("name a folder that can be written to")
    })?;
    Ok(ExitStatus::Clean)
}
