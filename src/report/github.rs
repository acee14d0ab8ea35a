//! GitHub Actions: workflow commands, which the runner turns into annotations, and the Markdown of
//! a step summary for what goes beyond the number of annotations that are shown.
//!
//! The runner reads a command as in `ActionCommand.cs` of github.com/actions/runner: `::name
//! key=value,key=value::message`, where `%`, line breaks and, in values, `:` and `,` are escaped.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::escape;
use super::place::Place;
use super::region::Region;
use super::style::plural;
use super::{Report, ReportContext, failures, summary};
use crate::event::Outcome;
use crate::finding::{Finding, Location, Severity};

/// Annotations that are shown for one step, of each kind (documented in github.com/actions/toolkit,
/// docs/problem-matchers.md).
const ANNOTATIONS_PER_STEP: usize = 10;
/// The runner cuts longer messages (`_maxIssueMessageLength` in `ExecutionContext.cs`).
const MESSAGE_LIMIT: usize = 4_096;
/// A larger step summary is refused whole.
const STEP_SUMMARY_LIMIT: usize = 1024 * 1024;
/// Room kept for the sentence about rows that are left out.
const STEP_SUMMARY_RESERVE: usize = 1_024;
/// Characters of a message in the table.
const CELL_LIMIT: usize = 300;

/// `--output-format github`
pub struct GitHub;

impl Report for GitHub {
    /// Errors come before warnings and notes: of each kind only the first are shown.
    fn write(
        &self,
        outcome: &Outcome,
        context: &ReportContext,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for tool in &outcome.tools {
            for failure in &tool.failures {
                let verb = failures::verb(failure.kind);
                let message = format!("{}\n{}", failure.message, failure.output);
                let title = format!("{} {verb}", tool.tool);
                writeln!(out, "::error title={}::{}", property(&title), data(message.trim_end()))?;
            }
        }
        for finding in by_severity(&outcome.findings) {
            command(finding, context, out)?;
        }
        Ok(())
    }
}

fn by_severity(findings: &[Finding]) -> Vec<&Finding> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| finding.severity);
    sorted
}

fn command(finding: &Finding, context: &ReportContext, out: &mut dyn Write) -> io::Result<()> {
    let name = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "notice",
    };
    write!(out, "::{name} ")?;
    if let Some(location) = &finding.location {
        let path = context.platform_path(&location.path);
        write!(out, "file={},", escaped_property(&path.to_text()))?;
        write!(out, "{}", position(location))?;
    }
    let title = match &finding.code {
        Some(code) => format!("{} {code}", finding.tool),
        None => finding.tool.to_string(),
    };
    let mut message = finding.message.clone();
    for line in &finding.details {
        message.push('\n');
        message.push_str(line);
    }
    writeln!(out, "title={}::{}", property(&title), data(&message))
}

/// Columns are refused by the runner for a range of several lines.
fn position(location: &Location) -> String {
    let Some(region) = Region::of(location) else { return String::new() };
    let mut text = format!("line={},endLine={},", region.line, region.end_line);
    if region.end_line == region.line {
        let columns = [("col", region.column), ("endColumn", region.end_column)];
        for (name, column) in columns.into_iter().filter_map(|(n, c)| Some((n, c?))) {
            let _ = write!(text, "{name}={column},");
        }
    }
    text
}

/// The message of a command, without terminal codes and cut as the runner would do.
fn data(text: &str) -> String {
    escaped(&escape::cut(&console::strip_ansi_codes(text), MESSAGE_LIMIT - 1))
}

