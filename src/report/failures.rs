//! Tools that could not answer, each in a block of its own: what happened, the tool's last words,
//! what to do.

use std::io::{self, Write};

use super::ReportContext;
use super::escape;
use super::style::{Palette, plural};
use super::{Limit, Verbosity};
use crate::event::{Failure, FailureKind, Outcome};
use crate::finding::ToolId;

/// Lines of a tool's last words that are shown when output is limited.
const READABLE_LINES: usize = 20;

/// Writes all failures of the run; nothing where there is none.
pub fn write(outcome: &Outcome, context: &ReportContext, out: &mut dyn Write) -> io::Result<()> {
    for tool in &outcome.tools {
        for failure in &tool.failures {
            write_one(&tool.tool, failure, context, out)?;
        }
    }
    Ok(())
}

/// What a kind of failure is called after the tool's name.
pub fn verb(kind: FailureKind) -> &'static str {
    match kind {
        FailureKind::Missing => "is missing",
        FailureKind::Crashed => "crashed",
        FailureKind::Disagreed => "disagrees with the cache",
        FailureKind::TimedOut => "ran out of time",
        FailureKind::Cancelled => "was stopped",
    }
}

fn write_one(
    tool: &ToolId,
    failure: &Failure,
    context: &ReportContext,
    out: &mut dyn Write,
) -> io::Result<()> {
    let palette = Palette::new(context.color);
    let label = match failure.kind {
        FailureKind::Cancelled => palette.warning.apply_to("warning"),
        _ => palette.error.apply_to("error"),
    };
    let name = palette.strong.apply_to(tool);
    let message = escape::one_line(&failure.message);
    writeln!(out, "{label}: {name} {}: {message}", verb(failure.kind))?;
    write_last_words(&failure.output, context, out)?;
    if let Some(hint) = &failure.hint {
        let hint = escape::one_line(hint);
        writeln!(out, "{}: {hint}", palette.hint.apply_to("hint"))?;
    }
    writeln!(out)
}

/// The end of what the tool printed: tracebacks name their cause last.
fn write_last_words(output: &str, context: &ReportContext, out: &mut dyn Write) -> io::Result<()> {
    let palette = Palette::new(context.color);
    let text = console::strip_ansi_codes(output.trim_end());
    let lines: Vec<&str> = text.lines().collect();
    let all = context.limit == Limit::None || context.verbosity == Verbosity::Verbose;
    let skipped =
        if all || lines.len() <= READABLE_LINES + 2 { 0 } else { lines.len() - READABLE_LINES };
    let bar = palette.faint.apply_to("|");
    if skipped > 0 {
        let rest = format!("… {} before this", plural(skipped, "line"));
        writeln!(out, "  {bar} {}", palette.faint.apply_to(rest))?;
    }
    for line in &lines[skipped..] {
        writeln!(out, "{}", format!("  {bar} {}", escape::terminal_line(line)).trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn a_failure_shows_what_happened_the_last_words_and_a_hint() {
        let mut out = Vec::new();
        write(&samples::crashed(), &samples::context(&|_| None), &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        error: mypy crashed: exit code 2 without a readable answer
          | a.py: error: INTERNAL ERROR
          |   Traceback:
          | AssertionError \x07
        hint: report it to mypy with the traceback

        warning: pytest was stopped: interrupted
        ");
    }

    #[test]
    fn of_long_words_the_last_are_shown() {
        let mut outcome = samples::crashed();
        outcome.tools[0].failures[0].output =
            (0..100).map(|n| format!("line {n}")).collect::<Vec<_>>().join("\n");
        let mut out = Vec::new();
        write(&outcome, &samples::context(&|_| None), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("  | … 80 lines before this\n  | line 80\n"), "{text}");
        assert!(text.contains("  | line 99\n"), "{text}");
    }
}
