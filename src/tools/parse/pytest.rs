//! What pyqa's pytest plugin (`pytest_report.py`) writes: a JSON object a line.

use serde::Deserialize;

use super::{ParseContext, RawOutput, Read, last_words};
use crate::finding::{Finding, Location, Severity, TestCase, TestOutcome};
use crate::paths::RelPath;
use crate::tools::spec::ToolSpec;

/// Most lines of a failure's text that are kept.
const EXCERPT_LINES: usize = 60;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Line {
    Test(Test),
    /// A module that could not be imported, or the like.
    CollectError(Trouble),
    End {
        collected: usize,
    },
}

#[derive(Deserialize)]
struct Test {
    id: String,
    outcome: TestOutcome,
    seconds: f64,
    #[serde(flatten)]
    trouble: Trouble,
}

#[derive(Deserialize)]
struct Trouble {
    #[serde(default)]
    node: String,
    /// Absolute.
    path: Option<String>,
    line: Option<u32>,
    message: Option<String>,
    text: Option<String>,
}

pub(super) fn read(spec: &ToolSpec, output: &RawOutput, context: &ParseContext<'_>) -> Read {
    let mut read = Read::default();
    let mut ended = None;
    let report = String::from_utf8_lossy(output.side_file.as_deref().unwrap_or_default());
    for line in report.lines() {
        match serde_json::from_str(line) {
            Ok(Line::Test(test)) => read_test(spec, test, context, &mut read),
            Ok(Line::CollectError(trouble)) => {
                let name = trouble.node.clone();
                read.findings.push(finding(spec, TestOutcome::Error, name, trouble, context));
            }
            Ok(Line::End { collected }) => ended = Some(collected),
            Err(error) => read.trouble = Some(format!("its report cannot be read ({error})")),
        }
    }
    let Some(collected) = ended else {
        read.trouble = Some("it ended before its report was complete".to_owned());
        return read;
    };
    // pytest itself exits with 5 in this case.
    if output.code == 5 && collected > 0 && read.findings.is_empty() && read.tests.is_empty() {
        log::info!("pytest deselected all {collected} tests");
    }
    // A plugin may fail a session in which every test passed, as pytest-cov does.
    if output.code == 1 && read.findings.is_empty() {
        let words = last_words(output);
        let message = words.lines().last().unwrap_or("the session failed").to_owned();
        let mut finding = Finding::new(&spec.name, Severity::Error, message);
        finding.code = Some("session".to_owned());
        finding.details = words.lines().map(str::to_owned).collect();
        read.findings.push(finding);
    }
    read
}

fn read_test(spec: &ToolSpec, test: Test, context: &ParseContext<'_>, read: &mut Read) {
    if matches!(test.outcome, TestOutcome::Failed | TestOutcome::Error) {
        let id = test.id.clone();
        read.findings.push(finding(spec, test.outcome, id, test.trouble, context));
    }
    read.tests.push(TestCase { id: test.id, outcome: test.outcome, seconds: test.seconds });
}

fn finding(
    spec: &ToolSpec,
    outcome: TestOutcome,
    node: String,
    trouble: Trouble,
    context: &ParseContext<'_>,
) -> Finding {
    let what = trouble.message.as_deref().and_then(|m| m.lines().next()).unwrap_or("failed");
    let mut finding = Finding::new(&spec.name, spec.output.severity, format!("{node}: {what}"));
    let code = if outcome == TestOutcome::Error { "error" } else { "failed" };
    finding.code = Some(code.to_owned());
    finding.test = Some(node);
    finding.details = excerpt(trouble.text.as_deref().unwrap_or_default());
    finding.location = trouble.path.map(|path| Location {
        line: trouble.line,
        ..Location::file(context.path(RelPath::from(path.as_str()).as_bytes()))
    });
    finding
}

/// The end of a failure's text is where the assertion stands.
fn excerpt(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(EXCERPT_LINES);
    let note = (skipped > 0).then(|| format!("… {skipped} lines before"));
    note.into_iter().chain(lines[skipped..].iter().map(|&line| line.to_owned())).collect()
}
