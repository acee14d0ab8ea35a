//! A repository with pyqa as its hook.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::Project;

/// What a git command left behind.
#[must_use = "a command that nobody looks at tests nothing"]
#[derive(Debug)]
pub(crate) struct Git {
    pub(crate) passed: bool,
    /// Both streams.
    pub(crate) text: String,
}

/// A copy of the fixture `clean`, committed, with the hook in place.
pub(crate) fn repository() -> Project {
    let project = Project::fixture("clean");
    repository_of(&project);
    project
}

/// The same of any project.
pub(crate) fn repository_of(project: &Project) {
    project.git(&["init", "-q", "-b", "main"]);
    project.git(&["config", "user.name", "Tester"]);
    project.git(&["config", "user.email", "tester@example.invalid"]);
    project.git(&["add", "-A"]).git(&["commit", "-qm", "first"]);
    install(project, "pre-commit");
}

/// The script that the hook's installer writes, in short.
pub(crate) fn install(project: &Project, hook: &str) {
    let file = project.path(".git/hooks").join(hook);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let binary = env!("CARGO_BIN_EXE_pyqa");
    fs::write(&file, format!("#!/bin/sh\nexec '{binary}' hook {hook} -- \"$@\"\n")).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs git, in whatever way it ends.
pub(crate) fn git(project: &Project, arguments: &[&str]) -> Git {
    git_in(project, &project.root(), arguments)
}

pub(crate) fn git_in(project: &Project, folder: &Path, arguments: &[&str]) -> Git {
    let output = project.command("git").current_dir(folder).args(arguments).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    Git { passed: output.status.success(), text: String::from_utf8_lossy(&text).into_owned() }
}

/// What git prints.
pub(crate) fn read(project: &Project, arguments: &[&str]) -> String {
    let run = git(project, arguments);
    assert!(run.passed, "{arguments:?}: {}", run.text);
    run.text
}

/// Sets `[tool.pyqa.hooks]`, and commits it.
pub(crate) fn set_hooks(project: &Project, lines: &str) {
    let file = project.path("pyproject.toml");
    let text = fs::read_to_string(&file).unwrap_or_default();
    fs::write(file, format!("{text}\n[tool.pyqa.hooks]\n{lines}\n")).unwrap();
    project.git(&["add", "pyproject.toml"]).git(&["commit", "-qm", "hooks", "--no-verify"]);
}
