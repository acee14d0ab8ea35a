//! Accepted findings: what stays known, what is new, and that the file is safe.

use std::fs;

use crate::support::{Project, Run};

const FILE: &str = ".pyqa-baseline.json";
/// Tools that answer at once.
const FAST: [&str; 2] = ["--only", "flake8,black"];

/// A project with findings of flake8 and black in two files, all accepted and committed.
fn accepted() -> Project {
    let project = Project::new();
    project.write("a.py", "import os\n\n\ndef one():\n    x = 1\n\n\ndef two():\n    y = 2\n");
    project.write("b.py", "import sys\nprint( 1 )\n");
    project.git(&["init", "-q"]);
    let said = write(&project, &FAST);
    assert!(said.contains("7 new, 0 kept, 0 gone"), "{said}");
    project.git(&["add", "-A"]).git(&["commit", "-qm", "first"]);
    project
}

/// What `pyqa baseline write` prints.
fn write(project: &Project, arguments: &[&str]) -> String {
    let run = project.pyqa(&[&["baseline", "write"], arguments].concat());
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    run.stdout
}

fn check(project: &Project) -> Run {
    project.check(&FAST)
}

fn text(project: &Project) -> String {
    fs::read_to_string(project.path(FILE)).unwrap()
}

fn new_findings(project: &Project) -> Vec<String> {
    check(project).findings().into_iter().collect()
}

#[test]
fn one_command_makes_the_project_clean_and_the_summary_says_what_was_left_out() {
    let project = accepted();
    let run = check(&project);
    assert_eq!((run.code, run.findings().len()), (0, 0), "{}", run.stdout);
    let left_out = &run.json()["summary"]["left_out"];
    assert_eq!(left_out["known"], 7, "{}", text(&project));
    let run = project.pyqa(&["check", "--only", "flake8,black"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""));
    assert!(run.stderr.contains("7 known findings left out"), "{}", run.stderr);
    let run = project.check(&["--only", "flake8,black", "--no-baseline"]);
    assert_eq!((run.code, run.findings().len()), (1, 7), "{}", run.stdout);
}

#[test]
fn a_moved_line_stays_known_and_a_copied_or_changed_one_is_new() {
    let project = accepted();
    project.write(
        "a.py",
        "def two():\n    y = 2\n\n\ndef one():\n    x = 1\n\n\nimport os  # noqa: E402\n",
    );
    assert_eq!(new_findings(&project), ["flake8 a.py:9 F401"], "the line is another one");
    project.write("a.py", "import os\n\n\ndef two():\n    y = 2\n\n\ndef one():\n    x = 1\n");
    assert_eq!(new_findings(&project), [""; 0]);
    let copied = "import os\n\n\ndef two():\n    y = 2\n\n\ndef one():\n    x = 1\n\n\ndef three():\n    x = 1\n";
    project.write("a.py", copied);
    assert_eq!(new_findings(&project), ["flake8 a.py:13 F841"]);
}

