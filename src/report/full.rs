//! The format for reading, and the default: each finding with its line of source, its details and
//! its diff, grouped by file; tools that failed; what was left out and how to see it.

use std::io::{self, Write};

use super::escape;
use super::place::Place;
use super::selection::Selection;
use super::snippet::{self, Mark};
use super::style::{Palette, plural, thousands};
use super::{Limit, Report, ReportContext, Verbosity, diff, failures};
use crate::baseline::source::Sources;
use crate::event::Outcome;
use crate::finding::{Finding, Severity};
use crate::paths::RelPath;

/// Lines of details (notes, an assertion) that are shown when output is limited.
const READABLE_DETAILS: usize = 30;
/// Characters of a message and of a line of details that are shown when output is limited.
const READABLE_MESSAGE: usize = 1_000;
/// Codes that the account of what was left out names.
const NAMED_CODES: usize = 10;

/// `--output-format full`
pub struct Full;

impl Report for Full {
    fn write(
        &self,
        outcome: &Outcome,
        context: &ReportContext,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let selection = Selection::new(&outcome.findings, context.limit);
        let mut page = Page {
            context,
            palette: Palette::new(context.color),
            sources: Sources::new(context.source),
        };
        let is_caused = |finding: &&&Finding| {
            outcome
                .caused
                .iter()
                .any(|&index| std::ptr::eq(&raw const outcome.findings[index], **finding))
        };
        let (caused, own): (Vec<&Finding>, Vec<&Finding>) =
            selection.shown.iter().partition(is_caused);
        page.findings(&own, &selection, out)?;
        if !caused.is_empty() {
            let title = "Outside of the changed lines, caused by the change:";
            writeln!(out, "{}\n", page.palette.strong.apply_to(title))?;
            page.findings(&caused, &selection, out)?;
        }
        page.left_out(&selection, out)?;
        failures::write(outcome, context, out)
    }
}

fn path(finding: &Finding) -> Option<&RelPath> {
    finding.location.as_ref().map(|location| &location.path)
}

struct Page<'a> {
    context: &'a ReportContext<'a>,
    palette: Palette,
    sources: Sources<'a>,
}

