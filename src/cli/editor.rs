//! `pyqa install --editor`: settings for an editor, printed or written. They are data, one file
//! per editor in presets/editors.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::ValueEnum;
use serde::Deserialize;

use super::Stop;
use super::check::current_folder;
use crate::error::{ExitStatus, UserError};
use crate::paths::write_atomic;
use crate::project::variables::Variables;

/// Editors for which there are settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Editor {
    Emacs,
    Helix,
    Neovim,
    Pycharm,
    Vim,
    Vscode,
    Zed,
}

/// What is done with the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    Print,
    Write,
}

/// A file of presets/editors.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Preset {
    title: String,
    /// Where the editor looks for it: `~/…` in the user's home, else in the project.
    file: String,
    /// What to do next.
    then: String,
    text: String,
}

impl Editor {
    fn preset(self) -> Preset {
        let text = match self {
            Self::Emacs => include_str!("../../presets/editors/emacs.toml"),
            Self::Helix => include_str!("../../presets/editors/helix.toml"),
            Self::Neovim => include_str!("../../presets/editors/neovim.toml"),
            Self::Pycharm => include_str!("../../presets/editors/pycharm.toml"),
            Self::Vim => include_str!("../../presets/editors/vim.toml"),
            Self::Vscode => include_str!("../../presets/editors/vscode.toml"),
            Self::Zed => include_str!("../../presets/editors/zed.toml"),
        };
        toml::from_str(text).expect("part of the program, and read by a test")
    }
}

/// Prints the editor's settings, or writes them where the editor looks for them. A file that is
/// there and holds something else is left alone.
pub(super) fn run(
    editor: Editor,
    delivery: Delivery,
    variables: &Variables,
) -> Result<ExitStatus, Stop> {
    let preset = editor.preset();
    let mut out = Vec::new();
    if delivery == Delivery::Print {
        out.extend_from_slice(preset.text.as_bytes());
        io::stdout().write_all(&out)?;
        let Preset { title, file, then, .. } = &preset;
        writeln!(io::stderr(), "{title} reads this from {file}; {then}")?;
        return Ok(ExitStatus::Clean);
    }
    let file = place(&preset.file, variables)?;
    let shown = file.display();
    match fs::read(&file) {
        Ok(found) if found == preset.text.as_bytes() => writeln!(out, "already there: {shown}")?,
        Ok(_) => return Err(taken(&file, editor).into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            write_atomic(&file, preset.text.as_bytes())?;
            writeln!(out, "written: {shown}\n{}", preset.then)?;
        }
        Err(error) => {
            let what = format!("{shown} cannot be read: {error}");
            return Err(UserError::new(what).hint("make it readable, or move it away").into());
        }
    }
    io::stdout().write_all(&out)?;
    Ok(ExitStatus::Clean)
}

fn taken(file: &std::path::Path, editor: Editor) -> UserError {
    let name = editor.to_possible_value();
    let name = name.as_ref().map_or("", clap::builder::PossibleValue::get_name);
    UserError::new(format!("{} holds other settings and is left alone", file.display()))
        .hint(format!("print them with `pyqa install --editor {name}` and add them there by hand"))
}

fn place(file: &str, variables: &Variables) -> Result<PathBuf, UserError> {
    match file.strip_prefix("~/") {
        Some(rest) => match variables.home() {
            Some(home) => Ok(home.join(rest)),
            None => Err(UserError::new("there is no home folder").hint("set HOME")),
        },
        None => Ok(current_folder()?.join(file)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_editor_has_settings_and_those_in_json_are_json() {
        for editor in Editor::value_variants() {
            let preset = editor.preset();
            assert!(preset.text.contains("pyqa"), "{editor:?}");
            assert!(!preset.title.is_empty() && !preset.then.is_empty(), "{editor:?}");
            let form = preset.file.rsplit('.').next().unwrap_or_default();
            if form == "json" {
                serde_json::from_str::<serde_json::Value>(&preset.text).unwrap();
            }
            if form == "toml" {
                toml::from_str::<toml::Table>(&preset.text).unwrap();
            }
        }
    }
}
