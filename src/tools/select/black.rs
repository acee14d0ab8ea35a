//! black's choice: regular expressions searched in `/path/from/black's/root/` of each folder on
//! the way and of the file, git's ignore rules, and links (`gen_python_files` in black/files.py,
//! black 26.10). black's root is the first folder, from the working folder up, that holds `.git`,
//! `.hg` or the winning `[tool.black]`, else the file system's.

use std::path::{Path, PathBuf};

use fancy_regex::Regex;

use super::folders::Folders;
use super::ignored::IgnoreRules;
use super::python_re::{self, Mode};
use super::{Choice, resolved};
use crate::config::source::{ConfigValue, ToolConfig};
use crate::error::UserError;
use crate::project::files::ProjectFile;

/// `DEFAULT_INCLUDES`, but for notebooks: pyqa cannot tell whether black has what it needs for
/// them.
const EXTENSIONS: [&str; 2] = ["py", "pyi"];

/// Folders left out where `exclude` is not set (`DEFAULT_EXCLUDES` in black/const.py).
const DEFAULT_FOLDERS: [&[u8]; 19] = [
    b".direnv",
    b".eggs",
    b".git",
    b".hg",
    b".ipynb_checkpoints",
    b".mypy_cache",
    b".nox",
    b".pytest_cache",
    b".ruff_cache",
    b".tox",
    b".svn",
    b".venv",
    b".vscode",
    b"__pypackages__",
    b"_build",
    b"buck-out",
    b"build",
    b"dist",
    b"venv",
];

pub(super) struct Black {
    excludes: Excludes,
    include: Option<Regex>,
    folders: Folders,
    ignore_rules: IgnoreRules,
    /// Where links may lead.
    territory: PathBuf,
    root: PathBuf,
    /// The root itself lies in a folder that is excluded.
    nothing: bool,
}

struct Excludes {
    has_defaults: bool,
    patterns: Vec<Regex>,
    /// The way from black's root to the project's: `/`, or `/part/part/`.
    above: String,
}

impl Black {
    pub(super) fn new(config: &ToolConfig, root: &Path) -> Result<Self, UserError> {
        let root = resolved(root);
        let black_root = black_root(&root, config);
        let mut patterns = Vec::new();
        for key in ["exclude", "extend-exclude", "force-exclude"] {
            patterns.extend(compile(config, key)?);
        }
        let way = root.strip_prefix(&black_root).unwrap_or(Path::new(""));
        let above = way
            .components()
            .fold("/".to_owned(), |above, part| above + &part.as_os_str().to_string_lossy() + "/");
        let has_defaults = value(config, "exclude").is_none();
        let excludes = Excludes { has_defaults, patterns, above };
        Ok(Self {
            nothing: excludes.everything(),
            excludes,
            include: compile(config, "include")?,
            folders: Folders::default(),
            ignore_rules: IgnoreRules::new(&root, &black_root),
            territory: black_root,
            root,
        })
    }
}

impl Excludes {
    fn folder(&self, folder: &[u8]) -> bool {
        let name = folder.rsplit(|&byte| byte == b'/').next().unwrap_or(folder);
        (self.has_defaults && DEFAULT_FOLDERS.contains(&name))
            || (!self.patterns.is_empty() && self.matches(&(self.searched(folder) + "/")))
    }

    /// black does not ask about the root itself, but what lies in it has the root in its path.
    fn everything(&self) -> bool {
        let mut parts = self.above.as_bytes().split(|&byte| byte == b'/');
        self.has_defaults && parts.any(|part| DEFAULT_FOLDERS.contains(&part))
    }

    fn file(&self, path: &[u8]) -> bool {
        !self.patterns.is_empty() && self.matches(&self.searched(path))
    }

    fn searched(&self, path: &[u8]) -> String {
        self.above.clone() + &String::from_utf8_lossy(path)
    }

    /// A match of nothing does not count for black. It gives up on an expression that takes too
    /// long; taking the file is the safe side.
    fn matches(&self, searched: &str) -> bool {
        self.patterns
            .iter()
            .any(|pattern| matches!(pattern.find(searched), Ok(Some(found)) if !found.as_str().is_empty()))
    }
}

impl Choice for Black {
    fn takes(&mut self, file: &ProjectFile) -> bool {
        let path = file.path.as_bytes();
        let included = match &self.include {
            None => file.path.has_extension(&EXTENSIONS),
            Some(include) => {
                !file.path.has_extension(&["ipynb"])
                    && include.is_match(&self.excludes.searched(path)).unwrap_or(true)
            }
        };
        let Self { excludes, folders, .. } = self;
        if !included
            || self.nothing
            || folders.is_excluded(file.path.parent(), &|folder| excludes.folder(folder))
            || excludes.file(path)
        {
            return false;
        }
        let ignored = file.ignored && excludes.has_defaults && self.ignore_rules.ignore(&file.path);
        !ignored && (file.link.is_none() || !self.leads_outside(file))
    }
}

impl Black {
    fn leads_outside(&self, file: &ProjectFile) -> bool {
        let target = file.path.below(&self.root).canonicalize();
        !target.is_ok_and(|target| target.starts_with(&self.territory))
    }
}

