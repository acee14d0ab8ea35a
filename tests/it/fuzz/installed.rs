//! Mutations of what is installed, and of the variables that a run sees.

use std::fs;

use super::verdict::{agree, compare};
use super::world::World;
use super::{Mutation, TESTS, TYPES};

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation::new("plugin", plugin),
    Mutation::new("plugin-of-pytest", plugin_of_pytest),
    Mutation::new("plugin-that-looks-around", plugin_that_looks_around),
    Mutation::new("editable-plugin", editable_plugin),
    Mutation::new("editable-plugin-of-the-project", plugin_of_the_project),
    Mutation::new("editable-dependency-of-a-plugin", editable_dependency),
    Mutation::new("plugin-s-dependency", plugin_dependency),
    Mutation::new("tool-upgraded", tool),
    Mutation::new("tool-s-dependency-upgraded", tool_dependency),
    Mutation::new("tool-with-other-code-of-the-same-version", same_version),
    Mutation::new("dependency", dependency),
    Mutation::new("copied-by-hand", copied_by_hand),
    Mutation::new("interpreter", interpreter),
    Mutation::new("PYTHONPATH", python_path),
    Mutation::new("MYPYPATH", mypy_path),
    Mutation::new("PYTEST_ADDOPTS", addopts),
    Mutation::new("declared-variable", declared),
];

fn checker(message: &str) -> String {
    format!(
        "import ast\n\ntry:\n    import todohelp\nexcept ImportError:\n    todohelp = None\n\n\n\
         class Checker:\n    name = 'todos'\n    version = '1'\n\n    \
         def __init__(self, tree):\n        self.tree = tree\n\n    def run(self):\n        \
         for node in ast.walk(self.tree):\n            if isinstance(node, ast.FunctionDef):\n                \
         word = todohelp.WORD if todohelp else 'none'\n                \
         yield node.lineno, 0, 'T100 {message} ' + word, Checker\n"
    )
}

const ENTRY: &str = "[flake8.extension]\nT1 = todos_plugin:Checker\n";

/// A plugin of the per-file list comes, goes, or has another version.
fn plugin(world: &mut World) -> &'static str {
    let name = "flake8_todos";
    if world.site.info(name).is_some() && world.random.one_in(3) {
        world.site.uninstall(name);
    } else {
        let version = *world.random.pick(&["1.0", "2.0"]);
        let code = checker(version);
        let files = [("todos_plugin.py", code.as_str()), ("entry_points.txt", ENTRY)];
        world.site.install(name, version, &files, "Requires-Dist: todohelp>=1\n");
    }
    "flake8"
}

/// A plugin of pytest comes, is upgraded to one that lets tests fail, and goes.
fn plugin_of_pytest(world: &mut World) -> &'static str {
    const NAME: &str = "fuzz_plugin";
    for version in ["1", "2"] {
        let code = format!("def pytest_runtest_setup(item):\n    assert {version} != 2\n");
        let entry = format!("[pytest11]\nfuzz = {NAME}\n");
        let files = [("fuzz_plugin.py", code.as_str()), ("entry_points.txt", entry.as_str())];
        world.site.install(NAME, version, &files, "");
        compare(world, TESTS);
    }
    world.site.uninstall(NAME);
    TESTS
}

fn install_todos_plugin(world: &World) {
    if world.site.info("flake8_todos").is_none() {
        let code = checker("1.0");
        let files = [("todos_plugin.py", code.as_str()), ("entry_points.txt", ENTRY)];
        world.site.install("flake8_todos", "1.0", &files, "Requires-Dist: todohelp>=1\n");
    }
}

fn plugin_dependency(world: &mut World) -> &'static str {
    install_todos_plugin(world);
    let version = *world.random.pick(&["1.0", "2.0", "3.0"]);
    let code = format!("WORD = '{version}'\n");
    world.site.install("todohelp", version, &[("todohelp.py", &code)], "");
    "flake8"
}

