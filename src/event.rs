//! What the engine tells while it works ([`Event`]) and what it leaves at the end ([`Outcome`]).
//! The engine and `exec` make these values and never print; `report` prints them and never runs
//! anything.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::ExitStatus;
use crate::finding::{Finding, TestCase, ToolId};
use crate::paths::RelPath;
use crate::shard::ShardMark;

/// Something that happened during a run, in the order it happened. Drives progress displays.
#[derive(Clone, Debug)]
pub enum Event {
    /// Tools are being installed; `done` of `total` steps.
    Provisioning { what: String, done: usize, total: usize },
    /// The cache was asked: this is what each tool has to do, at most `slots` processes at once.
    Planned { tools: Vec<PlannedTool>, slots: usize },
    /// A process (or worker request) began on `units` units of a tool.
    Started { tool: ToolId, units: usize },
    /// It ended.
    Finished { tool: ToolId, units: usize, elapsed: Duration },
    /// What a tool found, all of it, before the tool is done; told on request.
    Found { tool: ToolId, findings: Vec<Finding> },
    /// The same process, and when and on which cores it ran.
    Ran(Box<Span>),
    /// A tool has nothing left to do. The outcome has its tests.
    ToolDone(Box<ToolReport>),
    /// Something the user should know, shown once.
    Notice(Notice),
}

/// A process that has ended, as part of the whole run.
#[derive(Clone, Debug)]
pub struct Span {
    pub tool: ToolId,
    /// The files that it was given; empty for a tool that takes the project as a whole.
    pub files: Vec<RelPath>,
    /// The slots that it took, counted from 0.
    pub lanes: Vec<usize>,
    pub start: Instant,
    pub end: Instant,
}

/// A tool's share of the plan.
#[derive(Clone, Debug)]
pub struct PlannedTool {
    pub tool: ToolId,
    pub to_run: usize,
    pub replayed: usize,
}

/// A sentence for the user that is neither a finding nor an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub level: NoticeLevel,
    pub message: String,
    pub hint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeLevel {
    /// Shown unless `--quiet`.
    Info,
    /// Always shown.
    Warning,
    /// Always shown, and the run has failed, although the tools have answered.
    Error,
}

impl Notice {
    pub fn info(message: impl Into<String>) -> Self {
        Self { level: NoticeLevel::Info, message: message.into(), hint: None }
    }

    pub fn warning(message: impl Into<String>) -> Self {
        Self { level: NoticeLevel::Warning, message: message.into(), hint: None }
    }

    pub fn error(message: impl Into<String>) -> Self {
        Self { level: NoticeLevel::Error, message: message.into(), hint: None }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Why a tool could not answer. Never taken for "clean".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub kind: FailureKind,
    /// What happened, in one line.
    pub message: String,
    /// The tool's own last words, cut to a readable length.
    pub output: String,
    pub hint: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The tool is not installed and could not be installed.
    Missing,
    /// It ended in a way that its contract does not know, or its output could not be read.
    Crashed,
    TimedOut,
    /// The run was interrupted, or ended by `--fail-fast`.
    Cancelled,
    /// A stored result was not what the tool says now (`--verify-cache`).
    Disagreed,
}

/// What became of one tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolReport {
    pub tool: ToolId,
    /// Version of the tool that answered; `None` where none was found.
    pub version: Option<String>,
    /// Number of findings other than notes.
    pub findings: usize,
    /// Units are files for a per-file tool, and one for a tool that takes the project as a whole.
    pub units_run: usize,
    pub units_replayed: usize,
    /// Whether a unit is a file (else the whole project).
    pub per_file: bool,
    /// From the first start to the last end of its processes; zero when all was replayed.
    pub elapsed: Duration,
    /// What the replayed units had cost when they ran.
    pub saved: Duration,
    pub failures: Vec<Failure>,
    /// Per unit, why it ran or was replayed; filled for `--explain`.
    pub reasons: Vec<UnitReason>,
    /// Tests, where the tool reports them one by one, sorted by their id.
    pub tests: Vec<TestCase>,
    pub left_out: LeftOut,
}

/// Numbers of findings other than notes that a tool has and the reports leave out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeftOut {
    /// Accepted by the project's baseline.
    pub known: usize,
    /// Not touched by the changes that `--new-since` asks about.
    pub unchanged: usize,
}

/// Why a unit ran or was replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitReason {
    /// The file's path, or `.` for the project.
    pub unit: String,
    pub replayed: bool,
    /// "content changed", "flake8 7.5.0 → 7.5.1", …
    pub reason: String,
}

/// The whole result of a run. Every report is made from this value alone.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The project's root, absolute.
    pub root: std::path::PathBuf,
    /// Where the files lay that were checked; the root itself, or a snapshot of other content.
    pub content: std::path::PathBuf,
    /// Top of the repository that holds it, absolute; the root itself where there is none.
    pub repository: std::path::PathBuf,
    /// Sorted by [`Finding::sort_key`].
    pub findings: Vec<Finding>,
    /// Indexes into `findings`: those outside of the changed lines that the change has caused.
    /// Empty without `--new-since`.
    pub caused: BTreeSet<usize>,
    /// In the order of the plan.
    pub tools: Vec<ToolReport>,
    pub notices: Vec<Notice>,
    /// Number of project files looked at.
    pub files: usize,
    pub elapsed: Duration,
    pub status: ExitStatus,
    /// Set where this is a part of a run only.
    pub shard: Option<ShardMark>,
}

impl Outcome {
    /// What the reports leave out, of all tools together.
    pub fn left_out(&self) -> LeftOut {
        self.tools.iter().fold(LeftOut::default(), |sum, tool| LeftOut {
            known: sum.known + tool.left_out.known,
            unchanged: sum.unchanged + tool.left_out.unchanged,
        })
    }
}
