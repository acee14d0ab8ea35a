//! Formats files on disk, or tells which of them would change: [`files`].
//!
//! A process a text costs a start each. Where there is much to do, the formatters first say in
//! batches which files they would change, as `pyqa check` has them do; only those are formatted.

use std::collections::BTreeSet;
use std::fs;
use std::time::Instant;

use super::chain::{Formatted, Keeping, Text};
use super::formatters::Formatters;
use super::replace::{Replaced, replace};
use super::{LineRange, gather};
use crate::engine::planning::Planner;
use crate::engine::request::Request;
use crate::engine::run::Run;
use crate::engine::toolset::Toolset;
use crate::engine::workspace::Workspace;
use crate::engine::{open, support};
use crate::error::{ExitStatus, UserError};
use crate::event::{Event, Failure, FailureKind, Outcome};
use crate::exec::cancel::CancelToken;
use crate::exec::driver::Support;
use crate::exec::worker::Mode;
use crate::finding::Finding;
use crate::paths::RelPath;
use crate::tools::parse::SYNTAX_ERROR;

/// With fewer files to look at than this, asking in batches first is the longer way.
const FEW: usize = 8;

/// What is wanted of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Write them.
    Write,
    /// Find out which would change.
    Check,
    /// Find out how they would change.
    Compare,
}

/// A file that changed, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub path: RelPath,
    /// Content before and after; `None` where nobody asked how it changes.
    pub texts: Option<(Vec<u8>, Vec<u8>)>,
}

/// What became of the files.
#[derive(Debug, Default)]
pub struct Report {
    /// Sorted by path.
    pub changed: Vec<Change>,
    /// Number of files that are as they should be.
    pub unchanged: usize,
    /// Why files could not be formatted that are themselves to blame.
    pub invalid: Vec<Finding>,
    pub failures: Vec<Failure>,
    pub interrupted: bool,
}

impl Report {
    pub fn status(&self, purpose: Purpose) -> ExitStatus {
        if self.interrupted {
            ExitStatus::Interrupted
        } else if !self.invalid.is_empty() || !self.failures.is_empty() {
            ExitStatus::Failure
        } else if purpose == Purpose::Check && !self.changed.is_empty() {
            ExitStatus::Findings
        } else {
            ExitStatus::Clean
        }
    }
}

/// Formats the files that `request` names, or all of the project's.
///
/// # Errors
/// Mistakes in settings or in the request, or a formatter that cannot be had.
pub fn files(
    request: &Request,
    ranges: &[LineRange],
    purpose: Purpose,
    cancel: &CancelToken,
    on: &mut dyn FnMut(Event),
) -> Result<Report, Vec<UserError>> {
    let workspace = open(request)?;
    let toolset = gather(&workspace, request, on)?;
    format(&workspace, &toolset, request, ranges, purpose, cancel, on)
}

/// As [`files`], in an open workspace, by the formatters of `toolset`.
///
/// # Errors
/// As there.
pub(in crate::engine) fn format(
    workspace: &Workspace,
    toolset: &Toolset,
    request: &Request,
    ranges: &[LineRange],
    purpose: Purpose,
    cancel: &CancelToken,
    on: &mut dyn FnMut(Event),
) -> Result<Report, Vec<UserError>> {
    for notice in workspace.notices.iter().chain(&toolset.notices) {
        on(Event::Notice(notice.clone()));
    }
    let support = support(workspace)?;
    let formatters = Formatters::new(workspace, toolset, &support, request, ranges)?;
    let mut pass = Pass { formatters, report: Report::default(), purpose };
    let all = pass.candidates();
    let due: Vec<usize> = all.iter().copied().filter(|&file| pass.is_due(file)).collect();
    let whole_files = ranges.is_empty();
    if whole_files && !due.is_empty() && (purpose == Purpose::Check || due.len() > FEW) {
        pass.ask(request, toolset, &support, cancel, on)?;
    }
    if !(whole_files && purpose == Purpose::Check) {
        pass.format(due, cancel);
    }
    pass.formatters.store();
    let mut report = pass.report;
    report.interrupted = cancel.is_cancelled();
    let touched = report.changed.len() + report.invalid.len() + report.failures.len();
    report.unchanged = all.len().saturating_sub(touched);
    report.changed.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(report)
}

/// One pass over the files.
struct Pass<'a> {
    formatters: Formatters<'a>,
    report: Report,
    purpose: Purpose,
}

