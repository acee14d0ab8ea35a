//! What is run again, what is replayed, and that a bad cache harms nobody.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::support::files::{copy_tree, files_below, set_modified, write_keeping_time};
use crate::support::{Project, environment_beside_the_tools, site_packages, tool_environment};

const TOOLS: [&str; 5] = ["flake8", "mypy", "bandit", "black", "pytest"];

/// A project in which all tools are clean, so that every result is stored.
fn settled() -> Project {
    let project = Project::fixture("clean");
    project.write("second.py", "\"\"\"Another module.\"\"\"\n\nVALUE = 1\n");
    project.git(&["init", "-q"]).git(&["add", "-A"]);
    let run = project.check(&[]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    project
}

fn starts(project: &mut Project, arguments: &[&str]) -> (usize, String) {
    let log = project.path("../starts");
    project.set("PYQA_TEST_STARTS", &log);
    let run = project.pyqa(arguments);
    let started = fs::read_to_string(&log).unwrap_or_default();
    let count = started.lines().collect::<BTreeSet<_>>().len();
    let _ = fs::remove_file(log);
    (count, run.stdout)
}

#[test]
fn a_second_run_starts_no_python_at_all_and_prints_the_same() {
    let mut project = Project::fixture("demo");
    let (first, shown) = starts(&mut project, &["check", "--skip", "pytest"]);
    assert!(first > 0, "the first run has to be counted, or the count means nothing");
    assert_eq!(starts(&mut project, &["check", "--skip", "pytest"]), (0, shown));
    let mut clean = settled();
    assert_eq!(starts(&mut clean, &["check"]), (0, String::new()));
}

#[test]
fn an_edit_of_one_file_runs_that_file_s_units_and_the_project_s() {
    let project = settled();
    project.write("second.py", "\"\"\"Another module.\"\"\"\n\nVALUE = 2\n");
    let run = project.check(&[]);
    let ran: Vec<_> = TOOLS.iter().map(|tool| run.ran(tool)).collect();
    assert_eq!(ran, [1, 1, 1, 1, 1]);
    assert_eq!(run.tool("flake8", "units_replayed"), 2);
}

#[test]
fn explain_tells_what_changed() {
    let project = settled();
    project.write("second.py", "\"\"\"Another module.\"\"\"\n\nVALUE = 3\n");
    project.write("third.py", "\"\"\"New.\"\"\"\n");
    project.write("tox.ini", "[flake8]\nmax-line-length = 99\n");
    let run = project.pyqa(&["check", "--explain", "-v"]);
    for part in [
        "second.py run: content changed",
        "third.py run: new file",
        "[flake8] max-line-length added",
        "mypy: project run: second.py changed, third.py is new",
    ] {
        assert!(run.stderr.contains(part), "{part} is not in:\n{}", run.stderr);
    }
}

#[test]
fn a_failing_suite_always_runs_again() {
    let project = Project::fixture("demo");
    for _ in 0..2 {
        assert_eq!(project.check(&["--only", "pytest"]).ran("pytest"), 1);
    }
}

#[test]
fn an_ignored_file_that_a_test_reads_is_part_of_its_result() {
    let project = settled();
    project.write(".gitignore", "data/\n").write("data/answer.txt", "42");
    project.write(
        "tests/test_data.py",
        "import pathlib\n\n\ndef test_data() -> None:\n    \
         assert pathlib.Path(\"data/answer.txt\").read_text() == \"42\"\n",
    );
    assert_eq!(project.check(&["--only", "pytest"]).code, 0);
    assert_eq!(project.check(&["--only", "pytest"]).ran("pytest"), 0);
    project.write("data/answer.txt", "41");
    assert_eq!(project.check(&["--only", "pytest"]).code, 1);
    project.write("data/answer.txt", "42");
    assert_eq!(project.check(&["--only", "pytest"]).code, 0);
}

#[test]
fn an_edit_of_the_same_size_within_the_same_second_is_seen_by_every_tool() {
    let project = Project::new();
    project.write("m.py", "def f(x: int) -> int:\n    return x\n\n\nprint(f(1 ))\n");
    let first = project.check(&["--only", "mypy,flake8,black"]);
    assert!(!first.stdout.contains("arg-type"), "{}", first.stdout);
    let edited = "def f(x: int) -> int:\n    return x\n\n\nprint(f(\"\"))\n";
    write_keeping_time(&project.path("m.py"), edited);
    let second = project.check(&["--only", "mypy,flake8,black"]);
    assert!(second.findings().contains("mypy m.py:5 arg-type"), "{}", second.stdout);
    assert_eq!(second.findings().len(), 1, "{}", second.stdout);
}

#[test]
fn a_test_run_never_uses_bytecode_that_is_older_than_its_source() {
    let project = Project::new();
    project.write("value.py", "X = 1\n");
    project.write("test_value.py", "import value\n\n\ndef test_x():\n    assert value.X == 1\n");
    project.write("pytest.ini", "[pytest]\npythonpath = .\n");
    for round in 0..4 {
        let good = round % 2 == 0;
        project.write("value.py", if good { "X = 1\n" } else { "X = 2\n" });
        let run = project.check(&["--only", "pytest"]);
        assert_eq!(run.code, i32::from(!good), "round {round}: {}", run.stdout);
    }
}

/// A project whose test wants the text of a module that stands in the place of the one that Python
/// has compiled: of the same size and time.
fn compiled_of_another_text(compile: &str) -> Project {
    let project = Project::new();
    project.write("test_value.py", "import value\n\n\ndef test_x():\n    assert value.X == 1\n");
    project.write("pytest.ini", "[pytest]\npythonpath = .\n").write("value.py", "X = 2\n");
    let source = project.path("value.py");
    let python = tool_environment().join("bin/python");
    let done = project.command(python).args(["-c", compile]).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    write_keeping_time(&source, "X = 1\n");
    project
}

#[test]
fn bytecode_that_git_checks_out_is_not_believed() {
    let project = compiled_of_another_text("import value");
    project.git(&["init", "-q"]).git(&["add", "-f", "."]).git(&["commit", "-q", "-m", "all"]);
    let cached = files_below(&project.path("__pycache__"));
    for file in &cached {
        fs::remove_file(file).unwrap();
    }
    // Written anew, long after the source.
    let later = SystemTime::now() + Duration::from_secs(5);
    project.git(&["checkout", "-q", "."]);
    for file in &cached {
        set_modified(file, later);
    }
    assert_eq!(cached.len(), 1);
    let run = project.check(&["--only", "pytest"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
}

#[test]
fn bytecode_that_is_not_to_be_checked_is_not_believed() {
    let project = compiled_of_another_text(
        "import py_compile; py_compile.compile('value.py', \
         invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)",
    );
    let run = project.check(&["--only", "pytest"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
}

#[test]
fn a_cache_moved_with_its_project_serves_at_the_new_place() {
    let project = settled();
    let mut moved = Project::new();
    copy_tree(&project.root(), &moved.root());
    copy_tree(&project.cache(), &moved.cache());
    let (started, _) = starts(&mut moved, &["check", "--only", "flake8,bandit,black"]);
    // The interpreter is asked once what it is.
    assert!(started <= 1, "{started} starts");
    let run = moved.check(&[]);
    let ran: Vec<_> = TOOLS.iter().map(|tool| run.ran(tool)).collect();
    assert_eq!(ran, [0, 0, 0, 0, 0], "{}", run.stdout);
}

#[test]
fn a_damaged_cache_is_a_slow_one() {
    let project = settled();
    let before = project.check(&[]);
    damage(&project.cache().join("results"));
    damage(&project.cache().join("states"));
    let after = project.check(&[]);
    assert_eq!((after.code, after.findings()), (before.code, before.findings()));
    assert_eq!(after.ran("flake8"), 3);
}

/// mypy ends with the same code where it stops at an error of the project.
#[test]
fn a_state_of_mypy_s_own_that_is_damaged_is_not_used_again() {
    let project = Project::new();
    let check = |text: &str| {
        project.write("a.py", text);
        let run = project.check(&["--only", "mypy"]);
        assert_eq!((run.code, run.findings().len()), (0, 0), "{}", run.stderr);
    };
    let databases = || {
        let mut found = files_below(&project.cache().join("tools/mypy"));
        found.retain(|path| path.extension().is_some_and(|extension| extension == "db"));
        found
    };
    check("X = 1\n");
    let damaged = databases();
    assert!(!damaged.is_empty());
    for path in &damaged {
        fs::write(path, "no database").unwrap();
    }
    check("X = 22\n");
    check("X = 333\n");
    let now = databases();
    assert!(!now.is_empty() && now.iter().all(|path| !damaged.contains(path)), "{now:?}");
}

#[test]
fn a_cache_that_cannot_be_written_is_told_once_and_harms_nothing() {
    let mut project = Project::fixture("demo");
    let file = project.path("../a-file");
    fs::write(&file, "").unwrap();
    project.set("PYQA_CACHE_DIR", &file);
    let run = project.check(&["--only", "flake8"]);
    assert_eq!((run.code, run.findings().len()), (1, 1), "{}", run.stderr);
    assert_eq!(run.stderr.matches("warning:").count(), 1, "{}", run.stderr);
}

#[test]
fn verifying_confirms_good_results_and_reports_wrong_ones() {
    let project = Project::fixture("demo");
    let skip = ["--verify-cache", "--skip", "pytest"];
    assert_eq!(project.check(&["--skip", "pytest"]).code, 1);
    assert_eq!(project.check(&skip).code, 1);
    // A tool whose answer changes although nothing that it is known to read does.
    let project = Project::new();
    project.write(
        "pyproject.toml",
        "[tool.pyqa.tools.fickle]\ngranularity = \"project\"\n\
         command = { program = \"fickle\" }\n\
         output = { format = \"regex\", pattern = '^(?P<path>\\S+):(?P<line>\\d+) (?P<message>.*)$' }\n",
    );
    let mut project = project;
    let folder = project.path("../bin");
    let count = project.path("../count");
    fs::create_dir_all(&folder).unwrap();
    let script = format!(
        "#!/bin/sh\nmkdir -p {0}; n=$(ls {0} | wc -l); touch {0}/$n; echo a.py:$((n + 1)) found\nexit 1\n",
        count.display()
    );
    executable(&folder.join("fickle"), &script);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    project.set("PATH", path);
    assert_eq!(project.check(&["--only", "fickle"]).code, 1);
    assert_eq!(project.check(&["--only", "fickle"]).ran("fickle"), 0);
    let run = project.check(&["--only", "fickle", "--verify-cache"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert_eq!(run.tool("fickle", "failures")[0]["kind"], "disagreed");
}

#[test]
fn without_cache_nothing_is_kept() {
    let project = Project::fixture("demo");
    assert_eq!(project.check(&["--no-cache", "--only", "flake8"]).code, 1);
    assert_eq!(project.check(&["--only", "flake8"]).ran("flake8"), 4);
}

#[test]
fn the_environment_s_packages_are_part_of_mypy_s_result() {
    let mut project = settled();
    // Its own, for a change of the environment is noticed by whatever runs in it.
    let environment = project.path("../env");
    environment_beside_the_tools(&environment);
    let module = site_packages(&environment).join("further.py");
    project.set("VIRTUAL_ENV", environment);
    let ran = || project.check(&["--only", "mypy"]).ran("mypy");
    assert_eq!((ran(), ran()), (1, 0));
    fs::write(&module, "X = 1\n").unwrap();
    assert_eq!(ran(), 1);
}

fn executable(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Cuts each file below the folder in half.
fn damage(folder: &Path) {
    for path in files_below(folder) {
        let file = fs::File::options().write(true).open(path).unwrap();
        file.set_len(file.metadata().unwrap().len() / 2).unwrap();
    }
}
