//! What is shown. A [`Report`] turns an [`Outcome`] into one output format, a file each;
//! [`progress`] draws [`Event`](crate::event::Event)s while the run goes on. Nothing here runs a
//! tool or reads a file by itself: sources come through the [`ReportContext`].

pub mod checkstyle;
pub mod concise;
pub mod diff;
pub mod durations;
pub mod edits;
pub mod errors;
pub mod escape;
pub mod explain;
pub mod failures;
pub mod format;
pub mod full;
pub mod github;
pub mod gitlab;
pub mod json;
pub mod jsonl;
pub mod junit;
pub mod merge;
pub mod place;
pub mod progress;
pub mod rdjson;
pub mod region;
pub mod sarif;
pub mod selection;
pub mod snippet;
pub mod statistics;
pub mod style;
pub mod summary;
pub mod timings;

#[cfg(test)]
mod samples;

use std::io::{self, Write};
use std::path::Path;

use crate::baseline::fingerprint::fingerprints;
use crate::baseline::source::Sources;
use crate::event::Outcome;
use crate::finding::{Category, Finding, ToolId};
use crate::hash::Fingerprint;
use crate::paths::RelPath;

pub use crate::baseline::source::ReadSource;
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

/// What a report may know beside the outcome.
pub struct ReportContext<'a> {
    /// Absolute path of the project's root.
    pub root: &'a Path,
    /// Absolute path of the folder that a platform's paths count from: the repository's root.
    /// The same as `root`, or above it.
    pub repository: &'a Path,
    pub color: Color,
    /// Columns of the terminal; see [`style::terminal_width`].
    pub width: usize,
    pub verbosity: Verbosity,
    pub limit: Limit,
    pub source: &'a ReadSource<'a>,
    pub catalogue: &'a dyn Catalogue,
}

impl<'a> ReportContext<'a> {
    /// For a report that is not limited by a terminal, on a project that is a repository itself.
    pub fn plain(root: &'a Path, source: &'a ReadSource<'a>) -> Self {
        Self {
            root,
            repository: root,
            color: Color::Never,
            width: style::terminal_width(None, None),
            verbosity: Verbosity::Normal,
            limit: Limit::Readable,
            source,
            catalogue: &EmptyCatalogue,
        }
    }

    /// The path as CI platforms count it.
    fn platform_path(&self, path: &RelPath) -> RelPath {
        match RelPath::from_absolute(self.root, self.repository) {
            Some(folder) if !folder.as_bytes().is_empty() => {
                RelPath::from_bytes([folder.as_bytes(), b"/", path.as_bytes()].concat())
            }
            _ => path.clone(),
        }
    }

    /// A fingerprint for each finding; see [`fingerprints`].
    fn fingerprints(&self, findings: &[Finding]) -> Vec<Fingerprint> {
        let mut sources = Sources::new(self.source);
        fingerprints(findings, |path, line| sources.line(path, line).map(str::to_owned))
    }
}

/// What is known of tools and their codes from the data shipped with the program.
pub trait Catalogue {
    /// The tool's own page.
    fn homepage(&self, tool: &ToolId) -> Option<String>;

    /// What the tool's findings are mostly about.
    fn category(&self, tool: &ToolId) -> Category;

    /// What a code of the tool means.
    fn rule(&self, tool: &ToolId, code: &str) -> Option<Rule>;
}

/// Knows nothing.
pub struct EmptyCatalogue;

impl Catalogue for EmptyCatalogue {
    fn homepage(&self, _tool: &ToolId) -> Option<String> {
        None
    }

    fn category(&self, _tool: &ToolId) -> Category {
        Category::default()
    }

    fn rule(&self, _tool: &ToolId, _code: &str) -> Option<Rule> {
        None
    }
}

/// The meaning of a tool's code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// One sentence.
    pub summary: String,
    /// Page that explains the code.
    pub url: Option<String>,
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
