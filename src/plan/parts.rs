//! Puts together the part of the key that all units of a tool share.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use serde_json::Value as Json;

use super::command::Arguments;
use super::key::CommonKey;
use crate::config::model::ToolSettings;
use crate::config::source::ToolConfig;
use crate::hash::{ContentHash, Fingerprint};
use crate::paths::RelPath;
use crate::project::expansion::variables_in;
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
    /// Settings in files that arguments name, whose content is among `files`.
    pub named: &'a [ToolConfig],
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
    let Parts { spec, installed, config, arguments, files, root, home, .. } = parts;
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
    for (name, value) in counted_variables(parts, variables) {
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

/// The environment variables that count, sorted: those that the declaration or pyqa's settings name, and
/// those that stand in a value of the tool's settings or in an argument. One that is not set is absent.
fn counted_variables(
    parts: &Parts<'_>,
    variables: impl Iterator<Item = (OsString, OsString)>,
) -> Vec<(String, String)> {
    let Parts { spec, settings, .. } = parts;
    let used = used_variables(parts);
    let counts = |name: &str| {
        let named = spec.key.env.iter().chain(&settings.env).chain(&used);
        named.into_iter().any(|wanted| match wanted.strip_suffix('*') {
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

/// `STUBS` for `mypy_path = $STUBS`. Whether the tool replaces it there is not asked.
fn used_variables(parts: &Parts<'_>) -> Vec<String> {
    let configs = [parts.config].into_iter().chain(parts.named);
    let values = configs.flat_map(|config| config.sections.values()).flat_map(BTreeMap::values);
    let mut texts: Vec<&str> = parts.settings.args.iter().map(String::as_str).collect();
    for value in values {
        add_texts(&value.value, &mut texts);
    }
    texts.into_iter().flat_map(variables_in).collect()
}

fn add_texts<'a>(value: &'a Json, texts: &mut Vec<&'a str>) {
    match value {
        Json::String(text) => texts.push(text),
        Json::Array(items) => items.iter().for_each(|item| add_texts(item, texts)),
        Json::Object(table) => {
            texts.extend(table.keys().map(String::as_str));
            table.values().for_each(|value| add_texts(value, texts));
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
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
