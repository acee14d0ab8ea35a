//! `pyqa check` on small projects: what is found, and how it is told.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;

use crate::support::Project;

fn set(lines: &[&str]) -> BTreeSet<String> {
    lines.iter().map(ToString::to_string).collect()
}

#[test]
fn every_tool_finds_something_in_the_demo() {
    let run = Project::fixture("demo").check(&[]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(
        run.findings(),
        set(&[
            "bandit src/shop/report.py:3 B404",
            "bandit src/shop/report.py:8 B602",
            "black src/shop/prices.py:12 format",
            "flake8 src/shop/prices.py:3 F401",
            "mypy src/shop/prices.py:8 return-value",
            "pytest tests/test_prices.py:9 failed",
        ])
    );
}

#[test]
fn a_clean_project_is_clean_and_says_so_in_one_line() {
    let run = Project::fixture("clean").pyqa(&["check"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    assert!(run.stderr.lines().last().unwrap().starts_with("5 tools, 4 files, no findings"));
}

#[test]
fn an_ini_file_alone_configures_pyqa_and_its_tools() {
    let run = Project::fixture("tox-ini-only").check(&[]);
    assert_eq!(run.findings(), set(&["flake8 app.py:1 F401"]));
    assert_eq!(run.tool("pytest", "tests").as_array().unwrap().len(), 1);
}

#[test]
fn a_src_layout_is_checked_by_its_own_targets() {
    let run = Project::fixture("src-layout").check(&["--only", "mypy,flake8"]);
    assert_eq!(run.findings(), set(&["mypy src/pkg/maths.py:2 return-value"]));
}

#[test]
fn a_file_that_is_no_python_is_a_finding_of_each_tool_and_never_a_pass() {
    let run = Project::fixture("broken-syntax").check(&["--skip", "pytest"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let tools: BTreeSet<_> =
        run.findings().iter().map(|line| line.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(tools, set(&["bandit", "black", "flake8", "mypy"]));
}

#[test]
fn ruff_takes_the_place_of_flake8_and_black_where_it_is_configured() {
    let run = Project::fixture("ruff-project").pyqa(&["tools"]);
    let state = |tool: &str| {
        let line = run.stdout.lines().find(|line| line.starts_with(tool)).unwrap().to_owned();
        line.contains(" on, ")
    };
    assert!(state("ruff-check ") && state("ruff-format "), "{}", run.stdout);
    assert!(!state("flake8 ") && !state("black "), "{}", run.stdout);
}

#[test]
fn the_configuration_of_the_2020_article_is_followed() {
    let run = Project::fixture("blog-2020").check(&["--only", "flake8,mypy"]);
    assert_eq!(run.findings(), set(&["flake8 app/views.py:5 F841"]));
}

#[test]
fn names_of_any_kind_are_checked() {
    let project = Project::new();
    for name in ["-x.py", "sp ace.py", "new\nline.py", "qu'ote\".py", "ünïcode.py"] {
        project.write(name, "import os\n");
    }
    let run = project.check(&["--only", "flake8,black,bandit"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(
        run.findings(),
        set(&[
            "flake8 -x.py:1 F401",
            "flake8 sp ace.py:1 F401",
            "flake8 new\nline.py:1 F401",
            "flake8 qu'ote\".py:1 F401",
            "flake8 ünïcode.py:1 F401",
        ])
    );
}

#[test]
fn a_name_that_is_not_utf_8_gets_an_answer_or_an_error_never_silence() {
    let project = Project::new();
    project.write(std::ffi::OsStr::from_bytes(b"n\xff.py"), "import os\nassert os\n");
    project.write("good.py", "import sys\n");
    let run = project.check(&["--only", "bandit,flake8"]);
    assert!(run.findings().contains("bandit n\u{fffd}.py:2 B101"), "{}", run.stdout);
    assert!(run.findings().contains("flake8 good.py:1 F401"), "{}", run.stdout);
}

#[test]
fn a_name_at_which_mypy_crashes_is_told() {
    let project = Project::new();
    project.write("good.py", "import sys\n");
    let mypy = |arguments: &[&str]| {
        let run = project.pyqa(&[&["check", "--only", "mypy"], arguments].concat());
        (run.code, format!("{}{}", run.stdout, run.stderr).contains(r"or exclude `n\xff.py`"))
    };
    project.write(std::ffi::OsStr::from_bytes(b"n\xff.py"), "import os\n");
    assert_eq!([mypy(&[]), mypy(&[]), mypy(&["--no-cache"])], [(2, true); 3]);
    project.write(
        "mypy.ini",
        r"[mypy]
exclude = n[^/]*\.py$",
    );
    assert_eq!(mypy(&[]), (0, false));
}

#[test]
fn paths_narrow_the_per_file_tools_and_not_mypy() {
    let project = Project::fixture("demo");
    let run = project.check(&["--only", "flake8,mypy", "src/shop/report.py"]);
    assert_eq!(run.ran("flake8"), 1);
    assert!(run.findings().contains("mypy src/shop/prices.py:8 return-value"));
}

#[test]
fn fixing_mends_what_can_be_mended_and_checks_the_result() {
    let project = Project::fixture("demo");
    let run = project.check(&["--fix", "--only", "black"]);
    assert_eq!((run.code, run.findings().len()), (0, 0), "{}", run.stderr);
    let text = std::fs::read_to_string(project.path("src/shop/prices.py")).unwrap();
    assert!(text.contains("\"%d.%02d\""), "{text}");
}

#[test]
fn concise_lines_have_the_promised_form() {
    let run =
        Project::fixture("demo").pyqa(&["check", "--only", "flake8", "--output-format", "concise"]);
    assert_eq!(run.stdout, "src/shop/prices.py:3:1: F401 'os' imported but unused [flake8]\n");
}

#[test]
fn a_project_outside_of_git_and_one_within_have_the_same_files() {
    let project = Project::fixture("demo");
    project.write("ignored/x.py", "import os\n").write(".gitignore", "ignored/\n");
    let outside = project.pyqa(&["check", "--list-files", "--only", "flake8"]);
    project.git(&["init", "-q"]).git(&["add", "-A"]);
    let inside = project.pyqa(&["check", "--list-files", "--only", "flake8"]);
    assert_eq!(outside.stdout, inside.stdout);
    assert!(!inside.stdout.contains("ignored"), "{}", inside.stdout);
}
