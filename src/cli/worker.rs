//! `pyqa worker`

use std::io::{self, Write};

use super::Stop;
use super::args::WorkerCommand;
use crate::error::ExitStatus;
use crate::exec::worker;
use crate::project::variables::Variables;

pub(super) fn run(command: WorkerCommand, variables: &Variables) -> Result<ExitStatus, Stop> {
    let mut text = Vec::new();
    match command {
        WorkerCommand::Status => {
            for line in worker::status(variables) {
                writeln!(text, "{line}")?;
            }
            if text.is_empty() {
                writeln!(text, "no worker is running")?;
            }
        }
        WorkerCommand::Stop => match worker::stop(variables) {
            0 => writeln!(text, "no worker is running")?,
            1 => writeln!(text, "1 worker stopped")?,
            count => writeln!(text, "{count} workers stopped")?,
        },
    }
    io::stdout().write_all(&text)?;
    Ok(ExitStatus::Clean)
}