#[test]
fn a_fixed_finding_is_reported_by_prune_and_counts_when_it_comes_back() {
    let project = accepted();
    let before = fs::read_to_string(project.path("b.py")).unwrap();
    project.write("b.py", "print(1)\n");
    let run = project.pyqa(&["baseline", "prune", "--dry-run", "--only", "flake8,black"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stdout.contains("gone: b.py: F401 'sys' imported but unused [flake8]"));
    let all = text(&project);
    let run = project.pyqa(&["baseline", "prune", "--only", "flake8"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let pruned = text(&project);
    let removed: Vec<_> =
        all.lines().filter(|line| !pruned.contains(line.trim_end_matches(','))).collect();
    assert!(
        removed.iter().all(|line| line.contains("b.py") && line.contains("flake8")),
        "{removed:?}"
    );
    assert!(pruned.contains("\"tool\":\"black\""), "tools that did not run keep their entries");
    project.write("b.py", before);
    assert!(new_findings(&project).contains(&"flake8 b.py:1 F401".to_owned()));
}

#[test]
fn renamed_files_keep_their_findings_committed_or_not() {
    let project = accepted();
    fs::rename(project.path("a.py"), project.path("moved.py")).unwrap();
    assert_eq!(new_findings(&project), [""; 0], "in the work tree");
    project.git(&["add", "-A"]);
    assert_eq!(new_findings(&project), [""; 0], "staged");
    project.git(&["commit", "-qm", "rename"]);
    assert_eq!(new_findings(&project), [""; 0], "committed");
    let run = project.pyqa(&["baseline", "prune", "--only", "flake8,black"]);
    assert!(run.stdout.contains("0 entries taken out, 7 left"), "{}", run.stdout);
    let now = text(&project);
    assert!(now.contains("\"path\":\"moved.py\"") && !now.contains("\"path\":\"a.py\""), "{now}");
    assert_eq!(new_findings(&project), [""; 0]);
}

#[test]
fn reasons_are_kept_and_expired_entries_count_no_more() {
    let project = accepted();
    project.write("c.py", "import re\n");
    write(&project, &["--only", "flake8", "--reason", "old API", "--expires", "2020-02-29"]);
    let run = check(&project);
    assert_eq!(
        (run.code, run.findings().into_iter().collect::<Vec<_>>()),
        (1, vec!["flake8 c.py:1 F401".to_owned()])
    );
    assert!(
        run.stderr.contains(
            "1 entry of .pyqa-baseline.json expired: c.py flake8 F401 (2020-02-29, old API)"
        ),
        "{}",
        run.stderr
    );
    let run = project.pyqa(&["baseline", "show"]);
    assert!(
        run.stdout.contains(
            "c.py: F401 're' imported but unused [flake8] (expired on 2020-02-29, old API)"
        ),
        "{}",
        run.stdout
    );
    write(&project, &["--only", "flake8", "--expires", "2999-01-01"]);
    assert_eq!(new_findings(&project), [""; 0]);
    assert!(text(&project).contains("\"reason\":\"old API\",\"expires\":\"2999-01-01\""));
}

#[test]
fn writing_again_changes_no_line_of_what_is_still_there() {
    let project = accepted();
    let before = text(&project);
    let said = write(&project, &FAST);
    assert!(said.contains("0 new, 7 kept, 0 gone"), "{said}");
    assert_eq!(text(&project), before);
    write(&project, &["--only", "flake8"]);
    assert_eq!(text(&project), before);
}

#[test]
fn a_file_to_be_formatted_is_accepted_whole_and_failing_tests_by_their_names() {
    let project = Project::fixture("demo");
    write(&project, &[]);
    let run = project.check(&["--report", "junit=junit.xml"]);
    assert_eq!((run.code, run.findings().len()), (0, 0), "{}", run.stdout);
    let outcomes: Vec<_> = run
        .tool("pytest", "tests")
        .as_array()
        .unwrap()
        .iter()
        .map(|test| test["outcome"].clone())
        .collect();
    assert!(outcomes.contains(&"known".into()), "{outcomes:?}");
    let junit = fs::read_to_string(project.path("junit.xml")).unwrap();
    assert!(
        junit.contains("failed; the baseline accepts that") && !junit.contains("<failure"),
        "{junit}"
    );
    let test = fs::read_to_string(project.path("tests/test_prices.py")).unwrap();
    project.write(
        "tests/test_prices.py",
        format!("{test}\n\ndef test_new() -> None:\n    assert 1 == 2\n"),
    );
    let run = project.check(&["--only", "pytest"]);
    assert_eq!(run.code, 1);
    assert_eq!(run.findings().len(), 1, "{:?}", run.findings());
}

#[test]
fn a_run_that_stops_early_is_never_clean_because_of_the_baseline() {
    let project = accepted();
    project.write("z.py", "import zlib\n");
    let run =
        project.check(&["--only", "flake8,black", "--fail-fast", "--no-cache", "--jobs", "1"]);
    assert_eq!(
        (run.code, run.findings().into_iter().collect::<Vec<_>>()),
        (1, vec!["flake8 z.py:1 F401".to_owned()]),
        "{}",
        run.stderr
    );
}

#[test]
fn a_bad_baseline_is_told_and_the_reports_are_written_all_the_same() {
    let damaged = "{\n  \"version\": 1,\n  \"findings\": [\n<<<<<<< HEAD\n";
    for (content, said) in
        [(damaged, "is damaged"), ("{\"version\": 99}", "update pyqa"), ("", "is damaged")]
    {
        let project = accepted();
        project.write(FILE, content);
        let run = project.check(&["--only", "flake8,black", "--report", "sarif=out.sarif"]);
        assert_eq!((run.code, run.findings().len()), (2, 7), "{}", run.stderr);
        assert_eq!(run.json()["summary"]["status"], "failure");
        assert!(run.stderr.contains(said) && run.stderr.contains(FILE), "{}", run.stderr);
        assert!(project.path("out.sarif").is_file());
        let run = project.pyqa(&["baseline", "write", "--only", "flake8"]);
        assert_eq!(run.code, 2, "a file that cannot be read is never overwritten");
        assert_eq!(text(&project), content);
    }
}

#[test]
fn a_report_that_cannot_be_written_is_told_and_the_others_are_written() {
    let project = accepted();
    project.write("file", "");
    let run = project.pyqa(&[
        "check",
        "--only",
        "flake8",
        "--report",
        "json=file/out.json",
        "--report",
        "jsonl=good.jsonl",
    ]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("the report file/out.json cannot be written"), "{}", run.stderr);
    assert!(project.path("good.jsonl").is_file());
}

#[test]
fn findings_that_the_baseline_accepts_are_in_no_format() {
    let project = accepted();
    for format in [
        "full",
        "concise",
        "json",
        "jsonl",
        "sarif",
        "junit",
        "github",
        "gitlab",
        "checkstyle",
        "rdjson",
    ] {
        let run = project.pyqa(&["check", "--only", "flake8,black", "--output-format", format]);
        assert_eq!(run.code, 0, "{format}: {}", run.stderr);
        assert!(!run.stdout.contains("F401"), "{format}: {}", run.stdout);
    }
}

/// A project with findings on `main`, and a branch made from it.
fn branch() -> Project {
    let project = Project::new();
    project.write("old.py", "import os\nimport re\n\n\ndef f():\n    x = 1\n");
    project.write("moved.py", "import os\n\n\ndef g():\n    y = 1\n    return 1, 2, 3, 4\n");
    project.git(&["init", "-q", "-b", "main"]).git(&["add", "-A"]).git(&["commit", "-qm", "first"]);
    project.git(&["checkout", "-qb", "side"]);
    project
}

fn new_since(project: &Project, reference: &str) -> Run {
    project.check(&["--only", "flake8,black", "--new-since", reference])
}

#[test]
fn only_findings_on_changed_lines_are_shown_whatever_state_the_change_is_in() {
    let project = branch();
    let run = new_since(&project, "main");
    assert_eq!((run.code, run.findings().len()), (0, 0), "{}", run.stdout);
    assert_eq!(run.json()["summary"]["left_out"]["unchanged"], 5);
    project.write("old.py", "import os\nimport re\nimport sys\n\n\ndef f():\n    x = 1\n");
    let committed = ["flake8 old.py:3 F401".to_owned()];
    project.git(&["commit", "-qam", "second"]);
    project.git(&["mv", "moved.py", "new name.py"]);
    project.write("staged.py", "import json\n").git(&["add", "staged.py"]);
    project.write("untracked.py", "import zlib\n");
    let others = ["flake8 staged.py:1 F401".to_owned(), "flake8 untracked.py:1 F401".to_owned()];
    let run = new_since(&project, "main");
    assert_eq!(run.findings().into_iter().collect::<Vec<_>>(), [&committed[..], &others].concat());
    // What main gained since is not of this branch.
    project.git(&["stash", "-q"]).git(&["checkout", "-q", "main"]);
    project.write("old.py", "import os\n").git(&["commit", "-qam", "third"]);
    project.git(&["checkout", "-q", "side"]).git(&["stash", "pop", "-q"]);
    let run = new_since(&project, "main");
    assert_eq!(run.findings().into_iter().collect::<Vec<_>>(), [&committed[..], &others].concat());
    let run = project.pyqa(&["check", "--only", "flake8", "--new-since", "main"]);
    assert!(run.stderr.contains("findings in unchanged code left out"), "{}", run.stderr);
}

#[test]
fn a_project_below_the_repository_s_top_is_compared_too() {
    let project = Project::new();
    project.write("app/pyproject.toml", "[tool.pyqa]\n").write("app/a.py", "import os\n");
    project.git(&["init", "-q", "-b", "main"]).git(&["add", "-A"]).git(&["commit", "-qm", "first"]);
    project.write("app/a.py", "import os\nimport re\n");
    let run = project.check(&["--root", "app", "--only", "flake8", "--new-since", "HEAD"]);
    assert_eq!(run.findings().into_iter().collect::<Vec<_>>(), ["flake8 a.py:2 F401"]);
}

#[test]
fn a_base_that_cannot_be_told_is_an_error_and_nothing_is_left_out() {
    let project = branch();
    let run =
        project.check(&["--only", "flake8", "--new-since", "mian", "--report", "sarif=out.sarif"]);
    assert_eq!((run.code, run.findings().len()), (2, 5), "{}", run.stdout);
    assert!(run.stderr.contains("error: `mian` names no commit"), "{}", run.stderr);
    assert!(project.path("out.sarif").is_file());
    let shallow = Project::new();
    let url = format!("file://{}", project.root().display());
    project.write("more.py", "").git(&["add", "-A"]).git(&["commit", "-qm", "second"]);
    shallow.git(&["init", "-q"]).git(&[
        "fetch",
        "-q",
        "--depth",
        "1",
        &url,
        "side:side",
        "main:trunk",
    ]);
    shallow.git(&["checkout", "-q", "side"]);
    let run = new_since(&shallow, "trunk");
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("`fetch-depth: 0`"), "{}", run.stderr);
    let plain = Project::new();
    plain.write("a.py", "import os\n");
    let run = new_since(&plain, "main");
    assert_eq!((run.code, run.findings().len()), (2, 1));
    assert!(run.stderr.contains("no git repository"), "{}", run.stderr);
}

#[test]
fn what_a_change_causes_elsewhere_is_shown_under_its_own_heading() {
    let project = Project::new();
    project.write("lib.py", "import os\n\n\ndef f() -> int:\n    return len(os.sep)\n");
    project.write("user.py", "import lib\n\nold: str = 1\nx: int = lib.f()\n");
    project.git(&["init", "-q", "-b", "main"]).git(&["add", "-A"]).git(&["commit", "-qm", "first"]);
    project.write("lib.py", "import os\n\n\ndef f() -> str:\n    return \"a\"\n");
    let run = project.check(&["--only", "mypy,flake8", "--new-since", "main"]);
    assert_eq!(
        run.findings().into_iter().collect::<Vec<_>>(),
        ["flake8 lib.py:1 F401", "mypy user.py:4 assignment"],
        "{}",
        run.stderr
    );
    let findings = run.json()["findings"].as_array().unwrap().clone();
    assert!(findings.iter().all(|finding| finding["caused"] == true), "{findings:?}");
    let run = project.pyqa(&["check", "--only", "mypy,flake8", "--new-since", "main"]);
    let heading = "Outside of the changed lines, caused by the change:\n\nlib.py:1:1  F401";
    assert!(run.stdout.starts_with(heading), "{}", run.stdout);
    assert!(run.stderr.contains("1 finding in unchanged code left out"), "{}", run.stderr);
    project.write("lib.py", "import os\n\n\ndef f() -> int:\n    return len(os.sep) + 1\n");
    let run = project.check(&["--only", "mypy,flake8", "--new-since", "main"]);
    assert_eq!((run.code, run.findings().len()), (0, 0), "{}", run.stdout);
}

/// What `tests/tools/move_functions.py` does to a project of many accepted findings.
#[test]
fn functions_moved_about_stay_known_and_one_violation_is_exactly_one_finding() {
    let project = Project::new();
    for file in 0..12 {
        let function = |n: u32| {
            format!(
                "def f{n}() -> int:\n    unused = {n}\n    assert {n} < {file} + 9\n    \
                 return \"{n}\"\n\n\n"
            )
        };
        let method = |n: u32| format!("    def m{n}(self):\n        x = {n}\n\n");
        let functions = (0..6).map(function).collect::<Vec<_>>().concat();
        let methods = (0..4).map(method).collect::<Vec<_>>().concat();
        let text = format!("import os\n\n\n{functions}class C:\n{}", methods.trim_end());
        project.write(format!("pkg/m{file}.py"), text + "\n");
    }
    let tools = ["--only", "flake8,mypy,bandit,black"];
    project.git(&["init", "-q"]);
    let said = write(&project, &tools);
    assert!(said.starts_with(".pyqa-baseline.json: 276 accepted findings"), "{said}");
    project.git(&["add", "-A"]).git(&["commit", "-qm", "first"]);
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/move_functions.py");
    let output = project.command("python3").args([script, "pkg", "20"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let run = project.check(&tools);
    assert_eq!((run.code, run.findings().len()), (0, 0), "{:?}", run.findings());
    assert!(run.ran("flake8") >= 10, "files were changed: {}", run.stdout);
    let file = fs::read_to_string(project.path("pkg/m3.py")).unwrap();
    project.write("pkg/m3.py", format!("{file}\n    def more(self):\n        y = 1\n"));
    assert_eq!(project.check(&tools).findings().len(), 1);
}

/// It would compare with the commit that is checked out, and not with the one that is checked.
#[test]
fn new_since_is_refused_for_the_content_of_another_commit() {
    let project = Project::without_environment();
    let run = project.check(&["--from-ref", "HEAD~1", "--new-since", "HEAD~1"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(
        run.stderr.contains("'--from-ref <REF>' cannot be used with '--new-since"),
        "{}",
        run.stderr
    );
}
