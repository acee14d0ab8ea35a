//! mypy's text with columns and ends: `path:line:column:end_line:end_column: severity: message
//! [code]`, a line each; a blocking error has the path only. Notes that follow an error of the
//! same place belong to it.

use regex::bytes::Regex;

use super::{ParseContext, Read, code_url, counted};
use crate::finding::{Finding, Location, Severity};
use crate::tools::spec::ToolSpec;

pub(super) fn read(spec: &ToolSpec, bytes: &[u8], context: &ParseContext<'_>) -> Read {
    let line = Regex::new(
        r"(?s-u)^(?P<path>.+?):(?:(?P<line>\d+):(?:(?P<column>\d+):(?:(?P<end_line>\d+):(?P<end_column>\d+):)?)?)? (?P<severity>error|note|warning): (?P<message>.*?)(?:  \[(?P<code>[a-z0-9-]+)\])?$",
    )
    .expect("a constant");
    let mut findings: Vec<Finding> = Vec::new();
    // A file name may contain a newline: what is no finding may be the beginning of one.
    let mut pending: Vec<u8> = Vec::new();
    for text in bytes.split(|&b| b == b'\n') {
        pending.extend_from_slice(text.strip_suffix(b"\r").unwrap_or(text));
        let Some(found) = line.captures(&pending) else {
            if !pending.is_empty() {
                pending.push(b'\n');
            }
            continue;
        };
        let text = |name: &str| {
            found.name(name).map(|m| String::from_utf8_lossy(m.as_bytes()).into_owned())
        };
        let number = |name: &str| text(name).and_then(|text| text.parse().ok());
        let location = Location {
            path: context.path(found.name("path").map_or(b"", |m| m.as_bytes())),
            line: number("line"),
            column: number("column"),
            end_line: number("end_line"),
            end_column: counted(number("end_column"), spec.output.end_column_offset),
        };
        let severity = match text("severity").as_deref() {
            Some("note") => Severity::Note,
            Some("warning") => Severity::Warning,
            _ => Severity::Error,
        };
        let message = text("message").unwrap_or_default();
        let code = text("code");
        pending.clear();
        let place = |l: &Location| (l.path.clone(), l.line);
        match findings.last_mut() {
            Some(last)
                if severity == Severity::Note
                    && last.severity != Severity::Note
                    && last.location.as_ref().map(place) == Some(place(&location)) =>
            {
                last.details.push(message);
            }
            _ => {
                let mut finding = Finding::new(&spec.name, severity, message);
                finding.url = code_url(&spec.output, code.as_deref());
                finding.code = code;
                finding.location = Some(location);
                findings.push(finding);
            }
        }
    }
    Read { findings, ..Read::default() }
}
