//! `path:line:column: CODE message [tool]`: one line a finding, for grep, editors and other
//! programs that read the output of compilers.

use std::io::{self, Write};

use super::escape::one_line;
use super::place::Place;
use super::style::Palette;
use super::{Report, ReportContext};
use crate::event::Outcome;
use crate::finding::Finding;

/// `--output-format concise`
pub struct Concise;

impl Report for Concise {
    fn write(
        &self,
        outcome: &Outcome,
        context: &ReportContext,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let palette = Palette::new(context.color);
        outcome.findings.iter().try_for_each(|finding| line(finding, &palette, out))
    }
}

/// Line and column are left out where the tool names none, the path where it speaks of the whole
/// project. Line breaks in names and messages are shown as `\n`.
fn line(finding: &Finding, palette: &Palette, out: &mut dyn Write) -> io::Result<()> {
    if let Some(location) = &finding.location {
        write!(out, "{}: ", palette.path.apply_to(Place(location)))?;
    }
    if let Some(code) = &finding.code {
        write!(out, "{} ", palette.error.apply_to(one_line(code)))?;
    }
    let tool = format!("[{}]", finding.tool);
    writeln!(out, "{} {}", one_line(&finding.message), palette.faint.apply_to(tool))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn shown(outcome: &Outcome) -> String {
        let mut out = Vec::new();
        Concise.write(outcome, &samples::context(&|_| None), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_finding_is_one_line() {
        insta::assert_snapshot!(shown(&samples::outcome()), @r#"
        src/a.py: format would be reformatted [black]
        src/a.py:1:8: F401 'os' imported but unused [flake8]
        src/a.py:5:9: return-value Incompatible return value type (got "int", expected "str") [mypy]
        src/missing.py:3:1: B101 Use of assert detected. [bandit]
        tests/test_a.py:2:1: failed AssertionError: assert '1' == '2' [pytest]
        unused section(s) in mypy.ini [mypy]
        "#);
    }

    #[test]
    fn hostile_findings_stay_one_line_each() {
        let outcome = samples::hostile();
        assert_eq!(shown(&outcome).lines().count(), outcome.findings.len());
    }
}
