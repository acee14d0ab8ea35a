//! `pyqa format` with the real formatters, as an editor and as a person calls it. What black makes
//! of a text is asked of black itself.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Project, tool_environment};

/// What a process made of a text.
#[derive(Debug, PartialEq, Eq)]
struct Made {
    code: i32,
    stdout: Vec<u8>,
    stderr: String,
}

fn feed(command: &mut Command, text: &[u8]) -> Made {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text).unwrap();
    let output = child.wait_with_output().unwrap();
    Made {
        code: output.status.code().unwrap_or(-1),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

fn pyqa(project: &Project, arguments: &[&str], text: impl AsRef<[u8]>) -> Made {
    let mut command = project.command(env!("CARGO_BIN_EXE_pyqa"));
    feed(command.arg("format").args(arguments), text.as_ref())
}

fn format(project: &Project, name: &str, text: impl AsRef<[u8]>) -> Made {
    pyqa(project, &["--stdin-filename", name, "-"], text)
}

fn black(project: &Project, arguments: &[&str], text: &[u8]) -> Made {
    let mut command = project.command(tool_environment().join("bin/black"));
    feed(command.args(["--quiet"]).args(arguments).arg("-"), text)
}

fn clean(made: &Made) -> String {
    assert_eq!((made.code, made.stderr.as_str()), (0, ""));
    String::from_utf8(made.stdout.clone()).unwrap()
}

/// Runs with a count of the interpreters that start.
fn starts(project: &mut Project, run: impl FnOnce(&Project)) -> usize {
    let log = project.path("../starts");
    project.set("PYQA_TEST_STARTS", &log);
    // Runs in between have written to it too.
    let _ = fs::remove_file(&log);
    run(project);
    let started = fs::read_to_string(&log).unwrap_or_default();
    started.lines().collect::<std::collections::BTreeSet<_>>().len()
}

#[test]
fn bytes_come_back_as_black_itself_makes_them() {
    let project = Project::new();
    let texts: [&[u8]; 22] = [
        b"",
        b"\n",
        b"   \n\n",
        b"  ",
        b"x = 1\n",
        b"x=1",
        b"x =  1\r\ny =  2\r\n",
        b"x = 1\r\ny = 2\r\n",
        b"x = 1\r\ny = 2\n",
        b"x = 1\ny = 2\r\n",
        b"x = 1\ry = 2\r",
        b"x = '''a\r\nb'''\n",
        b"\xef\xbb\xbfx =  1\n",
        b"\xef\xbb\xbfx = 1\n",
        b"# -*- coding: latin-1 -*-\nx = '\xe9'\n",
        b"# -*- coding: latin-1 -*-\nx = \"\xe9\"\n",
        b"#!/usr/bin/env python\n# coding: cp1252\nx =  '\x80'\n",
        b"# coding: utf-16\nx = 1\n",
        "x = 'é€😀'\n".as_bytes(),
        b"x = 1  # no end",
        b"def f():\n\x0c\n    pass\n",
        b"x = 1\n\n\n\n",
    ];
    for text in texts {
        let by_hand = black(&project, &["--stdin-filename", "a.py"], text);
        // Once from black, once from what is known.
        for round in 0..2 {
            let made = format(&project, "a.py", text);
            if by_hand.code == 0 {
                assert_eq!(made, by_hand, "round {round}: {:?}", String::from_utf8_lossy(text));
                let again = format(&project, "a.py", &made.stdout);
                let expected = black(&project, &["--stdin-filename", "a.py"], &made.stdout);
                assert_eq!(again, expected, "{:?}", String::from_utf8_lossy(text));
            } else {
                assert_eq!((made.code, made.stdout.as_slice()), (2, &b""[..]));
            }
        }
    }
}

#[test]
fn a_text_that_is_no_python_is_told_in_one_line_with_its_place_and_nothing_else() {
    let project = Project::new();
    let place = |text: &[u8]| {
        let made = format(&project, "src/a.py", text);
        assert_eq!((made.code, made.stdout.len()), (2, 0), "{made:?}");
        assert_eq!(made.stderr.lines().count(), 1, "{}", made.stderr);
        made.stderr.trim_end().to_owned()
    };
    assert_eq!(
        place(b"x = (\n"),
        "error: src/a.py:1:5: TokenError: Unexpected EOF in multi-line statement"
    );
    assert_eq!(place(b"x = 1\ndef f(:\n"), "error: src/a.py:2:6: ParseError: bad input");
    assert!(place(b"x = '\xe9'\n").starts_with("error: src/a.py: invalid or missing encoding"));
    // black names the versions that it tried, where the project says which it supports.
    project.write("pyproject.toml", "[project]\nname = \"x\"\nrequires-python = \">=3.9\"\n");
    assert_eq!(
        place(b"x = (\n"),
        "error: src/a.py:1:5: TokenError: Unexpected EOF in multi-line statement"
    );
    // The same file on disk is a finding, not a crash.
    project.write("src/a.py", "x = (\n");
    let run = project.check(&["--only", "black"]);
    assert_eq!(run.findings().into_iter().collect::<Vec<_>>(), ["black src/a.py:1 syntax-error"]);
}

#[test]
fn settings_are_those_of_the_file_s_own_project_wherever_the_editor_stands() {
    let project = Project::new();
    project.git(&["init", "-q"]);
    project.write("one/pyproject.toml", "[tool.black]\nline-length = 20\n");
    project.write("two/pyproject.toml", "[tool.black]\nskip-string-normalization = true\n");
    let text = "x = ['aaaa', 'bbbb', 'c']\n";
    let one = "x = [\n    \"aaaa\",\n    \"bbbb\",\n    \"c\",\n]\n";
    assert_eq!(clean(&format(&project, "one/new/a.py", text)), one);
    assert_eq!(clean(&format(&project, "two/a.py", text)), text);
    let absolute = project.path("one/a.py");
    let mut command = project.command(env!("CARGO_BIN_EXE_pyqa"));
    command.current_dir("/").args(["format", "-", "--stdin-filename"]).arg(absolute);
    assert_eq!(clean(&feed(&mut command, text.as_bytes())), one);
    // A stub is formatted as one.
    let stub = "class A: ...\nclass B: ...\n";
    assert_eq!(clean(&format(&project, "two/a.pyi", stub)), stub);
}

#[test]
fn excluded_and_ignored_files_come_back_unchanged() {
    let project = Project::new();
    project.git(&["init", "-q"]);
    project.write(".gitignore", "out/\n");
    project.write(
        "pyproject.toml",
        "[tool.black]\nextend-exclude = \"_pb2[.]py$\"\n[tool.pyqa]\nexclude = [\"legacy/\"]\n",
    );
    for name in ["a_pb2.py", "legacy/a.py", "out/a.py", "build/a.py", ".venv/lib/a.py", "a.txt"] {
        let made = format(&project, name, "x =  1");
        assert_eq!((clean(&made).as_str(), name), ("x =  1", name));
    }
    assert_eq!(clean(&format(&project, "a.py", "x =  1")), "x = 1\n");
    // Tracked in spite of the rules, a file is the project's; black itself leaves it out.
    project.write("out/b.py", "x =  1\n").git(&["add", "-f", "out/b.py"]);
    assert_eq!(clean(&format(&project, "out/b.py", "x =  1")), "x =  1");
}

#[test]
fn check_and_diff_write_nothing_and_say_by_the_exit_code() {
    let project = Project::new();
    let named = |more: &str| pyqa(&project, &[more, "--stdin-filename", "a.py", "-"], "x =  1\n");
    let check = named("--check");
    assert_eq!((check.code, check.stdout.len()), (1, 0));
    assert_eq!(check.stderr, "would reformat a.py\n");
    let diff = named("--diff");
    assert_eq!(clean(&diff), "--- a.py\n+++ a.py\n@@ -1 +1 @@\n-x =  1\n+x = 1\n");
    project.write("a.py", "x =  1\n").write("b.py", "x = 1\n");
    let run = project.pyqa(&["format", "--check"]);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""), "{}", run.stderr);
    assert!(run.stderr.contains("would reformat a.py"), "{}", run.stderr);
    let last = "1 file would be reformatted, 1 would be left unchanged";
    assert_eq!(run.stderr.lines().last().unwrap(), last);
    let run = project.pyqa(&["format", "--diff", "--check", "-q"]);
    assert_eq!((run.code, run.stderr.as_str()), (1, ""));
    assert_eq!(run.stdout.as_bytes(), diff.stdout);
    assert_eq!(fs::read_to_string(project.path("a.py")).unwrap(), "x =  1\n");
    assert_eq!(project.pyqa(&["format", "--check", "b.py"]).code, 0);
}

