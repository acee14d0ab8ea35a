//! Results about the work tree, what is staged and revisions share one cache. What lies beside the
//! project in its repository is another content in each.

use crate::cache_environment::{QUIET, loud};
use crate::support::Project;

/// The project is one of two in a repository; `setting` is its `pyproject.toml`.
fn of_two(settings: &str) -> Project {
    let project = Project::new();
    project.write("pyproject.toml", settings).write("z.txt", "1").write("../b/x", "1");
    project
}

fn stage(project: &Project) {
    let run = |arguments: &[&str]| {
        let done = project.command("git").args(arguments).current_dir(project.path("..")).status();
        assert!(done.unwrap().success(), "{arguments:?}");
    };
    if !project.path("../.git").exists() {
        run(&["init", "-q"]);
    }
    let name = project.root().file_name().unwrap().to_str().unwrap().to_owned();
    run(&["add", &name, "b"]);
}

/// Makes what is staged and the work tree differ in the project, so that a snapshot is taken.
fn differ(project: &Project, differ: bool) {
    project.write("z.txt", if differ { "2" } else { "1" });
}

fn check(project: &Project, tool: &str, staged: bool) -> i32 {
    let mut arguments = vec!["--only", tool];
    if staged {
        arguments.push("--staged");
    }
    project.check(&arguments).code
}

/// Asserts that what is staged is clean and the work tree is not, in whatever order they are asked for,
/// once `spoil` has changed the work tree beside the project.
fn each_has_its_own(make: &dyn Fn() -> Project, tool: &str, spoil: &dyn Fn(&Project)) {
    let project = make();
    stage(&project);
    spoil(&project);
    differ(&project, true);
    assert_eq!(check(&project, tool, true), 0, "{tool}, staged");
    differ(&project, false);
    assert_eq!(check(&project, tool, false), 1, "{tool}, work tree after that");

    let project = make();
    spoil(&project);
    stage(&project);
    let mended = make();
    for file in ["../b/x", "../b/nb.py", "../b/loc.py"] {
        if let Ok(text) = std::fs::read(mended.path(file)) {
            project.write(file, text);
        }
    }
    assert_eq!(check(&project, tool, false), 0, "{tool}, work tree");
    differ(&project, true);
    assert_eq!(check(&project, tool, true), 1, "{tool}, staged after that");
}

const TESTS: &str = "[tool.pytest.ini_options]\ntestpaths = [\"tests\"]\n";

#[test]
fn a_file_of_a_neighbour_that_tests_read() {
    let make = || {
        let project = of_two(TESTS);
        project
            .write("tests/test_it.py", "def test_it():\n    assert open('../b/x').read() == '1'\n");
        project
    };
    each_has_its_own(&make, "pytest", &|project| {
        project.write("../b/x", "2");
    });
}

#[test]
fn a_module_of_a_neighbour_on_the_path() {
    let make = || {
        let mut project = of_two(TESTS);
        let test = "import nb\n\n\ndef test_it():\n    assert nb.X == 1\n";
        project.write("tests/test_it.py", test).write("../b/nb.py", "X = 1\n");
        let folder = std::fs::canonicalize(project.path("../b")).unwrap();
        project.set("PYTHONPATH", folder);
        project
    };
    each_has_its_own(&make, "pytest", &|project| {
        project.write("../b/nb.py", "X = 2\n");
    });
}

#[test]
fn a_module_of_a_neighbour_that_mypy_reads() {
    let make = || {
        let project = of_two("[tool.mypy]\nmypy_path = \"../b\"\n");
        project.write("m.py", "import nb\n\nY: int = nb.X\n").write("../b/nb.py", "X: int = 1\n");
        project
    };
    each_has_its_own(&make, "mypy", &|project| {
        project.write("../b/nb.py", "X: str = ''\n");
    });
}

#[test]
fn a_local_plugin_of_a_neighbour() {
    let make = || {
        let project = of_two("");
        project.write("m.py", "X = 1\n").write("../b/loc.py", QUIET);
        let plugins = "[flake8:local-plugins]\nextension =\n    LOC = loc:Checker\npaths = ../b\n";
        project.write(".flake8", plugins);
        project
    };
    each_has_its_own(&make, "flake8", &|project| {
        project.write("../b/loc.py", loud());
    });
}

#[test]
fn the_package_in_which_the_project_lies() {
    let project = Project::new();
    project.write("__init__.py", "X: int = 1\n").write("part/__init__.py", "");
    project.write("part/m.py", "from .. import X\n\nY: int = X\n").write("part/z.txt", "1");
    project.write("part/pyproject.toml", "[tool.mypy]\n");
    project.git(&["init", "-q"]).git(&["add", "."]);
    let mypy = |further: &[&str]| {
        project.check(&[&["--root", "part", "--only", "mypy"], further].concat()).code
    };
    project.write("part/z.txt", "2");
    assert_eq!(mypy(&["--staged"]), 0);
    project.write("part/z.txt", "1").write("__init__.py", "X: str = ''\n");
    assert_eq!(mypy(&[]), 1);
    std::fs::remove_file(project.path("__init__.py")).unwrap();
    assert_ne!(mypy(&[]), 0);
}
