//! What is checked before a push is what is pushed.

use super::support::{git, install, read, repository, set_hooks};
use crate::support::Project;

const GOOD: &str = "\"\"\"A module.\"\"\"\n\nVALUE = 1\n";
const BAD: &str = "\"\"\"A module.\"\"\"\n\nimport os\n";

/// A repository whose `main` is on the other side, and the hook in place.
fn pushed() -> Project {
    let project = repository();
    set_hooks(&project, "pre-push = [\"flake8\"]");
    project.git(&["init", "-q", "--bare", "../other.git"]);
    project.git(&["remote", "add", "origin", "../other.git"]);
    project.git(&["push", "-q", "origin", "main"]);
    install(&project, "pre-push");
    project
}

fn commit(project: &Project, name: &str, text: &str) {
    project.write(name, text).git(&["add", name]).git(&["commit", "-qm", name, "--no-verify"]);
}

#[test]
fn the_pushed_commit_is_checked_although_another_one_is_checked_out() {
    let project = pushed();
    project.git(&["checkout", "-qb", "topic"]);
    commit(&project, "bad.py", BAD);
    project.git(&["checkout", "-q", "main"]).write("greeting.py", "broken(\n");
    let run = git(&project, &["push", "-q", "origin", "topic"]);
    assert!(!run.passed, "{}", run.text);
    assert!(run.text.contains("bad.py:3:1  F401"), "{}", run.text);
    assert!(!run.text.contains("greeting.py"), "{}", run.text);
    assert!(run.text.contains("git push --no-verify"), "{}", run.text);

    project.git(&["checkout", "--", "greeting.py"]);
    commit(&project, "good.py", GOOD);
    project.write("greeting.py", "broken(\n");
    let run = git(&project, &["push", "-q", "origin", "main"]);
    assert!(run.passed, "{}", run.text);
    assert_eq!(run.text.lines().count(), 1, "{}", run.text);
}

#[test]
fn each_of_several_references_is_checked() {
    let project = pushed();
    project.git(&["checkout", "-qb", "one"]);
    commit(&project, "good.py", GOOD);
    project.git(&["checkout", "-qb", "two", "main"]);
    commit(&project, "bad.py", BAD);
    project.git(&["checkout", "-q", "main"]);
    let run = git(&project, &["push", "-q", "origin", "one", "two"]);
    assert!(!run.passed, "{}", run.text);
    assert!(run.text.contains("✓ pyqa refs/heads/one:"), "{}", run.text);
    assert!(run.text.contains("✗ pyqa refs/heads/two:"), "{}", run.text);
}

#[test]
fn old_mistakes_are_not_those_of_a_push() {
    let project = pushed();
    commit(&project, "bad.py", BAD);
    project.git(&["push", "-q", "--no-verify", "origin", "main"]);
    commit(&project, "good.py", GOOD);
    let run = git(&project, &["push", "-q", "origin", "main", "HEAD:refs/heads/new"]);
    assert!(run.passed, "{}", run.text);
    project.git(&["commit", "-q", "--amend", "-m", "other", "--no-verify"]);
    let run = git(&project, &["push", "-q", "--force", "origin", "main"]);
    assert!(run.passed, "{}", run.text);
}

#[test]
fn tags_deletions_orphans_and_pushes_of_nothing_are_no_trouble() {
    let project = pushed();
    commit(&project, "good.py", GOOD);
    project.git(&["tag", "-a", "v1", "-m", "v1"]);
    assert!(git(&project, &["push", "-q", "origin", "main", "v1"]).passed);
    let run = git(&project, &["push", "-q", "origin", "main"]);
    assert!(run.passed && run.text.is_empty(), "{}", run.text);
    let run = git(&project, &["push", "-q", "origin", ":refs/tags/v1"]);
    assert!(run.passed && run.text.is_empty(), "{}", run.text);
    project.git(&["checkout", "-q", "--orphan", "fresh"]);
    commit(&project, "bad.py", BAD);
    let run = git(&project, &["push", "-q", "origin", "fresh"]);
    assert!(!run.passed && run.text.contains("bad.py"), "{}", run.text);
    assert_eq!(read(&project, &["stash", "list"]), "");
}
