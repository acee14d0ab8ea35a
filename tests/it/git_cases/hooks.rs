//! Case 29: former hooks, work trees of all kinds, and ways around the hook.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::repo::{BAD, CLEAN, Repo, SETTINGS};

fn write_hook(path: &Path, text: &str, mode: u32) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// A repository in which `hook` had a former hook when pyqa was installed.
fn with_former(hook: &str, text: &str, mode: u32) -> Repo {
    let repo = Repo::new("off");
    repo.ok(&["config", "advice.ignoredHook", "false"]);
    assert_eq!(repo.pyqa(&["uninstall"]).code, 0);
    let said = repo.seen().join("said");
    let text = text.replace("SAID", said.to_str().unwrap());
    write_hook(&repo.path(".git/hooks").join(hook), &text, mode);
    repo.install(&["--hook", hook]);
    repo
}

fn said(repo: &Repo) -> String {
    fs::read_to_string(repo.seen().join("said")).unwrap_or_default()
}

#[test]
fn case_29_a_former_hook_is_run_first_and_either_can_refuse() {
    for (text, good) in [
        ("#!/bin/sh\necho sh >> SAID\n", true),
        ("#!/usr/bin/env python3\nopen('SAID', 'a').write('python\\n')\n", true),
        ("echo no shebang >> SAID\n", true),
        ("#!/bin/sh\necho refuses >> SAID\nexit 3\n", false),
    ] {
        let repo = with_former("pre-commit", text, 0o755);
        repo.stage("a.py", CLEAN);
        let run = repo.git(&["commit", "-qm", "good"]);
        assert_eq!(run.passed, good, "{text}: {}", run.text);
        assert_eq!(said(&repo).lines().count(), 1, "{text}");
        // What pyqa says is told in any case.
        assert_eq!(repo.checked(), ["a.py"], "{text}");
        repo.stage("a.py", BAD);
        repo.refused(&["commit", "-qm", "bad"]);
    }
}

#[test]
fn case_29_a_former_hook_that_git_would_not_run_is_not_run() {
    let repo = with_former("pre-commit", "#!/bin/sh\nexit 1\n", 0o644);
    repo.stage("a.py", CLEAN);
    repo.ok(&["commit", "-qm", "good"]);

    let repo = Repo::new("off");
    assert_eq!(repo.pyqa(&["uninstall"]).code, 0);
    symlink("/nowhere", repo.path(".git/hooks/pre-commit")).unwrap();
    repo.install(&[]);
    repo.stage("a.py", CLEAN);
    repo.ok(&["commit", "-qm", "good"]);
}

#[test]
fn case_29_both_hooks_of_a_push_read_what_is_pushed() {
    let repo = with_former("pre-push", "#!/bin/sh\necho \"$@\" >> SAID\ncat >> SAID\n", 0o755);
    let remote = repo.path("../remote.git");
    repo.ok(&["init", "-q", "--bare", remote.to_str().unwrap()]);
    repo.ok(&["remote", "add", "origin", remote.to_str().unwrap()]);
    repo.commit_file("a.py", BAD);
    let text = repo.refused(&["push", "origin", "main"]);
    assert!(text.contains("a.py"), "{text}");
    let lines = said(&repo);
    assert!(lines.starts_with("origin ") && lines.contains("refs/heads/main "), "{lines}");
    repo.commit_file("a.py", CLEAN);
    repo.ok(&["push", "-q", "origin", "main"]);
}

#[test]
fn case_29_a_hook_that_starts_the_hook_again_comes_to_an_end() {
    let repo =
        with_former("pre-commit", "#!/bin/sh\necho . >> SAID\n.git/hooks/pre-commit\n", 0o755);
    repo.stage("a.py", CLEAN);
    repo.ok(&["commit", "-qm", "good"]);
    assert_eq!(said(&repo), ".\n");
}

