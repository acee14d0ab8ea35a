//! Case 30: a hook that is given almost nothing.

use std::fs;
use std::os::unix::fs::PermissionsExt;
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
    let settings = "[tool.pyqa]\nonly = [\"flake8\", \"black\"]\n";
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
    let mut repo = Repo::real("[tool.pyqa]\nonly = [\"mypy\"]\npython = \".venv/bin/python\"\n");
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
    repo.stage("pyproject.toml", "[tool.pyqa]\nonly = [\"ruff-check\"]\n");
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

#[test]
fn a_repository_of_another_user_is_refused_in_git_s_own_words_until_git_trusts_it() {
    let mut repo = repo_with_environment();
    repo.stage("a.py", "import os\n");
    let stranger = rustix::process::geteuid().as_raw() + 4242;
    for place in [repo.root(), repo.path(".git")] {
        if std::os::unix::fs::chown(place, Some(stranger), None).is_err() {
            return skipped("this user may not give a folder away");
        }
    }
    for command in [
        &["check"][..],
        &["check", "--staged"],
        &["check", "--since", "HEAD"],
        &["check", "--from-ref", "HEAD"],
        &["hook", "pre-commit", "--"],
        &["install"],
        &["uninstall"],
    ] {
        let run = repo.pyqa(command);
        assert_eq!(run.code, 2, "{command:?}: {}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains("dubious ownership"), "{command:?}: {}", run.stderr);
        assert!(
            run.stderr.contains("\tgit config --global --add safe.directory"),
            "{}",
            run.stderr
        );
    }
    let run = repo.git(&["commit", "-qm", "theirs"]);
    assert!(!run.passed && run.text.contains("dubious ownership"), "{}", run.text);

    let trusting = repo.path("../trusting");
    fs::write(&trusting, "[safe]\n\tdirectory = *\n").unwrap();
    repo.set("GIT_CONFIG_GLOBAL", &trusting);
    repo.refused(&["commit", "-qm", "theirs"]);
    for command in [&["check"][..], &["check", "--staged"], &["hook", "pre-commit", "--"]] {
        let run = repo.pyqa(command);
        let text = run.stdout + &run.stderr;
        assert!(run.code == 1 && text.contains("F401"), "{command:?}: {text}");
    }
}

/// A real user without rights of root's, whose home is closed to them.
#[test]
fn case_30_a_home_without_write_permission_and_no_terminal() {
    const SCRIPT: &str = "cd \"$1\" && exec setsid setpriv --reuid=65534 --regid=65534 \
        --clear-groups env -i PATH=\"$2:/usr/bin:/bin\" HOME=\"$3\" TMPDIR=\"$4\" \
        git commit -qm nobody";
    let repo = Repo::new("stage");
    let as_nobody = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .args([env!("CARGO_BIN_EXE_pyqa"), "--version"])
        .output();
    if !as_nobody.is_ok_and(|output| output.status.success()) {
        return skipped("there is no second user, or the program is out of its reach");
    }
    let [home, temporary] = ["../closed", "../tmp"].map(|name| repo.path(name));
    fs::create_dir(&temporary).unwrap();
    fs::create_dir(&home).unwrap();
    repo.stage("a.py", BAD);
    let all = repo.path("..");
    let commit = || {
        // The tests' own git has written as another user.
        let given = Command::new("chown").args(["-R", "65534:65534"]).arg(&all).status();
        assert!(given.unwrap().success());
        fs::set_permissions(&home, fs::Permissions::from_mode(0o555)).unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", SCRIPT, "sh"]).arg(&repo.top).arg(repo.path("../bin"));
        Git::of(command.args([&home, &temporary]).stdin(Stdio::null()).output().unwrap())
    };
    let run = commit();
    assert!(!run.passed && run.text.contains("bad line"), "{}", run.text);
    assert!(!run.text.contains('\u{1b}'), "{}", run.text);
    assert_eq!(repo.read("a.py"), BAD);
    let trusting = ["-c", "safe.directory=*"];
    repo.put("a.py", "a=1\n");
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(["--git-dir"]).arg(repo.path(".git")).arg("--work-tree").arg(&repo.top);
        let output = command.args(trusting).args(arguments).current_dir(&repo.top).output();
        Git::of(output.unwrap()).text
    };
    git(&["add", "a.py"]);
    let run = commit();
    assert!(run.passed, "{}", run.text);
    assert_eq!(
        (git(&["show", "HEAD:a.py"]).as_str(), git(&["status", "-s"]).as_str()),
        (CLEAN, "")
    );
    assert_eq!(repo.read("a.py"), CLEAN);
    assert_eq!(fs::read_dir(&home).unwrap().count(), 0);
}

#[expect(clippy::print_stderr, reason = "a test that does not run has to say so")]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}
