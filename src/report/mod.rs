//! What is shown. A [`Report`] turns an [`Outcome`] into one output format, a file each;
//! [`progress`] draws [`Event`](crate::event::Event)s while the run goes on. Nothing here runs a
//! tool or reads a file by itself: sources come through the [`ReportContext`].

pub mod concise;
pub mod diff;
pub mod errors;
pub mod escape;
pub mod explain;
pub mod failures;
pub mod format;
pub mod full;
pub mod json;
pub mod jsonl;
pub mod place;
pub mod progress;
pub mod selection;
pub mod snippet;
pub mod source;
pub mod style;
pub mod summary;

#[cfg(test)]
mod samples;

use std::io::{self, Write};
use std::path::Path;

use crate::event::Outcome;
use crate::paths::RelPath;

pub use format::{OutputFormat, ReportTarget};
pub use style::Color;

/// One output format.
pub trait Report {
    /// Writes the whole report.
    ///
    /// # Errors
    /// Those of `out`, a broken pipe included: the caller decides what they mean.
    fn write(
        &self,
        outcome: &Outcome,
        context: &ReportContext,
        out: &mut dyn Write,
    ) -> io::Result<()>;
}

/// The bytes of a project file as they were when the tools saw them; `None` where there are none.
pub type ReadSource<'a> = dyn Fn(&RelPath) -> Option<Vec<u8>> + 'a;

/// What a report may know beside the outcome.
pub struct ReportContext<'a> {
    /// Absolute path of the project's root.
    pub root: &'a Path,
    pub color: Color,
    /// Columns of the terminal; see [`style::terminal_width`].
    pub width: usize,
    pub verbosity: Verbosity,
    pub limit: Limit,
    pub source: &'a ReadSource<'a>,
}

/// How much a person wants to read: `-q`, nothing, `-v`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    Quiet,
    #[default]
    Normal,
    Verbose,
}

/// Whether a report for people may leave something out. Reports for machines never do, but for
/// the limits of the platform that reads them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Limit {
    #[default]
    Readable,
    /// `--no-limit`
    None,
}