/// `find_project_root` in black/files.py, for the working folder as the only argument.
fn black_root(root: &Path, config: &ToolConfig) -> PathBuf {
    let settings = config.file.as_deref().filter(|_| config.sections.contains_key("tool.black"));
    let settings = settings.and_then(Path::parent).map(resolved);
    let is_root = |folder: &&Path| {
        folder.join(".git").exists()
            || folder.join(".hg").is_dir()
            || settings.as_deref() == Some(*folder)
    };
    let found = root.ancestors().find(is_root).or_else(|| root.ancestors().last());
    found.unwrap_or(root).to_owned()
}

fn value<'a>(config: &'a ToolConfig, key: &str) -> Option<&'a ConfigValue> {
    // `--extend_exclude` in the settings means `extend-exclude` for black.
    let normal = |name: &str| name.replace("--", "").replace('_', "-");
    let keys = config.sections.get("tool.black")?;
    keys.iter().find(|(name, _)| normal(name) == key).map(|(_, value)| value)
}

/// `re_compile_maybe_verbose` in black/__init__.py: an expression of several lines is verbose.
fn compile(config: &ToolConfig, key: &str) -> Result<Option<Regex>, UserError> {
    let Some(value) = value(config, key) else { return Ok(None) };
    let fail = |what: String| UserError::new(format!("`{key}` of black {what}"));
    let Some(text) = value.value.as_str() else {
        return Err(fail("has to be a string".to_owned()).at(value.source.clone()));
    };
    let mode = if text.contains('\n') { Mode::Verbose } else { Mode::Plain };
    let compiled = python_re::compile(text, mode).map_err(|error| {
        fail(format!("is not a regular expression: {error}")).at(value.source.clone())
    })?;
    Ok(Some(compiled))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use crate::tools::select::tests::Project;

    fn selected(files: &[&str], settings: &str) -> Vec<String> {
        let files = [files, &[".git/HEAD"]].concat();
        Project::new(&files).selected("black", "pyproject.toml", "tool.black", settings)
    }

    #[test]
    fn usual_folders_are_left_out_and_stubs_are_taken() {
        let files =
            ["a.py", "b.pyi", "c.txt", "build/a.py", "pkg/dist/a.py", "buildx/a.py", "n.ipynb"];
        assert_eq!(selected(&files, "{}"), ["a.py", "b.pyi", "buildx/a.py"]);
        assert_eq!(selected(&files, r#"{"exclude": ""}"#).len(), 5);
    }

    #[test]
    fn patterns_are_searched_in_each_folder_and_may_be_verbose() {
        let files = ["a.py", "build/a.py", "gen/a.py", "src/gen/b.py", "x_pb2.py"];
        let extend = r#"{"extend-exclude": "(\n  /gen/ # generated\n | _pb2\\.py$\n)"}"#;
        assert_eq!(selected(&files, extend), ["a.py"]);
        let replaced = r#"{"exclude": "^/gen/", "force_exclude": "(?<!x)_pb2"}"#;
        assert_eq!(selected(&files, replaced), ["a.py", "build/a.py", "src/gen/b.py", "x_pb2.py"]);
    }

    #[test]
    fn include_may_name_other_files() {
        let files = ["a.py", "SConstruct", "b.pyi", "n.ipynb"];
        assert_eq!(
            selected(&files, r#"{"include": "(\\.py|/SConstruct)$"}"#),
            ["SConstruct", "a.py"]
        );
    }

    #[test]
    fn without_a_repository_the_folders_above_count() {
        let project = Project::new(&["build/proj/a.py"]);
        let nested = project.folder("build/proj");
        assert!(nested.selected("black", "none", "none", "{}").is_empty());
        let own = nested.selected("black", "pyproject.toml", "tool.black", "{}");
        assert_eq!(own, ["a.py"]);
    }

    #[test]
    fn tracked_files_that_git_would_ignore_are_left_out_unless_exclude_is_set() {
        let project =
            Project::new(&[".git/HEAD", "a.py", "gen/b.py", "gen/deep/c.py", "keep/d.py"]);
        fs::write(project.root().join(".gitignore"), "gen/\n*.bak\n").unwrap();
        fs::write(project.root().join("keep/.gitignore"), "!d.py\n").unwrap();
        let project = project.with_ignored(&["gen/b.py", "gen/deep/c.py", "keep/d.py"]);
        let selected =
            |settings| project.selected("black", "pyproject.toml", "tool.black", settings);
        assert_eq!(selected("{}"), ["a.py", "keep/d.py"]);
        assert_eq!(selected(r#"{"exclude": "nothing"}"#).len(), 4);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_out_of_the_repository_are_left_out() {
        let project = Project::new(&[".git/HEAD", "a.py"]);
        let other = tempfile::NamedTempFile::new().unwrap();
        std::os::unix::fs::symlink(other.path(), project.root().join("out.py")).unwrap();
        std::os::unix::fs::symlink("a.py", project.root().join("in.py")).unwrap();
        let selected = project.selected("black", "pyproject.toml", "tool.black", "{}");
        assert_eq!(selected, ["a.py", "in.py"]);
    }

    #[test]
    fn an_expression_that_is_none_is_told_with_its_place() {
        let project = Project::new(&["a.py"]);
        let error = project.select("black", "pyproject.toml", "tool.black", r#"{"exclude": "("}"#);
        let error = error.unwrap_err();
        assert!(error.what.contains("`exclude`"), "{error}");
        assert_eq!(error.place.unwrap().line, Some(7));
    }
}
