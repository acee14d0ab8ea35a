//! The settings of presets/editors, in the editors that this machine has.

use std::fs;
use std::process::{Command, Output};

use toml::Table;

use crate::support::Project;

fn preset(name: &str) -> String {
    let file = format!("{}/presets/editors/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    let preset: Table = fs::read_to_string(file).unwrap().parse().unwrap();
    preset["text"].as_str().unwrap().to_owned()
}

fn script(name: &str) -> String {
    format!("{}/tests/editors/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn project() -> Project {
    let mut project = Project::new();
    project.write("pyproject.toml", "[tool.black]\n").write("src/app.py", "X = 1\n");
    // The editors start what a shell would find.
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_pyqa")).parent().unwrap().to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(std::iter::once(binary).chain(std::env::split_paths(&path)));
    project.set("PATH", path.unwrap());
    project
}

/// Whether the program is there and can do what the test needs.
fn can(check: &mut Command) -> bool {
    check.output().is_ok_and(|output| output.status.success())
}

fn said(output: &Output) -> String {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8_lossy(&text).replace('\r', "")
}

#[test]
fn neovim_shows_findings_as_you_type_and_formats_on_save() {
    if !can(Command::new("nvim").arg("--version")) {
        println!("passed over: Neovim is not installed");
        return;
    }
    let project = project();
    project.write("pyqa.lua", preset("neovim"));
    let mut nvim = project.command("nvim");
    nvim.args([
        "--headless",
        "-u",
        "NONE",
        "--cmd",
        "filetype on",
        "-c",
        "let g:pyqa_timeout_ms = 120000",
        "-c",
        "source pyqa.lua",
    ]);
    let output = nvim.arg("-c").arg(format!("luafile {}", script("neovim.lua"))).output().unwrap();
    let text = said(&output);
    for expected in ["flake8 1:1 F401", "flake8 2:19 F821", "black 2:1 format"] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
    // Columns of Neovim are bytes; what is saved is formatted.
    assert!(text.contains("import os||s = \"日本\"|x = undefined"), "{text}");
    assert_eq!(
        fs::read_to_string(project.path("src/app.py")).unwrap(),
        "import os\n\ns = \"日本\"\nx = undefined\n"
    );
}

#[test]
fn eglot_shows_findings_and_formats() {
    let check = ["--batch", "-f", "package-initialize", "--eval", "(require 'eglot)"];
    if !can(Command::new("emacs").args(check)) {
        println!("passed over: Emacs with Eglot is not installed");
        return;
    }
    let mut project = project();
    project.write("settings.el", preset("emacs"));
    let settings = project.path("settings.el");
    project.set("PYQA_SETTINGS", settings).git(&["init", "-q"]);
    let mut emacs = project.command("emacs");
    emacs.args(["--batch", "-f", "package-initialize", "-l", &script("eglot.el")]);
    let output = emacs.output().unwrap();
    let text = said(&output);
    assert!(output.status.success(), "{text}");
    for expected in ["1 flake8 [F401]", "3 black [format]", "import os\n\nx = \"\"\n"] {
        assert!(text.contains(expected), "{expected} is not in\n{text}");
    }
}
