//! pyqa against the tools run by hand, by `tests/tools/by_hand.py`, which reads their output with
//! code of its own.

use crate::support::{Project, tool_environment};

fn compare(project: &Project, tools: &str) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/by_hand.py");
    let output = project
        .command(tool_environment().join("bin/python"))
        .args([script, "--pyqa", env!("CARGO_BIN_EXE_pyqa"), "--only", tools, "--env"])
        .arg(tool_environment())
        .arg(project.root())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let trouble = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}{trouble}");
    assert!(said.lines().any(|line| !line.contains(": 0 by hand")), "nothing was compared: {said}");
}

#[test]
fn the_demo_has_the_findings_that_the_tools_print_by_hand() {
    compare(&Project::fixture("demo"), "flake8,mypy,bandit,black,pytest");
}

/// Real code of others: pip's vendored packages, which every environment with pip holds.
#[test]
fn code_of_others_has_the_findings_that_the_tools_print_by_hand() {
    let project = Project::new();
    let lib = std::fs::read_dir(tool_environment().join("lib")).unwrap().flatten().next().unwrap();
    let vendor = lib.path().join("site-packages/pip/_vendor");
    for package in ["requests", "urllib3", "packaging"] {
        let copied = std::process::Command::new("cp")
            .arg("-r")
            .arg(vendor.join(package))
            .arg(project.path(package))
            .status();
        assert!(copied.unwrap().success());
    }
    compare(&project, "flake8,bandit,black");
}
