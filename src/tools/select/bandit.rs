//! bandit's excludes: `fnmatch` patterns, and plain parts, of `./path` as a walk from the root
//! names it (`_is_file_included` in bandit/core/manager.py, bandit 1.9).

use std::path::Path;

use globset::GlobSet;

use super::{Excludes, fnmatch};
use crate::config::source::ToolConfig;
use crate::error::UserError;
use crate::paths::RelPath;

/// The default of `--exclude` in bandit/cli/main.py.
const DEFAULT: [&str; 8] = [".svn", "CVS", ".bzr", ".hg", ".git", "__pycache__", ".tox", ".eggs"];
const DEFAULT_PATTERN: &str = "*.egg";

pub(super) struct Bandit {
    patterns: GlobSet,
    parts: Vec<String>,
}

impl Bandit {
    pub(super) fn new(config: &ToolConfig, root: &Path) -> Result<Self, UserError> {
        let mut strings = config.list("exclude_dirs").unwrap_or_default();
        // `exclude` of `.bandit` takes the place of the command line's default.
        let typed = config.list("exclude").unwrap_or_else(|| {
            DEFAULT.iter().chain([&DEFAULT_PATTERN]).map(ToString::to_string).collect()
        });
        strings.extend(typed.into_iter().map(|path| {
            if root.join(&path).is_dir() { format!("{path}/*").replace("//", "/") } else { path }
        }));
        Ok(Self { patterns: fnmatch(&strings, config)?, parts: strings })
    }
}

impl Excludes for Bandit {
    fn is_excluded(&mut self, path: &RelPath) -> bool {
        let walked = format!("./{path}");
        self.parts.iter().any(|part| walked.contains(part.as_str()))
            || self.patterns.is_match(&walked)
    }
}
