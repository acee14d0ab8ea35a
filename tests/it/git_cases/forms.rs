//! Cases 4–6, 8, 9, 14 and 15: the ways in which git makes a commit.

use super::repo::{BAD, CLEAN, Repo, SETTINGS, UNFIXED};

#[test]
fn case_4_commit_a_takes_the_fix_and_leaves_nothing() {
    let repo = Repo::new("stage");
    repo.commit_file("a.py", CLEAN);
    repo.put("a.py", "b=2\n");
    let run = repo.git(&["commit", "-qam", "all"]);
    assert!(run.passed && !run.text.contains("index.lock"), "{}", run.text);
    assert_eq!((repo.head("a.py").as_str(), repo.status().as_str()), ("b = 2\n", ""));
    repo.put("a.py", BAD);
    repo.refused(&["commit", "-qam", "bad"]);
}

const BLACK_STAGES: &str =
    "[tool.pyqa]\nonly = [\"black\", \"flake8\"]\n[tool.pyqa.hooks]\nfix = \"stage\"\n";

#[test]
fn case_4_5_and_6_black_fixes_what_each_form_of_commit_takes() {
    let repo = Repo::real(BLACK_STAGES);
    repo.commit_file("a.py", CLEAN);
    repo.commit_file("b.py", CLEAN);
    repo.put("a.py", "b=2\n");
    repo.ok(&["commit", "-qam", "all"]);
    assert_eq!((repo.head("a.py").as_str(), repo.status().as_str()), ("b = 2\n", ""));
    repo.put("a.py", "c=3\n");
    repo.stage("b.py", "d=4\n");
    repo.ok(&["commit", "-qm", "a", "a.py"]);
    assert_eq!((repo.head("a.py").as_str(), repo.head("b.py").as_str()), ("c = 3\n", CLEAN));
    assert_eq!((repo.status().as_str(), repo.read("b.py").as_str()), ("M  b.py\n", "d=4\n"));
    repo.put("a.py", "e=5\n");
    repo.ok(&["commit", "-qm", "both", "-i", "a.py"]);
    assert_eq!((repo.head("a.py").as_str(), repo.head("b.py").as_str()), ("e = 5\n", "d = 4\n"));
    assert_eq!(repo.status(), "");
    repo.put("a.py", "import os\n");
    repo.stage("b.py", CLEAN);
    for form in [&["-a"][..], &["a.py"], &["-i", "a.py"]] {
        let text = repo.refused(&[&["commit", "-qm", "bad"], form].concat());
        assert!(text.contains("a.py:1:1  F401"), "{form:?}: {text}");
    }
}

#[test]
fn case_5_commit_of_a_path_takes_its_fix_and_nothing_else() {
    let repo = Repo::new("stage");
    repo.commit_file("a.py", CLEAN);
    repo.commit_file("b.py", CLEAN);
    repo.put("a.py", "b=2\n");
    repo.stage("b.py", "b=3\n");
    repo.ok(&["commit", "-qm", "a", "a.py"]);
    assert_eq!((repo.head("a.py").as_str(), repo.head("b.py").as_str()), ("b = 2\n", CLEAN));
    assert_eq!(repo.status(), "M  b.py\n");
    assert_eq!(repo.read("b.py"), "b=3\n");
    repo.put("a.py", BAD);
    repo.refused(&["commit", "-qm", "bad", "a.py"]);
}

#[test]
fn case_6_commit_i_and_an_index_that_was_built_by_hand() {
    let repo = Repo::new("stage");
    repo.commit_file("a.py", CLEAN);
    repo.commit_file("b.py", CLEAN);
    repo.stage("b.py", "b=3\n");
    repo.put("a.py", "b=2\n");
    repo.ok(&["commit", "-qm", "both", "-i", "a.py"]);
    assert_eq!((repo.head("a.py").as_str(), repo.head("b.py").as_str()), ("b = 2\n", "b = 3\n"));
    assert_eq!(repo.status(), "");

    repo.put("part", "c=4\n");
    let blob = repo.ok(&["hash-object", "-w", "part"]);
    repo.ok(&["update-index", "--cacheinfo", &format!("100644,{},a.py", blob.trim())]);
    std::fs::remove_file(repo.path("part")).unwrap();
    repo.ok(&["commit", "-qm", "by hand"]);
    assert_eq!((repo.head("a.py").as_str(), repo.read("a.py").as_str()), ("c = 4\n", "b = 2\n"));
    assert_eq!(repo.status(), " M a.py\n");
}

#[test]
fn case_8_the_first_commit_of_a_repository() {
    for init in [&["--object-format=sha1"], &["--object-format=sha256"]] {
        let repo = Repo::with(&format!("{SETTINGS}fix = \"off\"\n"), init);
        repo.ok(&["checkout", "-q", "--orphan", "new"]);
        repo.stage("a.py", BAD);
        repo.put("a.py", CLEAN);
        repo.refused(&["commit", "-qm", "first"]);
        repo.stage("a.py", CLEAN);
        repo.put("a.py", BAD);
        repo.ok(&["commit", "-qm", "first"]);
        assert_eq!((repo.head("a.py").as_str(), repo.read("a.py").as_str()), (CLEAN, BAD));
        assert_eq!(repo.ok(&["rev-list", "--count", "HEAD"]), "1\n");
    }
}

