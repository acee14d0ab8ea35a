//! What is checked is what would be committed.

use std::fs;

use super::support::{git, read, repository, set_hooks};
use crate::support::Project;

const GOOD: &str = "\"\"\"A module.\"\"\"\n\nVALUE = 1\n";
/// flake8 alone complains.
const BAD: &str = "\"\"\"A module.\"\"\"\n\nimport os\n";

fn only(project: &Project, tools: &str) {
    set_hooks(project, &format!("pre-commit = [{tools}]"));
}

#[test]
fn staged_content_is_checked_and_not_the_work_tree() {
    let project = repository();
    only(&project, "\"flake8\"");
    project.write("a.py", GOOD).git(&["add", "a.py"]).write("a.py", BAD);
    let run = git(&project, &["commit", "-qm", "good"]);
    assert!(run.passed, "{}", run.text);
    assert_eq!(fs::read_to_string(project.path("a.py")).unwrap(), BAD);

    project.git(&["add", "a.py"]).write("a.py", GOOD);
    let run = git(&project, &["commit", "-qm", "bad"]);
    assert!(!run.passed, "{}", run.text);
    assert!(run.text.contains("a.py:3:1  F401"), "{}", run.text);
    assert!(run.text.contains("git commit --no-verify"), "{}", run.text);
    assert_eq!(read(&project, &["status", "--porcelain"]), "MM a.py\n");
}

#[test]
fn a_passing_commit_prints_one_line() {
    let project = repository();
    project.write("a.py", GOOD).git(&["add", "a.py"]);
    let run = git(&project, &["commit", "-qm", "good"]);
    assert!(run.passed, "{}", run.text);
    let lines: Vec<&str> = run.text.lines().collect();
    assert_eq!(lines.len(), 1, "{}", run.text);
    assert!(lines[0].starts_with("✓ pyqa: flake8, mypy, bandit, black clean, "), "{}", lines[0]);
}

#[test]
fn a_module_that_was_forgotten_is_missing_and_a_deleted_one_is_there() {
    let project = repository();
    only(&project, "\"mypy\"");
    project.write("helper.py", GOOD).git(&["add", "helper.py"]);
    project.git(&["commit", "-qm", "helper", "--no-verify"]);
    project.write("user.py", "import helper\n\nTOTAL: int = helper.VALUE\n");
    project.git(&["add", "user.py"]);
    fs::remove_file(project.path("helper.py")).unwrap();
    let run = git(&project, &["commit", "-qm", "user"]);
    assert!(run.passed, "{}", run.text);
    assert!(!project.path("helper.py").exists());

    project.write("forgotten.py", GOOD);
    project.write("user.py", "import forgotten\n\nTOTAL: int = forgotten.VALUE\n");
    project.git(&["add", "user.py"]);
    let run = git(&project, &["commit", "-qm", "forgotten"]);
    assert!(!run.passed && run.text.contains("forgotten"), "{}", run.text);
}

#[test]
fn an_unresolved_conflict_stops_before_any_tool() {
    let project = repository();
    project.write("a.py", GOOD).git(&["add", "a.py"]).git(&["commit", "-qm", "a", "--no-verify"]);
    project.git(&["checkout", "-qb", "other"]).write("a.py", "VALUE = 2\n");
    project.git(&["commit", "-qam", "b", "--no-verify"]).git(&["checkout", "-q", "main"]);
    project.write("a.py", "VALUE = 3\n").git(&["commit", "-qam", "c", "--no-verify"]);
    assert!(!git(&project, &["merge", "other"]).passed);
    let run = project.pyqa(&["check", "--staged"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("a.py has an unresolved conflict"), "{}", run.stderr);
}

#[test]
fn results_are_shared_with_an_ordinary_check_both_ways() {
    let project = repository();
    project.write("a.py", GOOD).git(&["add", "a.py"]);
    assert_eq!(project.check(&[]).code, 0);
    // Another content in the work tree makes a snapshot necessary.
    project.write("greeting.py", "broken(");
    let run = project.check(&["--staged"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    for tool in ["flake8", "mypy", "bandit", "black", "pytest"] {
        assert_eq!(run.ran(tool), 0, "{tool} ran again");
    }

    let new = "\"\"\"A module.\"\"\"\n\nVALUE = 2\n";
    project.write("a.py", new).git(&["add", "a.py"]);
    assert_eq!(project.check(&["--staged"]).code, 0);
    project.git(&["checkout", "greeting.py"]);
    let run = project.check(&[]);
    for tool in ["flake8", "mypy", "bandit", "black", "pytest"] {
        assert_eq!(run.ran(tool), 0, "{tool} ran again");
    }
}
