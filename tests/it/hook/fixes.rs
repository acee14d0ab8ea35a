//! What becomes of what a formatter would change.

use std::fs;

use super::support::{git, read, repository, set_hooks};
use crate::support::Project;

fn staging() -> Project {
    let project = repository();
    set_hooks(&project, "pre-commit = [\"black\"]\nfix = \"stage\"");
    project
}

fn text(project: &Project, name: &str) -> String {
    fs::read_to_string(project.path(name)).unwrap()
}

fn committed(project: &Project, name: &str) -> String {
    read(project, &["show", &format!("HEAD:{name}")])
}

fn lines(first: &str, last: &str) -> String {
    let middle: String = (0..40_u32).map(|n| ["A", &n.to_string(), " = 1\n"].concat()).collect();
    format!("{first}\n{middle}{last}\n")
}

#[test]
fn a_fix_far_from_unstaged_changes_is_committed_and_they_stay() {
    let project = staging();
    project.write("a.py", lines("X=1", "END = 1")).git(&["add", "a.py"]);
    project.write("a.py", lines("X=1", "END = 2"));
    let run = git(&project, &["commit", "-qm", "fix"]);
    assert!(run.passed, "{}", run.text);
    assert!(run.text.contains("formatted and staged a.py"), "{}", run.text);
    assert_eq!(committed(&project, "a.py"), lines("X = 1", "END = 1"));
    assert_eq!(text(&project, "a.py"), lines("X = 1", "END = 2"));
    let diff = read(&project, &["diff", "--unified=0"]);
    assert!(diff.contains("-END = 1\n+END = 2") && !diff.contains("X ="), "{diff}");
}

#[test]
fn a_fix_where_unstaged_changes_are_leaves_the_file_and_says_so() {
    let project = staging();
    project.write("a.py", "X=1\n").git(&["add", "a.py"]).write("a.py", "X=2\n");
    project.write("b.py", "B = 1\n").git(&["add", "b.py"]).write("b.py", "B=3\n");
    let run = git(&project, &["commit", "-qm", "fix"]);
    assert!(run.passed, "{}", run.text);
    assert!(run.text.contains("a.py is formatted in the index only"), "{}", run.text);
    assert_eq!(committed(&project, "a.py"), "X = 1\n");
    assert_eq!((text(&project, "a.py"), text(&project, "b.py")), ("X=2\n".into(), "B=3\n".into()));
}

#[test]
fn fixes_enter_the_commit_in_each_form_of_commit() {
    let project = staging();
    for name in ["a.py", "b.py", "c.py"] {
        project.write(name, "X = 0\n");
    }
    project.git(&["add", "-A"]).git(&["commit", "-qm", "files", "--no-verify"]);

    project.write("a.py", "X=1\n");
    assert!(git(&project, &["commit", "-qam", "all"]).passed);
    assert_eq!(committed(&project, "a.py"), "X = 1\n");
    assert_eq!(read(&project, &["status", "--porcelain"]), "");

    project.write("b.py", "X = 5\n").git(&["add", "b.py"]).write("a.py", "X=2\n");
    assert!(git(&project, &["commit", "-qm", "path", "a.py"]).passed);
    assert_eq!(committed(&project, "a.py"), "X = 2\n");
    assert_eq!(read(&project, &["status", "--porcelain"]), "M  b.py\n");

    project.write("c.py", "X=3\n");
    assert!(git(&project, &["commit", "-qm", "include", "-i", "c.py"]).passed);
    assert_eq!(committed(&project, "c.py"), "X = 3\n");
    assert_eq!(committed(&project, "b.py"), "X = 5\n");
    assert_eq!(read(&project, &["status", "--porcelain"]), "");
}

#[test]
fn a_file_that_is_deleted_in_the_work_tree_does_not_come_back() {
    let project = staging();
    project.write("a.py", "X=1\n").git(&["add", "a.py"]);
    fs::remove_file(project.path("a.py")).unwrap();
    assert!(git(&project, &["commit", "-qm", "fix"]).passed);
    assert_eq!(committed(&project, "a.py"), "X = 1\n");
    assert!(!project.path("a.py").exists());
}

#[test]
fn the_command_that_is_suggested_mends_what_is_staged() {
    let project = repository();
    set_hooks(&project, "pre-commit = [\"black\"]");
    project.write("a.py", lines("X=1", "END = 1")).git(&["add", "a.py"]);
    project.write("a.py", lines("X=1", "END=2"));
    let run = git(&project, &["commit", "-qm", "fix"]);
    assert!(!run.passed, "{}", run.text);
    assert!(run.text.contains("+X = 1"), "{}", run.text);
    assert!(run.text.contains("`pyqa check --staged --fix`"), "{}", run.text);
    let run = project.pyqa(&["check", "--staged", "--fix", "--only", "black"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(text(&project, "a.py"), lines("X = 1", "END=2"));
    assert!(git(&project, &["commit", "-qm", "fix"]).passed);
}

#[test]
fn a_failing_hook_changes_nothing() {
    let project = repository();
    set_hooks(&project, "pre-commit = [\"black\", \"flake8\"]\nfix = \"off\"");
    project.write("a.py", "import os\nX=1\n").git(&["add", "a.py"]).write("a.py", "X=2\n");
    project.write("new.py", "Y=1\n").git(&["add", "-N", "new.py"]).write("untracked.py", "(\n");
    let before = read(&project, &["ls-files", "-s"]);
    let run = git(&project, &["commit", "-qm", "no"]);
    assert!(!run.passed, "{}", run.text);
    assert!(run.text.contains("a.py") && !run.text.contains("new.py"), "{}", run.text);
    assert_eq!(read(&project, &["ls-files", "-s"]), before);
    assert_eq!(text(&project, "a.py"), "X=2\n");
    assert_eq!(
        (text(&project, "new.py"), text(&project, "untracked.py")),
        ("Y=1\n".into(), "(\n".into())
    );
    assert_eq!(read(&project, &["stash", "list"]), "");
    assert_eq!(read(&project, &["status", "--porcelain"]), "AM a.py\n A new.py\n?? untracked.py\n");
}

#[test]
fn a_change_that_formatting_takes_back_is_no_empty_commit() {
    let project = staging();
    project.write("a.py", "X = 1\n").write("b.txt", "b\n").git(&["add", "-A"]);
    project.git(&["commit", "-qm", "base", "--no-verify"]);
    let head = read(&project, &["rev-parse", "HEAD"]);
    project.write("a.py", "X=1\n").git(&["add", "a.py"]);
    let run = git(&project, &["commit", "-qm", "layout"]);
    assert!(!run.passed, "{}", run.text);
    assert!(run.text.contains("formatted and staged a.py"), "{}", run.text);
    assert!(run.text.contains("nothing is left to commit"), "{}", run.text);
    assert!(!run.text.contains("finding"), "{}", run.text);
    assert_eq!(read(&project, &["rev-parse", "HEAD"]), head);
    assert_eq!(text(&project, "a.py"), "X = 1\n");
    assert_eq!(read(&project, &["status", "--porcelain"]), "");
    assert!(git(&project, &["commit", "-q", "--allow-empty", "-m", "wanted"]).passed);

    project.write("a.py", "X=1\n").git(&["rm", "-q", "b.txt"]).git(&["add", "a.py"]);
    let run = git(&project, &["commit", "-qm", "deletion"]);
    assert!(run.passed, "{}", run.text);
    assert_eq!(read(&project, &["show", "--format=", "--name-status", "HEAD"]), "D\tb.txt\n");
}
