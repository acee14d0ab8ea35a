//! Which of the project's files a per-file tool is given: those that it would find by itself when
//! run on the root. Tools apply their excludes while they search, and mostly not to files named
//! on the command line, so that pyqa has to apply them.

mod bandit;
mod black;
mod flake8;
mod fnmatch;
mod folders;
mod ignored;
mod python_re;

use std::path::{Path, PathBuf};

use super::spec::{ExcludeStyle, ToolSpec};
use crate::config::source::ToolConfig;
use crate::error::UserError;
use crate::paths::RelPath;
use crate::project::files::ProjectFile;

/// What a tool's own settings say about files, ready to be asked.
trait Choice {
    fn takes(&mut self, file: &ProjectFile) -> bool;
}

/// Indexes of the files that the tool checks, of those that are `wanted`. Files in the order of their paths are fastest: each
/// folder is asked about once.
///
/// # Errors
/// A pattern in the tool's settings that is none.
pub fn select(
    spec: &ToolSpec,
    config: &ToolConfig,
    files: &[ProjectFile],
    wanted: &dyn Fn(&ProjectFile) -> bool,
    root: &Path,
) -> Result<Vec<usize>, UserError> {
    let mut choice: Box<dyn Choice> = match spec.files.excludes {
        ExcludeStyle::None => Box::new(ByExtension(spec)),
        ExcludeStyle::Black => Box::new(black::Black::new(config, root)?),
        ExcludeStyle::Flake8 => Box::new(flake8::Flake8::new(config, root)),
        ExcludeStyle::Bandit => Box::new(bandit::Bandit::new(config, root)),
    };
    let candidates = files.iter().enumerate().filter(|(_, file)| wanted(file));
    let taken = candidates.filter(|(_, file)| choice.takes(file));
    Ok(taken.map(|(index, _)| index).collect())
}

struct ByExtension<'a>(&'a ToolSpec);

impl Choice for ByExtension<'_> {
    fn takes(&mut self, file: &ProjectFile) -> bool {
        self.0.files.extensions.iter().any(|e| file.path.has_extension(&[e.as_str()]))
    }
}

/// The path as a walk from the root names it: `./a/b.py`.
fn walked(path: &RelPath) -> Vec<u8> {
    [b"./", path.as_bytes()].concat()
}

/// The folder without links, as a process that runs in it sees it.
fn resolved(folder: &Path) -> PathBuf {
    folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use serde_json::Value;

    use super::*;
    use crate::config::source::ConfigValue;
    use crate::error::Source;
    use crate::project::files::FileSet;
    use crate::tools::registry;

    /// A folder with empty files.
    pub(super) struct Project {
        _temporary: Option<tempfile::TempDir>,
        root: PathBuf,
        ignored: Vec<String>,
    }

    impl Project {
        pub(super) fn new(files: &[&str]) -> Self {
            let temporary = tempfile::Builder::new().prefix("project-root").tempdir().unwrap();
            let root = temporary.path().to_owned();
            for file in files {
                let path = root.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, "").unwrap();
            }
            Self { _temporary: Some(temporary), root, ignored: Vec::new() }
        }

        pub(super) fn root(&self) -> &Path {
            &self.root
        }

        /// The project whose root is a folder of this one.
        pub(super) fn folder(&self, name: &str) -> Self {
            Self { _temporary: None, root: self.root.join(name), ignored: Vec::new() }
        }

        pub(super) fn with_ignored(mut self, files: &[&str]) -> Self {
            self.ignored = files.iter().map(ToString::to_string).collect();
            self
        }

        /// `settings` is the section's content in JSON; it stands in line 7 of `file`.
        pub(super) fn select(
            &self,
            tool: &str,
            file: &str,
            section: &str,
            settings: &str,
        ) -> Result<Vec<String>, UserError> {
            let spec = registry::builtin().into_iter().find(|s| s.name.as_str() == tool).unwrap();
            let file = self.root.join(file);
            let source = Source { file: file.clone(), line: Some(7) };
            let settings: BTreeMap<String, Value> = serde_json::from_str(settings).unwrap();
            let values = settings
                .into_iter()
                .map(|(key, value)| (key, ConfigValue { value, source: source.clone() }))
                .collect();
            let config = ToolConfig {
                file: Some(file),
                sections: BTreeMap::from([(section.to_owned(), values)]),
                ..ToolConfig::default()
            };
            let tracked: Vec<RelPath> = self.ignored.iter().map(|p| p.as_str().into()).collect();
            let files = FileSet::list(&self.root, Some(&tracked)).files;
            let taken = select(&spec, &config, &files, &|_| true, &self.root)?;
            Ok(taken.into_iter().map(|index| files[index].path.to_string()).collect())
        }

        pub(super) fn selected(
            &self,
            tool: &str,
            file: &str,
            section: &str,
            settings: &str,
        ) -> Vec<String> {
            self.select(tool, file, section, settings).unwrap()
        }
    }

    #[test]
    fn a_tool_without_excludes_of_its_own_takes_files_by_their_extension() {
        let mut spec = registry::builtin().remove(0);
        spec.files.excludes = ExcludeStyle::None;
        let project = Project::new(&["a.py", "b.txt", "build/c.py"]);
        let files = FileSet::list(&project.root, None).files;
        let taken =
            select(&spec, &ToolConfig::default(), &files, &|_| true, &project.root).unwrap();
        assert_eq!(taken.len(), 2);
    }
}
