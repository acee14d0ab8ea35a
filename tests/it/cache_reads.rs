//! What a test reads in an ignored folder or outside of the project, and by which of Python's ways
//! of reading: all that the interpreter tells of counts.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::symlink;
#[cfg(target_os = "linux")]
use std::process::Command;
use std::process::Stdio;

use crate::support::suite::{is_noticed, its_content_is_noticed, pytest, with_test};
use crate::support::{Project, environment_beside_the_tools, tool_environment};

/// The statements of a test, one a line.
fn statements(lines: &[&str]) -> String {
    lines.join("\n    ")
}

fn python(project: &Project, code: &str) {
    assert!(project.command("python3").args(["-c", code]).status().unwrap().success(), "{code}");
}

#[test]
fn what_threads_read_at_the_same_time_counts() {
    let project = with_test(&statements(&[
        "sys.setswitchinterval(1e-6)",
        "from concurrent.futures import ThreadPoolExecutor",
        "with ThreadPoolExecutor(8) as pool:",
        "    assert set(pool.map(lambda i: open(f'ignored/{i}').read(), range(1000))) == {'1'}",
    ]));
    for number in 0..1000 {
        project.write(format!("ignored/{number}"), "1");
    }
    assert_eq!([pytest(&project), pytest(&project)], [(0, 1), (0, 0)]);
    for number in (4..1000).step_by(83) {
        project.write(format!("ignored/{number}"), "2");
        assert_eq!(pytest(&project).0, 1, "{number}");
        project.write(format!("ignored/{number}"), "1");
    }
}

#[cfg(target_os = "linux")]
fn compile(project: &Project, library: &str, code: &str) {
    let source = project.path("../library.c");
    fs::write(&source, code).unwrap();
    fs::create_dir_all(project.path("ignored")).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-o"]).arg(project.path(library)).arg(source);
    assert!(compiler.status().unwrap().success());
}

#[test]
#[cfg(target_os = "linux")]
fn a_compiled_module_that_is_built_in_place_counts() {
    let project = with_test("sys.path.insert(0, 'ignored'); assert importlib.import_module('m').X");
    let build = |value: u8| {
        // As Python.h has it, which need not be installed.
        let code = format!(
            "struct {{ long count; void *type, *init; long index; void *copy; \
             const char *name, *doc; long size; void *slots[5]; }} m = {{1, .name = \"m\"}};\n\
             void *PyModule_Create2(void *, int);\n\
             int PyModule_AddIntConstant(void *, const char *, long);\n\
             void *PyInit_m(void) {{ void *made = PyModule_Create2(&m, 1013); \
             PyModule_AddIntConstant(made, \"X\", {value}); return made; }}\n"
        );
        compile(&project, "ignored/m.so", &code);
    };
    build(1);
    is_noticed(&project, || build(0));
}

#[test]
#[cfg(target_os = "linux")]
fn a_library_that_ctypes_loads_counts() {
    let project = with_test("import ctypes; assert ctypes.CDLL('ignored/l.so').value() == 1");
    let build = |value: u8| {
        let code = format!("int value(void) {{ return {value}; }}\n");
        compile(&project, "ignored/l.so", &code);
    };
    build(1);
    is_noticed(&project, || build(2));
}

#[test]
fn what_a_project_within_its_environment_reads_counts() {
    for file in ["ignored/v", "../beside.txt"] {
        let mut project = with_test(&format!("assert open('{file}').read() == '1'"));
        let environment = project.root().parent().unwrap().to_owned();
        for part in ["bin", "lib", "pyvenv.cfg"] {
            symlink(tool_environment().join(part), environment.join(part)).unwrap();
        }
        project.set("VIRTUAL_ENV", environment);
        its_content_is_noticed(&project, file);
    }
}

#[test]
fn a_file_that_a_test_could_not_make_counts() {
    for make in ["open('ignored/v', 'x')", "os.open('ignored/v', os.O_CREAT | os.O_EXCL)"] {
        let project = with_test(&statements(&[
            &format!("try: {make}"),
            "except FileExistsError: pass",
            "assert open('ignored/v').read() == '1'",
        ]));
        its_content_is_noticed(&project, "ignored/v");
    }
}

