//! The one language into which the output of every tool is translated: [`Finding`].

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::paths::RelPath;

/// The name of a tool as written in settings and reports: `flake8`, `mypy`, `ruff-format`, …
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ToolId(Arc<str>);

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
        (
            self.location.is_none(),
            self.location.as_ref().map(|l| (&l.path, l.line, l.column)),
            &self.tool,
            self.code.as_deref(),
            self.message.as_str(),
            self.test.as_deref(),
        )
    }
}

/// Brings the findings into the order of reports, see [`Finding::sort_key`].
pub fn sort(findings: &mut [Finding]) {
    let mut order: Vec<usize> = (0..findings.len()).collect();
    // Answers of tools come sorted, so that a sort that looks for runs has little to do.
    order.sort_by(|&a, &b| findings[a].sort_key().cmp(&findings[b].sort_key()));
    // In place: a second list of all findings is megabytes where there are thousands.
    for to in 0..order.len() {
        let mut from = order[to];
        while from < to {
            // What stood there was moved away when that place got its own.
            from = order[from];
        }
        findings.swap(to, from);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_a_plain_sort() {
        let mut random = 7_u64;
        for length in 0..60 {
            let mut findings: Vec<Finding> = (0..length)
                .map(|_| {
                    random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    Finding::new(&"a".into(), Severity::Error, (random >> 60).to_string())
                })
                .collect();
            let mut plain = findings.clone();
            plain.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
            sort(&mut findings);
            assert_eq!(findings, plain);
        }
    }
}
