//! What a result depends on in the environment and on the interpreter's path.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::{Project, environment_beside_the_tools, site_packages, tool_environment};

use crate::support::suite::{is_noticed, with_test};

/// A checker of flake8's that finds nothing.
pub(super) const QUIET: &str = "class Checker:\n    name = 'loc'\n    version = '1'\n\n    \
    def __init__(self, tree):\n        pass\n\n    \
    def run(self):\n        return iter(())\n";

/// One that finds something in each file.
pub(super) fn loud() -> String {
    QUIET.replace("iter(())", "iter([(1, 0, 'LOC1 seen', Checker)])")
}

/// A project with one clean file, `folder` being on `PYTHONPATH`.
fn with_path(folder: &str) -> Project {
    let mut project = Project::new();
    project.write("a.py", "X = 1\n");
    let place = project.path(folder);
    fs::create_dir_all(&place).unwrap();
    project.set("PYTHONPATH", fs::canonicalize(place).unwrap());
    project
}

/// A project whose environment is its own, and that environment's folder of installed packages.
fn with_environment(project: Project) -> (Project, PathBuf) {
    let mut project = project;
    let environment = project.path("../env");
    environment_beside_the_tools(&environment);
    let site = site_packages(&environment);
    project.set("VIRTUAL_ENV", environment);
    (project, site)
}

/// A plugin in `folder` that announces itself in `group`, by a name that pyqa knows as that of one
/// which looks at one file only.
fn write_plugin(project: &Project, folder: &str, group: &str) {
    let metadata = "Metadata-Version: 2.1\nName: flake8-print\nVersion: 1.0\n\n";
    let entry = format!("[{group}]\nLOC = loc:Checker\n");
    project.write(format!("{folder}/flake8_print-1.0.dist-info/METADATA"), metadata);
    project.write(format!("{folder}/flake8_print-1.0.dist-info/entry_points.txt"), entry);
    project.write(format!("{folder}/loc.py"), QUIET);
}

fn flake8(project: &Project) -> Vec<String> {
    project.check(&["--only", "flake8"]).findings().into_iter().collect()
}

/// Asserts that flake8's clean answer is not given any more after `edit`.
fn flake8_notices(project: &Project, edit: impl Fn()) {
    assert_eq!(flake8(project), Vec::<String>::new());
    let again = project.check(&["--only", "flake8"]);
    assert_eq!(again.ran("flake8"), 0, "a result that is not stored proves nothing");
    edit();
    assert_ne!(flake8(project), Vec::<String>::new());
}

#[test]
fn a_plugin_on_pythonpath_counts_by_what_it_is() {
    let project = with_path("../path");
    write_plugin(&project, "../path", "flake8.extension");
    flake8_notices(&project, || {
        project.write("../path/loc.py", loud());
    });
}

#[test]
fn a_style_of_flake8_import_order_counts_as_a_plugin() {
    let project = with_path("../path");
    write_plugin(&project, "../path", "flake8_import_order.styles");
    let ran = || project.check(&["--only", "flake8"]).ran("flake8");
    assert_eq!((ran(), ran()), (1, 0));
    project.write("../path/loc.py", loud());
    assert_eq!((ran(), ran()), (1, 0));
}

#[test]
fn a_module_on_pythonpath_in_the_place_of_one_of_the_tool_counts() {
    for folder in ["../path", "."] {
        let project = with_path(folder);
        let own = fs::read_to_string(site_packages(tool_environment()).join("mccabe.py")).unwrap();
        project.write(".flake8", "[flake8]\nselect = C\nmax-complexity = 50\n");
        project.write("b.py", "def f(x):\n    return x\n");
        project.write(format!("{folder}/mccabe.py"), &own);
        flake8_notices(&project, || {
            let all = own.replace("graph.complexity() > self.max_complexity", "True");
            project.write(format!("{folder}/mccabe.py"), all);
        });
    }
}

