//! Reads what a tool left behind: [`parse`] turns its output into findings and holds its exit
//! code against them, so that a crash is never taken for "clean". Reading never fails: what
//! cannot be read makes the verdict [`Verdict::Crashed`].

mod diff;
mod json;
mod literal;
mod mypy;
pub mod pytest;
mod regex_lines;

pub use diff::SYNTAX_ERROR;

use std::path::{Path, PathBuf};

use crate::event::{Failure, FailureKind};
use crate::finding::{Finding, Location, Severity, TestCase};
use crate::paths::RelPath;
use crate::tools::spec::{OutputDecl, OutputFormat, Stream, ToolSpec};

/// What a process left behind.
#[derive(Clone, Debug, Default)]
pub struct RawOutput {
    /// Exit code.
    pub code: i32,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// Content of the file that the tool was told to write its report to.
    pub side_file: Option<Vec<u8>>,
}

impl RawOutput {
    fn stream(&self, stream: Stream) -> &[u8] {
        match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        }
    }
}

/// Where the tool ran.
#[derive(Clone, Debug)]
pub struct ParseContext<'a> {
    /// Its working folder, the project's root.
    root: &'a Path,
    /// The root without links, which is what tools see that print absolute paths.
    real_root: PathBuf,
}

impl<'a> ParseContext<'a> {
    pub fn new(root: &'a Path) -> Self {
        Self { root, real_root: root.canonicalize().unwrap_or_else(|_| root.to_owned()) }
    }

    /// A path as the tool printed it. A file outside of the root keeps its absolute path.
    fn path(&self, printed: &[u8]) -> RelPath {
        let mut bytes = printed;
        while let Some(rest) = bytes.strip_prefix(b"./") {
            bytes = rest;
        }
        let path = RelPath::from_bytes(bytes);
        if !bytes.starts_with(b"/") && cfg!(unix) {
            return path;
        }
        let absolute = path.to_path();
        [self.root, &self.real_root]
            .into_iter()
            .find_map(|root| RelPath::from_absolute(&absolute, root))
            .unwrap_or(path)
    }

    fn is_file(&self, path: &RelPath) -> bool {
        path.below(self.root).is_file()
    }
}

/// What was read.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub findings: Vec<Finding>,
    pub tests: Vec<TestCase>,
    pub verdict: Verdict,
    /// Why this answer must not be kept for later runs, although it is one: the same input gave
    /// another answer before.
    pub unstable: Option<String>,
}

impl Parsed {
    /// Nothing was read, because the process did not come to an end of its own.
    pub fn failed(failure: Failure) -> Self {
        let verdict = Verdict::Crashed(failure);
        Self { findings: Vec::new(), tests: Vec::new(), verdict, unstable: None }
    }
}

/// What the exit code and the findings say together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Clean,
    Findings,
    Crashed(Failure),
}

/// What a format's reader found.
#[derive(Default)]
struct Read {
    findings: Vec<Finding>,
    tests: Vec<TestCase>,
    /// Why the output cannot be trusted.
    trouble: Option<String>,
    unstable: Option<String>,
}

/// Reads `output` as `spec` declares.
pub fn parse(spec: &ToolSpec, output: &RawOutput, context: &ParseContext<'_>) -> Parsed {
    let mut read = match spec.output.format {
        OutputFormat::Regex => regex_lines::read(spec, output.stream(spec.output.stream), context),
        OutputFormat::Json => json::read(spec, output.stream(spec.output.stream), context),
        OutputFormat::JsonLines => {
            json::read_lines(spec, output.stream(spec.output.stream), context)
        }
        OutputFormat::Diff => diff::read(spec, output, context),
        OutputFormat::Mypy => mypy::read(spec, output, context),
        OutputFormat::Pytest => pytest::read(spec, output, context),
    };
    read.findings.iter_mut().filter_map(|f| f.location.as_mut()).for_each(drop_empty_range);
    let verdict = judge(spec, output, &read);
    Parsed { findings: read.findings, tests: read.tests, verdict, unstable: read.unstable }
}

