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

/// Checks with the cache and without: both have to say the same. The findings.
fn checked(project: &Project, tool: &str) -> Vec<String> {
    let cached = project.check(&["--only", tool]);
    let fresh = project.check(&["--only", tool, "--no-cache"]);
    assert_eq!(cached.findings(), fresh.findings(), "{}", project.root().display());
    assert_eq!(cached.code, fresh.code);
    cached.findings().into_iter().collect()
}

/// mypy is asked itself: what it finds tells which file it has read.
#[test]
fn settings_of_mypy_that_come_are_seen_wherever_mypy_looks() {
    const STRICT: &str = "[mypy]\ndisallow_untyped_defs = True\n";
    const MODULES: (&str, &str) = ("setup.cfg", "[mypy-foo]\nignore_missing_imports = True\n");
    let user = "../home/.config/mypy/config";
    for (files, comes, is_read) in [
        // mypy takes a shared file only with `[mypy]` itself, its own ones in any case.
        (&[MODULES][..], user, true),
        (&[MODULES], "../home/.mypy.ini", true),
        (&[("mypy.ini", MODULES.1)], user, false),
        (&[(user, "")], "../home/.mypy.ini", false),
        // Without a repository it goes up to the top of the file system.
        (&[], "../mypy.ini", true),
        (&[MODULES], "../mypy.ini", true),
        // A folder `.hg`, or `.git` with anything in it, ends the search.
        (&[("../mypy.ini", "[mypy]\n"), (".hg/x", "")], user, true),
        (&[("../mypy.ini", "[mypy]\n"), (".git/x", "")], user, true),
        (&[(".hg/x", "")], "../mypy.ini", false),
    ] {
        let project = Project::new();
        project.write("pyproject.toml", "[tool.pyqa]\n");
        project.write("a.py", "def f(x):\n    return x\n");
        for (name, text) in files {
            project.write(name, text);
        }
        assert_eq!(checked(&project, "mypy"), [""; 0], "{files:?}");
        project.write(comes, STRICT);
        let expected: &[&str] = if is_read { &["mypy a.py:1 no-untyped-def"] } else { &[] };
        assert_eq!(checked(&project, "mypy"), expected, "{files:?}, then {comes}");
    }
}

#[test]
fn flake8_looks_at_the_home_only_where_it_is_the_root() {
    let long = format!("X = \"{}\"\n", "x".repeat(55));
    let (wide, narrow) = ("[flake8]\nmax-line-length = 70\n", "[flake8]\nmax-line-length = 50\n");
    let mut project = Project::new();
    project.set("HOME", project.root()).write("a.py", &long).write(".flake8", wide);
    assert_eq!(checked(&project, "flake8"), [""; 0]);
    project.write(".flake8", narrow);
    assert_eq!(checked(&project, "flake8"), ["flake8 a.py:1 E501"]);

    // flake8 knows the home also by another name.
    let mut project = Project::new();
    project.write("pyproject.toml", "[tool.pyqa]\n").write("a.py", &long);
    let link = project.path("../link");
    std::os::unix::fs::symlink(project.path(".."), &link).unwrap();
    project.set("HOME", &link).write("../.flake8", narrow);
    assert_eq!(checked(&project, "flake8"), [""; 0]);
    project.set("HOME", project.path("../home"));
    assert_eq!(checked(&project, "flake8"), ["flake8 a.py:1 E501"]);
}

/// black takes the `pyproject.toml` at the top of the repository, and which Python the project
/// requires from there too.
#[test]
fn black_sees_which_python_is_required_where_it_reads_its_settings() {
    let project = Project::new();
    let requires = |version: &str| {
        let text = format!("[project]\nname = 'x'\nrequires-python = '>={version}'\n");
        project.write("../pyproject.toml", text);
    };
    project.git(&["init", "-q", ".."]).write("pyproject.toml", "[tool.pyqa]\n");
    let (one, two) = ("a".repeat(36), "b".repeat(40));
    let text = format!("with open(\"{one}\") as f, open(\n    \"{two}\"\n) as g:\n    pass\n");
    project.write("a.py", text);
    requires("3.8");
    assert_eq!(checked(&project, "black"), [""; 0]);
    // Python 3.9 has parentheses around what follows `with`.
    requires("3.11");
    assert_eq!(checked(&project, "black"), ["black a.py:1 format"]);
}

