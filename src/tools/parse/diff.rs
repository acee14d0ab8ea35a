//! Output of formatters: a unified diff for each file that would change, and messages about files
//! that are not valid Python.

use regex::bytes::{Captures, Regex};

use super::{ParseContext, RawOutput, Read};
use crate::finding::{Finding, Location, Severity};
use crate::paths::RelPath;
use crate::tools::spec::ToolSpec;

pub(super) fn read(spec: &ToolSpec, output: &RawOutput, context: &ParseContext<'_>) -> Read {
    let mut read = Read { findings: diffs(spec, &output.stdout, context), ..Read::default() };
    let pattern = spec.output.syntax_error_pattern.as_deref();
    let Some(syntax) = pattern.and_then(|pattern| Regex::new(pattern).ok()) else { return read };
    for found in syntax.captures_iter(&output.stderr) {
        read.findings.push(syntax_error(spec, &found, context));
    }
    // Any other error, such as one of the formatter itself, leaves a file without an answer.
    let other = output
        .stderr
        .split(|&b| b == b'\n')
        .find(|line| line.starts_with(b"error: ") && !syntax.is_match(line));
    read.trouble = other.map(|line| String::from_utf8_lossy(line).into_owned());
    read
}

/// One finding for each `--- name` / `+++ name` / `@@ … @@` head. A line of a diff's body begins
/// with a space, `+`, `-` or `\`, so that the third line of a head tells it from removed dashes.
fn diffs(spec: &ToolSpec, stdout: &[u8], context: &ParseContext<'_>) -> Vec<Finding> {
    let head = Regex::new(
        r"(?m-u)^--- (?P<old>(?:[^\t]|\n)*?)(?:\t[^\n]*|:before[^\n]*)?\n\+\+\+ [^\n]*(?:\n[^@\n][^\n]*)*?\n@@ -(?P<line>\d+)",
    )
    .expect("a constant");
    let heads: Vec<Captures<'_>> = head.captures_iter(stdout).collect();
    let starts: Vec<usize> = heads.iter().filter_map(|found| Some(found.get(0)?.start())).collect();
    heads
        .iter()
        .enumerate()
        .filter_map(|(at, found)| {
            let end = starts.get(at + 1).copied().unwrap_or(stdout.len());
            let body_start = stdout[..found.get(0)?.end()].iter().rposition(|&b| b == b'\n')? + 1;
            let path = context.path(found.name("old")?.as_bytes());
            let body = String::from_utf8_lossy(&stdout[body_start..end]).into_owned();
            Some(would_change(spec, path, &body))
        })
        .collect()
}

fn would_change(spec: &ToolSpec, path: RelPath, body: &str) -> Finding {
    let decl = &spec.output;
    let message = decl.message.clone().unwrap_or_else(|| "this file would change".to_owned());
    let mut finding = Finding::new(&spec.name, decl.severity, message);
    finding.code.clone_from(&decl.code);
    // The head without its time stamps: the same change is always the same text.
    finding.diff = Some(format!("--- {path}\n+++ {path}\n{body}"));
    let line = first_changed_line(body);
    finding.location = Some(Location { line, ..Location::file(path) });
    finding
}

/// The line of the old file where the first hunk begins to change it.
fn first_changed_line(body: &str) -> Option<u32> {
    let mut lines = body.lines();
    let start: u32 = lines.next()?.strip_prefix("@@ -")?.split([',', ' ']).next()?.parse().ok()?;
    let before = lines.take_while(|line| line.starts_with(' ')).count();
    Some((start + u32::try_from(before).unwrap_or(0)).max(1))
}

fn syntax_error(spec: &ToolSpec, found: &Captures<'_>, context: &ParseContext<'_>) -> Finding {
    // A pattern may offer two forms, the groups of the second ending in `2`.
    let bytes = |name: &str| {
        found.name(name).or_else(|| found.name(&format!("{name}2"))).map(|m| m.as_bytes())
    };
    let text = |name: &str| bytes(name).map(|b| String::from_utf8_lossy(b).trim().to_owned());
    let number = |name: &str| text(name).and_then(|text| text.parse().ok());
    let message = text("message").filter(|m| !m.is_empty()).unwrap_or("cannot parse".to_owned());
    let mut finding = Finding::new(&spec.name, Severity::Error, message);
    finding.code = Some("syntax-error".to_owned());
    finding.location = bytes("path").map(|path| Location {
        line: number("line"),
        column: number("column"),
        ..Location::file(context.path(path))
    });
    finding
}