/// A plugin whose answer for one file depends on another one.
fn plugin_that_looks_around(world: &mut World) -> &'static str {
    const CODE: &str = "import os\n\n\nclass Checker:\n    name = 'around'\n    version = '1'\n\n    \
        def __init__(self, tree, filename):\n        self.file = filename\n\n    def run(self):\n        \
        beside = os.path.join(os.path.dirname(self.file), 'style.py')\n        \
        if os.path.exists(beside) and 'sxs' in open(beside).read():\n            \
        yield 1, 0, 'AR1 look at style.py', Checker\n";
    const ENTRIES: &str = "[flake8.extension]\nAR = around_plugin:Checker\n";
    if world.site.info("flake8_around").is_some() {
        world.site.uninstall("flake8_around");
    } else {
        let files = [("around_plugin.py", CODE), ("entry_points.txt", ENTRIES)];
        world.site.install("flake8_around", "1.0", &files, "");
    }
    "flake8"
}

/// A plugin that is worked on: its version stays.
fn editable_plugin(world: &mut World) -> &'static str {
    let message = *world.random.pick(&["T201", "T202", "T203"]);
    let code = checker("1.0").replace("T100", message);
    world.write_maybe_keeping_time("../plugin/print_plugin.py", &code);
    let entry = "[flake8.extension]\nT2 = print_plugin:Checker\n";
    install_editable(world, "flake8_print", "../plugin", entry);
    "flake8"
}

/// The same for one whose source is the project's.
fn plugin_of_the_project(world: &mut World) -> &'static str {
    let message = *world.random.pick(&["T301", "T302", "T303"]);
    let code = checker("1.0").replace("T100", message);
    world.write_maybe_keeping_time("inside/debugger_plugin.py", &code);
    let entry = "[flake8.extension]\nT3 = debugger_plugin:Checker\n";
    install_editable(world, "flake8_debugger", "inside", entry);
    "flake8"
}

/// What a plugin requires is worked on.
fn editable_dependency(world: &mut World) -> &'static str {
    let version = *world.random.pick(&["1.1", "1.2", "1.3"]);
    install_todos_plugin(world);
    let code = format!("WORD = '{version}'\n");
    world.write_maybe_keeping_time("../plugin-s/todohelp.py", &code);
    install_editable(world, "todohelp", "../plugin-s", "");
    "flake8"
}

fn install_editable(world: &World, name: &str, folder: &str, entry: &str) {
    let hook = format!("__editable__.{name}.pth");
    if world.site.path(&hook).exists() {
        return;
    }
    let folder = fs::canonicalize(world.path(folder)).unwrap();
    let url = format!(
        "{{\"dir_info\": {{\"editable\": true}}, \"url\": \"file://{}\"}}",
        folder.display()
    );
    let pth = format!("{}\n", folder.display());
    let files = [
        ("direct_url.json", url.as_str()),
        (hook.as_str(), pth.as_str()),
        ("entry_points.txt", entry),
    ];
    world.site.install(name, "1.0", &files, "");
}

/// bandit in another version says something else.
fn tool(world: &mut World) -> &'static str {
    let version = format!("1.9.{}", 10 + world.random.below(3));
    let file = "bandit/blacklists/imports.py";
    let text = fs::read_to_string(world.site.own("bandit").parent().unwrap().join(file)).unwrap();
    // Not those of the module's own documentation.
    let start = text.find("\"Consider possible security implications").unwrap() + 1;
    let end = start + text[start..].find('"').unwrap();
    let words = format!("Consider possible security implications {version} ");
    world.site.write(file, &format!("{}{words}{}", &text[..start], &text[end..]));
    world.site.upgrade("bandit", &version);
    "bandit"
}

/// What flake8 stands on, in another version.
fn tool_dependency(world: &mut World) -> &'static str {
    let version = format!("2.99.{}", world.random.below(3));
    let file = world.site.own("pycodestyle.py");
    let text = fs::read_to_string(&file).unwrap();
    let start = text.find("E501 line too long").unwrap();
    let end = start + text[start..].find('(').unwrap();
    let text = format!("{}E501 line too long {version} {}", &text[..start], &text[end..]);
    world.site.write("pycodestyle.py", &text);
    world.site.upgrade("pycodestyle", &version);
    "flake8"
}

