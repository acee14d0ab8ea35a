//! What the tools printed, read back: short forms here, whole outputs under
//! `tests/fixtures/outputs` (tool, version, case), recorded by running the presets' own commands
//! in `/project`.

use super::*;
use crate::finding::TestOutcome;
use crate::tools::registry;
use proptest::prelude::*;

fn spec(name: &str) -> ToolSpec {
    registry::builtin().into_iter().find(|spec| spec.name.as_str() == name).unwrap()
}

fn parsed(tool: &str, code: i32, stdout: &str, stderr: &str) -> Parsed {
    let output = RawOutput { code, stdout: stdout.into(), stderr: stderr.into(), side_file: None };
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
        ["new\nline.py:1:8--:- F401 'os' imported but unused", "-x.py:5:80--:- E501 line too long"]
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
    assert!(is_crash(&parsed("black", 123, "", "error: cannot format a.py: INTERNAL ERROR: x")));
}

#[test]
fn mypy_notes_go_with_their_error_and_ends_are_exclusive() {
    let out = "c.py:7:5:7:30: error: Signature of \"f\" incompatible  [override]\n\
               c.py:7:5:7:30: note:      Superclass:\n\
               c.py:9:1:9:3: note: Revealed type is \"int\"\n\
               bad.py: error: Duplicate module named \"bad\"\n";
    let parsed = parsed("mypy", 1, out, "");
    assert_eq!(
        places(&parsed),
        [
            "c.py:7:5-7:31 override Signature of \"f\" incompatible",
            "c.py:9:1-9:4 - Revealed type is \"int\"",
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

/// The output of a recorded run, read as if the project were a folder with its files. `case` is
/// `version-name`; without a version, that of the preset.
fn recorded(tool: &str, case: &str) -> (Parsed, tempfile::TempDir) {
    let spec = spec(tool);
    let root = tempfile::tempdir().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/outputs").join(tool);
    let case = if case.starts_with(|c: char| c.is_ascii_digit()) {
        case.to_owned()
    } else {
        format!("{}-{case}", spec.tested[0])
    };
    let here = root.path().to_str().unwrap().as_bytes();
    let moved = regex::bytes::Regex::new("/project").unwrap();
    let stream = |extension: &str| {
        let bytes = std::fs::read(folder.join(format!("{case}.{extension}"))).ok()?;
        Some(moved.replace_all(&bytes, here).into_owned())
    };
    for name in [b"n\xff.py".as_slice(), b"new\nline.py", b"badenc.py"] {
        std::fs::write(RelPath::from_bytes(name).below(root.path()), "").unwrap();
    }
    let code = String::from_utf8(stream("exit").expect(&case)).unwrap();
    let output = RawOutput {
        code: code.trim().parse().unwrap(),
        stdout: stream("stdout").unwrap_or_default(),
        stderr: stream("stderr").unwrap_or_default(),
        side_file: stream("report"),
    };
    (parse(&spec, &output, &ParseContext::new(root.path())), root)
}

const RECORDED: [&str; 9] = [
    "flake8",
    "bandit",
    "black",
    "mypy",
    "isort",
    "ruff-check",
    "ruff-format",
    "pylint",
    "pyright",
];

#[test]
fn a_file_without_faults_is_clean_for_every_tool() {
    for tool in RECORDED {
        let (parsed, _root) = recorded(tool, "clean");
        assert_eq!(parsed.verdict, Verdict::Clean, "{tool}");
        assert_eq!(places(&parsed), Vec::<String>::new(), "{tool}");
    }
}

#[test]
fn every_finding_of_a_recorded_run_is_read() {
    for tool in RECORDED {
        let (parsed, root) = recorded(tool, "all");
        let here = root.path().to_str().unwrap();
        let text = places(&parsed).join("\n").replace(here, "/project");
        insta::assert_snapshot!(tool, text);
        // The name that is not UTF-8 keeps black from writing the diffs that come after it.
        assert_eq!(is_crash(&parsed), tool == "black", "{tool}");
    }
}

#[test]
fn names_in_any_bytes_come_back_from_every_tool_that_can_print_them() {
    for (tool, case) in [
        ("flake8", "all"),
        ("bandit", "name"),
        ("black", "name"),
        ("isort", "all"),
        ("pylint", "all"),
    ] {
        let (parsed, _root) = recorded(tool, case);
        let is_named = |f: &Finding| f.location.as_ref().unwrap().path.as_bytes() == b"n\xff.py";
        assert!(parsed.findings.iter().any(is_named), "{tool}: {:?}", places(&parsed));
        assert_eq!(parsed.verdict, Verdict::Findings, "{tool}");
    }
}

#[test]
fn a_file_that_is_no_python_is_a_finding_even_where_the_tool_exits_with_0_or_2() {
    for (tool, case, place) in [
        ("bandit", "syntax", "bad.py:-:---:- syntax-error"),
        ("mypy", "syntax", "bad.py:1:8-1:9 syntax"),
        ("mypy", "encoding", "badenc.py:-:---:- - Cannot decode file"),
    ] {
        let (parsed, _root) = recorded(tool, case);
        assert!(places(&parsed)[0].starts_with(place), "{tool}: {:?}", places(&parsed));
        assert_eq!(parsed.verdict, Verdict::Findings, "{tool}");
    }
}

#[test]
fn settings_that_a_tool_refuses_are_a_failure_with_its_words() {
    let refused = [
        ("ruff-format", 2, "ruff failed\n  Cause: Failed to load configuration"),
        ("ruff-check", 2, "ruff failed\n  Cause: Failed to load configuration"),
        ("isort", 1, "Traceback (most recent call last):\n  File x\nUnsupportedSettings: y"),
        ("mypy", 2, "gone: error: Cannot read file: No such file or directory"),
        ("bandit", 2, "[main]\tERROR\tMultiple .bandit files found"),
    ];
    for (tool, code, stderr) in refused {
        let Verdict::Crashed(failure) = parsed(tool, code, "", stderr).verdict else {
            panic!("{tool}: {stderr}")
        };
        assert!(failure.output.contains(stderr.lines().last().unwrap()), "{tool}");
    }
}

#[test]
fn a_tool_that_broke_down_after_some_findings_is_not_believed() {
    let finding = "\x1e'./a.py'\x1f1\x1f1\x1f'F401'\x1f'x'\n";
    let traceback = "Traceback (most recent call last):\n";
    assert!(is_crash(&parsed("flake8", 1, finding, traceback)));
    let plugin = format!("./b.py: \"flake8-x\" failed during execution due to E()\n{finding}");
    assert!(is_crash(&parsed("flake8", 1, &plugin, "")));
}

#[test]
fn nothing_to_check_is_clean_for_mypy_whatever_its_exit_code() {
    let words = "There are no .py[i] files in directory '.'\n";
    assert_eq!(parsed("mypy", 2, "", words).verdict, Verdict::Clean);
}

#[test]
fn words_of_others_before_a_document_and_colours_in_a_diff_are_passed_over() {
    let json = "added 1 package\n{\"generalDiagnostics\": []}\n";
    assert_eq!(parsed("pyright", 0, json, "").verdict, Verdict::Clean);
    let diff = "\x1b[1m--- /project/a.py:before\t2026\x1b[0m\n\x1b[1m+++ /project/a.py:after\t2026\x1b[0m\n\
                \x1b[36m@@ -1 +1 @@\x1b[0m\n\x1b[31m-x\x1b[0m\n\x1b[32m+y\x1b[0m\n";
    let parsed = parsed("isort", 1, diff, "");
    assert_eq!(
        parsed.findings[0].diff.as_deref(),
        Some("--- a.py\n+++ a.py\n@@ -1 +1 @@\n-x\n+y\n")
    );
}

#[test]
fn mypy_s_lines_are_not_joined_to_words_before_them() {
    let parsed = parsed("mypy", 1, "a plug-in says hello\na.py:1:1:1:2: error: X  [misc]\n", "");
    assert_eq!(places(&parsed), ["a.py:1:1-1:3 misc X"]);
}

fn failure(parsed: &Parsed) -> &Failure {
    match &parsed.verdict {
        Verdict::Crashed(failure) => failure,
        other => panic!("{other:?}"),
    }
}

#[test]
fn pytest_s_failures_have_the_line_of_the_project_that_took_part_last() {
    for case in ["6.2.5-all", "9.2.0-all"] {
        let (parsed, _root) = recorded("pytest", case);
        assert_eq!(parsed.verdict, Verdict::Findings, "{case}");
        insta::assert_snapshot!(format!("pytest-{case}"), places(&parsed).join("\n"));
    }
}

#[test]
fn tests_are_told_one_by_one_with_xdist_too() {
    let (plain, _root) = recorded("pytest", "all");
    let (spread, _root) = recorded("pytest", "xdist");
    let outcomes = |parsed: &Parsed| {
        let mut tests: Vec<_> = parsed
            .tests
            .iter()
            .map(|test| (test.id.clone(), format!("{:?}", test.outcome)))
            .collect();
        tests.sort();
        // Only the plain run was asked for doctests.
        tests.retain(|(id, _)| !id.ends_with("test_a.doc"));
        tests
    };
    assert_eq!(outcomes(&plain), outcomes(&spread));
    assert_eq!(plain.tests.len(), 18);
    let of = |wanted: &str| {
        plain.tests.iter().find(|test| test.id.ends_with(wanted)).map(|test| test.outcome).unwrap()
    };
    assert_eq!(of("::test_ok"), TestOutcome::Passed);
    assert_eq!(of("::test_setup"), TestOutcome::Error);
    assert_eq!(of("::test_skip"), TestOutcome::Skipped);
    assert_eq!(of("::test_xfail"), TestOutcome::Xfailed);
    assert_eq!(of("::test_xpass"), TestOutcome::Xpassed);
}

#[test]
fn an_assertion_s_excerpt_and_what_the_test_printed_are_kept() {
    let (parsed, _root) = recorded("pytest", "all");
    let failed = parsed.findings.iter().find(|f| f.message.contains("they differ")).unwrap();
    assert!(failed.details.iter().any(|line| line.contains("Differing items")), "{failed:?}");
    assert_eq!(failed.details.last().unwrap(), "hello out");
}

#[test]
fn modules_that_pytest_cannot_collect_are_findings() {
    let (parsed, _root) = recorded("pytest", "collect");
    assert_eq!(
        places(&parsed),
        [
            "test_imp.py:1:---:- error test_imp.py: ModuleNotFoundError: No module named 'nonexist'",
            "test_syn.py:1:---:- error test_syn.py: SyntaxError: invalid syntax",
        ]
    );
    assert_eq!(parsed.verdict, Verdict::Findings);
}

#[test]
fn a_test_file_s_name_in_any_bytes_comes_back() {
    let (parsed, _root) = recorded("pytest", "names");
    let path = &parsed.findings[0].location.as_ref().unwrap().path;
    assert_eq!(path.as_bytes(), b"test_\xff.py");
}

#[test]
fn a_session_that_broke_off_is_a_failure_even_with_exit_code_0() {
    for (case, words) in [
        ("interrupted", "interrupted: KeyboardInterrupt"),
        ("gone", "before its report was complete"),
        ("conftest", "before its report was complete"),
    ] {
        let (parsed, _root) = recorded("pytest", case);
        let message = &failure(&parsed).message;
        let exit_code_says_it = message.contains("exited with 4");
        assert!(message.contains(words) || exit_code_says_it, "{case}: {message}");
    }
    let (parsed, _root) = recorded("pytest", "conftest");
    assert!(failure(&parsed).output.contains("No module named 'nope'"));
}

#[test]
fn no_tests_are_clean_and_a_plug_in_may_fail_a_session_that_passed() {
    for case in ["none", "clean"] {
        assert_eq!(recorded("pytest", case).0.verdict, Verdict::Clean, "{case}");
    }
    let (parsed, _root) = recorded("pytest", "coverage");
    let expected =
        "- session FAIL Required test coverage of 90% not reached. Total coverage: 50.00%";
    assert_eq!(places(&parsed), [expected]);
    assert_eq!(parsed.verdict, Verdict::Findings);
}

#[test]
fn a_test_that_passed_only_when_run_again_is_clean_but_not_to_be_kept() {
    let (parsed, _root) = recorded("pytest", "flaky");
    assert_eq!(parsed.verdict, Verdict::Clean);
    assert!(parsed.unstable.unwrap().contains("test_flaky"));
    assert_eq!(parsed.tests.len(), 1);
    assert_eq!(recorded("pytest", "clean").0.unstable, None);
}
