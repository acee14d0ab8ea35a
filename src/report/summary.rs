//! The account at the end of a run: a line for each tool and one for all. Goes to standard error,
//! so that standard output holds findings only.

use std::io::{self, Write};
use std::time::Duration;

use super::style::{Human, Palette, plural, thousands};
use super::{ReportContext, Verbosity, failures};
use crate::error::ExitStatus;
use crate::event::{Outcome, ToolReport};
use crate::finding::{Severity, TestCase, TestOutcome};

/// Writes the account; nothing when `--quiet`.
pub fn write(outcome: &Outcome, context: &ReportContext, out: &mut dyn Write) -> io::Result<()> {
    if context.verbosity == Verbosity::Quiet {
        return Ok(());
    }
    let palette = Palette::new(context.color);
    let rows: Vec<Row> = outcome.tools.iter().map(Row::new).collect();
    let widest = |cell: fn(&Row) -> &str| {
        rows.iter().map(|row| console::measure_text_width(cell(row))).max().unwrap_or(0)
    };
    let widths = (widest(|r| &r.tool), widest(|r| &r.verdict), widest(|r| &r.work));
    for row in &rows {
        let style = match row.mark {
            Mark::Failed | Mark::Findings => &palette.error,
            Mark::Clean => &palette.good,
        };
        let line = format!(
            "{} {}  {}  {}",
            style.apply_to(row.mark.sign()),
            palette.strong.apply_to(pad(&row.tool, widths.0)),
            style.apply_to(pad(&row.verdict, widths.1)),
            palette
                .faint
                .apply_to(format!("{}  {}", pad(&row.work, widths.2), row.time).trim_end()),
        );
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out, "{}", total(outcome, &palette))
}

fn pad(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(console::measure_text_width(text));
    format!("{text}{}", " ".repeat(missing))
}

#[derive(Clone, Copy)]
enum Mark {
    Clean,
    Findings,
    Failed,
}

impl Mark {
    /// Distinct without colour too.
    fn sign(self) -> char {
        match self {
            Self::Clean => '✓',
            Self::Findings => '✗',
            Self::Failed => '!',
        }
    }
}

struct Row {
    mark: Mark,
    tool: String,
    verdict: String,
    work: String,
    time: String,
}

impl Row {
    fn new(tool: &ToolReport) -> Self {
        let mark = match tool {
            tool if !tool.failures.is_empty() => Mark::Failed,
            tool if tool.findings > 0 => Mark::Findings,
            _ => Mark::Clean,
        };
        let name = match &tool.version {
            Some(version) => format!("{} {version}", tool.tool),
            None => tool.tool.to_string(),
        };
        Self { mark, tool: name, verdict: verdict(tool), work: work(tool), time: time(tool) }
    }
}

