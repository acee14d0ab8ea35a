//! Where a tool's own settings come from: [`ConfigDecl`] says which files and sections the tool
//! reads and in which order; [`ToolConfig`] is what it will find there.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::Source;

/// How a tool looks for its settings. Part of a tool's declaration in `presets/tools`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct ConfigDecl {
    /// Candidates in the tool's own order of precedence; the first that exists and holds one of
    /// its sections wins.
    pub files: Vec<ConfigFile>,
    /// Where the candidates are looked for.
    pub search: ConfigSearch,
    /// Files below the user's home that are read when the project has none, in order. `~` and
    /// `$XDG_CONFIG_HOME` are replaced; a file with the latter is left out where it is not set or
    /// empty. `${XDG_CONFIG_HOME-~/.config}` means as in a shell: the second where the first is
    /// not set.
    pub user_files: Vec<ConfigFile>,
    /// Files of the root that the tool cannot read itself; what they hold is handed to it when it
    /// has no settings of its own (`[tool.flake8]` in pyproject.toml).
    pub handed_over: Vec<ConfigFile>,
    /// How settings are handed over: in a file of this syntax and section.
    pub handed_as: Option<HandedAs>,
    /// Variable that the tool sets to the folder of its settings file, for their values.
    pub folder_variable: Option<String>,
    /// Whether `[project] requires-python` of `pyproject.toml` changes the tool's answer.
    pub requires_python: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConfigFile {
    /// File name: `setup.cfg`.
    pub name: String,
    pub syntax: ConfigSyntax,
    /// Sections that make the file count: `tool.black` in TOML, `flake8` in an ini file. A name
    /// that ends in `*` stands for all sections that begin so (`mypy-*`). Empty: the whole file.
    #[serde(default)]
    pub sections: Vec<String>,
    /// The one section without which the file does not count, where that is not any of them: mypy
    /// passes over a `setup.cfg` that has `[mypy-foo]` alone.
    #[serde(default)]
    pub counts_with: Option<String>,
    /// The file counts as soon as it exists, even without one of the sections (`pytest.ini`).
    #[serde(default)]
    pub always: bool,
    /// The same, in the topmost folder of the search only: black takes the `pyproject.toml` beside
    /// `.git` whatever it holds.
    #[serde(default)]
    pub always_at_top: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HandedAs {
    /// Ini or TOML.
    pub syntax: ConfigSyntax,
    pub section: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfigSyntax {
    #[default]
    Ini,
    /// Ini as pytest reads it, which does not mind a byte order mark.
    Iniconfig,
    Toml,
    Json,
    Yaml,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfigSearch {
    /// In the project's root only.
    #[default]
    Root,
    /// In the root, then in each parent up to the first with `.git` or `.hg`, or to the top of
    /// the file system.
    ParentsToRepository,
    /// In the root, then in each parent, up to but without the user's home (flake8), which
    /// counts where it is the root.
    ParentsToHome,
}

/// The settings that a tool will read in this project.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ToolConfig {
    /// The file that wins; `None` where the tool runs with its defaults.
    pub file: Option<PathBuf>,
    /// What the winning section is called in messages: `[tool.black]`, `[flake8]`.
    pub label: String,
    /// Section → key → value, as the tool will see them. Values of ini files are strings.
    pub sections: BTreeMap<String, BTreeMap<String, ConfigValue>>,
    /// Content that pyqa hands to the tool in a file of its own, because the tool cannot read it
    /// where it stands (`[tool.flake8]`, a preset): ini text for flake8 and mypy, TOML for others.
    pub generated: Option<String>,
}

/// One value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct ConfigValue {
    pub value: serde_json::Value,
    pub source: Source,
}

impl ToolConfig {
    /// The value of `key` in any of the sections. Case does not count, nor whether words are
    /// joined by `-` or `_`: flake8 and mypy read them so.
    pub fn get(&self, key: &str) -> Option<&serde_json::Value> {
        let same = |name: &str| {
            let form = |c: char| if c == '_' { '-' } else { c.to_ascii_lowercase() };
            name.chars().map(form).eq(key.chars().map(form))
        };
        self.sections
            .values()
            .find_map(|keys| keys.iter().find(|(name, _)| same(name)))
            .map(|(_, value)| &value.value)
    }

    /// The value of `key` as text; `None` where it is absent or not a string.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The value as a list: a TOML array of strings, or an ini value split at commas and white
    /// space as flake8, mypy and bandit do.
    pub fn list(&self, key: &str) -> Option<Vec<String>> {
        match self.get(key)? {
            serde_json::Value::Array(items) => {
                Some(items.iter().filter_map(|i| i.as_str().map(str::to_owned)).collect())
            }
            serde_json::Value::String(text) => Some(
                text.split(|c: char| c == ',' || c.is_whitespace())
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect(),
            ),
            _ => None,
        }
    }
}