/// Installed from a working copy: the version stays, the list of files tells the difference.
fn same_version(world: &mut World) -> &'static str {
    let verdict = *world.random.pick(&["unused", "needless", "useless"]);
    let folder = world.site.own("pyflakes");
    let text = fs::read_to_string(folder.join("messages.py")).unwrap();
    let start = text.find("message = '%r imported but ").unwrap();
    let end = start + text[start..].find('\n').unwrap();
    let line = format!("message = '%r imported but {verdict}'");
    let text = format!("{}{line}{}", &text[..start], &text[end..]);
    world.site.write("pyflakes/messages.py", &text);
    let info = world.site.info("pyflakes").unwrap();
    let record = fs::read_to_string(info.join("RECORD")).unwrap();
    let lines: Vec<String> = record
        .lines()
        .map(|line| match line.strip_prefix("pyflakes/messages.py,") {
            Some(_) => format!("pyflakes/messages.py,sha256={verdict},1"),
            None => line.to_owned(),
        })
        .collect();
    fs::write(info.join("RECORD"), lines.join("\n")).unwrap();
    "flake8"
}

fn dependency(world: &mut World) -> &'static str {
    let versions = [
        ("1.0", "VALUE = 1\n\n\ndef give() -> int:\n    return 1\n"),
        ("2.0", "VALUE = 2\n\n\ndef give() -> int:\n    return 1\n"),
        ("3.0", "VALUE = 3\n\n\ndef give() -> str:\n    return ''\n"),
    ];
    let (version, code) = *world.random.pick(&versions);
    let files = [("somelib/__init__.py", code), ("somelib/py.typed", "")];
    world.site.install("somelib", version, &files, "");
    "mypy,pytest"
}

/// A package or a module copied into the environment by hand: nothing lists its files.
fn copied_by_hand(world: &mut World) -> &'static str {
    const PACKAGE: &str = "pplib";
    let module = ["pplib.py", "pplib/__init__.py"][world.random.below(2)];
    if module == "pplib.py" && world.site.path(PACKAGE).exists() {
        fs::remove_dir_all(world.site.path(PACKAGE)).unwrap();
    }
    let code = *world.random.pick(&["VALUE = 1\n", "VALUE = 2\n", "VALUE = 3\n"]);
    world.site.forget_oracle_s_bytecode(module);
    world.write_maybe_keeping_time(world.site.path(module), code);
    TESTS
}

/// flake8 under another Python: what is valid there may not be here.
fn interpreter(world: &mut World) -> &'static str {
    world.write("pkg/style.py", "X = f\"{\"a\"}\"\n");
    if let Some(other) = world.other.take() {
        let own = std::mem::replace(&mut world.site, other);
        let (cached, fresh) = (world.cached("flake8"), world.fresh("flake8"));
        agree(world, "with another interpreter", &cached, &fresh);
        world.other = Some(std::mem::replace(&mut world.site, own));
    }
    "flake8"
}

fn toggle(world: &mut World, name: &'static str, values: &[&str]) {
    if world.variables.remove(name).is_none() || world.random.one_in(3) {
        let value = (*world.random.pick(values)).to_owned();
        world.variables.insert(name, value);
    }
}

fn python_path(world: &mut World) -> &'static str {
    let folder = world.path("../pythonpath");
    toggle(world, "PYTHONPATH", &[folder.to_str().unwrap(), "../pythonpath"]);
    TESTS
}

fn mypy_path(world: &mut World) -> &'static str {
    let folder = world.path("../stubs");
    toggle(world, "MYPYPATH", &[folder.to_str().unwrap(), "../stubs"]);
    TYPES
}

fn addopts(world: &mut World) -> &'static str {
    toggle(world, "PYTEST_ADDOPTS", &["-k files", "-k ignored", "--maxfail=1"]);
    TESTS
}

fn declared(world: &mut World) -> &'static str {
    toggle(world, "FUZZ_VALUE", &["1", "2", "3"]);
    TESTS
}
