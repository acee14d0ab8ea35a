//! Why mypy's daemon does not answer in mypy's place: what it says of a file depends on what the file
//! was before. Should this test fail one day, the daemon has become better, and the choice is open.

use std::fs;
use std::process::Output;

use crate::support::{Project, tool_environment};

#[test]
fn mypy_s_daemon_loses_an_error_that_mypy_reports() {
    let project = Project::new();
    let a = |result: &str| format!("def f() -> {result}:\n    return {result}()\n");
    project.write("mypy.ini", "[mypy]\nwarn_unused_ignores = True\n");
    project.write("b.py", "import a\n\nY: int = a.f()  # type: ignore\n");
    let mypy = |arguments: &[&str]| -> Output {
        let mut command = project.command(tool_environment().join("bin/python"));
        command.arg("-m").args(arguments).output().unwrap()
    };
    let status_file = project.path("../dmypy.json");
    let daemon = |text: &str| {
        project.write("a.py", text);
        let status_file = status_file.to_str().unwrap();
        mypy(&["mypy.dmypy", "--status-file", status_file, "run", "--timeout", "60", "--", "."])
    };
    let first = daemon(&a("str"));
    assert!(first.status.success(), "{first:?}");
    // Now nothing is left to ignore.
    let by_daemon = daemon(&a("int"));
    let by_mypy = mypy(&["mypy", "--cache-dir=/dev/null", "."]);
    mypy(&["mypy.dmypy", "--status-file", status_file.to_str().unwrap(), "stop"]);
    assert!(!fs::exists(&status_file).unwrap());
    let said = String::from_utf8_lossy(&by_mypy.stdout).into_owned();
    assert!(said.contains("b.py:3: error: Unused \"type: ignore\" comment"), "{said}");
    assert!(by_daemon.status.success(), "{by_daemon:?}");
}