#[test]
fn a_module_in_the_place_of_one_of_the_standard_library_counts() {
    let project = with_path("../path");
    let code = "import tokenize; print(tokenize.__file__)";
    let output = Command::new("python3").args(["-c", code]).output().unwrap();
    let own = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    let own = fs::read_to_string(own).unwrap();
    project.write("../path/tokenize.py", &own);
    let run = |code| assert_eq!(project.check(&["--only", "flake8"]).code, code);
    run(0);
    // What reads source with it fails.
    project.write("../path/tokenize.py", own.replace("def open(", "def closed("));
    run(2);
}

/// What decides in the following: a name that pyflakes takes for one of Python's.
fn builtin(name: &str) -> String {
    format!("import os; os.environ['PYFLAKES_BUILTINS'] = '{name}'\n")
}

#[test]
fn a_module_on_pythonpath_that_an_interpreter_runs_at_its_start_counts() {
    for folder in ["../path", "."] {
        let project = with_path(folder);
        project.write("a.py", "print(later)\n");
        project.write(".flake8", "[flake8]\nextend-exclude = sitecustomize.py\n");
        project.write(format!("{folder}/sitecustomize.py"), builtin("later"));
        flake8_notices(&project, || {
            project.write(format!("{folder}/sitecustomize.py"), builtin("never"));
        });
    }
}

#[test]
fn what_an_environment_runs_at_its_start_counts() {
    for file in ["start.pth", "sitecustomize.py"] {
        let (project, site) = with_environment(Project::new());
        project.write("a.py", "print(later)\n");
        fs::write(site.join(file), builtin("later")).unwrap();
        flake8_notices(&project, || fs::write(site.join(file), builtin("never")).unwrap());
    }
}

#[test]
fn local_plugins_in_settings_that_an_argument_names_count() {
    let project = Project::new();
    let arguments = "[tool.pyqa.flake8]\nargs = [\"--append-config=more.cfg\"]\n";
    project.write("pyproject.toml", arguments).write("a.py", "X = 1\n");
    let plugins = "[flake8:local-plugins]\nextension =\n    LOC = loc:Checker\npaths = extra\n";
    project.write("more.cfg", plugins).write("extra/loc.py", QUIET);
    // It is not among the files that are checked.
    project.write(".flake8", "[flake8]\nexclude = extra\n");
    flake8_notices(&project, || {
        project.write("extra/loc.py", loud());
    });
}

#[test]
fn a_plugin_counts_as_long_as_a_path_file_leads_to_it() {
    let (project, site) = with_environment(Project::new());
    project.write("a.py", "X = 1\n");
    write_plugin(&project, "../path", "flake8.extension");
    project.write("../path/loc.py", loud());
    let place = fs::canonicalize(project.path("../path")).unwrap();
    let file = site.join("later.pth");
    flake8_notices(&project, || fs::write(&file, format!("{}\n", place.display())).unwrap());
    fs::remove_file(&file).unwrap();
    assert_eq!(flake8(&project), Vec::<String>::new());
}

#[test]
fn an_archive_on_pythonpath_counts() {
    let mut project = with_test("import inside; assert inside.X == 1");
    let archive = fs::canonicalize(project.path("..")).unwrap().join("modules.zip");
    project.set("PYTHONPATH", &archive);
    let write = |value: u8| {
        let code = format!(
            "import sys, zipfile\nwith zipfile.ZipFile(sys.argv[1], 'w') as f:\n    \
             f.writestr('inside.py', 'X = {value}')\n"
        );
        let mut python = Command::new("python3");
        assert!(python.args(["-c", &code]).arg(&archive).status().unwrap().success());
    };
    write(1);
    is_noticed(&project, || write(2));
}

#[test]
fn a_folder_of_a_path_file_counts_from_the_day_on_which_it_is_made() {
    let body = "from importlib import util; assert util.find_spec('later') is None";
    let (project, site) = with_environment(with_test(body));
    let folder = fs::canonicalize(project.path("..")).unwrap().join("later");
    fs::write(site.join("later.pth"), format!("{}\n", folder.display())).unwrap();
    is_noticed(&project, || {
        project.write("../later/later.py", "");
    });
}