#[test]
fn case_9_amending_checks_what_is_newly_staged() {
    let repo = Repo::new("off");
    repo.commit_file("a.py", BAD);
    let run = repo.git(&["commit", "-q", "--amend", "-m", "message only"]);
    assert!(run.passed, "{}", run.text);
    assert_eq!(repo.checked(), [""; 0]);
    repo.stage("b.py", CLEAN);
    repo.ok(&["commit", "-q", "--amend", "--no-edit"]);
    assert_eq!(repo.checked(), ["b.py"]);
    repo.stage("b.py", BAD);
    repo.refused(&["commit", "-q", "--amend", "--no-edit"]);
}

/// Two branches that differ in the same line, `a.py` in conflict.
fn conflict(repo: &Repo, command: &[&str]) {
    repo.commit_file("a.py", "one = 1\n");
    repo.commit_file("b.py", CLEAN);
    repo.ok(&["checkout", "-qb", "other"]);
    repo.commit_file("a.py", "two = 2\n");
    repo.ok(&["checkout", "-q", "main"]);
    repo.commit_file("a.py", "three = 3\n");
    assert!(!repo.git(command).passed);
}

#[test]
fn case_14_concluding_a_merge_keeps_its_parents() {
    let repo = Repo::new("off");
    conflict(&repo, &["merge", "other"]);
    // git itself refuses an unresolved index, before any hook.
    repo.refused(&["commit", "-qm", "unresolved"]);
    repo.stage("a.py", "<<<<<<< HEAD\nBAD\n");
    let text = repo.refused(&["commit", "-qm", "markers"]);
    assert!(text.contains("a.py"), "{text}");
    assert!(repo.git_dir().join("MERGE_HEAD").exists());
    repo.stage("a.py", "resolved = 1\n");
    repo.ok(&["commit", "-qm", "merged"]);
    assert_eq!(repo.ok(&["rev-list", "--parents", "-1", "HEAD"]).split_whitespace().count(), 3);
    assert!(!repo.git_dir().join("MERGE_HEAD").exists());
}

#[test]
fn case_14_conflict_markers_are_found_by_the_real_tools() {
    let repo = Repo::real("[tool.pyqa]\nonly = [\"flake8\", \"black\"]\n");
    conflict(&repo, &["merge", "other"]);
    repo.ok(&["add", "a.py"]);
    let text = repo.refused(&["commit", "-qm", "markers"]);
    assert!(text.contains("E999"), "{text}");
}

#[test]
fn case_15_a_cherry_pick_and_a_rebase_that_stopped_go_on() {
    let repo = Repo::new("off");
    conflict(&repo, &["cherry-pick", "other"]);
    repo.stage("a.py", BAD);
    repo.refused(&["cherry-pick", "--continue"]);
    assert!(repo.git_dir().join("CHERRY_PICK_HEAD").exists());
    repo.stage("a.py", CLEAN);
    repo.ok(&["-c", "core.editor=true", "cherry-pick", "--continue"]);
    assert_eq!(repo.head("a.py"), CLEAN);

    let repo = Repo::new("off");
    conflict(&repo, &["rebase", "other"]);
    let before = repo.git_dir().join("rebase-merge");
    assert!(before.exists());
    repo.stage("a.py", CLEAN);
    // git runs no pre-commit hook here; nothing is broken by that.
    repo.ok(&["-c", "core.editor=true", "rebase", "--continue"]);
    assert!(!before.exists());
}

#[test]
fn case_15_a_merge_without_conflicts_runs_the_hook_for_merges() {
    let repo = Repo::new("off");
    repo.install(&["--hook", "pre-merge-commit"]);
    repo.commit_file("a.py", CLEAN);
    repo.ok(&["checkout", "-qb", "other"]);
    repo.commit_file("b.py", BAD);
    repo.ok(&["checkout", "-q", "main"]);
    repo.commit_file("c.py", CLEAN);
    let run = repo.git(&["merge", "--no-edit", "other"]);
    assert!(!run.passed && run.text.contains("b.py"), "{}", run.text);
    repo.ok(&["merge", "--abort"]);
    assert_eq!(repo.status(), "");
    repo.ok(&["checkout", "-q", "other"]);
    repo.commit_file("b.py", UNFIXED.replace('=', " = "));
    repo.ok(&["checkout", "-q", "main"]);
    repo.ok(&["merge", "--no-edit", "other"]);
    assert_eq!(repo.ok(&["rev-list", "--parents", "-1", "HEAD"]).split_whitespace().count(), 3);
}
