//! `--explain`: why each tool ran or was replayed, with equal reasons told once.

use std::io::{self, Write};

use super::style::{Palette, plural};
use super::{ReportContext, Verbosity, escape};
use crate::event::{Outcome, ToolReport, UnitReason};

/// Up to this many files of one reason are named.
const NAMED_FILES: usize = 5;

/// Writes a paragraph for each tool. With `--verbose` every file is named.
pub fn write(outcome: &Outcome, context: &ReportContext, out: &mut dyn Write) -> io::Result<()> {
    let palette = Palette::new(context.color);
    for tool in &outcome.tools {
        let parts = parts(tool, context.verbosity);
        let name = palette.strong.apply_to(&tool.tool);
        let line = parts.join("; ");
        if tool.tool.as_str().len() + 2 + console::measure_text_width(&line) <= context.width {
            writeln!(out, "{name}: {line}")?;
            continue;
        }
        writeln!(out, "{name}:")?;
        for part in parts {
            writeln!(out, "  {part}")?;
        }
    }
    Ok(())
}

/// One part for each distinct reason: first what was replayed, then what ran, as they came.
fn parts(tool: &ToolReport, verbosity: Verbosity) -> Vec<String> {
    let mut groups: Vec<(&UnitReason, Vec<&str>)> = Vec::new();
    for unit in &tool.reasons {
        let same =
            |known: &UnitReason| (known.replayed, &known.reason) == (unit.replayed, &unit.reason);
        match groups.iter_mut().find(|(known, _)| same(known)) {
            Some((_, units)) => units.push(&unit.unit),
            None => groups.push((unit, vec![&unit.unit])),
        }
    }
    groups.sort_by_key(|(unit, _)| !unit.replayed);
    let parts: Vec<String> =
        groups.iter().map(|(unit, units)| part(unit, units, verbosity)).collect();
    if parts.is_empty() { vec!["no reasons recorded".to_owned()] } else { parts }
}

fn part(unit: &UnitReason, units: &[&str], verbosity: Verbosity) -> String {
    let reason = escape::one_line(&unit.reason);
    if units == ["."] {
        return if unit.replayed {
            format!("project replayed: {reason}")
        } else {
            format!("project run: {reason}")
        };
    }
    if unit.replayed && verbosity < Verbosity::Verbose {
        return format!("{} replayed: {reason}", plural(units.len(), "file"));
    }
    let named = units.len() <= NAMED_FILES || verbosity == Verbosity::Verbose;
    let files = if named {
        let paths: Vec<_> = units.iter().map(|unit| escape::one_line(unit)).collect();
        paths.join(", ")
    } else {
        plural(units.len(), "file")
    };
    let verb = if unit.replayed { "replayed" } else { "run" };
    format!("{files} {verb}: {reason}")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::samples;

    fn shown(outcome: &Outcome, verbosity: Verbosity) -> String {
        let mut out = Vec::new();
        let context = ReportContext { verbosity, ..samples::context(&|_| None) };
        write(outcome, &context, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn equal_reasons_are_told_once() {
        assert_snapshot!(shown(&samples::outcome(), Verbosity::Normal), @r"
        black: 78 files replayed: unchanged; src/a.py run: content changed
        mypy: project run: src/a.py: content changed
        pytest: no reasons recorded
        flake8: no reasons recorded
        bandit: no reasons recorded
        ");
    }

    #[test]
    fn many_files_are_counted_and_named_when_asked_for() {
        let mut outcome = samples::outcome();
        outcome.tools.truncate(1);
        let changed = |n| UnitReason {
            unit: format!("f{n}.py"),
            replayed: false,
            reason: "flake8 7.5.0 → 7.5.1".to_owned(),
        };
        outcome.tools[0].reasons = (0..6).map(changed).collect();
        assert_snapshot!(shown(&outcome, Verbosity::Normal), @"black: 6 files run: flake8 7.5.0 → 7.5.1");
        assert_snapshot!(shown(&outcome, Verbosity::Verbose), @"black: f0.py, f1.py, f2.py, f3.py, f4.py, f5.py run: flake8 7.5.0 → 7.5.1");
    }
}
