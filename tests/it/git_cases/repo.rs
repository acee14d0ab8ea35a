//! A repository whose hook is pyqa with two tools of its own: a checker that complains of lines
//! with `BAD` and writes down what it is given, and a fixer that puts spaces around `=`.

use std::fs::{self, Permissions};
use std::ops::Deref;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::state::State;
use crate::support::Project;

/// `SEEN` is a folder: `files` has a line for each file, `env` what a process sees, and `content`
/// the last content of each file. While `SEEN/block` exists, the checker waits.
const CHECKER: &str = r#"#!/bin/sh
seen='SEEN'
shift
echo $$ $PPID >> "$seen/pids"
env | sort > "$seen/env"
pwd >> "$seen/cwd"
while [ -e "$seen/block" ]; do sleep 0.05; done
code=0
for file in "$@"; do
    printf '%s\0' "$file" >> "$seen/files"
    name=$(basename -- "$file")
    cp -- "$file" "$seen/content/$name" 2> /dev/null
    if grep -q BAD -- "$file"; then
        printf '\036%s\037%s\n' "$file" '1 bad line'
        code=1
    fi
done
exit $code
"#;

const FIXER: &str = r#"#!/bin/sh
seen='SEEN'
mode=$1
shift
code=0
for file in "$@"; do
    grep -q '[a-z]=[0-9]' -- "$file" || continue
    if [ "$mode" = --check ]; then
        printf '\036%s\037%s\n' "$file" '1 no spaces'
        code=1
    else
        printf '%s\0' "$file" >> "$seen/fixed"
        sed 's/\([a-z]\)=\([0-9]\)/\1 = \2/g' -- "$file" > "$seen/fix.$$" && cat "$seen/fix.$$" > "$file"
    fi
done
exit $code
"#;

pub(super) const SETTINGS: &str = r#"
[tool.pyqa]
skip = ["flake8", "mypy", "bandit", "black", "pytest"]

[tool.pyqa.tools.checker]
granularity = "file"
command = { program = "checker", args = ["--"] }
output = { format = "regex", pattern = '\x1e(?P<path>(?-u:[^\x1f]*))\x1f(?P<line>\d+) (?P<message>[^\n]*)' }

[tool.pyqa.tools.fixer]
granularity = "file"
command = { program = "fixer", args = ["--check"] }
fix = { args = ["--fix"], stage = "layout" }
output = { format = "regex", pattern = '\x1e(?P<path>(?-u:[^\x1f]*))\x1f(?P<line>\d+) (?P<message>[^\n]*)' }

[tool.pyqa.hooks]
"#;

pub(super) const CLEAN: &str = "a = 1\n";
pub(super) const UNFIXED: &str = "a=1\n";
pub(super) const BAD: &str = "BAD\n";

/// What the fixer makes of a text.
pub(super) fn fixed(text: &str) -> String {
    regex::Regex::new("([a-z])=([0-9])").unwrap().replace_all(text, "$1 = $2").into_owned()
}

/// A text in whose first line the fixer has something to do, and another line that is far enough
/// from it for `MINE` to follow.
pub(super) fn unfixed(value: usize) -> String {
    format!("a={value}\n# one\n# two\n")
}

pub(super) const MINE: &str = "mine = 1\n";

/// A text of 60 lines; its first and its fiftieth can be named.
pub(super) fn long(first: &str, fiftieth: &str) -> String {
    let lines = (1..=60).map(|number| match number {
        1 => first.to_owned(),
        50 => fiftieth.to_owned(),
        _ => format!("# line {number}"),
    });
    lines.map(|line| line + "\n").collect()
}

pub(super) struct Repo {
    project: Project,
    pub(super) top: PathBuf,
}

impl Deref for Repo {
    type Target = Project;

    fn deref(&self) -> &Project {
        &self.project
    }
}

/// What a git command left behind.
#[must_use = "a command that nobody looks at tests nothing"]
#[derive(Debug)]
pub(super) struct Git {
    pub(super) passed: bool,
    pub(super) code: Option<i32>,
    /// Both streams.
    pub(super) text: String,
}

impl Repo {
    /// One commit with the settings, `fix` among them, and the hook installed.
    pub(super) fn new(fix: &str) -> Self {
        Self::with(&format!("{SETTINGS}fix = \"{fix}\"\n"), &[])
    }

    /// With the real tools, in a project that says nothing of tools but `settings`.
    pub(super) fn real(settings: &str) -> Self {
        let project = Project::new();
        Self::begin(project, settings, &[])
    }

    pub(super) fn with(settings: &str, init: &[&str]) -> Self {
        Self::begin(Project::without_environment(), settings, init)
    }