/// black looks into `~/.config` only where `$XDG_CONFIG_HOME` is not set.
#[test]
fn black_s_file_of_the_user_is_where_black_looks_for_it() {
    let mut project = Project::new();
    let text = "[tool.black]\nskip-string-normalization = true\n";
    project.write("a.py", "x = 'a'\n").write("../home/.config/black", text);
    assert_eq!(checked(&project, "black"), [""; 0]);
    project.set("XDG_CONFIG_HOME", "~/xdg");
    assert_eq!(checked(&project, "black"), ["black a.py:1 format"]);
    project.write("../home/xdg/black", text);
    assert_eq!(checked(&project, "black"), [""; 0]);
    // By hand it is the same file.
    let program = crate::support::tool_environment().join("bin/black");
    let output = project.command(program).args(["--check", "a.py"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// flake8 and mypy pass over such a file, black fails: nobody wants that.
#[test]
fn a_byte_order_mark_for_which_the_tools_refuse_a_file_is_told() {
    const MARK: &str = "\u{feff}";
    for (tool, name, text) in [
        ("flake8", "setup.cfg", "[flake8]\nmax-line-length = 50\n"),
        ("flake8", "tox.ini", "[flake8]\nmax-line-length = 50\n"),
        ("flake8", ".flake8", "# wide\n[flake8]\nmax-line-length = 50\n"),
        ("mypy", "mypy.ini", "[mypy]\nstrict = True\n"),
        ("mypy", "pyproject.toml", "[tool.mypy]\nstrict = true\n"),
        ("black", "pyproject.toml", "[tool.black]\nline-length = 50\n"),
        ("bandit", ".bandit", "[bandit]\nskips = B101\n"),
        ("flake8", "pyproject.toml", "[tool.pyqa]\njobs = 1\n"),
    ] {
        let project = Project::new();
        project.write("a.py", "def f(x):\n    assert x\n").write(name, format!("{MARK}{text}"));
        let run = project.pyqa(&["check", "--only", tool]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{tool}, {name}");
        for part in [&format!("{name}:1"), "byte order mark", "without"] {
            assert!(run.stderr.contains(part), "{part} is not in:\n{}", run.stderr);
        }
    }
}

#[test]
fn flake8_and_mypy_pass_over_a_file_with_a_byte_order_mark_and_black_fails() {
    const MARK: &str = "\u{feff}";
    let project = Project::new();
    project.write("a.py", "def f(x):\n    return x  # a line of more than thirty characters\n");
    let by_hand = |tool: &str, arguments: &[&str]| {
        let program = crate::support::tool_environment().join("bin").join(tool);
        project.command(program).args(arguments).output().unwrap()
    };
    project.write("setup.cfg", format!("{MARK}[flake8]\nmax-line-length = 30\n"));
    let output = by_hand("flake8", &["a.py"]);
    assert_eq!((output.status.code(), output.stdout.len()), (Some(0), 0));
    project.write("mypy.ini", format!("{MARK}[mypy]\nstrict = True\n"));
    let output = by_hand("mypy", &["a.py"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no section headers"));
    project.write("pyproject.toml", format!("{MARK}[tool.black]\n"));
    assert_eq!(by_hand("black", &["--check", "a.py"]).status.code(), Some(1));
}

#[test]
fn settings_of_pyqa_above_are_not_lost_behind_a_byte_order_mark() {
    let project = Project::new();
    project.write("pyproject.toml", "\u{feff}[tool.pyqa]\nonly = ['flake8']\n");
    project.write("pkg/setup.cfg", "").write("pkg/a.py", "").git(&["init", "-q"]);
    let mut command = project.command(env!("CARGO_BIN_EXE_pyqa"));
    let output = command.arg("check").current_dir(project.path("pkg")).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("byte order mark"));
}

/// pytest alone takes a mark for nothing.
#[test]
fn pytest_s_own_file_may_have_a_byte_order_mark() {
    let project = Project::new();
    project.write("pytest.ini", "\u{feff}[pytest]\npython_files = check_*.py\n");
    project.write("check_a.py", "def test_a():\n    assert 0\n");
    assert_eq!(checked(&project, "pytest").len(), 1);
}

#[test]
fn a_lone_carriage_return_ends_a_line_as_it_does_for_the_tools() {
    let project = Project::new();
    project.write("a.py", format!("X = \"{}\"\n", "x".repeat(55)));
    project.write("setup.cfg", "[flake8]\n# wide\rmax-line-length = 70\n");
    assert_eq!(checked(&project, "flake8"), [""; 0]);
    project.write("setup.cfg", "[flake8]\n# wide\rmax-line-length = 50\n");
    assert_eq!(checked(&project, "flake8"), ["flake8 a.py:1 E501"]);
}
