//! What is known of the terminal: colour, width, how much is to be said.

use std::io::{self, IsTerminal, Write};

use super::Stop;
use super::args::Global;
use crate::project::variables::Variables;
use crate::report::errors::{write_errors, write_unexpected};
use crate::report::progress::{Progress, ProgressMode};
use crate::report::style::{ColorInputs, Stream, terminal_width};
use crate::report::{Color, Verbosity};

/// The two streams and how to write to them.
pub(super) struct Console {
    pub(super) stdout: Color,
    pub(super) stderr: Color,
    pub(super) width: usize,
    pub(super) verbosity: Verbosity,
    progress: ProgressMode,
    /// How often `-v` was given.
    verbose: u8,
}

impl Console {
    pub(super) fn new(global: &Global, variables: &Variables) -> Self {
        let read = |name: &str| variables.get(name).map(ToOwned::to_owned);
        let color = |is_terminal: bool| {
            ColorInputs::new(global.color, Stream::from(is_terminal), read).decide()
        };
        let verbosity = match (global.quiet, global.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, 0) => Verbosity::Normal,
            (false, _) => Verbosity::Verbose,
        };
        let columns = variables.get("COLUMNS").and_then(|value| value.to_str());
        let measured = console::Term::stdout().size_checked().map(|(_, columns)| columns);
        let stream = Stream::from(io::stderr().is_terminal());
        Self {
            stdout: color(io::stdout().is_terminal()),
            stderr: color(io::stderr().is_terminal()),
            width: terminal_width(columns, measured),
            verbosity,
            progress: ProgressMode::decide(
                verbosity,
                stream,
                variables.get("TERM"),
                variables.get("CI"),
            ),
            verbose: global.verbose,
        }
    }

    pub(super) fn progress(&self) -> Progress {
        Progress::stderr(self.progress, self.stderr)
    }

    /// Progress where it goes away again; lines that stay would be in the way.
    pub(super) fn passing_progress(&self) -> Progress {
        let mode = match self.progress {
            ProgressMode::Live => ProgressMode::Live,
            _ => ProgressMode::Silent,
        };
        Progress::stderr(mode, self.stderr)
    }

    /// `-vv` tells what pyqa does.
    pub(super) fn start_log(&self) {
        static LOGGER: Logger = Logger;
        if self.verbose >= 2 && log::set_logger(&LOGGER).is_ok() {
            log::set_max_level(log::LevelFilter::Debug);
        }
    }

    pub(super) fn show_stop(&self, stop: &Stop) {
        let mut text = Vec::new();
        let written = match stop {
            Stop::User(errors) => write_errors(errors, self.stderr, &mut text),
            Stop::Output(error) => write_unexpected(error, self.stderr, &mut text),
        };
        // When even standard error is gone, the exit code is all that is left to say.
        let _ = written.and_then(|()| io::stderr().write_all(&text));
    }
}

/// Lines of the log on standard error.
struct Logger;

impl log::Log for Logger {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("pyqa")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let level = record.level().as_str().to_lowercase();
            let _ = writeln!(io::stderr(), "{level}: {}", record.args());
        }
    }

    fn flush(&self) {}
}