#[test]
fn case_29_husky_s_own_hooks_are_run_too() {
    let repo = Repo::new("off");
    assert_eq!(repo.pyqa(&["uninstall"]).code, 0);
    // What husky 9 writes, in short: the script asks by its own name which hook it is.
    repo.ok(&["config", "core.hooksPath", ".husky/_"]);
    write_hook(
        &repo.path(".husky/_/pre-commit"),
        "#!/usr/bin/env sh\n. \"$(dirname \"$0\")/h\"\n",
        0o755,
    );
    let dispatcher = "n=$(basename \"$0\")\ns=$(dirname \"$(dirname \"$0\")\")/$n\n\
                      [ ! -f \"$s\" ] && exit 0\nsh -e \"$s\" \"$@\"\nexit $?\n";
    write_hook(&repo.path(".husky/_/h"), dispatcher, 0o644);
    let said_file = repo.seen().join("said");
    let own = format!("echo husky >> '{}'\n[ ! -e refuse ]\n", said_file.display());
    write_hook(&repo.path(".husky/pre-commit"), &own, 0o644);
    repo.install(&[]);
    repo.stage("a.py", CLEAN);
    repo.ok(&["commit", "-qm", "good"]);
    assert_eq!((said(&repo).as_str(), repo.checked()), ("husky\n", vec!["a.py".to_owned()]));
    repo.put("refuse", "");
    repo.stage("a.py", "b = 1\n");
    repo.refused(&["commit", "-qm", "refused"]);
}

#[test]
fn case_29_the_hook_can_be_passed_by_git_and_by_a_variable_that_spares_the_former_hook() {
    let repo = with_former("pre-commit", "#!/bin/sh\necho former >> SAID\n", 0o755);
    repo.stage("a.py", BAD);
    repo.ok(&["commit", "-qm", "unchecked", "--no-verify"]);
    assert_eq!(said(&repo), "");
    repo.stage("b.py", BAD);
    let pass = |repo: &Repo| {
        let mut commit = repo.git_command(&["commit", "-qm", "unchecked"]);
        commit.env("PYQA", "0").output().unwrap().status.success()
    };
    assert!(pass(&repo));
    assert_eq!(said(&repo), "former\n");

    let repo = Repo::new("off");
    repo.stage("b.py", BAD);
    assert!(pass(&repo));
    repo.stage("c.py", BAD);
    repo.refused(&["commit", "-qm", "checked"]);
    let mut skipping = repo.git_command(&["commit", "-qm", "skipped"]);
    assert!(skipping.env("PYQA_SKIP", "checker").output().unwrap().status.success());
}

#[test]
fn case_29_a_repository_without_settings_is_checked_by_what_it_shows() {
    let repo = Repo::new("off");
    repo.ok(&["rm", "-q", "pyproject.toml"]);
    let run = repo.git(&["commit", "-qm", "no settings", "--no-verify"]);
    assert!(run.passed, "{}", run.text);
    repo.stage("note.txt", "text\n");
    let run = repo.git(&["commit", "-qm", "text"]);
    assert!(run.passed, "{}", run.text);
}

#[test]
fn case_29_a_bare_repository_with_work_trees_and_a_git_file_that_is_elsewhere() {
    let repo = Repo::new("off");
    let bare = repo.path("../bare.git");
    repo.ok(&["clone", "-q", "--bare", ".", bare.to_str().unwrap()]);
    let place = repo.path("../of bare");
    let bare_place = bare.to_str().unwrap().to_owned();
    repo.ok(&["-C", &bare_place, "worktree", "add", "-q", "-b", "new", place.to_str().unwrap()]);
    let run = repo.command(env!("CARGO_BIN_EXE_pyqa")).current_dir(&place).arg("install").output();
    assert!(run.unwrap().status.success());
    for name in ["user.name", "user.email"] {
        repo.ok(&["-C", &bare_place, "config", name, "tester"]);
    }
    let repo = repo.in_tree(place);
    repo.stage("a.py", BAD);
    repo.refused(&["commit", "-qm", "bad"]);
    repo.stage("a.py", CLEAN);
    repo.ok(&["commit", "-qm", "good"]);

    let repo =
        Repo::with(&format!("{SETTINGS}fix = \"stage\"\n"), &["--separate-git-dir", "../el se"]);
    repo.stage("a.py", "a=1\n");
    repo.ok(&["commit", "-qm", "good"]);
    assert_eq!((repo.head("a.py").as_str(), repo.status().as_str()), (CLEAN, ""));
}
