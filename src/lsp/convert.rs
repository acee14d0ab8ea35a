//! From the words of the engine to those of the protocol: a [`Finding`] becomes a [`Diagnostic`].
//! With `shift.rs` and `text.rs` the only place that knows both.

use gen_lsp_types::{Code, CodeDescription, Diagnostic, DiagnosticSeverity, Message, Range, Uri};

use super::text::{Encoding, Text};
use crate::event::Failure;
use crate::finding::{Finding, Location, Severity};
use crate::tools::spec::ColumnUnit;

/// The finding as editors show it, in the text that the tool has read.
pub(super) fn diagnostic(
    finding: &Finding,
    text: &Text,
    unit: ColumnUnit,
    encoding: Encoding,
) -> Diagnostic {
    let (start, end) = match &finding.location {
        Some(place) => span(place, text, unit),
        None => (0, 0),
    };
    let mut message = finding.message.clone();
    for detail in &finding.details {
        message.push('\n');
        message.push_str(detail);
    }
    Diagnostic {
        range: text.range(start, end, encoding),
        severity: Some(match finding.severity {
            Severity::Error => DiagnosticSeverity::Error,
            Severity::Warning => DiagnosticSeverity::Warning,
            Severity::Note => DiagnosticSeverity::Information,
        }),
        code: finding.code.clone().map(Code::String),
        code_description: finding.url.clone().map(|url| CodeDescription { href: Uri(url) }),
        source: Some(finding.tool.to_string()),
        message: Message::String(message),
        ..Diagnostic::default()
    }
}

/// A tool that could not answer, at the top of the file: nobody is to take it for clean.
pub(super) fn failure(tool: &str, failure: &Failure) -> Diagnostic {
    let mut message = failure.message.clone();
    for more in [Some(&failure.output), failure.hint.as_ref()].into_iter().flatten() {
        if !more.is_empty() {
            message.push('\n');
            message.push_str(more);
        }
    }
    at_top(tool, message)
}

/// The file could not be checked at all.
pub(super) fn unchecked(why: &str) -> Diagnostic {
    at_top("pyqa", why.to_owned())
}

fn at_top(source: &str, message: String) -> Diagnostic {
    Diagnostic {
        range: Range::default(),
        severity: Some(DiagnosticSeverity::Error),
        code: Some(Code::String("failed".to_owned())),
        source: Some(source.to_owned()),
        message: Message::String(message),
        ..Diagnostic::default()
    }
}

/// Begin and end of what the finding is about, as offsets.
fn span(place: &Location, text: &Text, unit: ColumnUnit) -> (usize, usize) {
    let index = |line: u32| line.saturating_sub(1) as usize;
    let Some(line) = place.line.map(index) else { return (0, 0) };
    let start = place.column.and_then(|column| text.column(line, column, unit));
    let Some(start) = start else { return whole_line(text, line) };
    let last = place.end_line.map_or(line, index);
    let end = place.end_column.and_then(|column| text.column(last, column, unit));
    match end {
        Some(end) if end > start => (start, end),
        _ => (start, start + word(&text.as_str()[start..text.line_span(line).1.max(start)])),
    }
}

/// The line without its indentation.
fn whole_line(text: &Text, line: usize) -> (usize, usize) {
    let (start, end) = text.line_span(line);
    let content = &text.as_str()[start..end];
    (start + content.len() - content.trim_start().len(), end)
}

/// Length of the name at the beginning, or of one character.
fn word(text: &str) -> usize {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let name = text.find(|c| !is_name(c)).unwrap_or(text.len());
    if name > 0 { name } else { text.chars().next().map_or(0, char::len_utf8) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::ToolId;
    use gen_lsp_types::Position;

    fn range(text: &str, unit: ColumnUnit, place: (u32, Option<u32>, Option<u32>)) -> [u32; 4] {
        let (line, column, end_column) = place;
        let mut finding = Finding::new(&ToolId::new("flake8"), Severity::Warning, "wrong");
        let path = "a.py".into();
        finding.location = Some(Location {
            path,
            line: Some(line),
            column,
            end_line: end_column.and(Some(line)),
            end_column,
        });
        let found = diagnostic(&finding, &Text::new(text), unit, Encoding::Utf16).range;
        let Range { start: Position { line, character }, end } = found;
        [line, character, end.line, end.character]
    }

    #[test]
    fn places_are_counted_in_the_encoding_of_the_editor() {
        let text = "s = '日😀'; name = 1\n";
        // The name begins at byte 15, character 10, unit 11.
        assert_eq!(range(text, ColumnUnit::Bytes, (1, Some(16), Some(20))), [0, 11, 0, 15]);
        assert_eq!(range(text, ColumnUnit::Characters, (1, Some(11), None)), [0, 11, 0, 15]);
    }

    #[test]
    fn without_a_usable_column_the_line_is_meant_and_without_a_line_the_file() {
        let text = "\n    é = 1\n";
        assert_eq!(range(text, ColumnUnit::AsciiOnly, (2, Some(5), Some(6))), [1, 4, 1, 9]);
        assert_eq!(range(text, ColumnUnit::Bytes, (2, None, None)), [1, 4, 1, 9]);
        assert_eq!(range(text, ColumnUnit::Bytes, (99, Some(3), None)), [2, 0, 2, 0]);
    }
}
