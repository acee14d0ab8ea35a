//! Reads what a tool left behind: [`parse`] turns its output into findings and holds its exit
//! code against them, so that a crash is never taken for "clean". Reading never fails: what
//! cannot be read makes the verdict [`Verdict::Crashed`].

mod diff;
mod json;
mod mypy;
mod pytest;
mod regex_lines;

use std::path::Path;

use crate::event::{Failure, FailureKind};
use crate::finding::{Finding, Severity, TestCase};
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
#[derive(Clone, Copy, Debug)]
pub struct ParseContext<'a> {
    /// Its working folder, the project's root.
    pub root: &'a Path,
}

impl<'a> ParseContext<'a> {
    pub fn new(root: &'a Path) -> Self {
        Self { root }
    }

    /// A path as the tool printed it. A file outside of the root keeps its absolute path.
    fn path(&self, printed: &[u8]) -> RelPath {
        let mut bytes = printed;
        while let Some(rest) = bytes.strip_prefix(b"./") {
            bytes = rest;
        }
        let path = RelPath::from_bytes(bytes);
        RelPath::from_absolute(&path.to_path(), self.root).unwrap_or(path)
    }
}

/// What was read.
#[derive(Clone, Debug)]
pub struct Parsed {
    pub findings: Vec<Finding>,
    pub tests: Vec<TestCase>,
    pub verdict: Verdict,
}

