//! Outcomes for the tests of all formats.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use super::{ReadSource, ReportContext};
use crate::error::ExitStatus;
use crate::event::{Failure, FailureKind, LeftOut, Notice, Outcome, ToolReport, UnitReason};
use crate::finding::{Finding, Location, Severity, TestCase, TestOutcome, ToolId};
use crate::paths::RelPath;
use crate::shard::ShardMark;

pub(super) fn context<'a>(source: &'a ReadSource<'a>) -> ReportContext<'a> {
    ReportContext { width: 80, ..ReportContext::plain(Path::new("/home/me/my project"), source) }
}

/// Content of the files that the samples speak of.
pub(super) fn source(path: &RelPath) -> Option<Vec<u8>> {
    match path.as_bytes() {
        b"src/a.py" => Some(b"import os, sys\n\n\ndef f(x: int) -> str:\n\treturn x\n".to_vec()),
        b"tests/test_a.py" => Some(b"def test_f():\n    assert f(1) == '2'\n".to_vec()),
        b"caf\xe9.py" => Some(b"# caf\xe9\nx = '\x1b[31m'\n".to_vec()),
        _ => None,
    }
}

fn at(path: impl Into<RelPath>, line: u32, column: u32) -> Location {
    Location { line: Some(line), column: Some(column), ..Location::file(path.into()) }
}

fn finding(tool: &str, code: &str, severity: Severity, message: &str) -> Finding {
    Finding { code: Some(code.to_owned()), ..Finding::new(&tool.into(), severity, message) }
}

/// A finding about style, of which there are usually many.
pub(super) fn style(path: &str, line: u32) -> Finding {
    let message = "line too long (88 > 79 characters)";
    Finding {
        location: Some(at(path, line, 80)),
        ..finding("flake8", "E501", Severity::Warning, message)
    }
}

pub(super) fn failed_test() -> Finding {
    let details = [
        "    def test_f():",
        ">       assert f(1) == '2'",
        "E       AssertionError: assert '1' == '2'",
        "E         - 2",
        "E         + 1",
    ];
    Finding {
        location: Some(at("tests/test_a.py", 2, 1)),
        details: details.map(str::to_owned).to_vec(),
        test: Some("tests/test_a.py::test_f".to_owned()),
        ..finding("pytest", "failed", Severity::Error, "AssertionError: assert '1' == '2'")
    }
}

fn findings() -> Vec<Finding> {
    let mypy = Finding {
        location: Some(Location {
            end_line: Some(5),
            end_column: Some(10),
            ..at("src/a.py", 5, 9)
        }),
        details: vec!["See the documentation for more".to_owned()],
        ..finding(
            "mypy",
            "return-value",
            Severity::Error,
            "Incompatible return value type (got \"int\", expected \"str\")",
        )
    };
    let black = Finding {
        location: Some(Location::file("src/a.py".into())),
        diff: Some(
            "--- src/a.py\n+++ src/a.py\n@@ -2,4 +2,4 @@\n \n \n def f(x: int) -> str:\n\
             -\treturn x\n+    return x\n"
                .to_owned(),
        ),
        ..finding("black", "format", Severity::Warning, "would be reformatted")
    };
    let bandit = Finding {
        location: Some(at("src/missing.py", 3, 1)),
        url: Some("https://bandit.readthedocs.io/en/1.9.4/b101.html".to_owned()),
        ..finding("bandit", "B101", Severity::Note, "Use of assert detected.")
    };
    vec![
        black,
        Finding {
            location: Some(at("src/a.py", 1, 8)),
            ..finding("flake8", "F401", Severity::Error, "'os' imported but unused")
        },
        mypy,
        bandit,
        failed_test(),
        Finding::new(&"mypy".into(), Severity::Warning, "unused section(s) in mypy.ini"),
    ]
}

fn tool(name: &str, version: &str, per_file: bool) -> ToolReport {
    ToolReport {
        tool: ToolId::new(name),
        version: Some(version.to_owned()),
        findings: 1,
        units_run: 1,
        units_replayed: if per_file { 78 } else { 0 },
        per_file,
        elapsed: Duration::from_millis(420),
        saved: if per_file { Duration::from_millis(3_900) } else { Duration::ZERO },
        failures: Vec::new(),
        reasons: Vec::new(),
        tests: Vec::new(),
        left_out: LeftOut::default(),
    }
}

fn reason(unit: &str, replayed: bool, reason: &str) -> UnitReason {
    UnitReason { unit: unit.to_owned(), replayed, reason: reason.to_owned() }
}

