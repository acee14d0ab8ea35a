//! A project with one test, and whether its stored success is replayed.

use super::Project;

/// A project with one test that is given as the body of a function.
pub(crate) fn with_test(body: &str) -> Project {
    let project = Project::new();
    project.write("pytest.ini", "[pytest]\npythonpath = .\n").write(".gitignore", "ignored/\n");
    let head = "import importlib\nimport os\nimport pathlib\nimport sys\n\n\n";
    project.write("test_it.py", format!("{head}def test_it():\n    {body}\n"));
    project.git(&["init", "-q"]);
    project
}

/// The exit code of a run of pytest, and how often it ran.
pub(crate) fn pytest(project: &Project) -> (i32, u64) {
    let run = project.check(&["--only", "pytest"]);
    (run.code, run.ran("pytest"))
}

/// Asserts that nothing is replayed after `edit`, which makes a suite fail whose success is stored.
pub(crate) fn is_noticed(project: &Project, edit: impl Fn()) {
    assert_eq!(pytest(project).0, 0);
    assert_eq!(pytest(project), (0, 0), "a result that is not stored proves nothing");
    edit();
    assert_eq!(pytest(project).0, 1);
}

/// Asserts the same of an edit of `file`, in which the test expects to find 1.
pub(crate) fn its_content_is_noticed(project: &Project, file: &str) {
    project.write(file, "1");
    is_noticed(project, || {
        project.write(file, "2");
    });
}
