//! What pyqa's pytest plugin (`pytest_report.py`) writes: a JSON object a line.

use serde::Deserialize;

use super::json::{bytes_of, shown, without_lone_surrogates};
use super::{ParseContext, RawOutput, Read, last_words};
use crate::finding::{Finding, Location, Severity, TestCase, TestOutcome};
use crate::tools::spec::ToolSpec;

/// Most lines of a failure's text, and of one section of what a test printed, that are kept.
const EXCERPT_LINES: usize = 60;
const SECTION_LINES: usize = 20;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum Line {
    Test(Test),
    /// A module that could not be imported, or the like.
    CollectError {
        node: String,
        #[serde(flatten)]
        failure: Failure,
    },
    /// A test that was collected and is not to run.
    Item {
        id: String,
    },
    End {
        collected: usize,
        interrupted: Option<String>,
        selection: Option<String>,
    },
}

#[derive(Deserialize)]
struct Test {
    id: String,
    outcome: TestOutcome,
    seconds: f64,
    reruns: u32,
    failures: Vec<Failure>,
}

#[derive(Deserialize)]
struct Failure {
    phase: String,
    /// Absolute.
    path: Option<String>,
    line: Option<u32>,
    message: String,
    text: String,
    /// What the test printed: name and text.
    sections: Vec<(String, String)>,
}

pub(super) fn read(spec: &ToolSpec, output: &RawOutput, context: &ParseContext<'_>) -> Read {
    let mut read = Read::default();
    let mut end = None;
    let mut collect_errors = 0;
    let report = without_lone_surrogates(output.side_file.as_deref().unwrap_or_default());
    for line in report.lines() {
        match serde_json::from_str(line) {
            Ok(Line::Test(test)) => read_test(spec, &test, context, &mut read),
            Ok(Line::CollectError { node, failure }) => {
                collect_errors += 1;
                read.findings.push(finding(spec, "error", &node, &failure, context));
            }
            Ok(Line::Item { .. }) => {}
            Ok(Line::End { collected, interrupted, selection }) => {
                end = Some((collected, interrupted, selection));
            }
            Err(error) => read.trouble = Some(format!("its report cannot be read ({error})")),
        }
    }
    let Some((collected, interrupted, selection)) = end else {
        read.trouble = Some("it ended before its report was complete".to_owned());
        return read;
    };
    if let Some(option) = selection {
        let why =
            format!("with `{option}` the tests that run depend on how earlier sessions ended");
        read.unstable = Some(why);
    }
    if let Some(why) = interrupted {
        // A collection error that is told interrupts the session as well. `pytest.exit` may ask for
        // any exit code, 0 included.
        if output.code == 2 && collect_errors == 0 {
            read.trouble = Some(format!("the session was interrupted: {why}"));
        }
        read.unstable = Some(format!("the session was interrupted: {why}"));
    }
    if output.code == 5 && collected > 0 {
        log::info!("pytest deselected all {collected} tests");
    }
    // A plugin may fail a session in which every test passed, as pytest-cov does.
    if output.code == 1 && read.findings.is_empty() {
        read.findings.push(failed_session(spec, output));
    }
    read
}

/// The tests that pytest collected with `--collect-only`; `None` where the report is not whole.
pub fn collected(report: &[u8]) -> Option<Vec<String>> {
    let mut tests = Vec::new();
    for line in without_lone_surrogates(report).lines() {
        match serde_json::from_str(line).ok()? {
            Line::Item { id } => tests.push(shown(&id)),
            Line::End { .. } => return Some(tests),
            Line::Test(_) | Line::CollectError { .. } => return None,
        }
    }
    None
}

fn failed_session(spec: &ToolSpec, output: &RawOutput) -> Finding {
    let words = last_words(&RawOutput { stderr: Vec::new(), ..output.clone() });
    let told = words.lines().rfind(|line| line.starts_with("FAIL") || line.starts_with("ERROR"));
    let message = told.or(words.lines().last()).unwrap_or("the session failed").to_owned();
    let mut finding = Finding::new(&spec.name, Severity::Error, message);
    finding.code = Some("session".to_owned());
    finding.details = words.lines().map(str::to_owned).collect();
    finding
}

fn read_test(spec: &ToolSpec, test: &Test, context: &ParseContext<'_>, read: &mut Read) {
    for failure in &test.failures {
        let code = if failure.phase == "call" { "failed" } else { "error" };
        read.findings.push(finding(spec, code, &test.id, failure, context));
    }
    if test.reruns > 0 && test.failures.is_empty() {
        let id = shown(&test.id);
        read.unstable = Some(format!("{id} passed only when it was run again"));
    }
    read.tests.push(TestCase { id: shown(&test.id), outcome: test.outcome, seconds: test.seconds });
}

fn finding(
    spec: &ToolSpec,
    code: &str,
    node: &str,
    failure: &Failure,
    context: &ParseContext<'_>,
) -> Finding {
    let node = shown(node);
    let message = shown(&failure.message);
    let what = message.lines().next().unwrap_or("failed");
    let mut finding = Finding::new(&spec.name, spec.output.severity, format!("{node}: {what}"));
    finding.code = Some(code.to_owned());
    finding.test = Some(node);
    finding.details = excerpt(&shown(&failure.text), EXCERPT_LINES);
    for (name, text) in &failure.sections {
        finding.details.push(format!("-- {name} --"));
        finding.details.extend(excerpt(&shown(text), SECTION_LINES));
    }
    finding.location = failure.path.as_deref().map(|path| Location {
        line: failure.line,
        ..Location::file(context.path(&bytes_of(path)))
    });
    finding
}

/// The end of a text is where the assertion stands.
fn excerpt(text: &str, most: usize) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(most);
    let note = (skipped > 0).then(|| format!("… {skipped} lines before"));
    note.into_iter().chain(lines[skipped..].iter().map(|&line| line.to_owned())).collect()
}