/// Two files, five tools, every kind of finding.
pub(super) fn outcome() -> Outcome {
    let mut black = tool("black", "26.10.1", true);
    black.reasons = vec![reason("src/a.py", false, "content changed")];
    black.reasons.extend((0..78).map(|n| reason(&format!("f{n}.py"), true, "unchanged")));
    let mut mypy = tool("mypy", "2.4.1", false);
    mypy.reasons = vec![reason(".", false, "src/a.py: content changed")];
    mypy.findings = 2;
    let mut pytest = tool("pytest", "9.2.0", false);
    pytest.elapsed = Duration::from_millis(1_100);
    pytest.tests =
        [TestOutcome::Failed, TestOutcome::Passed, TestOutcome::Passed, TestOutcome::Skipped]
            .into_iter()
            .zip(["test_f", "test_g[1]", "TestG::test_h", "test_i"])
            .map(|(outcome, name)| TestCase {
                id: format!("tests/test_a.py::{name}"),
                outcome,
                seconds: 0.25,
            })
            .collect();
    let mut bandit = tool("bandit", "1.9.4", true);
    (bandit.findings, bandit.units_run, bandit.units_replayed) = (0, 0, 79);
    Outcome {
        root: "/project".into(),
        content: "/project".into(),
        repository: "/project".into(),
        findings: findings(),
        tools: vec![black, mypy, pytest, tool("flake8", "7.5.0", true), bandit],
        caused: BTreeSet::new(),
        notices: vec![Notice::info("mypy uses the environment .venv")],
        files: 79,
        elapsed: Duration::from_millis(1_234),
        status: ExitStatus::Findings,
        shard: None,
    }
}

/// What the first of two shards says of itself.
pub(super) fn mark() -> ShardMark {
    ShardMark {
        index: 1,
        count: 2,
        pyqa: "0.1.0".to_owned(),
        split: "5eed".to_owned(),
        tools: vec![ToolId::new("flake8")],
        absent: Vec::new(),
    }
}

/// Two tools without an answer.
pub(super) fn crashed() -> Outcome {
    let mut mypy = tool("mypy", "2.4.1", false);
    mypy.findings = 0;
    mypy.failures = vec![Failure {
        kind: FailureKind::Crashed,
        message: "exit code 2 without a readable answer".to_owned(),
        output: "a.py: error: INTERNAL ERROR\n  Traceback:\n\x1b[1mAssertionError\x1b[0m \x07\n"
            .to_owned(),
        hint: Some("report it to mypy with the traceback".to_owned()),
    }];
    let mut pytest = tool("pytest", "9.2.0", false);
    (pytest.findings, pytest.units_run) = (0, 0);
    pytest.failures = vec![Failure {
        kind: FailureKind::Cancelled,
        message: "interrupted".to_owned(),
        output: String::new(),
        hint: None,
    }];
    Outcome {
        root: "/project".into(),
        content: "/project".into(),
        repository: "/project".into(),
        findings: Vec::new(),
        tools: vec![mypy, pytest, ToolReport { findings: 0, ..tool("flake8", "7.5.0", true) }],
        caused: BTreeSet::new(),
        notices: Vec::new(),
        files: 79,
        elapsed: Duration::from_millis(1_234),
        status: ExitStatus::Interrupted,
        shard: None,
    }
}

/// Findings made to break formats: markup, line breaks, terminal codes, odd names, a huge message.
pub(super) fn hostile() -> Outcome {
    let messages = [
        "100% sure::error file=x,line=1::no\r\nsecond line".to_owned(),
        "<b>&amp;\"quoted\" 'single' ]]> | `tick` \\ </failure>".to_owned(),
        "\0\x01\x07\x08\x1b[31mred\x7f\u{80}\u{9b}31m\u{fffe}\u{ffff}\u{202e}\u{2028}".to_owned(),
        "##[error] ::set-output name=x::y ##vso[task.complete]".to_owned(),
        "x".repeat(1 << 20),
        String::new(),
    ];
    let paths: [RelPath; 6] = [
        RelPath::from_bytes(*b"caf\xe9.py"),
        "a b,c:d%e::f.py".into(),
        "new\nline\r.py".into(),
        "-option.py".into(),
        "quo\"te'<&>|`.py".into(),
        "\x1b]0;title\x07.py".into(),
    ];
    let mut findings: Vec<Finding> = messages
        .into_iter()
        .zip(paths)
        .map(|(message, path)| Finding {
            location: Some(at(path, 2, 5)),
            details: vec![message.chars().take(3_000).collect(), "x\ny\x1b[0m".to_owned()],
            test: Some(format!("t.py::test[{}]", message.chars().take(60).collect::<String>())),
            ..finding("flake8", "E1::%\n<&\"", Severity::Error, &message)
        })
        .collect();
    findings[5].location = Some(Location {
        line: Some(0),
        column: Some(u32::MAX),
        end_line: Some(0),
        end_column: Some(0),
        ..Location::file("src/a.py".into())
    });
    findings.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    Outcome {
        root: "/project".into(),
        content: "/project".into(),
        repository: "/project".into(),
        tools: vec![ToolReport { findings: findings.len(), ..tool("flake8", "7.5.0", true) }],
        findings,
        ..outcome()
    }
}
