//! Which Python environment is the project's: [`find`]. No process is started for it.
//! docs/environments.md has the order as a table.

use std::cell::LazyCell;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::managers;
use super::variables::Variables;
use crate::error::{Source, UserError};
use crate::event::Notice;

/// An interpreter and why it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub interpreter: PathBuf,
    pub origin: Origin,
}

/// Where an environment was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Setting,
    Active,
    UvVariable,
    InProject,
    Poetry,
    Pipenv,
    Pdm,
    Hatch,
    Conda,
    Path,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Setting => "the setting `python`",
            Self::Active => "the active environment, VIRTUAL_ENV",
            Self::UvVariable => "UV_PROJECT_ENVIRONMENT",
            Self::InProject => "the project's folder",
            Self::Poetry => "Poetry",
            Self::Pipenv => "Pipenv",
            Self::Pdm => "PDM",
            Self::Hatch => "Hatch",
            Self::Conda => "the active conda environment",
            Self::Path => "PATH",
        })
    }
}

/// The project's environment, and what the user should know about those passed over.
#[derive(Clone, Debug, Default)]
pub struct Search {
    pub found: Option<Found>,
    pub notices: Vec<Notice>,
}

/// Looks for the environment of the project in `folders` (its root; for a snapshot or a linked
/// work tree also the folders where the environment may lie instead).
///
/// # Errors
/// A setting `python` that names no interpreter.
pub fn find(
    folders: &[&Path],
    setting: Option<(&Path, &Source)>,
    variables: &Variables,
) -> Result<Search, UserError> {
    let mut search = Search::default();
    if let Some((python, source)) = setting {
        let interpreter = interpreter_at(folders, python).ok_or_else(|| {
            UserError::new(format!("`python`: there is no interpreter at {}", python.display()))
                .at(source.clone())
                .hint("name a Python executable, or the folder of an environment")
        })?;
        search.take(interpreter, Origin::Setting);
        return Ok(search);
    }
    search.look(Origin::Active, || variables.path("VIRTUAL_ENV"));
    search.look(Origin::UvVariable, || {
        Some(joined_to_first(folders, &variables.path("UV_PROJECT_ENVIRONMENT")?))
    });
    for folder in folders {
        for name in [".venv", "venv"] {
            search.look(Origin::InProject, || environment_in(folder, name));
        }
    }
    for folder in folders {
        let pyproject = LazyCell::new(|| managers::read_toml(&folder.join("pyproject.toml")));
        search.look(Origin::Poetry, || managers::poetry(folder, pyproject.as_ref(), variables));
        search.look(Origin::Pipenv, || managers::pipenv(folder, variables));
        search.look(Origin::Pdm, || managers::pdm(folder));
        search.look(Origin::Hatch, || managers::hatch(folder, pyproject.as_ref(), variables));
    }
    search.look(Origin::Conda, || {
        let is_base = variables.get("CONDA_DEFAULT_ENV").is_some_and(|name| name == "base");
        variables.path("CONDA_PREFIX").filter(|_| !is_base)
    });
    Ok(search)
}

impl Search {
    fn take(&mut self, interpreter: PathBuf, origin: Origin) {
        self.found.get_or_insert(Found { interpreter, origin });
    }

    /// Takes the environment in the folder that `place` tells, which is not asked once one is found.
    fn look(&mut self, origin: Origin, place: impl FnOnce() -> Option<PathBuf>) {
        if self.found.is_some() {
            return;
        }
        let Some(folder) = place() else { return };
        match interpreter_in(&folder) {
            Some(interpreter) => self.take(interpreter, origin),
            None => self.notices.push(
                Notice::warning(format!(
                    "the environment {} (from {origin}) has no working interpreter and is not used",
                    folder.display()
                ))
                .hint("make it anew, or name another with `python` under [tool.pyqa]"),
            ),
        }
    }
}

fn joined_to_first(folders: &[&Path], path: &Path) -> PathBuf {
    folders.first().map_or_else(|| path.to_owned(), |folder| folder.join(path))
}

/// `.venv` in the folder: an environment, or Pipenv's and virtualenvwrapper's file that names one.
fn environment_in(folder: &Path, name: &str) -> Option<PathBuf> {
    let path = folder.join(name);
    path.join("pyvenv.cfg").is_file().then_some(path)
}

/// The interpreter of a virtual or conda environment, if it is there and is not a dangling link.
pub fn interpreter_in(folder: &Path) -> Option<PathBuf> {
    let places: &[&str] = if cfg!(windows) {
        &["Scripts/python.exe", "python.exe"]
    } else {
        &["bin/python", "bin/python3"]
    };
    places.iter().map(|place| folder.join(place)).find(|path| path.is_file())
}

