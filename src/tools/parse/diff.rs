//! Output of formatters: a unified diff for each file that would change, and messages about files
//! that could not be read or are not valid Python.

use regex::bytes::{Captures, Regex};

use super::{ParseContext, RawOutput, Read, literal, without_colours};
use crate::finding::{Finding, Location, Severity};
use crate::paths::RelPath;
use crate::tools::spec::ToolSpec;

/// Code of a file that a formatter cannot read.
pub const SYNTAX_ERROR: &str = "syntax-error";

pub(super) fn read(spec: &ToolSpec, output: &RawOutput, context: &ParseContext<'_>) -> Read {
    let mut read = Read { findings: diffs(spec, &output.stdout, context), ..Read::default() };
    let stderr = literal::with_bytes_put_back(&without_colours(&output.stderr));
    let decl = &spec.output;
    let compiled = |pattern: &Option<String>| Regex::new(pattern.as_deref()?).ok();
    let changed = compiled(&decl.changed_pattern);
    let blamed = compiled(&decl.file_error_pattern);
    for message in messages(&stderr) {
        let found = |pattern: &Option<Regex>| pattern.as_ref().and_then(|p| p.captures(message));
        if let Some(found) = found(&changed) {
            add_without_diff(spec, &found, context, &mut read.findings);
        } else if let Some(found) = found(&blamed) {
            read.findings.push(file_error(spec, &found, message, context));
        } else if message.starts_with(b"error: ") {
            // One of the formatter itself: a file is left without an answer.
            read.trouble = Some(first_line(message));
        }
    }
    read
}

/// One finding for each `--- name` / `+++ name` / `@@ … @@` head. A line of a diff's body begins
/// with a space, `+`, `-` or `\`, so that the third line of a head tells it from removed dashes.
fn diffs(spec: &ToolSpec, stdout: &[u8], context: &ParseContext<'_>) -> Vec<Finding> {
    // black begins the diff of a file that has a byte order mark with one.
    let head = Regex::new(
        r"(?m-u)^(?:\xEF\xBB\xBF)?--- (?P<old>(?:[^\t]|\n)*?)(?:\t[^\n]*|:before[^\n]*)?\n\+\+\+ [^\n]*(?:\n[^@\n][^\n]*)*?\n@@ -(?P<line>\d+)",
    )
    .expect("a constant");
    let plain = Regex::new(r"(?m-u)^\x1b\[[0-9;]*m[-+@]").expect("a constant");
    let uncoloured;
    let stdout = if plain.is_match(stdout) {
        uncoloured = without_colours(stdout);
        &uncoloured
    } else {
        stdout
    };
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
            Some(would_change(spec, path, Some(&body)))
        })
        .collect()
}

fn would_change(spec: &ToolSpec, path: RelPath, body: Option<&str>) -> Finding {
    let decl = &spec.output;
    let message = decl.message.clone().unwrap_or_else(|| "this file would change".to_owned());
    let mut finding = Finding::new(&spec.name, decl.severity, message);
    finding.code.clone_from(&decl.code);
    // The head without its time stamps: the same change is always the same text. ruff puts an
    // empty line between two diffs.
    finding.diff = body.map(|body| {
        let body = body.strip_suffix("\n\n").map_or(body.to_owned(), |body| format!("{body}\n"));
        format!("--- {path}\n+++ {path}\n{body}")
    });
    let line = body.and_then(first_changed_line);
    finding.location = Some(Location { line, ..Location::file(path) });
    finding
}

/// The line of the old file where the first hunk begins to change it.
fn first_changed_line(body: &str) -> Option<u32> {
    let mut lines = body.lines();
    let start: u32 = lines.next()?.strip_prefix("@@ -")?.split([',', ' ']).next()?.parse().ok()?;
    let before = lines.take_while(|line| line.starts_with(' ')).count();
    Some(start.saturating_add(u32::try_from(before).unwrap_or(0)).max(1))
}

/// What stands on standard error, message by message: lines that follow a message and have no
/// beginning of their own belong to it.
fn messages(stderr: &[u8]) -> Vec<&[u8]> {
    let begins = Regex::new(r"(?m-u)^(?:error: |ERROR: |would reformat |reformatted |\r?$)")
        .expect("a constant");
    let mut starts: Vec<usize> = begins.find_iter(stderr).map(|found| found.start()).collect();
    starts.push(stderr.len());
    starts.windows(2).map(|pair| stderr[pair[0]..pair[1]].trim_ascii()).collect()
}

/// A file that the tool says it would change, and of which no diff was read: black cannot write
/// one whose head, the name, the file's own encoding lacks.
fn add_without_diff(
    spec: &ToolSpec,
    found: &Captures<'_>,
    context: &ParseContext<'_>,
    findings: &mut Vec<Finding>,
) {
    let Some(path) = group(found, "path") else { return };
    let path = context.path(path);
    let is_known = |finding: &Finding| {
        finding.diff.is_some() && finding.location.as_ref().is_some_and(|l| l.path == path)
    };
    // A line of a name that has several is no file.
    if !findings.iter().any(is_known) && context.is_file(&path) {
        findings.push(would_change(spec, path, None));
    }
}

fn file_error(
    spec: &ToolSpec,
    found: &Captures<'_>,
    message: &[u8],
    context: &ParseContext<'_>,
) -> Finding {
    let text =
        |name: &str| group(found, name).map(|b| String::from_utf8_lossy(b).trim().to_owned());
    let number = |name: &str| text(name).and_then(|text| text.parse().ok());
    let details: Vec<String> =
        String::from_utf8_lossy(message).lines().skip(1).map(str::to_owned).collect();
    // The line after black's excerpt, which is indented, names the error.
    let named = || details.iter().rfind(|line| !line.starts_with([' ', '\t'])).cloned();
    let said = text("message").filter(|m| !m.is_empty()).or_else(named);
    let said = said.unwrap_or_else(|| "cannot parse".to_owned());
    let mut finding = Finding::new(&spec.name, Severity::Error, said);
    finding.code = Some(SYNTAX_ERROR.to_owned());
    finding.details = details;
    finding.location = group(found, "path").map(|path| Location {
        line: number("line"),
        column: number("column"),
        ..Location::file(context.path(path))
    });
    finding
}

/// A pattern may offer two forms, the groups of the second ending in `2`.
fn group<'a>(found: &Captures<'a>, name: &str) -> Option<&'a [u8]> {
    found.name(name).or_else(|| found.name(&format!("{name}2"))).map(|m| m.as_bytes())
}

fn first_line(message: &[u8]) -> String {
    let line = message.split(|&b| b == b'\n').next().unwrap_or_default();
    String::from_utf8_lossy(line).into_owned()
}
