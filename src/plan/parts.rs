//! Puts together the part of the key that all units of a tool share.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::command::Arguments;
use super::key::CommonKey;
use crate::config::model::ToolSettings;
use crate::config::source::ToolConfig;
use crate::hash::{ContentHash, Fingerprint};
use crate::paths::RelPath;
use crate::tools::spec::ToolSpec;

/// What is installed: who answers.
#[derive(Clone, Copy, Debug)]
pub struct Installed<'a> {
    pub version: &'a str,
    /// Name and version of each plugin.
    pub plugins: &'a [(String, String)],
    /// Name and version of what the tool and its plugins require.
    pub requirements: &'a [(String, String)],
    /// Of the files of the tool, its plugins and requirements.
    pub files: Option<&'a Fingerprint>,
    /// Implementation, version and platform of the interpreter.
    pub python: &'a str,
    /// Of what that interpreter runs at each start.
    pub startup: &'a Fingerprint,
    /// Of the whole environment; used where the tool imports the project's dependencies.
    pub environment: Option<&'a Fingerprint>,
    /// Of the tool's source, where it is installed editable or is the project itself.
    pub code: Option<&'a Fingerprint>,
}

/// What a tool's answer depends on beside the files.
pub struct Parts<'a> {
    pub spec: &'a ToolSpec,
    pub installed: Installed<'a>,
    pub config: &'a ToolConfig,
    pub settings: &'a ToolSettings,
    pub arguments: &'a Arguments,
    /// Files outside of the units that count, with their content.
    pub files: &'a [(RelPath, ContentHash)],
    pub root: &'a Path,
    /// The user's root; another folder than `root` where content is checked at another place.
    pub home: &'a Path,
}

/// The common key. `variables` are those of the process.
pub fn common_key(
    parts: &Parts<'_>,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> CommonKey {
    let Parts { spec, installed, config, settings, arguments, files, root, home } = parts;
    let mut key = CommonKey::new();
    key.add(spec.name.as_str(), installed.version);
    for (name, version) in installed.plugins {
        key.add(format!("plugin {name}"), version);
    }
    for (name, version) in installed.requirements {
        key.add(format!("requirement {name}"), version);
    }
    if let Some(files) = installed.files {
        key.add("installed files of the tool", files.to_string());
    }
    key.add("python", installed.python);
    key.add("start of the interpreter", installed.startup.to_string());
    if let Some(environment) = installed.environment {
        key.add("environment", environment.to_string());
    }
    if let Some(code) = installed.code {
        key.add("the tool's own source", code.to_string());
    }
    key.add("reading of the output", output_reading(spec));
    if let Some(file) = &config.file {
        key.add("settings file", place_of(file, root, home));
    }
    for (section, values) in &config.sections {
        for (name, value) in values {
            key.add(format!("{} {name}", section_label(section)), value.value.to_string());
        }
    }
    key.add("arguments", format!("{:?}", arguments.portable));
    for (name, value) in &spec.command.env {
        key.add(format!("variable {name}"), value);
    }
    for (name, value) in counted_variables(spec, settings, variables) {
        key.add(format!("variable {name}"), value);
    }
    for (path, content) in *files {
        key.add(path.to_text(), content.to_string());
    }
    key
}

/// A declaration that reads the output otherwise must not meet what it read before.
fn output_reading(spec: &ToolSpec) -> String {
    let text = format!("{:?} {:?}", spec.output, spec.exit);
    ContentHash::of(text.as_bytes()).to_string()
}

/// `[tool.black]`, `[flake8]`: as it stands in the file.
fn section_label(section: &str) -> String {
    format!("[{section}]")
}

/// Where the file is, seen from the root: tools resolve relative paths in it from there.
fn place_of(file: &Path, root: &Path, home: &Path) -> String {
    let name = || file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if let Ok(inside) = file.strip_prefix(root) {
        return inside.to_string_lossy().into_owned();
    }
    let above =
        file.parent().and_then(|f| root.strip_prefix(f).or_else(|_| home.strip_prefix(f)).ok());
    match above {
        Some(way) => "../".repeat(way.components().count()) + &name(),
        None => format!("the user's {}", name()),
    }
}

/// The environment variables that the declaration or the settings name, sorted.
fn counted_variables(
    spec: &ToolSpec,
    settings: &ToolSettings,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Vec<(String, String)> {
    let counts = |name: &str| {
        spec.key.env.iter().chain(&settings.env).any(|wanted| match wanted.strip_suffix('*') {
            Some(prefix) => name.starts_with(prefix),
            None => name == wanted,
        })
    };
    let text = |value: &OsStr| {
        // Two values that are not UTF-8 must not look alike.
        value.to_str().map_or_else(|| format!("{:?}", value.as_encoded_bytes()), str::to_owned)
    };
    let mut counted: Vec<_> = variables
        .filter_map(|(name, value)| {
            let name = name.to_str().filter(|name| counts(name))?.to_owned();
            Some((name, text(&value)))
        })
        .collect();
    counted.sort();
    counted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settings_file_is_named_from_the_root() {
        let root = Path::new("/home/a/project");
        assert_eq!(place_of(Path::new("/home/a/project/tox.ini"), root, root), "tox.ini");
        assert_eq!(place_of(Path::new("/home/a/setup.cfg"), root, root), "../setup.cfg");
        assert_eq!(place_of(Path::new("/home/b/.config/black"), root, root), "the user's black");
    }
}
