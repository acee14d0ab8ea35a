//! `pyqa install`, `pyqa uninstall` and `pyqa doctor` in repositories of all kinds.

use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::support::{Project, Run};

fn repository() -> Project {
    let project = Project::without_environment();
    project.git(&["init", "-q"]);
    project.write("pyproject.toml", "[tool.pyqa]\nonly = []\n");
    project
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn is_own(path: &Path) -> bool {
    fs::read(path).is_ok_and(|text| memchr::memmem::find(&text, b"hook pre-").is_some())
}

fn succeed(run: &Run) {
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
}

fn hook(project: &Project) -> PathBuf {
    project.path(".git/hooks/pre-commit")
}

#[test]
fn installing_writes_a_script_that_names_this_program_and_twice_changes_nothing() {
    let project = repository();
    let run = project.pyqa(&["install"]);
    succeed(&run);
    assert_eq!(run.stdout, format!("installed: {}\n", hook(&project).display()));
    let text = fs::read_to_string(hook(&project)).unwrap();
    let binary = env!("CARGO_BIN_EXE_pyqa");
    assert!(text.starts_with("#!/bin/sh\n"), "{text}");
    assert!(text.contains(&format!("\npyqa='{binary}'\n")), "{text}");
    assert_eq!(mode(&hook(&project)), 0o755);
    let before = fs::metadata(hook(&project)).unwrap();
    let again = project.pyqa(&["install"]);
    succeed(&again);
    assert_eq!(again.stdout, format!("already installed: {}\n", hook(&project).display()));
    let after = fs::metadata(hook(&project)).unwrap();
    assert_eq!((before.ino(), before.mtime_nsec()), (after.ino(), after.mtime_nsec()));
}

#[test]
fn each_hook_is_installed_by_its_name_and_all_are_removed_at_once() {
    let project = repository();
    succeed(&project.pyqa(&["install", "--hook", "pre-push", "--hook", "pre-merge-commit"]));
    let hooks = project.path(".git/hooks");
    assert!(is_own(&hooks.join("pre-push")) && is_own(&hooks.join("pre-merge-commit")));
    assert!(!hooks.join("pre-commit").exists());
    succeed(&project.pyqa(&["uninstall"]));
    assert!(!hooks.join("pre-push").exists() && !hooks.join("pre-merge-commit").exists());
    assert!(!project.path(".git/pyqa/hooks").exists());
    let again = project.pyqa(&["uninstall"]);
    succeed(&again);
    assert!(again.stdout.starts_with("nothing to remove"), "{}", again.stdout);
}

/// What may lie where the hook goes.
enum Former {
    File(&'static [u8], u32),
    Link(&'static str),
}

#[test]
fn whatever_hook_was_there_comes_back_with_its_bytes_and_its_mode() {
    let formers = [
        Former::File(b"#!/bin/sh\nexit 0\n", 0o755),
        Former::File(b"#!/usr/bin/env python3\nprint('x')\n", 0o700),
        Former::File(b"\x7fELF\0\0\xff\xfe binary", 0o555),
        Former::File(b"#!/bin/sh\n# \xff\xfe is not UTF-8\n", 0o755),
        Former::File(b"#!/bin/sh\n", 0o644),
        Former::File(b"", 0o755),
        Former::Link("../../tracked-hook.sh"),
        Former::Link("/nowhere/at all"),
    ];
    for former in formers {
        let project = repository();
        project.write("tracked-hook.sh", "#!/bin/sh\n");
        let hook = hook(&project);
        match former {
            Former::File(bytes, mode) => {
                fs::write(&hook, bytes).unwrap();
                fs::set_permissions(&hook, Permissions::from_mode(mode)).unwrap();
            }
            Former::Link(target) => symlink(target, &hook).unwrap(),
        }
        let state = || (mode(&hook), fs::read_link(&hook).ok(), fs::read(&hook).ok());
        let before = state();
        succeed(&project.pyqa(&["install"]));
        assert!(is_own(&hook));
        succeed(&project.pyqa(&["install"]));
        succeed(&project.pyqa(&["uninstall"]));
        assert_eq!(state(), before);
        assert!(fs::symlink_metadata(project.path(".git/hooks/pre-commit.legacy")).is_err());
        succeed(&project.pyqa(&["uninstall"]));
        assert_eq!(state(), before);
    }
}

#[test]
fn a_second_former_hook_is_refused_and_with_force_nothing_is_lost() {
    let project = repository();
    let hooks = project.path(".git/hooks");
    fs::write(hook(&project), "new").unwrap();
    fs::write(hooks.join("pre-commit.legacy"), "old").unwrap();
    let run = project.pyqa(&["install"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("are hooks that were here before"), "{}", run.stderr);
    assert_eq!(fs::read(hook(&project)).unwrap(), b"new");
    succeed(&project.pyqa(&["install", "--force"]));
    assert_eq!(fs::read(hooks.join("pre-commit.legacy")).unwrap(), b"new");
    assert_eq!(fs::read(hooks.join("pre-commit.legacy.1")).unwrap(), b"old");
}

#[test]
fn an_installation_that_was_interrupted_is_completed() {
    let project = repository();
    fs::write(hook(&project), "former").unwrap();
    // The former hook has both names already.
    fs::hard_link(hook(&project), project.path(".git/hooks/pre-commit.legacy")).unwrap();
    succeed(&project.pyqa(&["install"]));
    assert!(is_own(&hook(&project)));
    succeed(&project.pyqa(&["uninstall"]));
    assert_eq!(fs::read(hook(&project)).unwrap(), b"former");
}

#[test]
fn hooks_of_other_programs_that_kept_pyqa_s_are_left_alone() {
    let project = repository();
    succeed(&project.pyqa(&["install"]));
    let legacy = project.path(".git/hooks/pre-commit.legacy");
    fs::rename(hook(&project), &legacy).unwrap();
    fs::write(hook(&project), "another program's").unwrap();
    succeed(&project.pyqa(&["doctor"]));
    succeed(&project.pyqa(&["uninstall"]));
    assert!(!legacy.exists());
    assert_eq!(fs::read(hook(&project)).unwrap(), b"another program's");
}

#[test]
fn the_folder_is_the_one_that_git_looks_into() {
    for (scope, path) in [("--local", ".husky/_"), ("--worktree", "my hooks")] {
        let project = repository();
        project.git(&["config", "extensions.worktreeConfig", "true"]);
        project.git(&["config", scope, "core.hooksPath", path]);
        fs::create_dir(project.path("sub")).unwrap();
        let run = project.pyqa(&["install"]);
        succeed(&run);
        assert!(is_own(&project.path(path).join("pre-commit")), "{}", run.stdout);
        assert!(!hook(&project).exists());
        // From below the top it is the same folder.
        let mut below = project.command(env!("CARGO_BIN_EXE_pyqa"));
        let output = below.current_dir(project.path("sub")).arg("install").output().unwrap();
        assert!(output.stdout.starts_with(b"already installed"), "{output:?}");
        succeed(&project.pyqa(&["uninstall"]));
        assert!(!project.path(path).join("pre-commit").exists());
    }
}

#[test]
fn a_folder_for_all_repositories_is_refused_without_force() {
    for name in ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM"] {
        let mut project = repository();
        let shared = project.path("../shared");
        let settings = project.path("../settings");
        fs::write(&settings, format!("[core]\n\thooksPath = {}\n", shared.display())).unwrap();
        project.set("GIT_CONFIG_NOSYSTEM", "0").set(name, &settings);
        let run = project.pyqa(&["install"]);
        assert_eq!(run.code, 2, "{}", run.stdout);
        assert!(run.stderr.contains("core.hooksPath"), "{}", run.stderr);
        assert!(!shared.exists());
        succeed(&project.pyqa(&["install", "--force"]));
        assert!(is_own(&shared.join("pre-commit")));
        succeed(&project.pyqa(&["uninstall"]));
        assert!(!shared.join("pre-commit").exists());
    }
}

#[test]
fn an_empty_hooks_path_and_one_that_is_no_folder_are_errors() {
    let project = repository();
    project.git(&["config", "core.hooksPath", ""]);
    let run = project.pyqa(&["install"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("core.hooksPath is empty in this repository"), "{}", run.stderr);
    project.git(&["config", "core.hooksPath", "/dev/null"]);
    let run = project.pyqa(&["install", "--force"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("/dev/null cannot be used"), "{}", run.stderr);
}

#[test]
fn a_linked_work_tree_a_git_file_and_a_bare_repository_share_the_hooks_of_the_repository() {
    let project = repository();
    project.git(&["add", "-A"]).git(&["commit", "-qm", "first"]);
    project.git(&["worktree", "add", "-q", "-b", "linked", "../linked work tree"]);
    let linked = project.path("../linked work tree");
    let mut command = project.command(env!("CARGO_BIN_EXE_pyqa"));
    let output = command.current_dir(&linked).arg("install").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(is_own(&hook(&project)));

    let project = Project::without_environment();
    project.git(&["init", "-q", "--separate-git-dir", "../elsewhere"]);
    succeed(&project.pyqa(&["install"]));
    assert!(is_own(&project.path("../elsewhere/hooks/pre-commit")));

    let project = Project::without_environment();
    project.git(&["init", "-q", "--bare"]);
    succeed(&project.pyqa(&["install", "--hook", "pre-push"]));
    assert!(is_own(&project.path("hooks/pre-push")));
}

#[test]
fn a_shared_repository_gives_its_modes_to_the_hook() {
    let project = Project::without_environment();
    project.git(&["init", "-q", "--shared=group"]);
    fs::remove_dir_all(project.path(".git/hooks")).unwrap();
    succeed(&project.pyqa(&["install"]));
    assert_eq!(mode(&hook(&project)), 0o775);
    assert_eq!(mode(&project.path(".git/hooks")), 0o2775);
    project.git(&["config", "core.sharedRepository", "0640"]);
    fs::remove_file(hook(&project)).unwrap();
    succeed(&project.pyqa(&["install"]));
    assert_eq!(mode(&hook(&project)), 0o750);
}

#[test]
fn a_repository_whose_path_is_strange_is_installed_into() {
    let project = Project::without_environment();
    let strange = project.path(std::ffi::OsStr::from_bytes(b"it's \xff\n a \"repo\""));
    fs::create_dir(&strange).unwrap();
    for program in ["git", env!("CARGO_BIN_EXE_pyqa")] {
        let argument = if program == "git" { "init" } else { "install" };
        let mut command = project.command(program);
        let output = command.current_dir(&strange).arg(argument).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert!(is_own(&strange.join(".git/hooks/pre-commit")));
}

#[test]
fn outside_of_a_repository_installing_says_so() {
    let project = Project::without_environment();
    let run = project.pyqa(&["install"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("not a git repository"), "{}", run.stderr);
    assert!(run.stderr.contains("hint: "), "{}", run.stderr);
}

#[test]
fn an_older_git_is_refused_where_a_hook_in_its_settings_is_asked_for() {
    let project = repository();
    with_git_version(&project, "2.53.1");
    let path = format!("{}:/usr/bin:/bin", project.path("../bin").display());
    let run = pyqa_with_path(&project, &path, &["install", "--config-hook"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("git 2.53 runs no hooks that stand in its settings"), "{run:?}");
    assert_eq!(git_says(&project, &["config", "--get-regexp", "^hook"]), "");
}

#[test]
fn a_newer_git_is_given_the_hook_as_a_setting() {
    let project = repository();
    with_git_version(&project, "2.54.0");
    let path = format!("{}:/usr/bin:/bin", project.path("../bin").display());
    for word in ["installed", "already installed"] {
        let run = pyqa_with_path(&project, &path, &["install", "--config-hook"]);
        assert_eq!(run.stdout, format!("{word} in git's settings: pre-commit\n"), "{run:?}");
    }
    let binary = env!("CARGO_BIN_EXE_pyqa");
    assert_eq!(
        git_says(&project, &["config", "--get-regexp", "^hook"]),
        format!(
            "hook.pyqa-pre-commit.command '{binary}' hook pre-commit --\n\
             hook.pyqa-pre-commit.event pre-commit\n"
        )
    );
    assert!(!hook(&project).exists());
    let doctor = pyqa_with_path(&project, &path, &["doctor"]);
    assert!(doctor.stdout.contains("in git's settings"), "{doctor:?}");
    succeed(&doctor);
    succeed(&project.pyqa(&["uninstall"]));
    assert_eq!(git_says(&project, &["config", "--get-regexp", "^hook"]), "");
}

/// A git in `../bin` that says it is of `version`, and otherwise is the real one.
fn with_git_version(project: &Project, version: &str) {
    let git = which::which("git").unwrap();
    let script = format!(
        "#!/bin/sh\nfor last; do :; done\n\
         [ \"$last\" = --version ] && echo 'git version {version}' && exit\n\
         exec '{}' \"$@\"\n",
        git.display()
    );
    project.write("../bin/git", script);
    fs::set_permissions(project.path("../bin/git"), Permissions::from_mode(0o755)).unwrap();
}

fn pyqa_with_path(project: &Project, path: &str, arguments: &[&str]) -> Run {
    let mut command = project.command(env!("CARGO_BIN_EXE_pyqa"));
    let output = command.env("PATH", path).args(arguments).output().unwrap();
    Run::of(&output)
}

fn git_says(project: &Project, arguments: &[&str]) -> String {
    let output = project.command("git").args(arguments).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn complaint(project: &Project) -> String {
    let run = project.pyqa(&["doctor"]);
    assert_eq!(run.code, 1, "{}{}", run.stdout, run.stderr);
    run.stdout.split_once("\n\n").unwrap().1.to_owned()
}

#[test]
fn the_doctor_has_nothing_to_say_of_a_hook_that_git_runs() {
    let project = repository();
    succeed(&project.pyqa(&["install"]));
    let run = project.pyqa(&["doctor"]);
    succeed(&run);
    let line = run.stdout.lines().find(|line| line.trim().starts_with("pre-commit ")).unwrap();
    assert!(line.ends_with(&format!("starts {}", env!("CARGO_BIN_EXE_pyqa"))), "{line}");
    assert!(run.stdout.contains("pre-push           not installed"), "{}", run.stdout);
}

#[test]
fn the_doctor_tells_each_reason_why_the_hook_is_not_run() {
    let project = repository();
    succeed(&project.pyqa(&["install"]));
    let hook = hook(&project);
    let text = fs::read_to_string(&hook).unwrap();
    let runnable = || fs::set_permissions(&hook, Permissions::from_mode(0o755)).unwrap();

    fs::set_permissions(&hook, Permissions::from_mode(0o644)).unwrap();
    assert!(complaint(&project).contains("is not executable, and git leaves it out"));

    runnable();
    fs::write(&hook, text.replace(" version: 1\n", " version: 0\n")).unwrap();
    assert!(complaint(&project).contains("is version 0 of pyqa's script"));

    fs::write(&hook, text.replace("/pyqa'", "/gone/pyqa'")).unwrap();
    let complaint_of_gone = complaint(&project);
    assert!(complaint_of_gone.contains("/gone/pyqa, which is not there any more"));
    assert!(complaint_of_gone.contains("every commit fails"), "{complaint_of_gone}");

    fs::write(&hook, "#!/bin/sh\n").unwrap();
    assert!(complaint(&project).contains("was written by another program after pyqa"));

    fs::write(&hook, &text).unwrap();
    project.git(&["config", "core.hooksPath", ".husky/_"]);
    let moved = complaint(&project);
    assert!(moved.contains("is never run: core.hooksPath in this repository's settings names"));
    assert!(moved.contains("hint: run `pyqa install --hook pre-commit`"), "{moved}");
    succeed(&project.pyqa(&["install"]));
    succeed(&project.pyqa(&["doctor"]));

    project.git(&["config", "--unset", "core.hooksPath"]);
    fs::remove_file(&hook).unwrap();
    assert!(complaint(&project).contains(".husky/_/pre-commit is never run"));
    succeed(&project.pyqa(&["uninstall"]));
    assert!(!project.path(".husky/_/pre-commit").exists());
    succeed(&project.pyqa(&["doctor"]));

    project.git(&["config", "hook.pyqa-pre-push.command", "'/gone' hook pre-push --"]);
    let settings = complaint(&project);
    assert!(settings.contains("in git's settings starts no program"), "{settings}");
}

#[test]
fn the_doctor_shows_environment_tools_and_cache_and_what_is_wrong_with_them() {
    let project = Project::fixture("demo");
    let run = project.pyqa(&["doctor"]);
    succeed(&run);
    assert!(run.stdout.contains("hooks        no git repository"), "{}", run.stdout);
    assert!(run.stdout.contains("  flake8             7.5.0 from"), "{}", run.stdout);
    project.write("../file", "");
    let mut project = project;
    let file = project.path("../file");
    project.set("PYQA_CACHE_DIR", &file);
    assert!(complaint(&project).contains("cannot be used"));
    project.write("pyproject.toml", "[tool.pyqa]\njbos = 1\n");
    assert!(complaint(&project).contains("did you mean `jobs`?"));
}
