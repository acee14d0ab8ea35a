//! Tools that crash, hang or are interrupted, played by small programs that the project declares.

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;

use crate::support::Project;

/// A project with a per-file tool `stub` that is the shell script `script`.
fn with_stub(script: &str) -> Project {
    let mut project = Project::new();
    let folder = project.path("../bin");
    fs::create_dir_all(&folder).unwrap();
    executable(&folder.join("stub"), &format!("#!/bin/sh\n{script}\n"));
    project.set("PATH", format!("{}:{}", folder.display(), std::env::var("PATH").unwrap()));
    project.write(
        "pyproject.toml",
        "[tool.pyqa.tools.stub]\ngranularity = \"file\"\ncommand = { program = \"stub\" }\n\
         output = { format = \"regex\", pattern = '^(?P<path>\\S+):(?P<line>\\d+) (?P<message>.*)$' }\n",
    );
    project.write("a.py", "").write("b.py", "").write("c.py", "");
    project
}

fn executable(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_crash_on_one_file_leaves_the_others_their_answer_and_is_never_a_pass() {
    let script = "for f in \"$@\"; do [ $f = b.py ] && exit 99; echo $f:1 found; done; exit 1";
    let run = with_stub(script).check(&["--only", "stub"]);
    assert_eq!(run.code, 2);
    let found: Vec<_> = run.findings().into_iter().collect();
    assert_eq!(found, ["stub a.py:1 -", "stub c.py:1 -"]);
    assert_eq!(run.tool("stub", "failures").as_array().unwrap().len(), 1);
}

#[test]
fn an_exit_code_without_findings_is_a_crash() {
    for script in ["exit 1", "echo a.py:1 found; exit 0", "kill -9 $$"] {
        let run = with_stub(script).check(&["--only", "stub"]);
        assert_eq!(run.code, 2, "{script}");
    }
}

#[test]
fn a_hanging_tool_is_ended_by_its_time_limit() {
    let project = with_stub("sleep 300");
    let run = project.check(&["--only", "stub", "--timeout", "1"]);
    assert_eq!(run.code, 2);
    assert_eq!(run.tool("stub", "failures")[0]["kind"], "timed-out");
}

#[test]
fn an_interrupt_ends_everything_and_exits_130() {
    let project = with_stub("echo $$ > pid.tmp; mv pid.tmp pid; sleep 300 & wait");
    // The reader's end of a pipe closes when the last process of the run is gone.
    let (mut reader, writer) = std::io::pipe().unwrap();
    let mut child = project
        .command(env!("CARGO_BIN_EXE_pyqa"))
        .args(["check", "--only", "stub", "-j", "1"])
        .stdout(Stdio::null())
        .stderr(writer)
        .spawn()
        .unwrap();
    while !project.path("pid").exists() {
        assert!(child.try_wait().unwrap().is_none(), "ended before it was interrupted");
        std::thread::yield_now();
    }
    let pid = child.id().to_string();
    let killed = std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(killed.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let mut said = String::new();
    reader.read_to_string(&mut said).unwrap();
    let stub = fs::read_to_string(project.path("pid")).unwrap();
    let state = fs::read_to_string(format!("/proc/{}/stat", stub.trim()));
    assert!(state.map_or(true, |state| state.contains(") Z")), "the tool lives on");
}

#[test]
fn tools_do_not_see_the_repository_that_called_pyqa() {
    let mut project = with_stub(
        "env | grep -q '^GIT_DIR\\|^GIT_INDEX_FILE' && echo a.py:1 seen && exit 1; exit 0",
    );
    project.git(&["init", "-q"]).git(&["add", "-A"]);
    let index = project.path(".git/index");
    project.set("GIT_INDEX_FILE", index).set("GIT_PREFIX", "");
    assert_eq!(project.check(&["--only", "stub"]).code, 0);
}

#[test]
fn after_the_first_finding_fail_fast_starts_nothing_more() {
    let project = with_stub("echo $1:1 found; exit 1");
    let run = project.check(&["--only", "stub,mypy", "--fail-fast", "-j", "1"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
}

#[test]
fn mypy_that_breaks_down_is_not_clean() {
    let project = Project::new();
    project.write("mypy.ini", "[mypy]\nplugins = broken.py\n");
    project.write("broken.py", "def plugin(version):\n    raise SystemError(\"no\")\n");
    let run = project.check(&["--only", "mypy"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
}

#[test]
fn a_session_that_pytest_cannot_start_is_a_failure() {
    let project = Project::new();
    project.write("test_a.py", "def test_a():\n    pass\n");
    project.write("pytest.ini", "[pytest]\naddopts = --no-such-option\n");
    let run = project.check(&["--only", "pytest"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    let project = Project::new();
    project.write("conftest.py", "raise RuntimeError('no')\n").write("test_a.py", "");
    let run = project.check(&["--only", "pytest"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
}

#[test]
fn no_tests_are_no_failure() {
    let project = Project::new();
    project.write("test_nothing.py", "");
    assert_eq!(project.check(&["--only", "pytest"]).code, 0);
}
