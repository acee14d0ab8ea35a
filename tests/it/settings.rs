//! Settings: mistakes are told before any tool runs, and what the tools read is what they would
//! read by themselves.

use crate::support::Project;

#[test]
fn every_mistake_is_told_with_file_line_and_key_before_any_tool_runs() {
    let run = Project::fixture("broken-settings").pyqa(&["check"]);
    assert_eq!((run.code, run.stdout.as_str()), (2, ""));
    for part in [
        "pyproject.toml:2",
        "`jbos`",
        "did you mean `jobs`?",
        "pyproject.toml:3",
        "`mipy`",
        "did you mean `mypy`?",
        "pyproject.toml:6",
        "`max-age`",
    ] {
        assert!(run.stderr.contains(part), "{part} is not in:\n{}", run.stderr);
    }
}

#[test]
fn a_file_that_is_no_toml_is_told_with_its_line() {
    let project = Project::new();
    project.write("pyproject.toml", "[tool.black]\nline-length = \n").write("a.py", "");
    let run = project.pyqa(&["check"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("pyproject.toml:2"), "{}", run.stderr);
}

#[test]
fn an_unknown_tool_or_path_on_the_command_line_is_told() {
    let project = Project::fixture("clean");
    let run = project.pyqa(&["check", "--only", "flak8"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("did you mean `flake8`?"), "{}", run.stderr);
    let run = project.pyqa(&["check", "nowhere.py"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("nowhere.py"), "{}", run.stderr);
}

/// Settings files of flake8 in the order in which flake8 itself takes them. Each allows other
/// lines, so that the findings tell which was read.
#[test]
fn flake8_and_pyqa_read_the_same_file_whatever_is_there() {
    let files = [("setup.cfg", 70), ("tox.ini", 80), (".flake8", 90)];
    for present in 0..8_u32 {
        let project = Project::new();
        project.write("pyproject.toml", "[tool.flake8]\nmax-line-length = 60\n");
        for length in [65, 75, 85, 95] {
            project.write(format!("l{length}.py"), format!("x = \"{}\"\n", "y".repeat(length - 6)));
        }
        for (at, (name, length)) in files.iter().enumerate() {
            if present & (1 << at) != 0 {
                project.write(name, format!("[flake8]\nmax-line-length = {length}\n"));
            }
        }
        let run = project.check(&["--only", "flake8"]);
        let found: Vec<_> = run.findings().into_iter().collect();
        let limit = files
            .iter()
            .enumerate()
            .find(|(at, _)| present & (1 << at) != 0)
            .map_or(60, |(_, (_, length))| *length);
        let expected: Vec<_> = [65, 75, 85, 95]
            .iter()
            .filter(|length| **length > limit)
            .map(|length| format!("flake8 l{length}.py:1 E501"))
            .collect();
        assert_eq!(found, expected, "files {present:03b}");
        // flake8 by itself agrees, but for `[tool.flake8]`, which it cannot read.
        if present != 0 {
            let by_hand = project
                .command(crate::support::tool_environment().join("bin/flake8"))
                .output()
                .unwrap();
            let lines = String::from_utf8_lossy(&by_hand.stdout).lines().count();
            assert_eq!(lines, expected.len(), "flake8 by hand, files {present:03b}");
        }
    }
}

#[test]
fn bandit_s_section_in_pyproject_needs_no_argument() {
    let project = Project::new();
    project.write("pyproject.toml", "[tool.bandit]\nskips = [\"B101\"]\n");
    project.write("a.py", "import pickle\nassert pickle\n");
    let run = project.check(&["--only", "bandit"]);
    assert_eq!(run.findings().into_iter().collect::<Vec<_>>(), ["bandit a.py:1 B403"]);
}

#[test]
fn show_settings_names_the_place_of_each_value() {
    let run = Project::fixture("demo").pyqa(&["check", "--show-settings"]);
    assert!(run.stdout.contains("line-length = 79  (pyproject.toml:7)"), "{}", run.stdout);
    assert!(run.stdout.contains("max-complexity = 8  (pyproject.toml:10)"), "{}", run.stdout);
}

#[test]
fn a_settings_file_that_the_tools_refuse_for_its_first_bytes_is_an_error() {
    let files = [
        ("setup.cfg", "[flake8]\n"),
        ("mypy.ini", "[mypy]\n"),
        ("pyproject.toml", "[tool.black]\n"),
    ];
    for (name, text) in files {
        let project = Project::new();
        project.write("a.py", "X = 1\n").write(name, format!("\u{feff}{text}"));
        let run = project.check(&["--only", "flake8,mypy,black"]);
        assert_eq!(run.code, 2, "{}", run.stdout);
        let is_told = ["begins with a byte order mark", &format!("{name}:1\n")];
        assert!(is_told.iter().all(|words| run.stderr.contains(words)), "{}", run.stderr);
    }
}

#[test]
fn mypy_s_settings_are_those_that_it_finds_itself() {
    let mut project = Project::new();
    let home = project.path("../home");
    project.set("HOME", &home).set("XDG_CONFIG_HOME", home.join(".config"));
    let untyped = "[mypy]\ndisallow_untyped_defs = True\n";
    project.write("a.py", "def f(x):\n    return x\n").write("pyproject.toml", "[tool.pyqa]\n");
    project.write("setup.cfg", "[mypy-foo]\nignore_missing_imports = True\n");
    let mypy = || project.check(&["--only", "mypy"]).code;
    assert_eq!(mypy(), 0);
    // It passes over a `setup.cfg` without `[mypy]`, and looks in all folders above.
    project.write("../home/.mypy.ini", untyped);
    assert_eq!(mypy(), 1);
    project.write("../mypy.ini", "[mypy]\n");
    assert_eq!(mypy(), 0);
    project.write("../mypy.ini", untyped);
    assert_eq!(mypy(), 1);
    // But not above Mercurial's.
    project.write(".hg/requires", "");
    std::fs::remove_file(project.path("../home/.mypy.ini")).unwrap();
    assert_eq!(mypy(), 0);
}
