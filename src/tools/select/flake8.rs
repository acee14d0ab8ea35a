//! flake8's excludes: `fnmatch` patterns against the name, and against the absolute path, of each
//! folder on the way and of the file (`matches_filename` in flake8/utils.py, flake8 7.5). Patterns
//! with a slash are relative to the folder of the settings file.

use std::path::Path;

use globset::GlobSet;

use super::{Excludes, fnmatch, prefixes};
use crate::config::source::ToolConfig;
use crate::error::UserError;
use crate::paths::RelPath;

/// `EXCLUDE` in flake8/defaults.py.
const DEFAULT: [&str; 10] =
    [".svn", "CVS", ".bzr", ".hg", ".git", "__pycache__", ".tox", ".nox", ".eggs", "*.egg"];

pub(super) struct Flake8 {
    root: String,
    excludes: GlobSet,
    filenames: Option<GlobSet>,
    /// No pattern can match an absolute path.
    names_only: bool,
}

impl Flake8 {
    pub(super) fn new(config: &ToolConfig, root: &Path) -> Result<Self, UserError> {
        let folder = config.file.as_deref().and_then(Path::parent).unwrap_or(root);
        let mut patterns = config
            .list("exclude")
            .unwrap_or_else(|| DEFAULT.iter().map(ToString::to_string).collect());
        patterns.extend(config.list("extend-exclude").unwrap_or_default());
        let patterns: Vec<String> = patterns.iter().map(|p| normalised(p, folder)).collect();
        let filenames = match config.list("filename") {
            Some(names) => {
                let names: Vec<String> = names.iter().map(|n| normalised(n, folder)).collect();
                Some(fnmatch(&names, config)?)
            }
            None => None,
        };
        Ok(Self {
            root: root.to_string_lossy().into_owned(),
            names_only: patterns.iter().all(|p| !p.contains('/') && !p.starts_with('*')),
            excludes: fnmatch(&patterns, config)?,
            filenames,
        })
    }

    fn matches(&self, prefix: &str) -> bool {
        let name = prefix.rsplit('/').next().unwrap_or(prefix);
        self.excludes.is_match(name)
            || (!self.names_only && self.excludes.is_match(format!("{}/{prefix}", self.root)))
    }
}

impl Excludes for Flake8 {
    fn is_excluded(&mut self, path: &RelPath) -> bool {
        let text = path.to_text();
        let unwanted =
            self.filenames.as_ref().is_some_and(|names| !names.is_match(format!("./{text}")));
        unwanted || prefixes(&text).any(|prefix| self.matches(prefix))
    }
}

/// `normalize_path` in flake8/utils.py.
fn normalised(pattern: &str, folder: &Path) -> String {
    if !pattern.contains('/') {
        return pattern.to_owned();
    }
    let mut parts: Vec<&str> = Vec::new();
    let joined = folder.join(pattern);
    let joined = joined.to_string_lossy();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}
