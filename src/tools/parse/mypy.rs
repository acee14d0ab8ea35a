//! mypy's text with columns and ends: `path:line:column:end_line:end_column: severity: message
//! [code]`, a line each; a blocking error has the path only. Notes that follow an error of the
//! same place belong to it. A file that cannot be decoded is told on standard error.

use regex::bytes::{Captures, Regex};

use super::{ParseContext, RawOutput, Read, code_url, counted};
use crate::finding::{Finding, Location, Severity};
use crate::tools::spec::ToolSpec;

const LINE: &str = r"(?s-u)^(?P<path>.+?):(?:(?P<line>\d+):(?:(?P<column>\d+):(?:(?P<end_line>\d+):(?P<end_column>\d+):)?)?)? (?P<severity>error|note|warning): (?P<message>.*?)(?:  \[(?P<code>[a-z0-9-]+)\])?$";

pub(super) fn read(spec: &ToolSpec, output: &RawOutput, context: &ParseContext<'_>) -> Read {
    let line = Regex::new(LINE).expect("a constant");
    let mut findings: Vec<Finding> = Vec::new();
    // Lines that are no finding. A file name may contain a newline: then they begin its name.
    let mut before: Vec<u8> = Vec::new();
    for text in output.stdout.split(|&b| b == b'\n') {
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        match line.captures(text) {
            None => {
                before.extend_from_slice(text);
                before.push(b'\n');
            }
            Some(found) => {
                let whole = [&before, text].concat();
                let with_before = line.captures(&whole).filter(|_| before.len() > 1);
                let is_file = |found: &Captures<'_>| context.is_file(&context.path(&found["path"]));
                let found = match with_before {
                    Some(longer) if !is_file(&found) && is_file(&longer) => longer,
                    _ => found,
                };
                add(finding(spec, &found, context), &mut findings);
                before.clear();
            }
        }
    }
    for text in output.stderr.split(|&b| b == b'\n') {
        let Some(found) = line.captures(text) else { continue };
        // A setting may name a file that is not there: that is no finding in it.
        if context.is_file(&context.path(&found["path"])) && &found["severity"] == b"error" {
            findings.push(finding(spec, &found, context));
        }
    }
    Read { findings, ..Read::default() }
}

fn finding(spec: &ToolSpec, found: &Captures<'_>, context: &ParseContext<'_>) -> Finding {
    let text =
        |name: &str| found.name(name).map(|m| String::from_utf8_lossy(m.as_bytes()).into_owned());
    let number = |name: &str| text(name).and_then(|text| text.parse().ok());
    let severity = match &found["severity"] {
        b"note" => Severity::Note,
        b"warning" => Severity::Warning,
        _ => Severity::Error,
    };
    let code = text("code");
    let mut finding = Finding::new(&spec.name, severity, text("message").unwrap_or_default());
    finding.url = code_url(&spec.output, code.as_deref());
    finding.code = code;
    finding.location = Some(Location {
        path: context.path(&found["path"]),
        line: number("line"),
        column: number("column"),
        end_line: number("end_line"),
        end_column: counted(number("end_column"), spec.output.end_column_offset),
    });
    finding
}

/// Notes that mypy prints with the first error of their kind only. Which one is first depends on
/// what its cache already has an answer for, so that nothing can be said by them.
const ONCE: [&str; 4] = [
    "See https://mypy",
    "Hint: \"python3 -m pip install ",
    "(or run \"mypy --install-types\"",
    "(Using --follow-imports=error",
];

fn add(finding: Finding, findings: &mut Vec<Finding>) {
    if finding.severity == Severity::Note && ONCE.iter().any(|o| finding.message.starts_with(o)) {
        return;
    }
    let place = |finding: &Finding| finding.location.as_ref().map(|l| (l.path.clone(), l.line));
    match findings.last_mut() {
        Some(last)
            if finding.severity == Severity::Note
                && last.severity != Severity::Note
                && place(last) == place(&finding)
                && !finding.message.starts_with("Revealed ") =>
        {
            last.details.push(finding.message);
        }
        _ => findings.push(finding),
    }
}
