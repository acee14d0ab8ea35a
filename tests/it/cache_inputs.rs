//! What a result depends on beside the project's files and settings. Each test once told a wrong
//! "clean", or could.

use std::fs;
use std::path::Path;

use pyqa::cache::folder::CacheFolder;
use pyqa::hash::Fingerprint;

use crate::support::files::{copy_tree, write_keeping_time};
use crate::support::suite::{is_noticed, its_content_is_noticed, pytest, with_test};
use crate::support::{Project, site_packages};

#[test]
fn an_ignored_module_counts_even_where_only_its_bytecode_is_read() {
    let project = with_test("sys.path.insert(0, 'ignored'); assert importlib.import_module('m').X");
    project.write("ignored/m.py", "X = 1\n");
    assert_eq!(pytest(&project).0, 0);
    // This run finds bytecode and does not open the source.
    project.write("other.py", "");
    is_noticed(&project, || {
        // Same size, same second: CPython would believe the bytecode.
        write_keeping_time(&project.path("ignored/m.py"), "X = 0\n");
    });
}

#[test]
fn a_file_outside_of_the_project_counts() {
    let project = with_test("assert pathlib.Path('../beside.txt').read_text() == '1'");
    its_content_is_noticed(&project, "../beside.txt");
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_in_shared_memory_counts() {
    let memory = tempfile::tempdir_in("/dev/shm").unwrap();
    let file = memory.path().join("data.txt");
    fs::write(&file, "1").unwrap();
    let body = format!("assert pathlib.Path('{}').read_text() == '1'", file.display());
    is_noticed(&with_test(&body), || fs::write(&file, "2").unwrap());
}

#[test]
fn a_database_in_an_ignored_folder_counts() {
    let project = with_test(
        "import sqlite3; c = sqlite3.connect('ignored/d.db'); \
         assert c.execute('select x from t').fetchone() == (1,)",
    );
    fs::create_dir(project.path("ignored")).unwrap();
    let fill = |value: u8| {
        let code = format!(
            "import sqlite3; c = sqlite3.connect('ignored/d.db'); \
             c.execute('create table if not exists t (x)'); c.execute('delete from t'); \
             c.execute('insert into t values ({value})'); c.commit()"
        );
        assert!(project.command("python3").args(["-c", &code]).status().unwrap().success());
    };
    fill(1);
    is_noticed(&project, || fill(2));
}

#[test]
fn tests_in_a_new_ignored_folder_and_names_in_a_listed_one_count() {
    let project = with_test("assert True");
    is_noticed(&project, || {
        project.write("ignored/test_more.py", "def test_more():\n    assert False\n");
    });
    let project = with_test("assert len(os.listdir('data')) == 1");
    project.write("data/kept.txt", "").write(".gitignore", "*.tmp\n");
    is_noticed(&project, || {
        project.write("data/new.tmp", "");
    });
}

#[test]
fn a_conftest_above_the_root_counts() {
    let project = with_test("assert os.environ.get('ABOVE') is None");
    // Without settings of its own in the project, pytest takes the folder of `setup.py` as root.
    fs::remove_file(project.path("pytest.ini")).unwrap();
    fs::remove_dir_all(project.path(".git")).unwrap();
    project.write("../setup.py", "");
    let root = project.root();
    let pytest = |code: i32, ran: u64| {
        let run = project.check(&["--only", "pytest", "--root", root.to_str().unwrap()]);
        assert_eq!((run.code, run.ran("pytest")), (code, ran), "{}", run.stdout);
    };
    pytest(0, 1);
    pytest(0, 0);
    project.write("../conftest.py", "import os\n\nos.environ['ABOVE'] = '1'\n");
    pytest(1, 1);
}

#[test]
fn settings_that_an_argument_names_count() {
    let project = Project::new();
    project.write("a.py", "import os\n").write("ci/flake8.cfg", "[flake8]\nignore = F401\n");
    project.write("ci/mypy.ini", "[mypy]\n").write("b.py", "def f(x):\n    return x\n");
    project.write(
        "pyproject.toml",
        "[tool.pyqa.flake8]\nargs = [\"--config=ci/flake8.cfg\"]\n\
         [tool.pyqa.mypy]\nargs = [\"--config-file\", \"ci/mypy.ini\"]\n",
    );
    let check =
        || project.check(&["--only", "flake8,mypy"]).findings().into_iter().collect::<Vec<_>>();
    assert!(check().is_empty());
    project.write("ci/flake8.cfg", "[flake8]\nignore = F402\n");
    assert_eq!(check(), ["flake8 a.py:1 F401"]);
    project.write("ci/mypy.ini", "[mypy]\ndisallow_untyped_defs = True\n");
    assert_eq!(check(), ["flake8 a.py:1 F401", "mypy b.py:1 no-untyped-def"]);
}

#[test]
fn stubs_outside_of_the_project_count_also_after_a_run_that_did_not_read_them() {
    let mut project = Project::new();
    project.write("a.py", "import stub\n\nX: int = stub.f()\n").write("b.py", "Y = 1\n");
    project.write("../stubs/stub.pyi", "def f() -> int: ...\n");
    let stubs = project.path("../stubs");
    project.set("MYPYPATH", stubs);
    let check = || project.check(&["--only", "mypy"]).code;
    assert_eq!(check(), 0);
    // mypy takes what it knows of the stub from its own state.
    project.write("b.py", "Y = 2\n");
    assert_eq!(check(), 0);
    project.write("../stubs/stub.pyi", "def f() -> str: ...\n");
    assert_eq!(check(), 1);
}

/// mypy keeps what it did not find, as long as the file that imports it is the same.
#[test]
fn a_module_that_comes_is_found_by_files_that_mypy_takes_from_its_state() {
    let project = Project::new();
    project.write("pkg/__init__.py", "").write(".gitignore", "generated.py\n");
    project.write("pkg/top.py", "from pkg import later\n\nX: str = later.Y\n");
    project.write("pkg/made.py", "from . import generated\n\nX: str = generated.Y\n");
    let findings = |arguments: &[&str]| {
        let run = project.pyqa(&[&["check", "--only", "mypy"], arguments].concat());
        run.stdout.matches("attr-defined").count()
    };
    assert_eq!(findings(&[]), 2);
    project.write("pkg/later.py", "Y = 'one'\n");
    assert_eq!((findings(&[]), findings(&["--no-cache"])), (1, 1));
    project.write("pkg/generated.py", "Y = 'one'\n");
    assert_eq!((findings(&[]), findings(&["--no-cache"])), (0, 0));
    fs::rename(project.path("pkg/later.py"), project.path("pkg/other.py")).unwrap();
    assert_eq!(findings(&[]), 1);
    fs::rename(project.path("pkg/other.py"), project.path("pkg/later.py")).unwrap();
    assert_eq!(findings(&[]), 0);
}

#[test]
fn an_error_at_which_mypy_stops_hides_nothing_that_it_knows_from_an_earlier_run() {
    let project = Project::new();
    project.write("a.py", "import mccabe\n").write("pkg/__init__.py", "").write("pkg/m.py", "");
    project.write("b.py", "import pkg.m\n");
    let whole = |arguments: &[&str]| {
        let run = project.pyqa(&[&["check", "--only", "mypy"], arguments].concat());
        (run.code, run.stdout)
    };
    let before = whole(&[]);
    assert!(before.0 == 1 && before.1.contains("import-untyped"), "{}", before.1);
    fs::remove_file(project.path("pkg/__init__.py")).unwrap();
    let blocked = whole(&[]);
    assert_eq!(blocked, whole(&["--no-cache"]));
    assert_ne!(blocked, before);
    project.write("pkg/__init__.py", "Y = 2\n");
    assert_eq!(whole(&[]), before);
}

#[test]
fn settings_changed_while_a_tool_runs_are_not_those_of_its_result() {
    let mut project = Project::new();
    project.write("a.py", "import os\n").write(".flake8", "[flake8]\n");
    // Found on `PATH` and slow, so that there is time for the edit.
    project.write(
        "pyproject.toml",
        "[tool.pyqa.tools.slow]\ngranularity = \"file\"\ncommand = { program = \"slow\" }\n\
         config = { files = [{ name = \".flake8\", syntax = \"ini\", sections = [\"flake8\"] }] }\n\
         output = { format = \"regex\", pattern = '^(?P<path>\\S+):(?P<line>\\d+) (?P<message>.*)$' }\n",
    );
    let folder = project.path("../bin");
    fs::create_dir(&folder).unwrap();
    let script = "#!/bin/sh\n[ -e wait ] && sleep 1.5\ngrep -q strict .flake8 || exit 0\n\
                  echo a.py:1 found\nexit 1\n";
    executable(&folder.join("slow"), script);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    project.set("PATH", path);
    project.write("wait", "");
    let child = project
        .command(env!("CARGO_BIN_EXE_pyqa"))
        .args(["check", "--only", "slow"])
        .stdout(std::process::Stdio::null())
        .spawn();
    std::thread::sleep(std::time::Duration::from_millis(700));
    project.write(".flake8", "[flake8]\nx = strict\n");
    child.unwrap().wait().unwrap();
    fs::remove_file(project.path("wait")).unwrap();
    assert_eq!(project.check(&["--only", "slow"]).code, 1);
    project.write(".flake8", "[flake8]\n");
    assert_eq!(project.check(&["--only", "slow"]).code, 0);
}

fn executable(path: &Path, text: &str) {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Makes all results for the project as a whole look as if they were stored `hours` earlier than
/// they were.
fn age(project: &Project, hours: i64) {
    let folder = project.cache().into_os_string();
    let store =
        CacheFolder::locate(|name| (name == "PYQA_CACHE_DIR").then(|| folder.clone())).store();
    let below = |folder: &Path| {
        let entries = fs::read_dir(folder).unwrap().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let text = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let kept = project.cache().join("results/whole");
    for file in below(&kept).iter().flat_map(|folder| below(folder)) {
        let name = text(file.parent().unwrap()) + &text(&file);
        let key: Vec<u8> =
            (0..32).map(|n| u8::from_str_radix(&name[2 * n..2 * n + 2], 16).unwrap()).collect();
        let key = Fingerprint(key.try_into().unwrap());
        for mut entry in store.whole(&key) {
            entry.stored = entry.stored.checked_add_signed(-3600 * hours).unwrap();
            store.put_whole(&key, &entry).unwrap();
        }
    }
}

#[test]
fn a_result_has_a_greatest_age_and_may_have_none_or_no_cache_at_all() {
    // Settings; further hours that go by before each run, and whether it has to run the tests.
    let cases: [(&str, &[(i64, u64)]); 4] = [
        ("", &[(0, 0), (23, 0), (2, 1), (0, 0)]),
        ("[tool.pyqa.pytest]\nmax-age = \"2h\"\n", &[(1, 0), (1, 1)]),
        ("[tool.pyqa.pytest]\nmax-age = 0\n", &[(0, 0), (100_000, 0)]),
        // The clock was set back: nobody knows how old the result is.
        ("", &[(-1, 1)]),
    ];
    for (settings, runs) in cases {
        let project = with_test("assert True");
        project.write("pyproject.toml", settings);
        assert_eq!(pytest(&project), (0, 1));
        for (hours, ran) in runs {
            age(&project, *hours);
            assert_eq!(pytest(&project), (0, *ran), "{settings} {hours} in {runs:?}");
        }
    }
    let project = with_test("assert True");
    project.write("pyproject.toml", "[tool.pyqa.pytest]\ncache = false\n");
    assert_eq!([pytest(&project), pytest(&project)], [(0, 1), (0, 1)]);
}

#[test]
fn a_fresh_clone_with_a_restored_cache_runs_nothing() {
    let project = Project::fixture("clean");
    project.git(&["init", "-q"]).git(&["add", "-A"]).git(&["commit", "-q", "-m", "all"]);
    assert_eq!(project.check(&[]).code, 0);
    let clone = Project::new();
    let tar = |from: &Path, to: &Path| {
        let archive = project.path("../archive.tar");
        let run = |arguments: &[&std::ffi::OsStr]| {
            assert!(std::process::Command::new("tar").args(arguments).status().unwrap().success());
        };
        fs::create_dir_all(to).unwrap();
        run(&["-cf".as_ref(), archive.as_ref(), "-C".as_ref(), from.as_ref(), ".".as_ref()]);
        run(&["-xmf".as_ref(), archive.as_ref(), "-C".as_ref(), to.as_ref()]);
    };
    tar(&project.cache(), &clone.cache());
    clone.git(&["clone", "-q", project.root().to_str().unwrap(), "."]);
    let run = clone.check(&[]);
    for tool in ["flake8", "mypy", "bandit", "black", "pytest"] {
        assert_eq!(run.ran(tool), 0, "{tool}: {}", run.stdout);
    }
}

/// A copy of the project elsewhere fails although the project passes: there, another text lies in the
/// place of `beside`, a file beside the project.
fn fails_elsewhere(project: &Project, tool: &str, beside: &str, text: &str) {
    let run = || project.check(&["--only", tool]);
    assert_eq!((run().code, run().ran(tool)), (0, 0), "a result that is not stored proves nothing");
    let other = project.path("../elsewhere/root");
    copy_tree(&project.root(), &other);
    project.write(format!("../elsewhere/{beside}"), text);
    let mut check = project.command(env!("CARGO_BIN_EXE_pyqa"));
    let checked = check.args(["check", "--only", tool]).current_dir(other).output().unwrap();
    assert_eq!(checked.status.code(), Some(1));
}

#[test]
fn what_lies_beside_the_project_is_that_of_each_checkout() {
    let project = with_test("assert pathlib.Path('../value').read_text() == '1'");
    project.write("../value", "1");
    fails_elsewhere(&project, "pytest", "value", "2");
}

#[test]
fn stubs_beside_the_project_are_those_of_each_checkout() {
    let project = Project::new();
    project
        .write("mypy.ini", "[mypy]\nmypy_path = ../stubs\n")
        .write("../stubs/dep.pyi", "X: int\n");
    project.write("a.py", "from dep import X\n\nY: int = X\n");
    fails_elsewhere(&project, "mypy", "stubs/dep.pyi", "X: str\n");
}

#[test]
fn a_name_in_a_listed_folder_beside_the_project_counts() {
    let project = with_test("assert os.listdir('../beside') == ['a']");
    project.write("../beside/a", "");
    is_noticed(&project, || drop(fs::write(project.path("../beside/b"), "")));
}

#[test]
fn a_name_in_a_listed_folder_of_others_code_counts() {
    let project = with_test("assert os.listdir('node_modules') == ['a']");
    project.write("node_modules/a/p", "").write(".gitignore", "node_modules/\n");
    is_noticed(&project, || drop(fs::create_dir(project.path("node_modules/b"))));
}

#[test]
fn tests_that_earlier_sessions_chose_are_not_the_suite() {
    for option in ["--lf", "--sw"] {
        let project = with_test("pass");
        project.write("pytest.ini", format!("[pytest]\naddopts = {option}\n"));
        project.write("test_other.py", "def test_other():\n    assert False\n");
        assert_ne!(pytest(&project).0, 0);
        project.write("test_other.py", "def test_other():\n    pass\n");
        // With `--lf` this one alone runs.
        assert_eq!(pytest(&project), (0, 1));
        assert_eq!(pytest(&project), (0, 1), "{option}");
    }
}

#[test]
fn declared_inputs_count_where_git_ignores_them_and_beside_the_project() {
    for (pattern, file) in [("ignored/value", "ignored/value"), ("../*.txt", "../value.txt")] {
        let read = format!("subprocess.run(['cat', '{file}'], capture_output=True).stdout");
        let project = with_test(&format!("import subprocess; assert {read} == b'1'"));
        let settings = format!("[tool.pyqa.pytest]\ninputs = [\"{pattern}\"]\n");
        project.write("pyproject.toml", settings);
        its_content_is_noticed(&project, file);
    }
}

#[test]
fn scripts_that_mypy_s_settings_name_count() {
    for files in ["tool", "bin/*"] {
        let project = Project::new();
        project.write("mypy.ini", format!("[mypy]\nfiles = {files}\n"));
        let write = |text| project.write("tool", text).write("bin/tool", text);
        write("X: int = 1\n");
        let mypy = || project.check(&["--only", "mypy"]);
        assert_eq!((mypy().code, mypy().ran("mypy")), (0, 0), "{files}");
        write("X: int = ''\n");
        assert_eq!(mypy().code, 1, "{files}");
    }
}

#[test]
fn scripts_that_mypy_s_settings_name_are_those_that_are_staged() {
    for files in ["bin/tool", "bin/*"] {
        let project = Project::new();
        project.write("mypy.ini", format!("[mypy]\nfiles = {files}\n"));
        project.write("bin/tool", "X: int = 1\n").git(&["init", "-q"]).git(&["add", "-A"]);
        assert_eq!(project.check(&["--only", "mypy"]).code, 0);
        project.write("bin/tool", "X: int = ''\n").git(&["add", "-A"]);
        project.write("bin/tool", "X: int = 1\n");
        assert_eq!(project.check(&["--only", "mypy", "--staged"]).code, 1, "{files}");
    }
}

#[test]
fn what_a_mypy_plugin_of_the_project_reads_counts() {
    let argument = "[tool.pyqa.mypy]\nargs = ['--config-file=ci/strict.ini']\n";
    for (settings, plugin, arguments) in
        [("mypy.ini", "plugin.py", ""), ("ci/strict.ini", "../plugin.py", argument)]
    {
        let project = Project::new();
        project.write(settings, format!("[mypy]\nplugins = {plugin}\n")).write("type.txt", "int");
        project.write("pyproject.toml", arguments).write("lib.py", "def f() -> object: ...\n");
        project.write("use.py", "import lib\n\nX: int = lib.f()\n");
        project.write(
            "plugin.py",
            "import pathlib\n\nfrom mypy.plugin import Plugin\n\n\
             TYPE = 'builtins.' + (pathlib.Path(__file__).parent / 'type.txt').read_text()\n\n\n\
             class Own(Plugin):\n    def get_function_hook(self, fullname):\n        \
             if fullname == 'lib.f':\n            \
             return lambda context: context.api.named_generic_type(TYPE, [])\n        \
             return None\n\n\ndef plugin(version):\n    return Own\n",
        );
        let mypy = || project.check(&["--only", "mypy"]);
        assert!(!mypy().stdout.contains("assignment"), "{}", mypy().stdout);
        project.write("type.txt", "bytes");
        assert!(mypy().stdout.contains("assignment"), "{}", mypy().stdout);
    }
}

/// mypy's exit code with `settings` in `mypy.ini` and pyqa's `arguments` for it is `before`, and after
/// `change` it is the other one of 0 and 1.
fn mypy_notices(
    project: &mut Project,
    (settings, arguments): (&str, &str),
    before: i32,
    change: impl FnOnce(&mut Project),
) {
    project.write("mypy.ini", format!("[mypy]\n{settings}\n"));
    project.write("pyproject.toml", format!("[tool.pyqa.mypy]\nargs = [{arguments}]\n"));
    let mypy = |project: &Project| {
        let run = project.check(&["--only", "mypy"]);
        (run.code, run.ran("mypy"))
    };
    assert_eq!(
        [mypy(project), mypy(project)],
        [(before, 1), (before, 0)],
        "{settings} {arguments}"
    );
    change(project);
    assert_eq!(mypy(project), (1 - before, 1), "{settings} {arguments}");
}

#[test]
fn a_variable_in_mypy_s_settings_counts() {
    for path in ["../$STUBS", "../${STUBS}", "~/stubs"] {
        let mut project = Project::new();
        project.write("a.py", "from dep import X\n\nY: int = X\n");
        for (folder, kind) in [("one", "int"), ("other", "str")] {
            let stub = format!("X: {kind}\n");
            project.write(format!("../{folder}/dep.pyi"), &stub);
            project.write(format!("../{folder}/stubs/dep.pyi"), &stub);
        }
        let home = |name: &str| project.path(format!("../{name}")).canonicalize().unwrap();
        let (one, other) = (home("one"), home("other"));
        project.set("STUBS", "one").set("HOME", one);
        mypy_notices(&mut project, (&format!("mypy_path = {path}"), ""), 0, |project| {
            project.set("STUBS", "other").set("HOME", other);
        });
    }
}

#[test]
fn a_variable_that_is_set_counts_where_it_was_not() {
    let mut project = Project::new();
    project.write("a.py", "from dep import X\n\nY: int = X\n").write("../$STUBS/dep.pyi", "X: int");
    project.write("../stubs/dep.pyi", "X: str\n");
    mypy_notices(&mut project, ("mypy_path = ../$STUBS", ""), 0, |project| {
        project.set("STUBS", "stubs");
    });
}

#[test]
fn scripts_that_mypy_s_settings_name_by_a_variable_count() {
    for files in ["$FOLDER/tool", "${MYPY_CONFIG_FILE_DIR}/bin/t*"] {
        let mut project = Project::new();
        project.write("bin/tool", "X: int = 1\n");
        project.set("FOLDER", "bin");
        mypy_notices(&mut project, (&format!("files = {files}"), ""), 0, |project| {
            project.write("bin/tool", "X: int = ''\n");
        });
    }
}

#[test]
fn a_variable_counts_in_settings_that_an_argument_names() {
    let mut project = Project::new();
    project.write("ci/strict.ini", "[mypy]\nmypy_path = ../$STUBS\n");
    project.write("a.py", "from dep import X\n\nY: int = X\n");
    project.write("../one/dep.pyi", "X: int\n").write("../other/dep.pyi", "X: str\n");
    project.set("STUBS", "one");
    let arguments = "'--config-file', 'ci/strict.ini'";
    mypy_notices(&mut project, ("", arguments), 0, |project| {
        project.set("STUBS", "other");
    });
}

#[test]
fn ignore_files_count_where_mypy_reads_them() {
    let on = ("exclude_gitignore = True", "");
    let cases = [
        (on, ".gitignore"),
        // Git does not list a file that ignores itself.
        (on, "pkg/.gitignore"),
        (("", "'--exclude-gitignore'"), "pkg/.gitignore"),
        (on, ".git/info/exclude"),
        (("exclude_gitignore = 1\nfiles = $MYPY_CONFIG_FILE_DIR/pkg", ""), "../.gitignore"),
    ];
    for (settings, file) in cases {
        let mut project = Project::new();
        let top = if file.starts_with("..") { ".." } else { "." };
        project.write("pkg/a.py", "X: int = ''\n").git(&["-C", top, "init", "-q"]);
        project.git(&["add", "pkg"]);
        fs::remove_dir_all(project.path(top).join(".git/info")).unwrap();
        mypy_notices(&mut project, settings, 1, |project| {
            project.write(file, "*\n");
        });
    }
}

#[test]
fn ignore_files_do_not_count_where_mypy_does_not_read_them() {
    let project = Project::new();
    project.write("a.py", "").write("mypy.ini", "[mypy]\nexclude_gitignore = False\n");
    let ran = || project.check(&["--only", "mypy"]).ran("mypy");
    assert_eq!(ran(), 1);
    project.write(".gitignore", "other\n");
    assert_eq!(ran(), 0);
}

#[test]
fn what_is_installed_for_an_interpreter_that_mypy_s_settings_name_counts() {
    let setting = |python: &str| (format!("python_executable = {python}"), String::new());
    let argument = |argument: &str| (String::new(), argument.to_owned());
    let cases = [
        setting("../env/bin/python"),
        setting("$MYPY_CONFIG_FILE_DIR/../env/bin/python"),
        setting("${ELSEWHERE}/bin/python"),
        argument("'--python-executable=../env/bin/python'"),
        argument("'--python-executable', '../env/bin/python'"),
    ];
    for (settings, arguments) in cases {
        let mut project = Project::new();
        project.write("a.py", "import lib\n\nX: int = lib.f()\n");
        project.write("../folder/lib/py.typed", "");
        project.write("../folder/lib/__init__.py", "def f() -> str: ...\n");
        let environment = project.path("../env");
        let mut python = project.command("python3");
        python.args(["-m", "venv", "--without-pip"]).arg(&environment);
        assert!(python.status().unwrap().success());
        project.set("ELSEWHERE", "../env");
        let settings = format!("{settings}\nignore_missing_imports = True");
        mypy_notices(&mut project, (&settings, &arguments), 0, |project| {
            let folder = project.path("../folder");
            let line = folder.to_str().unwrap();
            fs::write(site_packages(&environment).join("folder.pth"), line).unwrap();
        });
    }
}
