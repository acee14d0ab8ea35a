//! Which of the project's files a per-file tool is given: those that it would find by itself when
//! run on the root. Tools apply their excludes while they search, and mostly not to files named
//! on the command line, so that pyqa has to apply them.

mod bandit;
mod black;
mod flake8;

use std::path::Path;

use globset::{Glob, GlobBuilder, GlobSet, GlobSetBuilder};

use super::spec::{ExcludeStyle, ToolSpec};
use crate::config::source::ToolConfig;
use crate::error::UserError;
use crate::paths::RelPath;
use crate::project::files::ProjectFile;

/// A tool's own excludes, ready to be asked.
trait Excludes {
    fn is_excluded(&mut self, path: &RelPath) -> bool;
}

/// Indexes of the files that the tool checks.
///
/// # Errors
/// A pattern in the tool's settings that is none.
pub fn select(
    spec: &ToolSpec,
    config: &ToolConfig,
    files: &[ProjectFile],
    root: &Path,
) -> Result<Vec<usize>, UserError> {
    let extensions: Vec<&str> = spec.files.extensions.iter().map(String::as_str).collect();
    let mut excludes: Box<dyn Excludes> = match spec.files.excludes {
        ExcludeStyle::None => Box::new(Nothing),
        ExcludeStyle::Black => Box::new(black::Black::new(config)?),
        ExcludeStyle::Flake8 => Box::new(flake8::Flake8::new(config, root)?),
        ExcludeStyle::Bandit => Box::new(bandit::Bandit::new(config, root)?),
    };
    Ok(files
        .iter()
        .enumerate()
        .filter(|(_, file)| file.path.has_extension(&extensions))
        .filter(|(_, file)| !excludes.is_excluded(&file.path))
        .map(|(index, _)| index)
        .collect())
}

struct Nothing;

impl Excludes for Nothing {
    fn is_excluded(&mut self, _: &RelPath) -> bool {
        false
    }
}

/// Patterns in the way of Python's `fnmatch`: `*` also matches `/`, braces are nothing special.
fn fnmatch(patterns: &[String], config: &ToolConfig) -> Result<GlobSet, UserError> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        set.add(fnmatch_pattern(pattern).map_err(|error| {
            let error = UserError::new(format!("`{pattern}` is not a pattern: {}", error.kind()));
            match &config.file {
                Some(file) => error.at(crate::error::Source::file(file)),
                None => error,
            }
        })?);
    }
    set.build().map_err(|error| UserError::new(error.to_string()))
}

fn fnmatch_pattern(pattern: &str) -> Result<Glob, globset::Error> {
    let mut escaped = String::with_capacity(pattern.len());
    for character in pattern.chars() {
        match character {
            '{' => escaped.push_str("[{]"),
            '}' => escaped.push_str("[}]"),
            other => escaped.push(other),
        }
    }
    GlobBuilder::new(&escaped).literal_separator(false).backslash_escape(false).build()
}

/// The folders on the way to a file and the file itself, as far as the text goes: `a`, `a/b`,
/// `a/b/c.py`.
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(at, _)| &path[..at]).chain(std::iter::once(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::source::ConfigValue;
    use crate::error::Source;
    use crate::project::stat::FileStat;
    use crate::tools::registry;
    use serde_json::{Value, json};
    use std::collections::BTreeMap;

    fn selected(tool: &str, settings: &Value, files: &[&str]) -> Vec<String> {
        let spec = registry::builtin().into_iter().find(|s| s.name.as_str() == tool).unwrap();
        let source = Source::file(Path::new("/project/settings"));
        let values: BTreeMap<String, ConfigValue> = settings
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, value)| {
                (key.clone(), ConfigValue { value: value.clone(), source: source.clone() })
            })
            .collect();
        let config = ToolConfig {
            file: Some("/project/settings".into()),
            sections: BTreeMap::from([(tool.to_owned(), values)]),
            ..ToolConfig::default()
        };
        let stat = FileStat { size: 0, mtime: 0, ctime: 0, inode: 0, device: 0, mode: 0 };
        let files: Vec<ProjectFile> =
            files.iter().map(|&path| ProjectFile { path: path.into(), stat, link: None }).collect();
        select(&spec, &config, &files, Path::new("/project"))
            .unwrap()
            .into_iter()
            .map(|index| files[index].path.to_string())
            .collect()
    }

    #[test]
    fn black_leaves_its_usual_folders_out_and_takes_stubs() {
        let files = ["a.py", "b.pyi", "c.txt", "build/a.py", "pkg/dist/a.py", "buildx/a.py"];
        assert_eq!(selected("black", &json!({}), &files), ["a.py", "b.pyi", "buildx/a.py"]);
    }

    #[test]
    fn black_s_own_patterns_are_searched_in_each_folder_and_may_be_verbose() {
        let files = ["a.py", "gen/a.py", "src/gen/b.py", "build/a.py", "x_pb2.py"];
        let extend = json!({"extend-exclude": "(\n  /gen/ # generated\n | _pb2\\.py$\n)"});
        assert_eq!(selected("black", &extend, &files), ["a.py"]);
        let replaced = json!({"exclude": "^/gen/", "force-exclude": "(?<!x)_pb2"});
        assert_eq!(
            selected("black", &replaced, &files),
            ["a.py", "src/gen/b.py", "build/a.py", "x_pb2.py"]
        );
    }

    #[test]
    fn flake8_matches_names_anywhere_and_paths_from_its_settings() {
        let files = ["a.py", "docs/a.py", "pkg/docs/a.py", "pkg/old_x.py", "x.egg/a.py", "{a}.py"];
        assert_eq!(
            selected("flake8", &json!({"extend-exclude": "docs"}), &files),
            ["a.py", "pkg/old_x.py", "{a}.py"]
        );
        assert_eq!(
            selected("flake8", &json!({"exclude": "./docs, old_*.py,{a}.py"}), &files),
            ["a.py", "pkg/docs/a.py", "x.egg/a.py"]
        );
    }

    #[test]
    fn bandit_matches_parts_of_the_path_as_it_walks() {
        let files = ["a.py", "tests/a.py", "contests/a.py", "pkg/tests/a.py"];
        assert_eq!(selected("bandit", &json!({"exclude_dirs": ["tests"]}), &files), ["a.py"]);
        assert_eq!(
            selected("bandit", &json!({"exclude_dirs": ["./tests/*"]}), &files),
            ["a.py", "contests/a.py", "pkg/tests/a.py"]
        );
    }
}