#[test]
fn data_of_a_package_that_was_copied_into_the_environment_counts() {
    let (project, site) = with_environment(with_test(
        "import copied; assert (pathlib.Path(copied.__file__).parent / 'd').read_text() == '1'",
    ));
    let package = site.join("copied");
    fs::create_dir(&package).unwrap();
    fs::write(package.join("__init__.py"), "").unwrap();
    fs::write(package.join("d"), "1").unwrap();
    is_noticed(&project, || fs::write(package.join("d"), "2").unwrap());
}

#[test]
fn a_plugin_of_the_project_that_is_edited_while_the_tool_starts_is_not_that_of_its_result() {
    let project = with_path(".");
    write_plugin(&project, ".", "flake8.extension");
    project.write(".flake8", "[flake8]\nextend-exclude = loc.py\n");
    let swap = "import os\n\nif os.path.exists('swap'):\n    os.replace('swap', 'loc.py')\n";
    project.write("sitecustomize.py", swap);
    assert_eq!(flake8(&project), Vec::<String>::new());
    project.write("swap", loud()).write("a.py", "X = 2\n");
    assert_ne!(flake8(&project), Vec::<String>::new());
    project.write("loc.py", QUIET);
    assert_eq!(flake8(&project), Vec::<String>::new());
}

#[test]
fn an_installed_plugin_that_is_not_known_may_read_what_it_likes() {
    for file in ["ignored", "../words", "words"] {
        let (project, site) = with_environment(Project::new());
        project.write("a.py", "X = 1\n").write(".gitignore", "ignored\n").write(file, "1");
        project.git(&["init", "-q"]);
        let info = site.join("flake8_around-1.0.dist-info");
        fs::create_dir(&info).unwrap();
        let metadata = "Metadata-Version: 2.1\nName: flake8-around\nVersion: 1.0\n\n";
        fs::write(info.join("METADATA"), metadata).unwrap();
        fs::write(info.join("RECORD"), "around.py,,\n").unwrap();
        let entry = "[flake8.extension]\nLOC = around:Checker\n";
        fs::write(info.join("entry_points.txt"), entry).unwrap();
        let found =
            format!("iter([(1, 0, 'LOC1 seen', Checker)] * (open('{file}').read() == '2'))");
        fs::write(site.join("around.py"), QUIET.replace("iter(())", &found)).unwrap();
        flake8_notices(&project, || {
            project.write(file, "2");
        });
    }
}

#[test]
fn an_installed_plugin_of_mypy_may_read_what_it_likes() {
    for file in ["type.txt", "ignored", "mypy.ini"] {
        let (project, site) = with_environment(Project::new());
        project.git(&["init", "-q"]).write(".gitignore", "ignored\n");
        let plugin = "from mypy.plugin import Plugin\n\n\nclass Typed(Plugin):\n    \
            def get_function_hook(self, fullname):\n        \
            word = open('FILE').read().split()[-1]\n        \
            if fullname == 'lib.f':\n            \
            return lambda ctx: ctx.api.named_generic_type('builtins.' + word, [])\n\n\n\
            def plugin(version):\n    return Typed\n";
        fs::write(site.join("typed_plugin.py"), plugin.replace("FILE", file)).unwrap();
        let settings = "[mypy]\nplugins = typed_plugin\n[typed]\nas = ";
        project.write("mypy.ini", settings.to_owned() + "int\n");
        project.write("lib.py", "def f() -> object: ...\n");
        project.write("use.py", "import lib\n\nX: int = lib.f()\n");
        let write = |word: &str| {
            let text = if file == "mypy.ini" { settings } else { "" };
            project.write(file, format!("{text}{word}\n"));
        };
        let run = || project.check(&["--only", "mypy"]);
        write("int");
        assert_eq!((run().code, run().ran("mypy")), (0, 0), "{file}");
        write("bytes");
        assert_eq!(run().code, 1, "{file}");
    }
}
