//! Tools that the project does not bring.

use std::thread;

use crate::support::Project;

#[test]
fn a_project_without_environment_gets_its_tools_and_two_runs_at_once_share_them() {
    let project = Project::without_environment();
    project.write("a.py", "import os\n");
    let arguments = ["--only", "flake8,bandit,black"];
    let runs: Vec<_> = thread::scope(|scope| {
        let start = || scope.spawn(|| project.check(&arguments));
        let both = [start(), start()];
        both.into_iter().map(|run| run.join().unwrap()).collect()
    });
    for run in runs {
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert_eq!(run.findings().into_iter().collect::<Vec<_>>(), ["flake8 a.py:1 F401"]);
    }
    let made = std::fs::read_dir(project.cache().join("envs")).unwrap().flatten();
    assert_eq!(made.filter(|entry| entry.path().is_dir()).count(), 1);
    // What is there serves offline too.
    assert_eq!(project.check(&["--only", "flake8", "--offline"]).code, 1);
}

#[test]
fn offline_a_missing_tool_is_told_and_the_others_still_run() {
    let project = Project::new();
    project.write("a.py", "import os\n");
    let run = project.check(&["--only", "flake8,isort", "--offline"]);
    assert_eq!(run.code, 2);
    assert_eq!(run.findings().into_iter().collect::<Vec<_>>(), ["flake8 a.py:1 F401"]);
    let failure = run.tool("isort", "failures")[0].clone();
    assert_eq!(failure["kind"], "missing");
    assert!(failure["hint"].as_str().unwrap().contains("isort=="), "{failure}");
}

#[test]
fn an_installation_that_fails_names_the_tool_and_what_helps() {
    let mut project = Project::without_environment();
    project.write("a.py", "import os\n");
    project.set("PIP_INDEX_URL", "http://127.0.0.1:9/").set("PIP_RETRIES", "0");
    project.set("UV_DEFAULT_INDEX", "http://127.0.0.1:9/").set("PIP_FIND_LINKS", "");
    let run = project.check(&["--only", "flake8"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    let failure = run.tool("flake8", "failures")[0].clone();
    assert!(failure["message"].as_str().unwrap().contains("flake8"), "{failure}");
    assert!(failure["hint"].as_str().unwrap().contains("--skip flake8"), "{failure}");
}