#[test]
fn a_range_is_formatted_and_nothing_else() {
    let project = Project::new();
    let text = "a =  1\nb =  2\nc =  3\n";
    let made = pyqa(&project, &["--range", "2-2", "--stdin-filename", "a.py", "-"], text);
    assert_eq!(made, black(&project, &["--line-ranges=2-2"], text.as_bytes()));
    assert_eq!(clean(&made), "a =  1\nb = 2\nc =  3\n");
    // What is formatted in part is not known to be formatted.
    let made = format(&project, "a.py", &made.stdout);
    assert_eq!(clean(&made), "a = 1\nb = 2\nc = 3\n");
    project.write("a.py", text);
    assert_eq!(project.pyqa(&["format", "--range", "1-1", "--range", "3-3", "a.py"]).code, 0);
    assert_eq!(fs::read_to_string(project.path("a.py")).unwrap(), "a = 1\nb =  2\nc = 3\n");
    assert_eq!(project.pyqa(&["format", "--range", "1-1"]).code, 2);
}

#[test]
fn files_are_rewritten_only_where_they_change_and_stay_what_they_were() {
    let project = Project::new();
    project.write("run.py", "x =  1\n").write("good.py", "x = 1\n").write("bad.py", "x = (\n");
    // black leaves a file alone whose lines are right, whatever ends them.
    project.write("mixed.py", "x = 1\r\ny = 2\n").write("dos.py", "x =  1\r\ny = 2\r\n");
    let script = project.path("run.py");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    symlink("run.py", project.path("link.py")).unwrap();
    let good = fs::metadata(project.path("good.py")).unwrap().ino();
    let run = project.pyqa(&["format"]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    assert!(run.stderr.contains("error: bad.py:1:5: TokenError"), "{}", run.stderr);
    let read = |name: &str| fs::read_to_string(project.path(name)).unwrap();
    assert_eq!((read("run.py").as_str(), read("bad.py").as_str()), ("x = 1\n", "x = (\n"));
    assert_eq!(read("mixed.py"), "x = 1\r\ny = 2\n");
    assert_eq!(read("dos.py"), "x = 1\r\ny = 2\r\n");
    assert_eq!(fs::metadata(&script).unwrap().mode() & 0o777, 0o755);
    assert!(fs::symlink_metadata(project.path("link.py")).unwrap().is_symlink());
    assert_eq!(fs::metadata(project.path("good.py")).unwrap().ino(), good);
    let left: Vec<_> = fs::read_dir(project.root()).unwrap().flatten().collect();
    assert_eq!(left.len(), 6, "{left:?}");
}

#[test]
fn many_files_are_formatted_too() {
    let project = Project::new();
    for at in 0..24 {
        let text = if at % 3 == 0 { "x =  1\n" } else { "x = 1\n" };
        project.write(format!("pkg/m{at}.py"), text);
    }
    let run = project.pyqa(&["format", "pkg"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(
        run.stderr.lines().last().unwrap(),
        "8 files reformatted, 16 left unchanged",
        "{}",
        run.stderr
    );
    assert_eq!(project.pyqa(&["format", "--check"]).code, 0);
}

#[test]
fn what_was_formatted_is_known_to_the_check_and_the_other_way_round() {
    let mut project = Project::new();
    let formatted = clean(&format(&project, "a.py", "x =  1\n"));
    project.write("a.py", &formatted);
    assert_eq!(
        starts(&mut project, |p| assert_eq!(p.pyqa(&["check", "--only", "black"]).code, 0)),
        0
    );
    assert_eq!(starts(&mut project, |p| drop(clean(&format(p, "a.py", "x = 1\n")))), 0);
    // The check's word counts for the editor.
    project.write("b.py", "y = 1\n");
    assert_eq!(project.pyqa(&["check", "--only", "black"]).code, 0);
    assert_eq!(starts(&mut project, |p| drop(clean(&format(p, "b.py", "y = 1\n")))), 0);
    // The content alone does not: it is another file, or has other settings.
    assert!(starts(&mut project, |p| drop(clean(&format(p, "c.py", "y = 1\n")))) > 0);
    project.write("pyproject.toml", "[tool.black]\nline-length = 20\n");
    assert!(starts(&mut project, |p| drop(clean(&format(p, "b.py", "y = 1\n")))) > 0);
    // Formatting files tells the check as well.
    project.write("d.py", "z =  1\n");
    assert_eq!(project.pyqa(&["format", "d.py"]).code, 0);
    assert_eq!(
        starts(&mut project, |p| assert_eq!(p.pyqa(&["check", "--only", "black", "d.py"]).code, 0)),
        0
    );
}

#[test]
fn a_result_that_black_did_not_prove_is_not_known() {
    let mut project = Project::new();
    project.write("pyproject.toml", "[tool.black]\nfast = true\n");
    assert_eq!(clean(&format(&project, "a.py", "x =  1\n")), "x = 1\n");
    assert!(starts(&mut project, |p| drop(clean(&format(p, "a.py", "x = 1\n")))) > 0);
    // That it changes nothing is proof enough.
    assert_eq!(starts(&mut project, |p| drop(clean(&format(p, "a.py", "x = 1\n")))), 0);
}

#[test]
fn imports_are_sorted_before_the_layout_and_ruff_formats_where_it_is_configured() {
    let mut project = Project::new();
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("format-envs");
    project.set("PYQA_ENVS_DIR", shared);
    project.write("isort/pyproject.toml", "[tool.isort]\nprofile = \"black\"\n[tool.black]\n");
    project.write("ruff/pyproject.toml", "[tool.ruff.format]\nquote-style = \"single\"\n");
    let text = "import sys\nimport os\nx =  \"a\"\n";
    // isort skips a name of which there is no file.
    project.write("isort/a.py", text);
    let made = format(&project, "isort/a.py", text);
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert_eq!(String::from_utf8_lossy(&made.stdout), "import os\nimport sys\n\nx = \"a\"\n");
    let made = format(&project, "ruff/a.py", text);
    assert_eq!(made.code, 0, "{}", made.stderr);
    assert_eq!(String::from_utf8_lossy(&made.stdout), "import sys\nimport os\n\nx = 'a'\n");
    let made = format(&project, "ruff/a.py", "x = (\n");
    assert_eq!((made.code, made.stdout.len()), (2, 0));
    assert!(made.stderr.starts_with("error: ruff/a.py:2:1: "), "{}", made.stderr);
    let made = pyqa(
        &project,
        &["--range", "2-2", "--stdin-filename", "ruff/a.py", "-"],
        "a =  1\nb =  2\nc =  3\n",
    );
    assert_eq!(String::from_utf8_lossy(&made.stdout), "a =  1\nb = 2\nc =  3\n");
    // On disk, by the same chain.
    project.write("isort/b.py", text);
    let run = project.pyqa(&["format", "--root", "isort", "--diff"]);
    assert!(
        run.stdout.contains("-import sys\n import os\n-x =  \"a\"\n+import sys\n"),
        "{}",
        run.stdout
    );
    let run = project.pyqa(&["format", "--root", "isort"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let written = fs::read_to_string(project.path("isort/b.py")).unwrap();
    assert_eq!(written, "import os\nimport sys\n\nx = \"a\"\n");
}

#[test]
fn a_project_without_a_formatter_is_formatted_by_black() {
    let project = Project::new();
    project.write("pyproject.toml", "[tool.pyqa]\nonly = [\"flake8\"]\n");
    assert_eq!(clean(&format(&project, "a.py", "x =  1\n")), "x = 1\n");
    // But not by `check --fix`, which keeps to the project's tools.
    project.write("a.py", "x =  1\n");
    assert_eq!(project.pyqa(&["check", "--fix", "-q"]).code, 1);
    assert_eq!(fs::read_to_string(project.path("a.py")).unwrap(), "x =  1\n");
}
