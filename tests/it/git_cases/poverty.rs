//! Case 30: a hook that is given almost nothing.

use std::fs;
use std::process::{Command, Stdio};

use super::repo::{BAD, CLEAN, Git, Repo, SETTINGS};

/// `env -i PATH=/usr/bin:/bin git commit`, with `variables` beside.
fn bare_commit(repo: &Repo, variables: &[(&str, &str)]) -> Git {
    fs::create_dir_all(repo.path("../tmp")).unwrap();
    let mut command = Command::new("git");
    command
        .args(["commit", "-qm", "bare"])
        .current_dir(&repo.top)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("TMPDIR", repo.path("../tmp"))
        .envs(variables.iter().copied())
        .stdin(Stdio::null());
    Git::of(command.output().unwrap())
}

/// With a tool that is in no folder of PATH but the project's environment: the real ones.
fn repo_with_environment() -> Repo {
    let settings = "[tool.pyqa]\ntools = [\"flake8\", \"black\"]\n";
    let repo = Repo::real(settings);
    std::os::unix::fs::symlink(crate::support::tool_environment(), repo.path(".venv")).unwrap();
    fs::write(repo.path(".git/info/exclude"), ".venv\n").unwrap();
    repo
}

#[test]
fn case_30_a_commit_from_a_program_with_windows_is_checked() {
    let repo = repo_with_environment();
    repo.stage("a.py", CLEAN);
    let home = repo.path("../home");
    let home = home.to_str().unwrap();
    let run = bare_commit(&repo, &[("HOME", home)]);
    assert!(run.passed, "{}", run.text);
    repo.stage("a.py", "import os\n");
    for variables in [
        &[][..],
        &[("HOME", home), ("TERM", "dumb"), ("LC_ALL", "C")],
        &[("HOME", "/nonexistent"), ("LANG", "nowhere")],
        &[
            ("HOME", home),
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "core.abbrev"),
            ("GIT_CONFIG_VALUE_0", "12"),
        ],
    ] {
        let before = repo.state();
        let run = bare_commit(&repo, variables);
        assert!(!run.passed && run.text.contains("F401"), "{variables:?}: {}", run.text);
        assert!(!run.text.contains('\u{1b}'), "{}", run.text);
        repo.state().assert_is(&before, &format!("{variables:?}"));
    }
    repo.stage("a.py", "VALUE = 2\n");
    let run = bare_commit(&repo, &[]);
    assert!(run.passed, "without a home: {}", run.text);
}

#[test]
fn case_30_a_home_that_cannot_be_written_costs_time_and_nothing_else() {
    let repo = repo_with_environment();
    // A file in the way stops every user, root included.
    let home = repo.path("../closed");
    fs::create_dir(&home).unwrap();
    fs::write(home.join(".cache"), "").unwrap();
    let home = home.to_str().unwrap();
    repo.stage("a.py", CLEAN);
    let run = bare_commit(&repo, &[("HOME", home)]);
    assert!(run.passed, "{}", run.text);
    repo.stage("a.py", "import os\n");
    let run = bare_commit(&repo, &[("HOME", home)]);
    assert!(!run.passed && run.text.contains("F401"), "{}", run.text);
}

#[test]
fn case_30_the_program_that_is_gone_is_looked_for_on_path_and_else_named() {
    let repo = Repo::new("off");
    let hook = repo.path(".git/hooks/pre-commit");
    let text = fs::read_to_string(&hook).unwrap();
    let binary = env!("CARGO_BIN_EXE_pyqa");
    fs::write(&hook, text.replace(binary, "/nowhere/pyqa")).unwrap();
    repo.stage("a.py", BAD);
    let before = repo.state();
    let run = bare_commit(&repo, &[]);
    assert_eq!(run.code, Some(1), "{}", run.text);
    assert!(run.text.contains("run `pyqa install` again"), "{}", run.text);
    repo.state().assert_is(&before, &run.text);
    let path =
        format!("{}:/usr/bin:/bin", std::path::Path::new(binary).parent().unwrap().display());
    let path = format!("{}:{path}", repo.path("../bin").display());
    let run = bare_commit(&repo, &[("PATH", &path)]);
    assert!(!run.passed && run.text.contains("bad line"), "{}", run.text);
    let run = bare_commit(&repo, &[("PYQA", "0")]);
    assert!(run.passed, "{}", run.text);
}

#[test]
fn case_30_an_environment_that_is_missing_is_told_and_nothing_is_lost() {
    let mut repo = Repo::real("[tool.pyqa]\ntools = [\"mypy\"]\npython = \".venv/bin/python\"\n");
    repo.stage("a.py", CLEAN);
    repo.put("a.py", "mine: int = 'x'\n");
    let text = repo.refused(&["commit", "-qm", "no environment"]);
    assert!(text.contains(".venv"), "{text}");
    assert!(text.contains("hint"), "{text}");

    // Moved away: the link that is left leads nowhere.
    std::os::unix::fs::symlink("/nowhere/venv", repo.path(".venv")).unwrap();
    fs::write(repo.path(".git/info/exclude"), ".venv\n").unwrap();
    repo.refused(&["commit", "-qm", "moved environment"]);

    // A tool that is nowhere, on a machine that may install nothing.
    repo.set("PYQA_OFFLINE", "1");
    repo.set("VIRTUAL_ENV", "");
    repo.stage("pyproject.toml", "[tool.pyqa]\ntools = [\"ruff-check\"]\n");
    let text = repo.refused(&["commit", "-qm", "no tool"]);
    assert!(text.contains("ruff"), "{text}");
}

#[test]
fn case_30_a_strict_umask_and_a_broken_settings_file() {
    let repo = Repo::with(&format!("{SETTINGS}fix = \"stage\"\n"), &[]);
    repo.stage("a.py", "a=1\n");
    let output = repo
        .command("sh")
        .current_dir(&repo.top)
        .args(["-c", "umask 077; git commit -qm umask"])
        .output()
        .unwrap();
    let run = Git::of(output);
    assert!(run.passed, "{}", run.text);
    assert_eq!((repo.head("a.py").as_str(), repo.status().as_str()), (CLEAN, ""));
    repo.stage("pyproject.toml", "[tool.pyqa]\njbos = 1\n");
    let text = repo.refused(&["commit", "-qm", "settings"]);
    assert!(text.contains("did you mean `jobs`?"), "{text}");
}