    fn begin(mut project: Project, settings: &str, init: &[&str]) -> Self {
        let bin = project.path("../bin");
        let seen = project.path("../seen");
        fs::create_dir_all(seen.join("content")).unwrap();
        fs::create_dir_all(&bin).unwrap();
        for (name, text) in [("checker", CHECKER), ("fixer", FIXER)] {
            let text = text.replace("SEEN", seen.to_str().unwrap());
            fs::write(bin.join(name), text).unwrap();
            fs::set_permissions(bin.join(name), Permissions::from_mode(0o755)).unwrap();
        }
        let path = std::env::var("PATH").unwrap();
        project.set("PATH", format!("{}:{path}", bin.display()));
        let top = project.root();
        let repo = Self { project, top };
        repo.ok(&[&["init", "-q", "-b", "main"], init].concat());
        repo.ok(&["config", "user.name", "Tester"]);
        repo.ok(&["config", "user.email", "tester@example.invalid"]);
        repo.write("pyproject.toml", settings);
        repo.ok(&["add", "-A"]);
        repo.ok(&["commit", "-qm", "settings"]);
        repo.install(&[]);
        repo
    }

    pub(super) fn install(&self, arguments: &[&str]) {
        let run = self.pyqa(&[&["install"], arguments].concat());
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    }

    pub(super) fn set(&mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) {
        self.project.set(name, value);
    }

    /// Commands are run in another work tree from here on.
    pub(super) fn in_tree(self, top: PathBuf) -> Self {
        Self { top, ..self }
    }

    pub(super) fn git_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.project.command("git");
        command.current_dir(&self.top).args(arguments);
        command
    }

    /// Runs git, in whatever way it ends.
    pub(super) fn git(&self, arguments: &[&str]) -> Git {
        Git::of(self.git_command(arguments).output().unwrap())
    }

    /// What git prints; it has to succeed.
    #[track_caller]
    pub(super) fn ok(&self, arguments: &[&str]) -> String {
        let run = self.git(arguments);
        assert!(run.passed, "git {arguments:?}: {}", run.text);
        run.text
    }

    /// What git prints; it has to fail and leave everything as it is.
    #[track_caller]
    pub(super) fn refused(&self, arguments: &[&str]) -> String {
        let before = self.state();
        let run = self.git(arguments);
        assert!(!run.passed, "git {arguments:?} passed: {}", run.text);
        self.state().assert_is(&before, &format!("after git {arguments:?}\n{}", run.text));
        run.text
    }

    /// A file with committed content.
    pub(super) fn commit_file(&self, name: &str, text: impl AsRef<[u8]>) {
        self.put(name, text);
        self.ok(&["add", "--", name]);
        self.ok(&["commit", "-qm", name, "--no-verify"]);
    }

    pub(super) fn put(&self, name: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.top.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn stage(&self, name: &str, text: impl AsRef<[u8]>) {
        self.put(name, text);
        self.ok(&["add", "--", name]);
    }

    pub(super) fn read(&self, name: impl AsRef<Path>) -> String {
        String::from_utf8(fs::read(self.top.join(name)).unwrap()).unwrap()
    }

    /// Content in the last commit.
    pub(super) fn head(&self, name: &str) -> String {
        self.ok(&["show", &format!("HEAD:{name}")])
    }

    pub(super) fn status(&self) -> String {
        self.ok(&["status", "--porcelain"])
    }

    pub(super) fn git_dir(&self) -> PathBuf {
        self.top.join(self.ok(&["rev-parse", "--absolute-git-dir"]).trim())
    }

    pub(super) fn state(&self) -> State {
        State::of(&self.top, &self.git_dir(), &|question| {
            // A look at the index must not write it.
            let mut command = self.git_command(question);
            command.env("GIT_OPTIONAL_LOCKS", "0").output().unwrap().stdout
        })
    }

    pub(super) fn seen(&self) -> PathBuf {
        self.project.path("../seen")
    }

    /// Files that the checker was given since the last call, sorted.
    pub(super) fn checked(&self) -> Vec<String> {
        let list = fs::read(self.seen().join("files")).unwrap_or_default();
        let _ = fs::remove_file(self.seen().join("files"));
        let names = list.split(|&byte| byte == 0).filter(|name| !name.is_empty());
        let mut names: Vec<_> =
            names.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        names.sort();
        names
    }

    /// The content of a file as the checker saw it last.
    pub(super) fn seen_content(&self, name: &str) -> String {
        fs::read_to_string(self.seen().join("content").join(name)).unwrap()
    }

    /// The environment of the checker.
    pub(super) fn seen_env(&self) -> String {
        fs::read_to_string(self.seen().join("env")).unwrap()
    }
}

impl Git {
    pub(super) fn of(output: Output) -> Self {
        let text = [output.stdout, output.stderr].concat();
        Self {
            passed: output.status.success(),
            code: output.status.code(),
            text: String::from_utf8_lossy(&text).into_owned(),
        }
    }
}
