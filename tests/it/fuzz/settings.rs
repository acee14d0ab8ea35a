//! Mutations of settings: created, edited, deleted, shadowed by a file that comes first.

use std::process::Command;

use super::slots::{LOCAL_PLUGIN_1, LOCAL_PLUGIN_2};
use super::verdict::compare;
use super::world::World;
use super::{LINT, Mutation, TESTS, TYPES};

pub(super) const MUTATIONS: &[Mutation] = &[
    Mutation::new("flake8-settings", flake8),
    Mutation::new("flake8-argument-file", argument_file),
    Mutation::new("flake8-local-plugin", local_plugin),
    Mutation::new("settings-above", above),
    Mutation::new("settings-nearer", nearer),
    Mutation::new("settings-of-the-user", of_the_user),
    Mutation::new("argument", argument),
    Mutation::new("mypy-settings", mypy),
    Mutation::new("pytest-settings", pytest),
    Mutation::new("bandit-settings", bandit),
    Mutation::new("black-settings", black),
];

/// Writes or removes one of the files, each of which may hold one of the contents.
fn one_of(world: &mut World, files: &[&str], section: &str, contents: &[&str]) {
    let file = *world.random.pick(files);
    if world.path(file).exists() && world.random.one_in(3) {
        return world.remove(file);
    }
    let content = *world.random.pick(contents);
    world.write(file, &format!("[{section}]\n{content}\n"));
}

const LENGTHS: [&str; 4] =
    ["max-line-length = 70", "max-line-length = 99", "per-file-ignores = pkg/*:E501", "select = F"];

fn flake8(world: &mut World) -> &'static str {
    one_of(world, &["setup.cfg", "tox.ini", ".flake8"], "flake8", &LENGTHS);
    LINT
}

/// A settings file that only an argument names.
fn argument_file(world: &mut World) -> &'static str {
    let lines: &[&'static str] = if world.random.one_in(2) {
        &["args = [\"--append-config=extra/flake8.cfg\"]"]
    } else {
        &[]
    };
    world.set_table("tool.pyqa.flake8", lines);
    "flake8"
}

fn local_plugin(world: &mut World) -> &'static str {
    if world.path(".flake8").exists() {
        world.remove(".flake8");
    } else {
        world.remove("setup.cfg");
        world.remove("tox.ini");
        let text = "[flake8]\n[flake8:local-plugins]\nextension =\n    LOC = local_plugin:Checker\n\
                    paths = ./extra\n";
        world.write(".flake8", text);
    }
    "flake8"
}

/// The same words in the project and in the folder above: they name another plugin.
fn above(world: &mut World) -> &'static str {
    const WORDS: &str = "[flake8]\n[flake8:local-plugins]\nextension =\n    \
                         LOC = local_plugin:Checker\npaths = ./extra\n";
    for name in ["setup.cfg", "tox.ini"] {
        world.remove(name);
    }
    world.write("extra/local_plugin.py", LOCAL_PLUGIN_1);
    world.write("../extra/local_plugin.py", LOCAL_PLUGIN_2);
    for (from, to) in [("../.flake8", ".flake8"), (".flake8", "../.flake8")] {
        world.remove(from);
        world.write(to, WORDS);
        compare(world, "flake8");
    }
    world.remove("../.flake8");
    "flake8"
}

/// The same words in two folders above another project, and then in the nearer one too. mypy looks
/// for settings up to where the repository begins.
fn nearer(world: &mut World) -> &'static str {
    const SETTINGS: &str = "[mypy]\nmypy_path = $MYPY_CONFIG_FILE_DIR/stubs\n";
    let texts = [
        ("../nested/mid/app/pyproject.toml", "[project]\nname = \"app\"\nversion = \"1\"\n"),
        ("../nested/mid/app/uses.py", "import outstub\n\nX: int = outstub.out()\n"),
        ("../nested/stubs/outstub.pyi", "def out() -> int: ...\n"),
        ("../nested/mid/stubs/outstub.pyi", "def out() -> str: ...\n"),
        ("../nested/mypy.ini", SETTINGS),
    ];
    for (name, text) in texts {
        world.write(name, text);
    }
    let made = Command::new("git").args(["init", "-q"]).arg(world.path("../nested")).status();
    assert!(made.unwrap().success());
    world.folder = "../nested/mid/app";
    compare(world, TYPES);
    world.write("../nested/mid/mypy.ini", SETTINGS);
    compare(world, TYPES);
    world.remove("../nested/mid/mypy.ini");
    compare(world, TYPES);
    world.folder = ".";
    TYPES
}

/// What black and mypy read in the user's home as long as the project says nothing.
fn of_the_user(world: &mut World) -> &'static str {
    world.remove("pyproject.toml");
    for name in ["mypy.ini", ".mypy.ini", "setup.cfg"] {
        world.remove(name);
    }
    let files = [
        ("../home/.config/black", "[tool.black]\nline-length = 20\n", "black"),
        ("../home/.config/mypy/config", "[mypy]\ndisallow_untyped_defs = True\n", TYPES),
    ];
    let (name, text, tool) = *world.random.pick(&files);
    compare(world, tool);
    world.write(name, text);
    compare(world, tool);
    world.remove(name);
    compare(world, tool);
    world.write_pyproject();
    tool
}

fn argument(world: &mut World) -> &'static str {
    let lines: &[&'static str] =
        if world.random.one_in(2) { &["args = [\"--skip=B101\"]"] } else { &[] };
    world.set_table("tool.pyqa.bandit", lines);
    "bandit"
}

fn mypy(world: &mut World) -> &'static str {
    const CONTENTS: [&str; 3] = [
        "mypy_path = ignored\ndisallow_untyped_defs = True",
        "mypy_path = ignored\nignore_missing_imports = True",
        "strict = True",
    ];
    match world.random.below(3) {
        0 => world.set_table("tool.mypy", &["disallow_untyped_defs = true"]),
        1 => world.set_table("tool.mypy", &[]),
        _ => one_of(world, &["mypy.ini", ".mypy.ini", "setup.cfg"], "mypy", &CONTENTS),
    }
    TYPES
}

fn pytest(world: &mut World) -> &'static str {
    const CONTENTS: [&str; 3] = [
        "pythonpath = .\naddopts = -k files",
        "pythonpath = .\npython_functions = check_*",
        "pythonpath = . inside",
    ];
    match world.random.below(4) {
        0 => world.set_table("tool.pytest.ini_options", &["addopts = \"-k link\""]),
        1 => world.set_table("tool.pytest.ini_options", &[]),
        2 => one_of(world, &["setup.cfg"], "tool:pytest", &CONTENTS),
        _ => one_of(world, &["pytest.ini", ".pytest.ini", "tox.ini"], "pytest", &CONTENTS),
    }
    TESTS
}

fn bandit(world: &mut World) -> &'static str {
    if world.random.one_in(2) {
        let lines: &[&'static str] =
            if world.random.one_in(2) { &["skips = [\"B101\"]"] } else { &[] };
        world.set_table("tool.bandit", lines);
    } else {
        one_of(world, &[".bandit"], "bandit", &["skips = B403", "exclude = ./pkg/danger.py"]);
    }
    LINT
}

fn black(world: &mut World) -> &'static str {
    match world.random.below(4) {
        0 => world.set_table("tool.black", &["line-length = 20"]),
        1 => world.set_table("tool.black", &["force-exclude = 'style'"]),
        2 => world.set_table("project", &["requires-python = \">=3.8\""]),
        _ => {
            world.set_table("tool.black", &[]);
            world.set_table("project", &[]);
        }
    }
    LINT
}