impl Page<'_> {
    fn findings(
        &mut self,
        findings: &[&Finding],
        selection: &Selection,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        for group in findings.chunk_by(|a, b| path(a) == path(b)) {
            for finding in group {
                self.finding(finding, out)?;
            }
            let more = group.first().and_then(|f| selection.left_out.get(&path(f)));
            if let (Some(more), Some(path)) = (more, group.first().and_then(|f| path(f))) {
                self.rest_of_file(path, *more, out)?;
            }
        }
        Ok(())
    }

    fn finding(&mut self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        self.heading(finding, out)?;
        match &finding.diff {
            Some(text) => diff::write(text, self.context, out)?,
            None => self.excerpt(finding, out)?,
        }
        self.details(finding, out)?;
        if let (Verbosity::Verbose, Some(url)) = (self.context.verbosity, &finding.url) {
            writeln!(out, "    {}", self.palette.faint.apply_to(escape::one_line(url)))?;
        }
        writeln!(out)
    }

    /// `path:line:column  CODE message  [tool]`
    fn heading(&self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let palette = &self.palette;
        if let Some(location) = &finding.location {
            write!(out, "{}  ", palette.path.apply_to(Place(location)))?;
        }
        let style = match finding.severity {
            Severity::Error => &palette.error,
            Severity::Warning => &palette.warning,
            Severity::Note => &palette.faint,
        };
        if let Some(code) = &finding.code {
            write!(out, "{} ", style.apply_to(escape::one_line(code)))?;
        }
        if finding.severity == Severity::Note {
            write!(out, "{} ", palette.faint.apply_to("note:"))?;
        }
        let message = escape::one_line(&finding.message);
        let tool = format!("[{}]", finding.tool);
        writeln!(out, "{}  {}", self.readable(&message), palette.faint.apply_to(tool))
    }

    fn excerpt(&mut self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let location = finding.location.as_ref();
        let Some((location, mark)) = location.and_then(|l| Some((l, Mark::of(l)?))) else {
            return Ok(());
        };
        let Some(text) = self.sources.line(&location.path, mark.line) else { return Ok(()) };
        let (color, width) = (self.context.color, self.context.width);
        out.write_all(snippet::excerpt(text, mark, finding.severity, color, width).as_bytes())
    }

    fn details(&self, finding: &Finding, out: &mut dyn Write) -> io::Result<()> {
        let lines: Vec<&str> = finding.details.iter().flat_map(|text| text.lines()).collect();
        let shown = match self.context.limit {
            Limit::Readable if lines.len() > READABLE_DETAILS + 2 => READABLE_DETAILS,
            _ => lines.len(),
        };
        for line in &lines[..shown] {
            let line = escape::terminal_line(line.trim_end());
            writeln!(out, "{}", format!("    {}", self.readable(&line)).trim_end())?;
        }
        if shown < lines.len() {
            let rest = format!("… {}", plural(lines.len() - shown, "more line"));
            writeln!(out, "    {}", self.palette.faint.apply_to(rest))?;
        }
        Ok(())
    }

    fn rest_of_file(&self, path: &RelPath, more: usize, out: &mut dyn Write) -> io::Result<()> {
        let path = self.palette.path.apply_to(escape::one_line(&path.to_text()).into_owned());
        let more = format!("… {}", plural(more, "more finding"));
        writeln!(out, "{path}  {}\n", self.palette.faint.apply_to(more))
    }

    /// What the limits kept back, by code.
    fn left_out(&self, selection: &Selection, out: &mut dyn Write) -> io::Result<()> {
        if selection.hidden() == 0 {
            return Ok(());
        }
        let findings = plural(selection.hidden(), "more finding");
        let files = plural(selection.left_out.len(), "file");
        let title = format!("{findings} in {files} not shown:");
        writeln!(out, "{}", self.palette.strong.apply_to(title))?;
        // A line that says "1 other code" is as long as the one that names it.
        let codes = selection.codes.len();
        let named = if codes == NAMED_CODES + 1 { codes } else { NAMED_CODES };
        for (tool, code, count) in selection.codes.iter().take(named) {
            let tool = self.palette.faint.apply_to(format!("[{tool}]"));
            let code = escape::one_line(code.unwrap_or("-"));
            writeln!(out, "{:>9}  {code}  {tool}", thousands(*count))?;
        }
        let others = selection.codes.iter().skip(named);
        let rest: usize = others.clone().map(|(_, _, count)| count).sum();
        if rest > 0 {
            let codes = plural(others.count(), "other code");
            writeln!(out, "{:>9}  {codes}", thousands(rest))?;
        }
        let hint = self.palette.hint.apply_to("hint");
        writeln!(
            out,
            "{hint}: `--output-format concise` shows one line each, `--no-limit` shows them all \
             like those above\n"
        )
    }

    fn readable<'t>(&self, text: &'t str) -> std::borrow::Cow<'t, str> {
        match self.context.limit {
            Limit::Readable => escape::cut(text, READABLE_MESSAGE),
            Limit::None => text.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::report::Color;
    use crate::report::samples::{self, context, outcome};

    fn shown(outcome: &Outcome, context: &ReportContext) -> String {
        let mut out = Vec::new();
        Full.write(outcome, context, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn findings_of_all_kinds_read_well() {
        let text = shown(&outcome(), &context(&samples::source));
        assert_snapshot!(text, @r#"
        src/a.py  format would be reformatted  [black]
            @@ -2,4 +2,4 @@


             def f(x: int) -> str:
            -	return x
            +    return x

        src/a.py:1:8  F401 'os' imported but unused  [flake8]
        1 | import os, sys
          |        ^

        src/a.py:5:9  return-value Incompatible return value type (got "int", expected "str")  [mypy]
        5 |     return x
          |            ^
            See the documentation for more

        src/missing.py:3:1  B101 note: Use of assert detected.  [bandit]

        tests/test_a.py:2:1  failed AssertionError: assert '1' == '2'  [pytest]
        2 |     assert f(1) == '2'
          | ^
                def test_f():
            >       assert f(1) == '2'
            E       AssertionError: assert '1' == '2'
            E         - 2
            E         + 1

        unused section(s) in mypy.ini  [mypy]
        "#);
    }

    #[test]
    fn colour_only_adds_codes() {
        let read = &samples::source;
        let plain = shown(&outcome(), &context(read));
        let colored = shown(&outcome(), &ReportContext { color: Color::Always, ..context(read) });
        assert_ne!(plain, colored);
        assert_eq!(console::strip_ansi_codes(&colored), plain);
    }

    #[test]
    fn without_sources_the_findings_are_still_told() {
        let text = shown(&outcome(), &context(&|_| None));
        assert!(text.contains("src/a.py:1:8  F401 'os' imported but unused  [flake8]"), "{text}");
    }

    #[test]
    fn thousands_of_findings_are_cut_with_a_count_and_a_way_to_see_all() {
        let mut many = outcome();
        many.findings =
            (0..3_000).map(|n| samples::style(&format!("f{:03}.py", n / 20), n % 20 + 1)).collect();
        let text = shown(&many, &context(&samples::source));
        assert!(text.contains("f000.py  … 10 more findings\n"), "{text}");
        let end = text.split_once("2,900").map(|(_, end)| end).unwrap();
        assert_snapshot!(end, @r"
         more findings in 150 files not shown:
            2,900  E501  [flake8]
        hint: `--output-format concise` shows one line each, `--no-limit` shows them all like those above
        ");
        let all = ReportContext { limit: Limit::None, ..context(&samples::source) };
        assert_eq!(shown(&many, &all).matches("E501").count(), 3_000);
    }

    #[test]
    fn hostile_findings_neither_panic_nor_drive_the_terminal() {
        let text = shown(&samples::hostile(), &context(&samples::source));
        assert!(!text.contains(['\x1b', '\x07', '\u{9b}', '\r']), "{text:?}");
        assert!(text.len() < 20_000, "a message of 1 MB is cut");
    }
}
