//! mypy says the same in a child of a worker as in a process of its own, and what it reads counts
//! the same.

use std::time::{Duration, Instant};

use crate::support::{Project, Run};
use crate::warm_tools::told;

/// How many jobs the worker with mypy has done; `None`: there is no such worker.
fn jobs(project: &Project) -> Option<u64> {
    let status = project.pyqa(&["worker", "status"]).stdout;
    let line = status.lines().find(|line| line.contains("mypy.__main__"))?;
    let (before, _) = line.split_once(" job")?;
    before.rsplit_once(' ')?.1.parse().ok()
}

/// Checks the project, with an edit before each time, until a worker has done it. The edit is told
/// how often it has come.
fn check_warm(project: &mut Project, arguments: &[&str], edit: impl Fn(&Project, usize)) -> Run {
    project.set("PYQA_WORKERS", "1");
    let begun = Instant::now();
    for at in 0.. {
        edit(project, at);
        let before = jobs(project);
        let run = project.check(arguments);
        // A worker that is slow to answer is not waited for.
        if before.is_some() && jobs(project) > before {
            return run;
        }
        assert!(begun.elapsed() < Duration::from_mins(2), "no worker: {}", run.stderr);
    }
    unreachable!("each number has a next one")
}

/// As [`check_warm`], with an input that is new each time, so that no stored result answers.
fn check_warm_anew(project: &mut Project, name: &str) -> Run {
    check_warm(project, &["--only", "mypy"], |project, at| {
        project.write("c.py", format!("X{at} = '{name}'\n"));
    })
}

fn both_ways(project: &mut Project) {
    let arguments = ["--no-cache", "--only", "mypy"];
    project.set("PYQA_WORKERS", "0");
    let plain = project.check(&arguments);
    for _ in 0..2 {
        let warm = check_warm(project, &arguments, |_, _| {});
        assert_eq!(told(&warm), told(&plain), "{}{}", warm.stderr, plain.stderr);
    }
}

#[test]
fn mypy_says_the_same_about_every_fixture() {
    for name in ["blog-2020", "broken-syntax", "clean", "demo", "src-layout", "tox-ini-only"] {
        both_ways(&mut Project::fixture(name));
    }
}

/// Names an attribute that only the plugin knows, and fails as it is told.
const PLUGIN: &str = "\
import os
from mypy.plugin import Plugin
from mypy.types import AnyType, TypeOfAny

LOADED = []


class Own(Plugin):
    def get_function_hook(self, name):
        LOADED.append(name)
        if name == 'a.known':
            return lambda context: context.api.named_generic_type('builtins.str', [])
        if name == 'a.broken':
            raise RuntimeError('the plugin is broken')
        if name == 'a.leave':
            os._exit(3)
        return None


def plugin(version):
    assert not LOADED
    print('loaded in', os.path.basename(os.getcwd()))
    return Own
";

#[test]
fn a_plugin_of_the_project_is_loaded_anew_in_each_child() {
    let mut project = Project::new();
    project.write("mypy.ini", "[mypy]\nplugins = plugin/own.py\nexclude = plugin\n");
    project.write("plugin/own.py", PLUGIN);
    let functions =
        "def known() -> object: ...\ndef broken() -> int: ...\ndef leave() -> int: ...\n";
    for call in ["X: int = known()", "broken()", "leave()", "Y: str = known()"] {
        project.write("a.py", format!("{functions}{call}\n"));
        both_ways(&mut project);
    }
    // A module that mypy imports itself, and one that is not there.
    for plugins in ["mypy.plugins.proper_plugin", "no_such_plugin"] {
        project.write("mypy.ini", format!("[mypy]\nplugins = {plugins}\n"));
        both_ways(&mut project);
    }
}

#[test]
fn settings_and_variables_mean_the_same() {
    let mut project = Project::new();
    project.write("a.py", "import stub\n\nX: str = stub.f()\n");
    project.write("../stubs/stub.pyi", "def f() -> int: ...\n");
    both_ways(&mut project);
    let stubs = project.path("../stubs");
    project.set("MYPYPATH", stubs);
    both_ways(&mut project);
    for settings in [
        "no_such_option = 1",
        "python_version = 2.7",
        "python_executable = /no/such/python",
        "python_executable = /usr/bin/env",
        "num_workers = 2",
        "num_workers = 2\nlocal_partial_types = True",
        "sqlite_cache = False",
        "native_parser = False",
        "show_traceback = True\nstrict = True",
    ] {
        project.write("mypy.ini", format!("[mypy]\n{settings}\n"));
        both_ways(&mut project);
    }
}

#[test]
fn settings_of_the_user_are_found_where_a_variable_says() {
    let mut project = Project::new();
    project.write("a.py", "X: str = 1\n");
    project.write("../settings/mypy/config", "[mypy]\ndisable_error_code = assignment\n");
    project.set("XDG_CONFIG_HOME", project.path("../settings"));
    both_ways(&mut project);
    // The worker has imported mypy for the other folder.
    project.set("XDG_CONFIG_HOME", project.path("../nowhere"));
    let run = project.check(&["--no-cache", "--only", "mypy"]);
    assert_eq!(run.code, 1, "{}", run.stdout);
}

/// Also with mypy's own cache, where each child goes on from what another one left.
#[test]
fn a_row_of_edits_leads_to_what_a_fresh_process_says() {
    let mut project = Project::new();
    project.write("mypy.ini", "[mypy]\nwarn_unused_ignores = True\n");
    project.write("b.py", "import a\n\nY: int = a.f()  # type: ignore\n");
    for result in ["str", "int", "bytes", "no_such", "int", "str"] {
        project.write("a.py", format!("def f() -> {result}:\n    return {result}()\n"));
        let warm = check_warm_anew(&mut project, result);
        project.set("PYQA_WORKERS", "0");
        let plain = project.check(&["--no-cache", "--only", "mypy"]);
        assert_eq!(told(&warm), told(&plain), "{result}");
    }
}

#[test]
fn stubs_outside_of_the_project_count_for_a_warm_mypy() {
    let mut project = Project::new();
    project.write("a.py", "import stub\n\nX: int = stub.f()\n");
    project.write("../stubs/stub.pyi", "def f() -> int: ...\n");
    project.set("MYPYPATH", project.path("../stubs"));
    assert_eq!(check_warm_anew(&mut project, "stubs").code, 0);
    assert_eq!(project.check(&["--only", "mypy"]).ran("mypy"), 0);
    project.write("../stubs/stub.pyi", "def f() -> str: ...\n");
    let run = project.check(&["--only", "mypy"]);
    assert_eq!((run.ran("mypy"), run.code), (1, 1), "{}", run.stdout);
}