/// A text for people in the place of a value.
fn property(text: &str) -> String {
    escaped_property(&console::strip_ansi_codes(text))
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escaped_property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

/// Markdown for `$GITHUB_STEP_SUMMARY`: what each tool found and a table of the findings. `None`
/// where the annotations show everything. `used` is the size of what the file holds already, in
/// bytes: together they stay below the limit.
pub fn step_summary(outcome: &Outcome, context: &ReportContext, used: usize) -> Option<String> {
    let room = STEP_SUMMARY_LIMIT.checked_sub(used + STEP_SUMMARY_RESERVE)?;
    let beyond = [Severity::Error, Severity::Warning, Severity::Note].iter().any(|severity| {
        let of_kind = outcome.findings.iter().filter(|finding| finding.severity == *severity);
        of_kind.count() > ANNOTATIONS_PER_STEP
    });
    if !beyond {
        return None;
    }
    let mut text = heading(outcome);
    if text.len() > room {
        return None;
    }
    let mut left = outcome.findings.len();
    for finding in by_severity(&outcome.findings) {
        let row = row(finding, context);
        if text.len() + row.len() > room {
            break;
        }
        text += &row;
        left -= 1;
    }
    if left > 0 {
        let _ = write!(text, "\n{} not shown here.\n", plural(left, "more finding"));
    }
    Some(text)
}

fn heading(outcome: &Outcome) -> String {
    let findings = outcome.findings.iter().filter(|f| f.severity != Severity::Note).count();
    let mut text = format!("### pyqa: {}\n\n", plural(findings, "finding"));
    text += "| Tool | Result |\n|---|---|\n";
    for tool in &outcome.tools {
        let (name, verdict) = (tool.tool.as_str(), summary::verdict(tool));
        let _ = writeln!(text, "| {} | {} |", cell(name), cell(&verdict));
    }
    text + "\n| Place | Code | Message |\n|---|---|---|\n"
}

fn row(finding: &Finding, context: &ReportContext) -> String {
    let place = finding.location.as_ref().map(|location| {
        let path = context.platform_path(&location.path);
        Place(&Location { path, ..location.clone() }).to_string()
    });
    let code = format!("{} {}", finding.tool, finding.code.as_deref().unwrap_or_default());
    format!(
        "| {} | {} | {} |\n",
        cell(&place.unwrap_or_default()),
        cell(code.trim_end()),
        cell(&finding.message)
    )
}

/// Text for a table of GitHub's Markdown: on one line, with nothing left that is markup.
fn cell(text: &str) -> String {
    let text = console::strip_ansi_codes(text);
    let line = escape::one_line(&text);
    let mut cell = String::new();
    for c in escape::cut(&line, CELL_LIMIT).chars() {
        match c {
            '&' => cell.push_str("&amp;"),
            '<' => cell.push_str("&lt;"),
            '>' => cell.push_str("&gt;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|'
            | '~' | '$' | '@' | ':' => {
                cell.push('\\');
                cell.push(c);
            }
            c => cell.push(c),
        }
    }
    cell
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use insta::assert_snapshot;

    use super::*;
    use crate::report::samples;

    fn shown(outcome: &Outcome) -> String {
        let mut out = Vec::new();
        GitHub.write(outcome, &samples::context(&|_| None), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Reads a command by the runner's rules.
    fn parse(line: &str) -> (String, BTreeMap<String, String>, String) {
        let unescape = |text: &str| {
            let text = text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":");
            text.replace("%2C", ",").replace("%25", "%")
        };
        let (info, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
        let (name, values) = info.split_once(' ').unwrap();
        let values = values.trim().split(',').filter(|part| !part.is_empty()).map(|part| {
            let (key, value) = part.split_once('=').unwrap();
            (key.to_owned(), unescape(value))
        });
        (name.to_owned(), values.collect(), unescape(message))
    }

    #[test]
    fn findings_become_commands_with_errors_first() {
        assert_snapshot!(shown(&samples::outcome()), @r#"
        ::error file=src/a.py,line=1,endLine=1,col=8,title=flake8 F401::'os' imported but unused
        ::error file=src/a.py,line=5,endLine=5,col=9,endColumn=10,title=mypy return-value::Incompatible return value type (got "int", expected "str")%0ASee the documentation for more
        ::error file=tests/test_a.py,line=2,endLine=2,col=1,title=pytest failed::AssertionError: assert '1' == '2'%0A    def test_f():%0A>       assert f(1) == '2'%0AE       AssertionError: assert '1' == '2'%0AE         - 2%0AE         + 1
        ::warning file=src/a.py,title=black format::would be reformatted
        ::warning title=mypy::unused section(s) in mypy.ini
        ::notice file=src/missing.py,line=3,endLine=3,col=1,title=bandit B101::Use of assert detected.
        "#);
    }

    #[test]
    fn a_tool_that_failed_is_an_error() {
        assert_snapshot!(shown(&samples::crashed()), @r"
        ::error title=mypy crashed::exit code 2 without a readable answer%0Aa.py: error: INTERNAL ERROR%0A  Traceback:%0AAssertionError 
        ::error title=pytest was stopped::interrupted
        ");
    }

    #[test]
    fn a_range_over_lines_has_no_columns_and_paths_count_from_the_repository() {
        let location = Location {
            line: Some(3),
            column: Some(5),
            end_line: Some(4),
            end_column: Some(1),
            ..Location::file("a.py".into())
        };
        assert_eq!(position(&location), "line=3,endLine=4,");
        let read = &samples::source;
        let context = ReportContext {
            repository: std::path::Path::new("/home/me"),
            ..samples::context(read)
        };
        let mut out = Vec::new();
        command(&samples::style("a.py", 1), &context, &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.starts_with("::warning file=my project/a.py,line=1,"), "{text}");
    }

    #[test]
    fn hostile_findings_arrive_as_they_are() {
        let outcome = samples::hostile();
        let text = shown(&outcome);
        assert_eq!(text.lines().count(), outcome.findings.len());
        for (line, finding) in text.split('\n').zip(&outcome.findings) {
            let (name, values, message) = parse(line);
            assert_eq!(name, "error");
            let path = &finding.location.as_ref().unwrap().path;
            assert_eq!(values["file"], path.to_text());
            assert_eq!(values["title"], "flake8 E1::%\n<&\"");
            let start: String = finding.message.chars().take(20).collect();
            assert!(message.starts_with(&*console::strip_ansi_codes(&start)), "{message:?}");
            assert!(message.chars().count() <= MESSAGE_LIMIT);
        }
    }

    #[test]
    fn a_summary_is_written_only_for_more_than_annotations_show() {
        let context = samples::context(&|_| None);
        assert_eq!(step_summary(&samples::outcome(), &context, 0), None);
        let mut many = samples::outcome();
        many.findings = (1..=11).map(|line| samples::style("a|b.py", line)).collect();
        assert_snapshot!(step_summary(&many, &context, 0).unwrap(), @r"
        ### pyqa: 11 findings

        | Tool | Result |
        |---|---|
        | black | 1 finding |
        | mypy | 2 findings |
        | pytest | 1 failed, 2 passed, 1 skipped |
        | flake8 | 1 finding |
        | bandit | clean |

        | Place | Code | Message |
        |---|---|---|
        | a\|b.py\:1\:80 | flake8 E501 | line too long \(88 &gt; 79 characters\) |
        | a\|b.py\:2\:80 | flake8 E501 | line too long \(88 &gt; 79 characters\) |
        | a\|b.py\:3\:80 | flake8 E501 | line too long \(88 &gt; 79 characters\) |
        | a\|b.py\:4\:80 | flake8 E501 | line too long \(88 &gt; 79 characters\) |
        | a\|b.py\:5\:80 | flake8 E501 | line too long \(88 &gt; 79 characters\) |
        | a\|b.py\:6\:80 | flake8 E501 | line too long \(88 &gt; 79 characters\) |
        | a\|b.py\:7\:80 | flake8 E501 | line too long \(88 &gt; 79 characters\) |
        | a\|b.py\:8\:80 | flake8 E501 | line too long \(88 &gt; 79 characters\) |
        | a\|b.py\:9\:80 | flake8 E501 | line too long \(88 &gt; 79 characters\) |
        | a\|b.py\:10\:80 | flake8 E501 | line too long \(88 &gt; 79 characters\) |
        | a\|b.py\:11\:80 | flake8 E501 | line too long \(88 &gt; 79 characters\) |
        ");
    }

    #[test]
    fn a_summary_stays_below_the_limit_of_the_platform() {
        let context = samples::context(&|_| None);
        let mut many = samples::hostile();
        let one = many.findings[0].clone();
        many.findings = vec![one; 20_000];
        let used = 300_000;
        let text = step_summary(&many, &context, used).unwrap();
        assert!(text.len() + used <= STEP_SUMMARY_LIMIT, "{}", text.len());
        assert!(text.ends_with("more findings not shown here.\n"));
        assert!(text.lines().all(|line| !line.contains('\r')));
        assert_eq!(step_summary(&many, &context, STEP_SUMMARY_LIMIT), None);
    }
}