#[test]
fn a_folder_that_a_test_could_not_replace_counts() {
    // Not in the project, whose folders pytest lists.
    let project = with_test(&statements(&[
        "os.makedirs('../new/x')",
        "try: os.rename('../new', '../data')",
        "except OSError: os.removedirs('../new/x')",
        "assert open('../data/v').read() == '1'",
    ]));
    its_content_is_noticed(&project, "../data/v");
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_opened_below_the_descriptor_of_a_folder_counts() {
    let project = with_test(&statements(&[
        "folder = os.open('ignored', os.O_RDONLY)",
        "assert os.read(os.open('v', os.O_RDONLY, dir_fd=folder), 9) == b'1'",
    ]));
    its_content_is_noticed(&project, "ignored/v");
}

#[test]
fn a_file_above_the_target_of_a_link_counts() {
    let project = with_test("assert open('ignored/link/../v').read() == '1'");
    project.write("../elsewhere/folder/empty", "").write("../elsewhere/v", "1");
    project.write("ignored/empty", "");
    symlink(project.path("../elsewhere/folder"), project.path("ignored/link")).unwrap();
    is_noticed(&project, || {
        project.write("../elsewhere/v", "2");
    });
}

/// The test expects 1 of the database that it connects to with `arguments`.
fn with_database(arguments: &str) -> Project {
    let project = with_test(&statements(&[
        &format!("import sqlite3; database = sqlite3.connect({arguments})"),
        "assert database.execute('select x from t').fetchone() == (1,)",
    ]));
    fs::create_dir(project.path("ignored")).unwrap();
    let make = "import sqlite3; d = sqlite3.connect('ignored/a b.db'); \
                d.execute('create table t (x)'); d.execute('insert into t values (1)'); d.commit()";
    python(&project, make);
    project
}

#[test]
fn a_database_that_is_named_by_a_uri_counts() {
    let project = with_database("'file:ignored/a%20b.db?mode=ro', uri=True");
    is_noticed(&project, || {
        python(
            &project,
            "import sqlite3; d = sqlite3.connect('ignored/a b.db'); \
             d.execute('update t set x = 2'); d.commit()",
        );
    });
}

#[test]
fn what_a_database_holds_in_its_log_only_counts() {
    let project = with_database("'ignored/a b.db'");
    let log = |value: u8, then: &str| {
        format!(
            "import sqlite3; d = sqlite3.connect('ignored/a b.db'); \
             d.execute('pragma journal_mode = wal'); d.execute('pragma wal_autocheckpoint = 0'); \
             d.execute('update t set x = {value}'); d.commit(); {then}"
        )
    };
    // The last one who closes the database empties its log.
    let mut holder = project
        .command("python3")
        .args(["-c", &log(1, "print(flush=True); input()")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    BufReader::new(holder.stdout.take().unwrap()).read_line(&mut String::new()).unwrap();
    // For root, sqlite sets the owner of a log that it opens: such a result is not stored.
    assert_eq!(pytest(&project).0, 0);
    python(&project, &log(2, "d.close()"));
    assert_eq!(pytest(&project).0, 1);
    holder.stdin.take().unwrap().write_all(b"\n").unwrap();
    assert!(holder.wait().unwrap().success());
}

#[test]
fn what_links_lead_to_that_a_test_has_made_counts() {
    for (target, name) in [("ignored/v", ""), ("../beside", "/v")] {
        let project = with_test(&statements(&[
            &format!("os.symlink(os.path.abspath('{target}'), '../link')"),
            &format!("text = open('../link{name}').read()"),
            "os.remove('../link')",
            "assert text == '1'",
        ]));
        its_content_is_noticed(&project, &format!("{target}{name}"));
    }
}

#[test]
fn what_a_test_reads_under_another_name_that_it_has_given_counts() {
    // What a run gives a name was touched meanwhile, so that its result need not be stored.
    for (old, new, file, give, back) in [
        ("ignored/v", "ignored/w", "ignored/w", "rename", "os.rename('ignored/w', 'ignored/v')"),
        ("ignored", "other", "other/v", "rename", "os.rename('other', 'ignored')"),
        ("ignored/v", "../link", "../link", "link", "os.remove('../link')"),
    ] {
        let project = with_test(&statements(&[
            &format!("os.{give}('{old}', '{new}')"),
            &format!("text = open('{file}').read()"),
            back,
            "assert text == '1'",
        ]));
        project.write("ignored/v", "1");
        assert_eq!(pytest(&project).0, 0);
        project.write("ignored/v", "2");
        assert_eq!(pytest(&project).0, 1);
    }
}

#[test]
fn data_of_the_project_in_its_environment_s_folder_counts() {
    let mut project = with_test("assert open(os.environ['VIRTUAL_ENV'] + '/data/v').read() == '1'");
    let environment = std::fs::canonicalize(project.path("..")).unwrap().join("env");
    environment_beside_the_tools(&environment);
    project.set("VIRTUAL_ENV", environment);
    its_content_is_noticed(&project, "../env/data/v");
}

#[test]
fn settings_that_a_test_reads_count_beyond_what_pytest_takes_from_them() {
    let project = with_test("assert 'y = 1' in open('pytest.ini').read()");
    project.write(".gitignore", "pytest.ini\n");
    let settings = |value: u8| {
        project.write("pytest.ini", format!("[pytest]\n[x]\ny = {value}\n"));
    };
    settings(1);
    is_noticed(&project, || settings(2));
}