/// An interpreter given as an executable or as the folder of an environment.
fn interpreter_at(folders: &[&Path], python: &Path) -> Option<PathBuf> {
    folders.iter().map(|folder| folder.join(python)).find_map(|path| {
        if path.is_dir() { interpreter_in(&path) } else { path.is_file().then_some(path) }
    })
}

/// A Python to make environments with, or to fall back to: the first on `PATH`. pyenv's stand-ins
/// are followed to the interpreter that they would start.
pub fn on_path(folder: &Path, variables: &Variables) -> Option<PathBuf> {
    let path = variables.get("PATH")?;
    ["python3", "python"].iter().find_map(|name| {
        which::which_in_all(name, Some(path), folder)
            .into_iter()
            .flatten()
            .find_map(|candidate| real_interpreter(&candidate, folder, variables))
    })
}

fn real_interpreter(candidate: &Path, folder: &Path, variables: &Variables) -> Option<PathBuf> {
    // The store's stand-in on Windows is an empty file that opens a shop.
    if cfg!(windows) && fs::metadata(candidate).is_ok_and(|meta| meta.len() == 0) {
        return None;
    }
    let shims = candidate.parent()?;
    if shims.file_name()? != "shims" {
        return Some(candidate.to_owned());
    }
    let pyenv = variables.path("PYENV_ROOT").or_else(|| shims.parent().map(Path::to_owned))?;
    let version = pyenv_version(&pyenv, folder, variables)?;
    interpreter_in(&pyenv.join("versions").join(version))
}

/// pyenv's own order: variable, `.python-version` upwards, global file.
fn pyenv_version(pyenv: &Path, folder: &Path, variables: &Variables) -> Option<String> {
    let first = |text: String| text.split([':', '\n']).next().map(|v| v.trim().to_owned());
    if let Some(version) = variables.get("PYENV_VERSION").and_then(|v| v.to_str()) {
        return first(version.to_owned());
    }
    folder
        .ancestors()
        .map(|folder| folder.join(".python-version"))
        .chain([pyenv.join("version")])
        .find_map(|file| fs::read_to_string(file).ok())
        .and_then(first)
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn environment(folder: &Path) {
        fs::create_dir_all(folder.join("bin")).unwrap();
        fs::write(folder.join("bin/python"), "").unwrap();
        fs::write(folder.join("pyvenv.cfg"), "").unwrap();
    }

    fn origin(root: &Path, variables: &Variables) -> Option<Origin> {
        find(&[root], None, variables).unwrap().found.map(|found| found.origin)
    }

    #[test]
    fn the_active_environment_comes_before_the_one_in_the_folder() {
        let root = tempfile::tempdir().unwrap();
        let active = tempfile::tempdir().unwrap();
        environment(&root.path().join(".venv"));
        environment(active.path());
        assert_eq!(origin(root.path(), &Variables::default()), Some(Origin::InProject));
        let variables = Variables::from([("VIRTUAL_ENV", active.path().to_str().unwrap())]);
        assert_eq!(origin(root.path(), &variables), Some(Origin::Active));
    }

    #[test]
    fn a_broken_environment_is_named_and_passed_over() {
        let root = tempfile::tempdir().unwrap();
        environment(&root.path().join("venv"));
        let variables = Variables::from([("VIRTUAL_ENV", "/gone/for/ever")]);
        let search = find(&[root.path()], None, &variables).unwrap();
        assert_eq!(search.found.unwrap().origin, Origin::InProject);
        assert!(search.notices[0].message.contains("/gone/for/ever"));
    }

    #[test]
    fn a_setting_that_names_no_interpreter_is_an_error() {
        let root = tempfile::tempdir().unwrap();
        let source = Source::file(Path::new("pyproject.toml"));
        let setting = Some((Path::new("nowhere/python"), &source));
        let error = find(&[root.path()], setting, &Variables::default()).unwrap_err();
        assert!(error.to_string().starts_with("pyproject.toml: "));
    }

    #[test]
    fn conda_s_base_is_nobody_s_project() {
        let root = tempfile::tempdir().unwrap();
        let conda = tempfile::tempdir().unwrap();
        environment(conda.path());
        let prefix = ("CONDA_PREFIX", conda.path().to_str().unwrap());
        let named = Variables::from([prefix, ("CONDA_DEFAULT_ENV", "science")]);
        let base = Variables::from([prefix, ("CONDA_DEFAULT_ENV", "base")]);
        assert_eq!(origin(root.path(), &named), Some(Origin::Conda));
        assert_eq!(origin(root.path(), &base), None);
    }
}