impl Pass<'_> {
    /// Files that any formatter takes.
    fn candidates(&self) -> BTreeSet<usize> {
        self.formatters.list.iter().flat_map(|formatter| formatter.files.iter().copied()).collect()
    }

    /// Whether there may be something to do.
    fn is_due(&self, file: usize) -> bool {
        // A file that cannot be read is told of when it is.
        let Some(content) = &self.formatters.workspace.hashes[file] else { return true };
        self.formatters.list.iter().enumerate().any(|(at, formatter)| {
            formatter.files.contains(&file) && !self.formatters.is_known(at, file, content)
        })
    }

    /// Asks the formatters in batches which files they would change.
    fn ask(
        &mut self,
        request: &Request,
        toolset: &Toolset,
        support: &Support,
        cancel: &CancelToken,
        on: &mut dyn FnMut(Event),
    ) -> Result<(), Vec<UserError>> {
        let begun = Instant::now();
        let workspace = self.formatters.workspace;
        let planner = Planner::new(workspace, support, request)?;
        let mut run = Run::new(request, workspace, toolset, support, &planner, &[])?;
        let mode = Mode::of(&request.variables, workspace.settings.workers).map_err(|e| vec![e])?;
        run.execute(mode, cancel, on);
        run.store(on);
        let outcome = run.outcome(cancel, begun);
        self.heed(&outcome);
        Ok(())
    }

    fn heed(&mut self, outcome: &Outcome) {
        let workspace = self.formatters.workspace;
        let candidates = self.candidates();
        let mut changed: BTreeSet<usize> = BTreeSet::new();
        for formatter in &mut self.formatters.list {
            let tool = &formatter.tool.spec.name;
            let mut dirty = BTreeSet::new();
            for finding in outcome.findings.iter().filter(|finding| finding.tool == *tool) {
                let Some(place) = &finding.location else { continue };
                let Some(file) = workspace.files.find(&place.path) else { continue };
                dirty.insert(file);
                let is_invalid = finding.code.as_deref() == Some(SYNTAX_ERROR);
                if self.purpose == Purpose::Check && candidates.contains(&file) {
                    if is_invalid {
                        self.report.invalid.push(finding.clone());
                    } else {
                        changed.insert(file);
                    }
                }
            }
            let failures = outcome.tools.iter().filter(|report| report.tool == *tool);
            let failures: Vec<Failure> =
                failures.flat_map(|report| report.failures.iter().cloned()).collect();
            if failures.is_empty() {
                formatter.clean = formatter.files.difference(&dirty).copied().collect();
            } else if self.purpose == Purpose::Check {
                self.report.failures.extend(failures);
            }
        }
        self.report.changed.extend(
            changed
                .into_iter()
                .map(|file| Change { path: workspace.files.files[file].path.clone(), texts: None }),
        );
    }

    fn format(&mut self, due: Vec<usize>, cancel: &CancelToken) {
        let workspace = self.formatters.workspace;
        let mut texts = Vec::new();
        for file in due {
            match fs::read(workspace.files.files[file].path.below(&workspace.root)) {
                Ok(content) => texts.push(Text { file, content }),
                Err(error) => self.fail(file, &format!("cannot be read: {error}")),
            }
        }
        let originals: Vec<Text> =
            texts.iter().map(|t| Text { file: t.file, content: t.content.clone() }).collect();
        let formatted = self.formatters.run(texts, Keeping::Lines, cancel);
        for (Text { file, content }, formatted) in originals.into_iter().zip(formatted) {
            match formatted {
                Formatted::Same => {}
                Formatted::Changed(new) => self.change(file, content, new),
                Formatted::Invalid(findings) => self.report.invalid.extend(findings),
                Formatted::Failed(failure) if failure.kind == FailureKind::Cancelled => {}
                Formatted::Failed(failure) => {
                    let path = &workspace.files.files[file].path;
                    let message = format!("{path}: {}", failure.message);
                    self.report.failures.push(Failure { message, ..failure });
                }
            }
        }
    }

    fn change(&mut self, file: usize, old: Vec<u8>, new: Vec<u8>) {
        let workspace = self.formatters.workspace;
        let path = workspace.files.files[file].path.clone();
        if self.purpose == Purpose::Write {
            match replace(&path.below(&workspace.root), &old, &new) {
                Ok(Replaced::Done) => {}
                Ok(Replaced::Moved) => {
                    return self.fail(file, "was edited meanwhile and is left alone");
                }
                Err(error) => return self.fail(file, &format!("cannot be written: {error}")),
            }
        }
        let texts = (self.purpose == Purpose::Compare).then_some((old, new));
        self.report.changed.push(Change { path, texts });
    }

    fn fail(&mut self, file: usize, what: &str) {
        let path = &self.formatters.workspace.files.files[file].path;
        self.report.failures.push(Failure {
            kind: FailureKind::Crashed,
            message: format!("{path} {what}"),
            output: String::new(),
            hint: None,
        });
    }
}
