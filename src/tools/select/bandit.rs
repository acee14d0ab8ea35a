//! bandit's choice: `fnmatch` patterns, and plain parts, of `./path` as a walk from the root names
//! it (`_is_file_included` in bandit/core/manager.py, bandit 1.9).

use std::path::Path;

use memchr::memmem::Finder;
use serde_json::Value;

use super::fnmatch::Patterns;
use super::{Choice, walked};
use crate::config::source::ToolConfig;
use crate::paths::RelPath;
use crate::project::files::ProjectFile;

/// `EXCLUDE` in bandit/core/constants.py.
const DEFAULT: &str = ".svn,CVS,.bzr,.hg,.git,__pycache__,.tox,.eggs,*.egg";
/// Without a settings file in TOML or YAML; one that names no `include` means the first alone.
const NAMES: [&str; 2] = ["*.py", "*.pyw"];

pub(super) struct Bandit {
    names: Patterns,
    patterns: Patterns,
    /// What makes a path excluded by being a part of it.
    parts: Vec<Finder<'static>>,
    /// Folders of `.bandit`'s `targets`, as they are written. Searched in place of the root.
    targets: Option<Vec<Target>>,
}

struct Target {
    folder: RelPath,
    /// Whether a walk of it gives names that begin with `./`.
    dotted: bool,
}

impl Bandit {
    pub(super) fn new(config: &ToolConfig, root: &Path) -> Self {
        let value = |section: &str, key: &str| {
            config.sections.get(section).and_then(|keys| keys.get(key)).map(|found| &found.value)
        };
        let of_toml = |key| value("tool.bandit", key).map(strings).filter(|list| !list.is_empty());
        let of_ini = |key| value("bandit", key).and_then(Value::as_str).filter(|t| !t.is_empty());
        let mut excluded = of_toml("exclude_dirs").unwrap_or_default();
        excluded.extend(of_ini("exclude").unwrap_or(DEFAULT).split(',').map(|e| typed(e, root)));
        let names = match of_toml("include") {
            Some(names) => Patterns::new(names),
            None if config.sections.contains_key("tool.bandit") => Patterns::new(&NAMES[..1]),
            None => Patterns::new(NAMES),
        };
        Self {
            names,
            patterns: Patterns::new(&excluded),
            parts: excluded.iter().map(|part| Finder::new(part).into_owned()).collect(),
            targets: of_ini("targets").map(|text| text.split(',').map(Target::new).collect()),
        }
    }
}

fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// An entry of `exclude`, which takes the place of the command line's `--exclude`. Only there does
/// bandit look whether an entry is a folder: then this pattern counts, and nothing else.
fn typed(entry: &str, root: &Path) -> String {
    if entry.is_empty() || !root.join(entry).is_dir() {
        return entry.to_owned();
    }
    format!("{}/*", entry.strip_suffix('/').unwrap_or(entry))
}

impl Target {
    fn new(written: &str) -> Self {
        let written = written.trim();
        Self {
            folder: RelPath::from_relative(Path::new(written)),
            dotted: written == "." || written.starts_with("./"),
        }
    }
}

impl Choice for Bandit {
    fn takes(&mut self, file: &ProjectFile) -> bool {
        let mut name = walked(&file.path);
        if let Some(targets) = &self.targets {
            let within = |target: &&Target| file.path.is_within(target.folder.as_bytes());
            match targets.iter().find(within) {
                None => return false,
                Some(target) if !target.dotted => name.drain(..2).for_each(drop),
                Some(_) => {}
            }
        }
        self.names.matches(&name)
            && !self.parts.iter().any(|part| part.find(&name).is_some())
            && !self.patterns.matches(&name)
    }
}

/// What bandit 1.9.4 did with `bandit -r .` on the same trees.
#[cfg(test)]
mod tests {
    use crate::tools::select::tests::Project;

    const FILES: [&str; 8] = [
        "a.py",
        "build/b.py",
        ".github/g.py",
        "pkg.egg/e.py",
        "sub/tests/u.py",
        "tests/t.py",
        "w.pyw",
        "x.pyi",
    ];

    fn ini(settings: &str) -> Vec<String> {
        Project::new(&FILES).selected("bandit", ".bandit", "bandit", settings)
    }

    fn toml(settings: &str) -> Vec<String> {
        Project::new(&FILES).selected("bandit", "pyproject.toml", "tool.bandit", settings)
    }

    #[test]
    fn a_default_that_is_no_folder_here_is_any_part_of_a_path() {
        let expected =
            ["a.py", "build/b.py", "pkg.egg/e.py", "sub/tests/u.py", "tests/t.py", "w.pyw"];
        assert_eq!(ini("{}"), expected);
        let with_git = Project::new(&[&FILES[..], &[".git/HEAD"]].concat());
        let expected = [&[".github/g.py"], &expected[..]].concat();
        assert_eq!(with_git.selected("bandit", ".bandit", "bandit", "{}"), expected);
    }

    #[test]
    fn a_folder_in_the_ini_file_has_to_be_written_with_its_dot() {
        let all = ini(r#"{"exclude": "nothing"}"#);
        assert_eq!(ini(r#"{"exclude": "tests"}"#), all);
        assert!(!ini(r#"{"exclude": "./tests,./build/"}"#).join(" ").contains(" tests/"));
        assert!(ini(r#"{"exclude": "./tests"}"#).contains(&"sub/tests/u.py".to_owned()));
        assert!(ini(r#"{"exclude": ",a.py"}"#).is_empty());
    }

    #[test]
    fn exclude_dirs_are_parts_or_patterns_of_the_path_with_its_dot() {
        assert_eq!(toml(r#"{"exclude_dirs": ["tests"]}"#), ["a.py", "build/b.py", "pkg.egg/e.py"]);
        assert!(toml(r#"{"exclude_dirs": ["tests/*"]}"#).contains(&"tests/t.py".to_owned()));
        assert!(!toml(r#"{"exclude_dirs": ["./tests/*"]}"#).contains(&"tests/t.py".to_owned()));
    }

    #[test]
    fn settings_in_toml_without_names_take_py_only() {
        assert!(!toml(r#"{"skips": ["B101"]}"#).contains(&"w.pyw".to_owned()));
        assert_eq!(toml(r#"{"include": ["*.pyw"]}"#), ["w.pyw"]);
    }

    #[test]
    fn targets_are_searched_in_place_of_the_root() {
        assert_eq!(ini(r#"{"targets": "tests,sub"}"#), ["sub/tests/u.py", "tests/t.py"]);
        assert_eq!(ini(r#"{"targets": "tests,./sub", "exclude": "tests"}"#), ["sub/tests/u.py"]);
    }
}
