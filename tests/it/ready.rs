//! What a child does before its job comes leaves nothing behind, and the children of flake8 and
//! bandit are got ready with the tools that are installed here.

use std::process::Command;

use crate::support::{Project, tool_environment};
use crate::worker_spares::until_children_wait;

#[test]
fn getting_ready_leaves_nothing_behind_in_the_process() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/left_behind.py");
    for tool in ["flake8", "bandit"] {
        let mut command = Command::new(tool_environment().join("bin/python"));
        let run = command.arg(script).arg(tool).output().unwrap();
        let said = String::from_utf8_lossy(&run.stdout);
        let failed = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{tool}: {said}{failed}");
    }
}

#[test]
fn a_child_of_each_tool_waits_for_the_next_job() {
    let mut project = Project::new();
    project.set("PYQA_WORKERS", "1");
    project.write("a.py", "import os\n");
    let run = project.check(&["--no-cache", "--only", "flake8,bandit,black"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    until_children_wait(&project, 3);
}

/// pyflakes reads it once in a process.
#[test]
fn a_variable_of_the_job_counts_where_the_worker_had_another() {
    let mut project = Project::new();
    project.set("PYQA_WORKERS", "1");
    project.write("a.py", "print(given)\n");
    let mut found = Vec::new();
    for names in ["other", "given", "other"] {
        project.set("PYFLAKES_BUILTINS", names);
        let run = project.check(&["--no-cache", "--only", "flake8"]);
        found.push(run.json()["findings"].as_array().unwrap().len());
        until_children_wait(&project, 1);
    }
    assert_eq!(found, [1, 0, 1]);
}
