//! Where the project begins: its root, and the top of its repository. No program is started.

use std::fs;
use std::path::{Path, PathBuf};

use super::toml::Table;

/// Files that stand at the root of a Python project.
const MARKS: [&str; 10] = [
    "pyproject.toml",
    "setup.cfg",
    "setup.py",
    "tox.ini",
    ".flake8",
    "mypy.ini",
    ".mypy.ini",
    "pytest.ini",
    "pytest.toml",
    "Pipfile",
];

/// The top of the git repository that holds `folder`. `.git` is a file in linked work trees and
/// submodules.
pub fn find_repository(folder: &Path) -> Option<PathBuf> {
    let is_top = |folder: &&Path| {
        let mark = folder.join(".git");
        mark.is_file() || mark.join("HEAD").symlink_metadata().is_ok()
    };
    folder.ancestors().find(is_top).map(Path::to_owned)
}

/// The project's root, seen from `folder`: the nearest folder with settings of pyqa's own, else
/// the nearest with a mark of a Python project, not above the repository; else the repository;
/// else `folder`.
pub fn find_root(folder: &Path, repository: Option<&Path>) -> PathBuf {
    let within: Vec<&Path> = match repository {
        Some(top) => folder.ancestors().take_while(|path| path.starts_with(top)).collect(),
        None => folder.ancestors().collect(),
    };
    let own = within.iter().find(|folder| has_own_settings(folder));
    let marked = || within.iter().find(|folder| MARKS.iter().any(|m| folder.join(m).is_file()));
    own.or_else(marked).copied().or(repository).unwrap_or(folder).to_owned()
}

/// A cheap look for a section of pyqa's own; the file may turn out to be wrong later. What stands
/// around the section, such as a byte order mark, is then told; settings that are not found here
/// would be lost without a word.
fn has_own_settings(folder: &Path) -> bool {
    let begins_with = |line: &str, section: &str| {
        let line = line.trim_start_matches(|c: char| c == '\u{feff}' || c.is_whitespace());
        line.starts_with(section)
    };
    [("pyproject.toml", "[tool.pyqa"), ("tox.ini", "[pyqa"), ("setup.cfg", "[tool:pyqa")]
        .iter()
        .any(|(name, section)| {
            let path = folder.join(name);
            let Ok(bytes) = fs::read(&path) else { return false };
            let text = String::from_utf8_lossy(&bytes);
            text.split(['\n', '\r']).any(|line| begins_with(line, section))
                || (*name == "pyproject.toml" && is_written_otherwise(&text, &path))
        })
}

/// Whether TOML that has no line `[tool.pyqa]` sets it all the same: `[tool] pyqa.jobs = 2`.
fn is_written_otherwise(text: &str, path: &Path) -> bool {
    text.contains("pyqa")
        && Table::parse(text, path).is_ok_and(|table| table.table("tool.pyqa").is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let top = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = top.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        top
    }

    fn root_of(top: &tempfile::TempDir, folder: &str) -> String {
        let folder = top.path().join(folder);
        fs::create_dir_all(&folder).unwrap();
        let repository = find_repository(&folder);
        let root = find_root(&folder, repository.as_deref());
        root.strip_prefix(top.path()).unwrap().to_str().unwrap().to_owned()
    }

    #[test]
    fn settings_of_pyqa_s_own_come_before_a_nearer_mark() {
        let top =
            tree(&[(".git/HEAD", ""), ("pyproject.toml", "[tool.pyqa]\n"), ("pkg/setup.cfg", "")]);
        assert_eq!(root_of(&top, "pkg/sub"), "");
    }

    #[test]
    fn settings_are_found_however_they_are_written() {
        for (name, text) in [
            ("pyproject.toml", "\u{feff}[tool.pyqa]\n"),
            ("pyproject.toml", "  [tool.pyqa.mypy]\n"),
            ("pyproject.toml", "[tool]\npyqa.jobs = 2\n"),
            ("pyproject.toml", "[ tool . 'pyqa' ]\n"),
            ("tox.ini", "[tox]\r[pyqa]\r"),
        ] {
            let top = tree(&[(".git/HEAD", ""), (name, text), ("pkg/setup.cfg", "")]);
            assert_eq!(root_of(&top, "pkg"), "", "{text:?}");
        }
        let other = "[project]\nname = 'pyqa'\n";
        let top = tree(&[(".git/HEAD", ""), ("pyproject.toml", other), ("pkg/setup.cfg", "")]);
        assert_eq!(root_of(&top, "pkg"), "pkg");
    }

    #[test]
    fn the_nearest_mark_is_the_root_but_not_above_the_repository() {
        let top = tree(&[("setup.py", ""), ("repo/.git/HEAD", ""), ("repo/a/tox.ini", "")]);
        assert_eq!(root_of(&top, "repo/a/b"), "repo/a");
        assert_eq!(root_of(&top, "repo/c"), "repo");
    }

    #[test]
    fn a_file_named_git_marks_a_linked_work_tree() {
        let top = tree(&[("tree/.git", "gitdir: /elsewhere\n")]);
        assert_eq!(root_of(&top, "tree/x"), "tree");
    }
}
