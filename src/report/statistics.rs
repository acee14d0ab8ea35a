//! `--statistics`: how often each code was found, the most frequent first.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::{self, Write};

use super::style::{Palette, thousands};
use super::{ReportContext, escape};
use crate::event::Outcome;
use crate::finding::Finding;

/// Writes a line for each code: number of findings, tool, code and the message of the first.
pub fn write(outcome: &Outcome, context: &ReportContext, out: &mut dyn Write) -> io::Result<()> {
    let mut codes: BTreeMap<(&str, Option<&str>), (usize, &Finding)> = BTreeMap::new();
    for finding in &outcome.findings {
        let key = (finding.tool.as_str(), finding.code.as_deref());
        codes.entry(key).or_insert((0, finding)).0 += 1;
    }
    let mut rows: Vec<_> = codes.into_iter().collect();
    rows.sort_by_key(|(_, (count, _))| Reverse(*count));
    let palette = Palette::new(context.color);
    let shown = |code: Option<&str>| escape::one_line(code.unwrap_or("-")).into_owned();
    let widest = |widths: &mut dyn Iterator<Item = usize>| widths.max().unwrap_or(0);
    let tools = widest(&mut rows.iter().map(|((tool, _), _)| tool.len()));
    let codes = widest(&mut rows.iter().map(|((_, code), _)| shown(*code).chars().count()));
    for ((tool, code), (count, example)) in rows {
        let tool = format!("{tool:<tools$}");
        let code = format!("{:<codes$}", shown(code));
        let line = format!("{:>7}  {tool}  {code}  ", thousands(count));
        let room = context.width.saturating_sub(console::measure_text_width(&line)).max(20);
        let message = escape::one_line(&example.message);
        let message = console::truncate_str(&message, room, "…");
        let count = format!("{:>7}", thousands(count));
        let code = palette.strong.apply_to(code);
        let tool = palette.faint.apply_to(tool);
        writeln!(out, "{count}  {tool}  {code}  {message}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    fn shown(outcome: &Outcome) -> String {
        let mut out = Vec::new();
        write(outcome, &samples::context(&|_| None), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_most_frequent_code_comes_first() {
        let mut outcome = samples::outcome();
        outcome.findings.extend((1..=1_200).map(|line| samples::style("z.py", line)));
        insta::assert_snapshot!(shown(&outcome), @r#"
        1,200  flake8  E501          line too long (88 > 79 characters)
            1  bandit  B101          Use of assert detected.
            1  black   format        would be reformatted
            1  flake8  F401          'os' imported but unused
            1  mypy    -             unused section(s) in mypy.ini
            1  mypy    return-value  Incompatible return value type (got "int", expec…
            1  pytest  failed        AssertionError: assert '1' == '2'
        "#);
    }

    #[test]
    fn hostile_findings_stay_one_line_a_code() {
        let text = shown(&samples::hostile());
        assert_eq!(text.lines().count(), 1);
        assert!(text.len() < 200, "{text}");
    }
}
