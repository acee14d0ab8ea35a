//! reviewdog's diagnostics as one JSON document (`rdjson`), as `proto/rdf/reviewdog.proto` of
//! github.com/reviewdog/reviewdog defines it: columns count bytes of UTF-8, ends are exclusive, a
//! range without columns stands for whole lines. A formatter's diff becomes suggestions.

use std::io::{self, Write};

use serde::Serialize;

use super::edits::{Edit, edits};
use super::region::Region;
use super::{Report, ReportContext, escape};
use crate::baseline::source::Sources;
use crate::event::Outcome;
use crate::finding::{Finding, Severity};

/// Characters of a message: they become comments of a review.
const MESSAGE_LIMIT: usize = 10_000;

/// `--output-format rdjson`
pub struct RdJson;

#[derive(Serialize)]
struct DiagnosticResult {
    source: Source,
    diagnostics: Vec<Diagnostic>,
}

#[derive(Clone, Serialize)]
struct Source {
    name: String,
}

#[derive(Clone, Serialize)]
struct Diagnostic {
    message: String,
    location: Location,
    severity: &'static str,
    source: Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suggestions: Vec<Suggestion>,
}

#[derive(Clone, Serialize)]
struct Location {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<Range>,
}

#[derive(Clone, Copy, Serialize)]
struct Range {
    start: Position,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<Position>,
}

#[derive(Clone, Copy, Serialize)]
struct Position {
    line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<usize>,
}

#[derive(Clone, Serialize)]
struct Code {
    value: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Clone, Serialize)]
struct Suggestion {
    range: Range,
    text: String,
}

impl Report for RdJson {
    fn write(
        &self,
        outcome: &Outcome,
        context: &ReportContext,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut sources = Sources::new(context.source);
        let diagnostics =
            outcome.findings.iter().flat_map(|f| diagnostics(f, context, &mut sources)).collect();
        let result = DiagnosticResult { source: Source { name: "pyqa".to_owned() }, diagnostics };
        serde_json::to_writer_pretty(&mut *out, &result)?;
        writeln!(out)
    }
}

/// One for a finding, but one for each change of a finding with a diff: a suggestion can only be
/// taken where the comment stands.
fn diagnostics(
    finding: &Finding,
    context: &ReportContext,
    sources: &mut Sources,
) -> Vec<Diagnostic> {
    let whole = diagnostic(finding, context, sources);
    let changes = finding.diff.as_deref().and_then(edits).unwrap_or_default();
    if changes.is_empty() {
        return vec![whole];
    }
    let with_suggestion = |Edit { first, last, text }| {
        let position = |line| Position { line, column: None };
        let range = Range { start: position(first), end: Some(position(last)) };
        let location = Location { path: whole.location.path.clone(), range: Some(range) };
        Diagnostic { location, suggestions: vec![Suggestion { range, text }], ..whole.clone() }
    };
    changes.into_iter().map(with_suggestion).collect()
}

fn diagnostic(finding: &Finding, context: &ReportContext, sources: &mut Sources) -> Diagnostic {
    let location = finding.location.as_ref();
    let mut message = finding.message.clone();
    for line in &finding.details {
        message.push('\n');
        message.push_str(line);
    }
    Diagnostic {
        message: escape::cut(&message, MESSAGE_LIMIT).into_owned(),
        location: Location {
            path: location.map_or_else(
                || ".".to_owned(),
                |l| context.platform_path(&l.path).to_text().into_owned(),
            ),
            range: location.and_then(|l| range(l, sources)),
        },
        severity: match finding.severity {
            Severity::Error => "ERROR",
            Severity::Warning => "WARNING",
            Severity::Note => "INFO",
        },
        source: Source { name: finding.tool.to_string() },
        code: finding.code.clone().map(|value| Code { value, url: finding.url.clone() }),
        suggestions: Vec::new(),
    }
}

fn range(location: &crate::finding::Location, sources: &mut Sources) -> Option<Range> {
    let region = Region::of(location)?;
    let mut position = |line, column: Option<u32>| {
        let column = column.and_then(|c| Some(byte_column(sources.line(&location.path, line)?, c)));
        Position { line, column }
    };
    let start = position(region.line, region.column);
    let end = position(region.end_line, region.end_column);
    // Whole lines have no column at either end; a start without an end is a point.
    let end = match (start.column, end.column) {
        (Some(_), None) => None,
        _ => Some(end),
    };
    Some(Range { start, end })
}

/// The column in bytes of UTF-8 for one in characters; behind the line it is its end.
fn byte_column(line: &str, column: u32) -> usize {
    let index = usize::try_from(column).map_or(usize::MAX, |c| c.saturating_sub(1));
    line.char_indices().nth(index).map_or(line.len(), |(at, _)| at) + 1
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::samples;

    fn written(outcome: &Outcome) -> Vec<Value> {
        let mut out = Vec::new();
        RdJson.write(outcome, &samples::context(&samples::source), &mut out).unwrap();
        let result: Value = serde_json::from_slice(&out).unwrap();
        result["diagnostics"].as_array().unwrap().clone()
    }

    #[test]
    fn a_diff_becomes_a_suggestion_and_ranges_are_kept() {
        let diagnostics = written(&samples::outcome());
        insta::assert_snapshot!(diagnostics[0], @r#"{"message":"would be reformatted","location":{"path":"src/a.py","range":{"start":{"line":5},"end":{"line":5}}},"severity":"WARNING","source":{"name":"black"},"code":{"value":"format"},"suggestions":[{"range":{"start":{"line":5},"end":{"line":5}},"text":"    return x"}]}"#);
        insta::assert_snapshot!(diagnostics[2], @r#"{"message":"Incompatible return value type (got \"int\", expected \"str\")\nSee the documentation for more","location":{"path":"src/a.py","range":{"start":{"line":5,"column":9},"end":{"line":5,"column":10}}},"severity":"ERROR","source":{"name":"mypy"},"code":{"value":"return-value"}}"#);
    }

    #[test]
    fn columns_count_bytes() {
        assert_eq!(byte_column("a𐐀b", 1), 1);
        assert_eq!(byte_column("a𐐀b", 2), 2);
        assert_eq!(byte_column("a𐐀b", 3), 6);
        assert_eq!(byte_column("a𐐀b", 9), 7);
    }

    #[test]
    fn hostile_findings_keep_their_number_and_a_sane_size() {
        let outcome = samples::hostile();
        let diagnostics = written(&outcome);
        assert_eq!(diagnostics.len(), outcome.findings.len());
        assert!(diagnostics.iter().all(|d| d["message"].as_str().unwrap().len() < 40_000));
    }
}