fn judge(spec: &ToolSpec, output: &RawOutput, read: &Read) -> Verdict {
    let found = read.findings.iter().any(|finding| finding.severity != Severity::Note);
    let crashed = |message: String| {
        Verdict::Crashed(Failure {
            kind: FailureKind::Crashed,
            message,
            output: last_words(output),
            hint: None,
        })
    };
    let name = &spec.name;
    if is_told(spec.output.crash_pattern.as_deref(), output) {
        return crashed(format!("{name} crashed"));
    }
    if !found && is_told(spec.output.nothing_pattern.as_deref(), output) {
        return Verdict::Clean;
    }
    let code = output.code;
    let exit = &spec.exit;
    if exit.clean.contains(&code) {
        return match &read.trouble {
            Some(trouble) => crashed(format!("{name}: {trouble}")),
            None if found => crashed(format!("{name} exited with {code} but printed findings")),
            None => Verdict::Clean,
        };
    }
    if !exit.findings.contains(&code) && !exit.either.contains(&code) {
        return crashed(format!("{name} exited with {code}"));
    }
    match &read.trouble {
        Some(trouble) => crashed(format!("{name}: {trouble}")),
        None if found => Verdict::Findings,
        None if exit.either.contains(&code) => Verdict::Clean,
        None => crashed(format!("{name} exited with {code} but no finding could be read")),
    }
}

/// Whether the pattern matches on one of the streams.
fn is_told(pattern: Option<&str>, output: &RawOutput) -> bool {
    pattern
        .and_then(|pattern| regex::bytes::Regex::new(pattern).ok())
        .is_some_and(|regex| regex.is_match(&output.stderr) || regex.is_match(&output.stdout))
}

/// An end that is not after the beginning says nothing.
fn drop_empty_range(at: &mut Location) {
    let start = (at.line, at.column);
    let end = (at.end_line.or(at.line), at.end_column);
    if at.end_column.is_some() && end <= start || at.end_line < at.line {
        (at.end_line, at.end_column) = (None, None);
    }
}

/// The first line, which is the message, and the others.
fn in_one_line(text: &str) -> (String, Vec<String>) {
    let mut lines = text.lines().map(str::to_owned);
    (lines.next().unwrap_or_default(), lines.collect())
}

/// Text without the sequences that colour it on a terminal; some tools heed `FORCE_COLOR` only.
fn without_colours(text: &[u8]) -> Vec<u8> {
    let colours = regex::bytes::Regex::new(r"(?-u)\x1b\[[0-9;]*m").expect("a constant");
    colours.replace_all(text, b"".as_slice()).into_owned()
}

/// The end of what the tool said, preferably on standard error.
fn last_words(output: &RawOutput) -> String {
    const LINES: usize = 30;
    let said = |bytes: &[u8]| {
        let text = String::from_utf8_lossy(bytes).trim().to_owned();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(LINES)..].join("\n")
    };
    let stderr = said(&output.stderr);
    if stderr.is_empty() { said(&output.stdout) } else { stderr }
}

/// Severity of a finding, by the tool's word for it or by how its code begins.
fn severity(decl: &OutputDecl, word: Option<&str>, code: Option<&str>) -> Severity {
    let by_word = word.and_then(|word| decl.severities.get(word));
    let by_code = || {
        let code = code?;
        let beginnings = decl.severities.iter().filter(|(key, _)| code.starts_with(key.as_str()));
        beginnings.max_by_key(|(key, _)| key.len()).map(|(_, severity)| severity)
    };
    *by_word.or_else(by_code).unwrap_or(&decl.severity)
}

/// The page that explains `code`.
fn code_url(decl: &OutputDecl, code: Option<&str>) -> Option<String> {
    Some(decl.code_url.as_ref()?.replace("{code}", code?))
}

/// A line or column as reports count them: from 1.
fn counted(number: Option<u32>, offset: u32) -> Option<u32> {
    number.map(|number| number.saturating_add(offset).max(1))
}

#[cfg(test)]
mod tests;
