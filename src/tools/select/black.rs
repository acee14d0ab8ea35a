//! black's excludes: regular expressions searched in `/path/from/the/root/` of each folder on the
//! way, and of the file (`gen_python_files` in black/files.py, black 26.10).

use std::collections::HashMap;

use fancy_regex::Regex;

use super::{Excludes, prefixes};
use crate::config::source::ToolConfig;
use crate::error::{Source, UserError};
use crate::paths::RelPath;

/// Folders left out where `exclude` is not set (`DEFAULT_EXCLUDES` in black/const.py).
const DEFAULT_FOLDERS: [&str; 19] = [
    ".direnv",
    ".eggs",
    ".git",
    ".hg",
    ".ipynb_checkpoints",
    ".mypy_cache",
    ".nox",
    ".pytest_cache",
    ".ruff_cache",
    ".tox",
    ".svn",
    ".venv",
    ".vscode",
    "__pypackages__",
    "_build",
    "buck-out",
    "build",
    "dist",
    "venv",
];

pub(super) struct Black {
    has_defaults: bool,
    patterns: Vec<Regex>,
    include: Option<Regex>,
    /// Folders asked before.
    folders: HashMap<String, bool>,
}

impl Black {
    pub(super) fn new(config: &ToolConfig) -> Result<Self, UserError> {
        let mut patterns = Vec::new();
        for key in ["exclude", "extend-exclude", "force-exclude"] {
            patterns.extend(compile(config, key)?);
        }
        Ok(Self {
            has_defaults: config.get("exclude").is_none(),
            patterns,
            include: compile(config, "include")?,
            folders: HashMap::new(),
        })
    }

    fn folder(&mut self, folder: &str) -> bool {
        if let Some(&known) = self.folders.get(folder) {
            return known;
        }
        let name = folder.rsplit('/').next().unwrap_or(folder);
        let is_default = DEFAULT_FOLDERS.contains(&name);
        let excluded = (self.has_defaults && is_default) || self.matches(&format!("/{folder}/"));
        self.folders.insert(folder.to_owned(), excluded);
        excluded
    }

    fn matches(&self, path: &str) -> bool {
        // black gives up on an expression that takes too long; taking the file is the safe side.
        self.patterns.iter().any(|pattern| pattern.is_match(path).unwrap_or(false))
    }
}

impl Excludes for Black {
    fn is_excluded(&mut self, path: &RelPath) -> bool {
        let text = path.to_text().into_owned();
        let in_folder = prefixes(&text)
            .filter(|prefix| prefix.len() < text.len())
            .any(|folder| self.folder(folder));
        if in_folder {
            return true;
        }
        if self.patterns.is_empty() && self.include.is_none() {
            return false;
        }
        let path = format!("/{text}");
        let included = self.include.as_ref().is_none_or(|i| i.is_match(&path).unwrap_or(true));
        !included || self.matches(&path)
    }
}

/// `re_compile_maybe_verbose` in black/__init__.py: an expression of several lines is verbose.
fn compile(config: &ToolConfig, key: &str) -> Result<Option<Regex>, UserError> {
    let Some(text) = config.text(key).filter(|text| !text.is_empty()) else { return Ok(None) };
    let text = if text.contains('\n') { format!("(?x){text}") } else { text.to_owned() };
    Regex::new(&text).map(Some).map_err(|error| {
        let what = format!("`{key}` of black is not a regular expression: {error}");
        let error = UserError::new(what);
        match &config.file {
            Some(file) => error.at(Source::file(file)),
            None => error,
        }
    })
}
