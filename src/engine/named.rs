//! Files that a pattern in the settings names, wherever they are: also those that git ignores, and
//! those outside of the project.

use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::error::UserError;
use crate::paths::RelPath;
use crate::project::files::FileSet;

/// The files below `root`, or beside it where the pattern begins with `..`, by their path from there.
/// Patterns are those of `.gitignore`; one that takes others out names nothing.
///
/// # Errors
/// A pattern that is none.
pub(super) fn named_on_disk(pattern: &str, root: &Path) -> Result<Vec<RelPath>, UserError> {
    let core = pattern.trim_matches('/');
    if core.is_empty() || pattern.starts_with(['!', '#']) {
        return Ok(Vec::new());
    }
    let is_anchored = pattern.starts_with('/') || core.contains('/');
    let parts: Vec<&str> = core.split('/').collect();
    let literal = if is_anchored {
        parts.iter().take_while(|part| !part.contains(['*', '?', '[', '\\'])).count()
    } else {
        0
    };
    let folder: PathBuf = parts[..literal].iter().collect();
    let place = root.join(&folder);
    let rest = parts[literal..].join("/");
    // Not `RelPath::from_relative`, which drops `..`.
    let name = |path: &Path| RelPath::from_bytes(path.as_os_str().as_encoded_bytes());
    if rest.is_empty() && !place.is_dir() {
        return Ok(if place.exists() { vec![name(&folder)] } else { Vec::new() });
    }
    let line = match (rest.is_empty(), is_anchored) {
        (true, _) => "*".to_owned(),
        (false, true) => format!("/{rest}"),
        (false, false) => rest,
    };
    let matcher = patterns(&[line], &place)?;
    let below = FileSet::everything(&place).files.into_iter().map(|file| file.path.to_path());
    let named = below.filter(|path| matcher.matched_path_or_any_parents(path, false).is_ignore());
    Ok(named.map(|path| name(&folder.join(path))).collect())
}

/// Patterns as in `.gitignore`.
///
/// # Errors
/// The first line that is none.
pub(super) fn patterns(lines: &[String], root: &Path) -> Result<Gitignore, UserError> {
    let mut builder = GitignoreBuilder::new(root);
    for line in lines {
        builder.add_line(None, line).map_err(|error| {
            UserError::new(format!("`{line}` is not a pattern: {error}"))
                .hint("patterns are written as in .gitignore")
        })?;
    }
    builder.build().map_err(|error| UserError::new(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_reach_ignored_files_and_those_beside_the_project() {
        let top = tempfile::tempdir().unwrap();
        let root = top.path().join("root");
        for name in ["root/.gitignore", "root/data/a.json", "root/data/sub/b.json", "root/x", "v"] {
            let path = top.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "*\n").unwrap();
        }
        let named = |pattern: &str| {
            let found = named_on_disk(pattern, &root).unwrap();
            let mut names: Vec<String> = found.iter().map(ToString::to_string).collect();
            names.sort();
            names.join(" ")
        };
        assert_eq!(named("x"), "x");
        assert_eq!(named("/x"), "x");
        assert_eq!(named("data/"), "data/a.json data/sub/b.json");
        assert_eq!(named("data/*.json"), "data/a.json");
        assert_eq!(named("data/**/*.json"), "data/a.json data/sub/b.json");
        assert_eq!(named("*.json"), "data/a.json data/sub/b.json");
        assert_eq!(named("../v"), "../v");
        assert_eq!(named("../root/data/*.json"), "../root/data/a.json");
        assert_eq!(named("nothing/at/all") + &named("!x"), "");
    }
}