/// What the tool found. A failure comes first: it must not be overlooked behind a number.
pub(super) fn verdict(tool: &ToolReport) -> String {
    let found = match tool.findings {
        0 => None,
        count => Some(plural(count, "finding")),
    };
    let tests = (!tool.tests.is_empty()).then(|| tests(&tool.tests));
    let failure = tool.failures.first().map(|failure| {
        failures::verb(failure.kind)
            .trim_start_matches("is ")
            .trim_start_matches("was ")
            .to_uppercase()
    });
    let answer = tests.or(found);
    let clean = (failure.is_none() && answer.is_none()).then(|| "clean".to_owned());
    let known = tool.tests.is_empty().then_some(tool.left_out.known).filter(|&count| count > 0);
    let known = known.map(|count| format!("{} known", thousands(count)));
    let unchanged = Some(tool.left_out.unchanged).filter(|&count| count > 0);
    let unchanged = unchanged.map(|count| format!("{} unchanged", thousands(count)));
    let parts = [failure, clean, answer, known, unchanged];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// "2 failed, 580 passed, 1 skipped"
fn tests(cases: &[TestCase]) -> String {
    let names = [
        (TestOutcome::Failed, "failed"),
        (TestOutcome::Error, "with errors"),
        (TestOutcome::Passed, "passed"),
        (TestOutcome::Skipped, "skipped"),
        (TestOutcome::Xfailed, "xfailed"),
        (TestOutcome::Xpassed, "xpassed"),
        (TestOutcome::Known, "known to fail"),
    ];
    let counts = names
        .map(|(outcome, name)| (cases.iter().filter(|case| case.outcome == outcome).count(), name));
    let parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{} {name}", thousands(*count)))
        .collect();
    parts.join(", ")
}

fn work(tool: &ToolReport) -> String {
    match (tool.per_file, tool.units_run, tool.units_replayed) {
        (_, 0, 0) => "nothing run".to_owned(),
        (true, 0, replayed) => format!("{} replayed", plural(replayed, "file")),
        (true, run, 0) => format!("{} run", plural(run, "file")),
        (true, run, replayed) => {
            format!("{} run, {} replayed", plural(run, "file"), thousands(replayed))
        }
        (false, 0, _) => "project replayed".to_owned(),
        (false, _, _) => "project run".to_owned(),
    }
}

fn time(tool: &ToolReport) -> String {
    let spent = (tool.units_run > 0).then(|| Human(tool.elapsed).to_string());
    let saved =
        (tool.saved >= Duration::from_millis(1)).then(|| format!("saved {}", Human(tool.saved)));
    spent.into_iter().chain(saved).collect::<Vec<_>>().join(", ")
}

/// "5 tools, 79 files, 3 findings in 1.2 s; 240 of 241 results replayed"
fn total(outcome: &Outcome, palette: &Palette) -> String {
    let findings = outcome.findings.iter().filter(|f| f.severity != Severity::Note).count();
    let failed: Vec<&str> = outcome
        .tools
        .iter()
        .filter(|tool| !tool.failures.is_empty())
        .map(|tool| tool.tool.as_str())
        .collect();
    let found = if findings == 0 { "no findings".to_owned() } else { plural(findings, "finding") };
    let style = match outcome.status {
        ExitStatus::Clean => &palette.good,
        _ => &palette.error,
    };
    let mut parts = vec![format!(
        "{}, {}, {} in {}",
        plural(outcome.tools.len(), "tool"),
        plural(outcome.files, "file"),
        style.apply_to(found),
        Human(outcome.elapsed)
    )];
    let left_out = outcome.left_out();
    if left_out.known > 0 {
        parts.push(format!("{} left out", plural(left_out.known, "known finding")));
    }
    if left_out.unchanged > 0 {
        let unchanged = plural(left_out.unchanged, "finding");
        parts.push(format!("{unchanged} in unchanged code left out"));
    }
    let replayed: usize = outcome.tools.iter().map(|tool| tool.units_replayed).sum();
    let units: usize = outcome.tools.iter().map(|tool| tool.units_run).sum::<usize>() + replayed;
    match (replayed, units) {
        (0, _) => {}
        (replayed, units) if replayed == units => parts.push("all results replayed".to_owned()),
        (replayed, units) => {
            parts.push(format!("{} of {} results replayed", thousands(replayed), thousands(units)));
        }
    }
    if !failed.is_empty() {
        let text = format!("no answer from {}", failed.join(", "));
        parts.push(palette.error.apply_to(text).to_string());
    }
    if outcome.status == ExitStatus::Interrupted {
        parts.push(palette.error.apply_to("interrupted").to_string());
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::samples;

    fn shown(outcome: &Outcome) -> String {
        let mut out = Vec::new();
        write(outcome, &samples::context(&|_| None), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_tool_has_a_line_and_all_have_one() {
        assert_snapshot!(shown(&samples::outcome()), @r"
        ✗ black 26.10.1  1 finding                      1 file run, 78 replayed  420 ms, saved 3.9 s
        ✗ mypy 2.4.1     2 findings                     project run              420 ms
        ✗ pytest 9.2.0   1 failed, 2 passed, 1 skipped  project run              1.1 s
        ✗ flake8 7.5.0   1 finding                      1 file run, 78 replayed  420 ms, saved 3.9 s
        ✓ bandit 1.9.4   clean                          79 files replayed        saved 3.9 s
        5 tools, 79 files, 5 findings in 1.2 s; 235 of 239 results replayed
        ");
    }

    #[test]
    fn a_tool_that_failed_is_marked_and_named() {
        assert_snapshot!(shown(&samples::crashed()), @r"
        ! mypy 2.4.1    CRASHED  project run              420 ms
        ! pytest 9.2.0  STOPPED  nothing run
        ✓ flake8 7.5.0  clean    1 file run, 78 replayed  420 ms, saved 3.9 s
        3 tools, 79 files, no findings in 1.2 s; 78 of 80 results replayed; no answer from mypy, pytest; interrupted
        ");
    }

    #[test]
    fn quiet_means_nothing() {
        let mut out = Vec::new();
        let context = ReportContext { verbosity: Verbosity::Quiet, ..samples::context(&|_| None) };
        write(&samples::outcome(), &context, &mut out).unwrap();
        assert!(out.is_empty());
    }
}
