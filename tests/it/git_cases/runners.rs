//! pyqa under pre-commit and prek, by the hooks of `.pre-commit-hooks.yaml`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::repo::{Git, Repo, SETTINGS};

const MANIFEST: &str = include_str!("../../../.pre-commit-hooks.yaml");

fn runners() -> [PathBuf; 2] {
    let programs = crate::support::runner_environment().join("bin");
    ["prek", "pre-commit"].map(|name| programs.join(name))
}

/// The manifest's hooks as local ones that start this binary.
fn config() -> String {
    let bin = Path::new(env!("CARGO_BIN_EXE_pyqa"));
    let hooks = MANIFEST
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .filter(|line| !line.contains("minimum_pre_commit_version"))
        .map(|line| line.replace("language: python", "language: system"))
        .map(|line| line.replace("entry: pyqa ", &format!("entry: {} ", bin.display())))
        .collect::<Vec<_>>()
        .join("\n      ");
    format!("repos:\n  - repo: local\n    hooks:\n      {hooks}\n")
}

fn repo() -> Repo {
    let repo = Repo::with(&format!("{SETTINGS}fix = \"off\"\n"), &[]);
    assert_eq!(repo.pyqa(&["uninstall"]).code, 0);
    repo.commit_file(".pre-commit-config.yaml", config());
    repo
}

fn run(repo: &Repo, runner: &Path, arguments: &[&str]) -> Git {
    Git::of(Command::output(repo.command(runner).args(arguments)).unwrap())
}

#[test]
fn the_manifest_s_hooks_check_what_is_staged() {
    for runner in runners() {
        let repo = repo();
        repo.stage("a.py", "BAD\n");
        repo.put("a.py", "fine = 1\n");
        let before = repo.state();
        let checked = run(&repo, &runner, &["run", "pyqa"]);
        assert!(!checked.passed && checked.text.contains("bad line"), "{}", checked.text);
        repo.state().assert_is(&before, &checked.text);
        repo.stage("a.py", "fine = 1\n");
        repo.put("a.py", "BAD\n");
        let checked = run(&repo, &runner, &["run", "pyqa"]);
        assert!(checked.passed, "{}", checked.text);
        assert_eq!(repo.checked(), ["a.py", "a.py"]);
    }
}

#[test]
fn the_manifest_s_other_hooks_format_and_check_all() {
    for runner in runners() {
        let repo = repo();
        repo.stage("a.py", "a=1\n");
        let formatted = run(&repo, &runner, &["run", "pyqa-format"]);
        assert!(!formatted.passed, "a file was changed: {}", formatted.text);
        assert_eq!(repo.read("a.py"), "a = 1\n");
        repo.commit_file("b.py", "BAD\n");
        let checked = run(&repo, &runner, &["run", "pyqa-full", "--all-files"]);
        assert!(!checked.passed && checked.text.contains("b.py"), "{}", checked.text);
    }
}

#[test]
fn a_runner_that_was_installed_before_is_run_first_and_does_not_run_itself() {
    for runner in runners() {
        let repo = Repo::new("off");
        assert_eq!(repo.pyqa(&["uninstall"]).code, 0);
        let said = repo.seen().join("said");
        let hooks = format!(
            "repos:\n  - repo: local\n    hooks:\n      - id: say\n        name: say\n        \
             entry: sh -c 'echo said >> \"{}\"; ! grep -q REFUSED a.py'\n        \
             language: system\n        pass_filenames: false\n        always_run: true\n",
            said.display()
        );
        repo.commit_file(".pre-commit-config.yaml", hooks);
        let installed = run(&repo, &runner, &["install"]);
        assert!(installed.passed, "{}", installed.text);
        repo.install(&[]);
        repo.stage("a.py", "a = 1\n");
        let commit = repo.git(&["commit", "-qm", "good"]);
        assert!(commit.passed, "{}", commit.text);
        assert_eq!(fs::read_to_string(&said).unwrap(), "said\n");
        repo.stage("a.py", "REFUSED = 1\n");
        repo.refused(&["commit", "-qm", "refused by the runner"]);
        repo.stage("a.py", "BAD\n");
        repo.refused(&["commit", "-qm", "refused by pyqa"]);
        assert_eq!(repo.pyqa(&["uninstall"]).code, 0);
        let hook = fs::read_to_string(repo.path(".git/hooks/pre-commit")).unwrap();
        assert!(hook.contains("hook-impl"), "{hook}");
    }
}