impl Parsed {
    /// Nothing was read, because the process did not come to an end of its own.
    pub fn failed(failure: Failure) -> Self {
        Self { findings: Vec::new(), tests: Vec::new(), verdict: Verdict::Crashed(failure) }
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
}

/// Reads `output` as `spec` declares.
pub fn parse(spec: &ToolSpec, output: &RawOutput, context: &ParseContext<'_>) -> Parsed {
    let read = match spec.output.format {
        OutputFormat::Regex => regex_lines::read(spec, output.stream(spec.output.stream), context),
        OutputFormat::Json => json::read(spec, output.stream(spec.output.stream), context),
        OutputFormat::JsonLines => {
            json::read_lines(spec, output.stream(spec.output.stream), context)
        }
        OutputFormat::Diff => diff::read(spec, output, context),
        OutputFormat::Mypy => mypy::read(spec, &output.stdout, context),
        OutputFormat::Pytest => pytest::read(spec, output, context),
    };
    let verdict = judge(spec, output, &read);
    Parsed { findings: read.findings, tests: read.tests, verdict }
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
    if crash_is_told(&spec.output, output) {
        return crashed(format!("{name} crashed"));
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

fn crash_is_told(decl: &OutputDecl, output: &RawOutput) -> bool {
    decl.crash_pattern
        .as_deref()
        .and_then(|pattern| regex::bytes::Regex::new(pattern).ok())
        .is_some_and(|regex| regex.is_match(&output.stderr) || regex.is_match(&output.stdout))
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
mod tests {
    use super::*;
    use crate::tools::registry;
    use proptest::prelude::*;

    fn spec(name: &str) -> ToolSpec {
        registry::builtin().into_iter().find(|spec| spec.name.as_str() == name).unwrap()
    }

    fn parsed(tool: &str, code: i32, stdout: &str, stderr: &str) -> Parsed {
        let output =
            RawOutput { code, stdout: stdout.into(), stderr: stderr.into(), side_file: None };
        parse(&spec(tool), &output, &ParseContext::new(Path::new("/project")))
    }

    fn places(parsed: &Parsed) -> Vec<String> {
        let place = |finding: &Finding| {
            let code = finding.code.as_deref().unwrap_or("-");
            let Some(at) = &finding.location else {
                return format!("- {code} {}", finding.message);
            };
            let number = |n: Option<u32>| n.map_or("-".to_owned(), |n| n.to_string());
            format!(
                "{}:{}:{}-{}:{} {code} {}",
                at.path,
                number(at.line),
                number(at.column),
                number(at.end_line),
                number(at.end_column),
                finding.message
            )
        };
        parsed.findings.iter().map(place).collect()
    }

    fn is_crash(parsed: &Parsed) -> bool {
        matches!(parsed.verdict, Verdict::Crashed(_))
    }

    #[test]
    fn flake8_with_any_path_and_with_lines_of_its_own_between() {
        let out = "\x1e./new\nline.py\x1f1\x1f8\x1fF401\x1f'os' imported but unused\nimport os\n^\n\
                   \x1e-x.py\x1f5\x1f80\x1fE501\x1fline too long\n2\n";
        let parsed = parsed("flake8", 1, out, "");
        assert_eq!(
            places(&parsed),
            [
                "new\nline.py:1:8--:- F401 'os' imported but unused",
                "-x.py:5:80--:- E501 line too long"
            ]
        );
        assert_eq!(parsed.verdict, Verdict::Findings);
        assert_eq!(parsed.findings[0].severity, Severity::Error);
        assert_eq!(parsed.findings[1].severity, Severity::Warning);
    }

    #[test]
    fn an_exit_code_that_the_output_does_not_bear_out_is_a_crash() {
        assert!(is_crash(&parsed("flake8", 1, "", "")));
        assert!(is_crash(&parsed("flake8", 0, "\x1ea.py\x1f1\x1f1\x1fE1\x1fx\n", "")));
        assert!(is_crash(&parsed("flake8", 2, "", "usage: flake8")));
        assert!(is_crash(&parsed("bandit", 0, "not json", "")));
        assert!(is_crash(&parsed("mypy", 2, "", "mypy: can't read file 'x'")));
        assert!(is_crash(&parsed(
            "black",
            123,
            "",
            "error: cannot format a.py: INTERNAL ERROR: x"
        )));
    }

    #[test]
    fn mypy_notes_go_with_their_error_and_ends_are_exclusive() {
        let out = "c.py:7:5:7:30: error: Signature of \"f\" incompatible  [override]\n\
                   c.py:7:5:7:30: note:      Superclass:\n\
                   c.py:9:1:9:3: note: Revealed type is \"int\"\n\
                   new\nline.py:4:18:4:18: error: Incompatible  [return-value]\n\
                   bad.py: error: Duplicate module named \"bad\"\n";
        let parsed = parsed("mypy", 1, out, "");
        assert_eq!(
            places(&parsed),
            [
                "c.py:7:5-7:31 override Signature of \"f\" incompatible",
                "c.py:9:1-9:4 - Revealed type is \"int\"",
                "new\nline.py:4:18-4:19 return-value Incompatible",
                "bad.py:-:---:- - Duplicate module named \"bad\"",
            ]
        );
        assert_eq!(parsed.findings[0].details, ["     Superclass:"]);
        assert_eq!(parsed.findings[1].severity, Severity::Note);
    }

    #[test]
    fn mypy_that_crashed_is_not_clean() {
        assert!(is_crash(&parsed("mypy", 2, "a.py:1: error: INTERNAL ERROR -- Please\n", "")));
    }

    #[test]
    fn bandit_with_an_unparsable_file_and_a_name_that_is_no_text() {
        let out = r#"{"errors": [{"filename": "./bad.py", "reason": "syntax error while parsing AST from file"}],
            "results": [{"col_offset": 0, "end_col_offset": 22, "filename": "./n\udcff.py", "issue_severity": "HIGH",
            "issue_text": "m", "line_number": 2, "line_range": [2, 3], "more_info": "https://x", "test_id": "B602"}]}"#;
        let parsed = parsed("bandit", 1, out, "");
        assert_eq!(
            places(&parsed),
            [
                "n\u{fffd}.py:2:1-3:23 B602 m",
                "bad.py:-:---:- syntax-error syntax error while parsing AST from file"
            ]
        );
        let path = &parsed.findings[0].location.as_ref().unwrap().path;
        assert_eq!(path.as_bytes(), b"n\xff.py");
    }

    #[test]
    fn bandit_that_failed_on_a_file_is_not_clean() {
        let out = r#"{"errors": [{"filename": "a.py", "reason": "exception while scanning file"}], "results": []}"#;
        assert!(is_crash(&parsed("bandit", 0, out, "")));
    }

    #[test]
    fn an_unparsable_file_that_makes_bandit_exit_with_0_is_a_finding() {
        let out = r#"{"errors": [{"filename": "a.py", "reason": "syntax error while parsing AST from file"}], "results": []}"#;
        assert_eq!(parsed("bandit", 0, out, "").verdict, Verdict::Findings);
    }

    #[test]
    fn black_s_diffs_and_both_forms_of_its_syntax_error() {
        let out = "--- a.py\t2026-11-24 05:19:40.942324+00:00\n\
                   +++ a.py\t2026-11-24 05:19:44.711674+00:00\n\
                   @@ -1,2 +1,2 @@\n import os\n-x=1\n+x = 1\n\
                   --- src/b.py\t2026-11-24 05:19:40.942324+00:00\n\
                   +++ src/b.py\t2026-11-24 05:19:44.711674+00:00\n\
                   @@ -3,1 +3,1 @@\n---- y\n++++ y\n";
        let err = "would reformat a.py\nerror: cannot parse: bad.py:1:6\n    def f(:\n         ^\n\
                   error: cannot format old.py: Cannot parse: 3:4: def f(:\n";
        let parsed = parsed("black", 123, out, err);
        assert_eq!(
            places(&parsed),
            [
                "a.py:2:---:- format black would reformat this file",
                "src/b.py:3:---:- format black would reformat this file",
                "bad.py:1:6--:- syntax-error cannot parse",
                "old.py:3:4--:- syntax-error def f(:",
            ]
        );
        let diff = parsed.findings[1].diff.as_ref().unwrap();
        assert!(diff.starts_with("--- src/b.py\n+++ src/b.py\n@@"), "{diff}");
        assert_eq!(parsed.verdict, Verdict::Findings);
    }

    proptest! {
        #[test]
        fn no_output_whatever_makes_a_reader_panic(
            stdout in prop::collection::vec(any::<u8>(), 0..400),
            stderr in "(?s).{0,200}",
            code in 0_i32..4,
        ) {
            for spec in registry::builtin() {
                let output = RawOutput {
                    code,
                    stdout: stdout.clone(),
                    stderr: stderr.clone().into_bytes(),
                    side_file: Some(stdout.clone()),
                };
                parse(&spec, &output, &ParseContext::new(Path::new("/project")));
            }
        }
    }
}
