//! The one language into which the output of every tool is translated: [`Finding`].

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize};

use crate::paths::RelPath;

/// The name of a tool as written in settings and reports: `flake8`, `mypy`, `ruff-format`, …
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ToolId(Arc<str>);

/// Thousands of stored findings in a row have the same; memory holds it once.
impl<'de> Deserialize<'de> for ToolId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

        thread_local! {
            static LAST: RefCell<ToolId> = RefCell::new(ToolId::new(""));
        }
        let Name(name) = Name::deserialize(deserializer)?;
        Ok(LAST.with_borrow_mut(|last| {
            if last.as_str() != name {
                *last = Self::new(&name);
            }
            last.clone()
        }))
    }
}

impl ToolId {
    pub fn new(name: &str) -> Self {
        Self(Arc::from(name))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ToolId {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl fmt::Display for ToolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for ToolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a tool's findings are about, in the words of Code Climate's format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Category {
    #[default]
    #[serde(rename = "Bug Risk")]
    BugRisk,
    Clarity,
    Compatibility,
    Complexity,
    Duplication,
    Performance,
    Security,
    Style,
}

/// How much a finding weighs. Every finding but a [`Severity::Note`] makes a run fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    Error,
    Warning,
    /// Goes with another finding or only informs; does not fail a run.
    Note,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A place in a file. Lines and columns count from 1; what a column is, is up to the tool (flake8
/// counts characters, bandit UTF-8 bytes).
/// The end column is the one *after* the last character.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Location {
    pub path: RelPath,
    pub line: Option<u32>,
    pub column: Option<u32>,
    pub end_line: Option<u32>,
    pub end_column: Option<u32>,
}

impl Location {
    /// The file as a whole.
    pub fn file(path: RelPath) -> Self {
        Self { path, line: None, column: None, end_line: None, end_column: None }
    }
}

/// One diagnostic of a tool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub tool: ToolId,
    /// The tool's own code: `E501`, `arg-type`, `B101`; for pytest the outcome, `failed` or `error`.
    pub code: Option<String>,
    pub severity: Severity,
    /// One line that says what is wrong, in the tool's words.
    pub message: String,
    /// `None` where the tool speaks of the project as a whole.
    pub location: Option<Location>,
    /// Further lines in the tool's words: mypy's notes, pytest's assertion excerpt.
    pub details: Vec<String>,
    /// Unified diff of the fix, where the tool offers one (black).
    pub diff: Option<String>,
    /// Page that explains the code, where the tool names one (bandit).
    pub url: Option<String>,
    /// The test's node id, for a pytest finding: `tests/test_a.py::test_x[1]`.
    pub test: Option<String>,
}

impl Finding {
    /// A finding with a message and nothing else.
    pub fn new(tool: &ToolId, severity: Severity, message: impl Into<String>) -> Self {
        Self {
            tool: tool.clone(),
            code: None,
            severity,
            message: message.into(),
            location: None,
            details: Vec::new(),
            diff: None,
            url: None,
            test: None,
        }
    }

    /// The order of every report: path, line, column, tool, code, message. Findings without a
    /// place come last.
    pub fn sort_key(&self) -> impl Ord + '_ {
        (self.place(), self.key_at_place())
    }

    /// The first part of [`Finding::sort_key`].
    pub fn place(&self) -> impl Ord + '_ {
        let path = self.location.as_ref().map(|location| &location.path);
        (path.is_none(), path)
    }

    /// The second part of [`Finding::sort_key`].
    pub fn key_at_place(&self) -> impl Ord + '_ {
        (
            self.location.as_ref().map(|location| (location.line, location.column)),
            &self.tool,
            self.code.as_deref(),
            self.message.as_str(),
            self.test.as_deref(),
        )
    }
}

/// How one test ended, for reports that list tests (JUnit) and for later scheduling.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestCase {
    /// pytest's node id.
    pub id: String,
    pub outcome: TestOutcome,
    /// Set-up, call and tear-down together, in seconds.
    pub seconds: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TestOutcome {
    Passed,
    Failed,
    /// Set-up, tear-down or collection went wrong.
    Error,
    Skipped,
    /// Failed as marked (`xfail`).
    Xfailed,
    /// Passed although marked `xfail`, and not strictly so.
    Xpassed,
    /// Failed, and the project's baseline accepts that.
    Known,
}
