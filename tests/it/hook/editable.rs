//! A project that is installed editable: its imports resolve in the content that is checked.

use std::fs;
use std::path::PathBuf;

use super::support::repository_of;
use crate::support::{Project, site_packages, tool_environment};

const PACKAGE: &str = "[project]\nname = \"shop\"\nversion = \"1\"\n\n[build-system]\n\
    requires = [\"setuptools>=70\"]\nbuild-backend = \"setuptools.build_meta\"\n";

/// An environment with the tools of the tests in which the project at `folder` is installed with
/// `pip install -e`.
fn install(project: &mut Project) -> PathBuf {
    let environment = project.path("../env");
    let run = |program: PathBuf, arguments: &[&str]| {
        let output = project.command(program).args(arguments).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {text}");
    };
    run("python3".into(), &["-m", "venv", environment.to_str().unwrap()]);
    let tools = site_packages(tool_environment());
    let path = site_packages(&environment).join("tools.pth");
    fs::write(path, format!("{}\n", tools.display())).unwrap();
    run(environment.join("bin/python"), &["-m", "pip", "install", "--quiet", "-e", "."]);
    environment
}

/// mypy and pytest on what is staged: it is right, and the work tree is wrong; then the reverse.
fn sees_what_is_staged(package: &str) {
    let mut project = Project::without_environment();
    project.write("pyproject.toml", PACKAGE).write(".gitignore", "*.egg-info/\nbuild/\n");
    project.write(
        "tests/test_price.py",
        "from shop.price import price\n\n\n\
        def test_price() -> None:\n    assert price() == 3\n",
    );
    let module = format!("{package}/price.py");
    let right = "def price() -> int:\n    return 3\n";
    let wrong = "def price() -> str:\n    return 4\n";
    project.write(format!("{package}/__init__.py"), "").write(&module, right);
    repository_of(&project);
    let environment = install(&mut project);
    project.set("VIRTUAL_ENV", environment);
    let check = |project: &Project| project.check(&["--staged", "--only", "mypy,pytest"]);

    project.write(&module, wrong);
    let run = check(&project);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert_eq!((run.ran("mypy"), run.ran("pytest")), (1, 1));

    project.git(&["add", "-A"]).write(&module, right);
    let run = check(&project);
    let found = run.findings();
    let of = |tool: &str| found.iter().any(|finding| finding.starts_with(tool));
    assert!(of("mypy") && of("pytest"), "{found:?}\n{}", run.stderr);
    assert!(!run.stdout.contains(".git/pyqa"), "{}", run.stdout);
    project.assert_no_bytecode_in_the_cache();
}

#[test]
fn in_a_src_layout() {
    sees_what_is_staged("src/shop");
}

#[test]
fn by_an_import_hook() {
    sees_what_is_staged("shop");
}
