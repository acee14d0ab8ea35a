//! flake8's choice: `fnmatch` patterns against the name, and against the absolute path, of each
//! folder on the way and of the file (`matches_filename` in flake8/utils.py, flake8 7.5). Patterns
//! with a slash are relative to the folder of the settings file. `filename` is matched against
//! `./path` as it is written.

use std::path::Path;

use super::fnmatch::Patterns;
use super::folders::Folders;
use super::{Choice, resolved, walked};
use crate::config::source::ToolConfig;
use crate::project::files::ProjectFile;

/// `EXCLUDE` in flake8/defaults.py.
const DEFAULT: [&str; 10] =
    [".svn", "CVS", ".bzr", ".hg", ".git", "__pycache__", ".tox", ".nox", ".eggs", "*.egg"];

pub(super) struct Flake8 {
    excludes: Excludes,
    filenames: Patterns,
    folders: Folders,
    /// The root itself is excluded, and all with it.
    nothing: bool,
}

struct Excludes {
    /// Absolute, without a slash at its end.
    root: String,
    patterns: Patterns,
    names_only: bool,
}

impl Flake8 {
    pub(super) fn new(config: &ToolConfig, root: &Path) -> Self {
        let folder = config.file.as_deref().and_then(Path::parent);
        let folder = resolved(folder.unwrap_or(root));
        let mut patterns = config
            .list("exclude")
            .unwrap_or_else(|| DEFAULT.iter().map(ToString::to_string).collect());
        patterns.extend(config.list("extend-exclude").unwrap_or_default());
        let patterns = Patterns::new(patterns.iter().map(|p| normalised(p, &folder)));
        let mut filenames = config.list("filename").unwrap_or_else(|| vec!["*.py".to_owned()]);
        if filenames.is_empty() {
            filenames.push("*".to_owned());
        }
        let root = resolved(root).to_string_lossy().trim_end_matches('/').to_owned();
        Self {
            nothing: patterns.matches(root.as_bytes()),
            excludes: Excludes { root, names_only: patterns.match_names_only(), patterns },
            filenames: Patterns::new(filenames),
            folders: Folders::default(),
        }
    }
}

impl Excludes {
    fn matches(&self, path: &[u8]) -> bool {
        let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        let absolute = || [self.root.as_bytes(), b"/", path].concat();
        self.patterns.matches(name) || (!self.names_only && self.patterns.matches(&absolute()))
    }
}

impl Choice for Flake8 {
    fn takes(&mut self, file: &ProjectFile) -> bool {
        let Self { excludes, filenames, folders, nothing } = self;
        !*nothing
            && filenames.matches(&walked(&file.path))
            && !folders.is_excluded(file.path.parent(), &|folder| excludes.matches(folder))
            && !excludes.matches(file.path.as_bytes())
    }
}

/// `normalize_path` in flake8/utils.py.
fn normalised(pattern: &str, folder: &Path) -> String {
    if pattern != "." && !pattern.contains('/') {
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

#[cfg(test)]
mod tests {
    use crate::tools::select::tests::Project;

    const FILES: [&str; 7] =
        ["a.py", "docs/a.py", "pkg/docs/a.py", "pkg/old_x.py", "x.egg/a.py", "{a}.py", "b.pyi"];

    fn selected(settings: &str) -> Vec<String> {
        Project::new(&FILES).selected("flake8", "setup.cfg", "flake8", settings)
    }

    #[test]
    fn eggs_and_files_that_are_not_python_are_left_out_by_default() {
        let expected = ["a.py", "docs/a.py", "pkg/docs/a.py", "pkg/old_x.py", "{a}.py"];
        assert_eq!(selected("{}"), expected);
    }

    #[test]
    fn a_name_matches_anywhere_and_a_path_from_the_settings_file() {
        assert_eq!(selected(r#"{"extend_exclude": "docs"}"#), ["a.py", "pkg/old_x.py", "{a}.py"]);
        assert_eq!(
            selected(r#"{"exclude": "./docs/, old_*.py,{a}.py"}"#),
            ["a.py", "pkg/docs/a.py", "x.egg/a.py"]
        );
    }

    #[test]
    fn a_pattern_without_slash_may_match_the_absolute_path() {
        let expected = ["a.py", "pkg/old_x.py", "x.egg/a.py", "{a}.py"];
        assert_eq!(selected(r#"{"exclude": "*docs?a.py"}"#), expected);
    }

    #[test]
    fn file_names_are_matched_as_written_with_their_dot() {
        assert_eq!(selected(r#"{"filename": "docs/*.py"}"#), Vec::<String>::new());
        assert_eq!(selected(r#"{"filename": "./docs/*.py, *.pyi"}"#), ["b.pyi", "docs/a.py"]);
        assert_eq!(selected(r#"{"filename": ""}"#).len(), 6);
    }

    #[test]
    fn an_excluded_root_leaves_nothing() {
        assert_eq!(selected(r#"{"exclude": "*project-root*"}"#), Vec::<String>::new());
    }
}
