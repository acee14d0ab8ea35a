//! Environments that pyqa makes for tools that the project does not bring: pinned, one for each
//! list of requirements and interpreter, shared by all projects of a user.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::event::{Failure, FailureKind};
use crate::hash::Digest;
use crate::paths::touch_daily;
use crate::project::environment::MARK_OF_MADE;
use crate::project::python::interpreter_in;
use crate::project::variables::Variables;

/// Variables that would lead an installer, or the new environment, elsewhere.
const MISLEADING: [&str; 9] = [
    "PYTHONPATH",
    "PYTHONHOME",
    "VIRTUAL_ENV",
    "CONDA_PREFIX",
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_USER",
    "PIP_REQUIRE_VIRTUALENV",
    "UV_PROJECT_ENVIRONMENT",
];

/// Whether packages may be fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    #[default]
    Online,
    Offline,
}

/// What is needed to make environments.
#[derive(Clone, Copy)]
pub struct Maker<'a> {
    /// Where environments are kept.
    pub folder: &'a Path,
    /// The interpreter that new environments are of.
    pub python: &'a Path,
    /// Its version, as far as environments differ by it.
    pub python_version: &'a str,
    pub network: Network,
    pub variables: &'a Variables,
}

impl Maker<'_> {
    /// The environment with `requirements`, if it is there and works.
    pub fn existing(&self, requirements: &[String]) -> Option<PathBuf> {
        let folder = self.place(requirements);
        let mark = folder.join(MARK_OF_MADE);
        let interpreter = mark.is_file().then(|| interpreter_in(&folder)).flatten()?;
        // Tells the collection of old entries that it is in use.
        touch_daily(&mark);
        Some(interpreter)
    }

    /// The interpreter of the environment with `requirements`, made if need be. `on` is told the
    /// step, from 0, and how many there are.
    ///
    /// # Errors
    /// Names `tool`, what was looked for, and what helps.
    pub fn provide(
        &self,
        tool: &str,
        requirements: &[String],
        on: &mut dyn FnMut(usize, usize),
    ) -> Result<PathBuf, Failure> {
        if let Some(interpreter) = self.existing(requirements) {
            return Ok(interpreter);
        }
        if self.network == Network::Offline {
            return Err(missing(
                tool,
                format!("{tool} is not installed, and --offline forbids to install it"),
                String::new(),
                format!(
                    "looked in the project's environment and for {} in {}; run once without --offline, or install {tool} in the project's environment",
                    requirements.join(" "),
                    self.folder.display()
                ),
            ));
        }
        self.make(requirements, on).map_err(|trouble| {
            let hint = format!(
                "install {tool} in the project's environment (`python -m pip install {}`), or leave it out with `--skip {tool}`",
                requirements.first().map_or(tool, String::as_str)
            );
            missing(tool, format!("{tool} could not be installed: {}", trouble.what), trouble.output, hint)
        })
    }

    fn place(&self, requirements: &[String]) -> PathBuf {
        let mut digest = Digest::new("pyqa tool environment");
        digest.field("python", self.python_version);
        for requirement in requirements {
            digest.field("requirement", requirement);
        }
        self.folder.join(&digest.finish().to_string()[..24])
    }

    fn make(
        &self,
        requirements: &[String],
        on: &mut dyn FnMut(usize, usize),
    ) -> Result<PathBuf, Trouble> {
        let folder = self.place(requirements);
        fs::create_dir_all(self.folder)?;
        let lock = File::create(folder.with_extension("lock"))?;
        wait_for(&lock)?;
        // Another process may have made it while this one waited.
        if let Some(interpreter) = self.existing(requirements) {
            return Ok(interpreter);
        }
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let steps = self.steps(&folder, requirements);
        for (at, step) in steps.iter().enumerate() {
            on(at, steps.len());
            self.run(step)?;
        }
        on(steps.len(), steps.len());
        fs::write(folder.join(MARK_OF_MADE), requirements.join("\n"))?;
        interpreter_in(&folder).ok_or_else(|| Trouble {
            what: "the new environment has no interpreter".to_owned(),
            output: String::new(),
        })
    }

    /// The commands that make the environment: uv's where it is installed, as it is much faster.
    fn steps(&self, folder: &Path, requirements: &[String]) -> Vec<Vec<OsString>> {
        let path = self.variables.get("PATH").unwrap_or_default();
        let uv = which::which_in("uv", Some(path), self.folder).ok();
        let interpreter =
            folder.join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" });
        let mut create: Vec<OsString>;
        let mut install: Vec<OsString>;
        if let Some(uv) = uv {
            create =
                vec![uv.clone().into(), "venv".into(), "--quiet".into(), "--no-project".into()];
            create.extend(["--python".into(), self.python.into(), folder.into()]);
            install = vec![uv.into(), "pip".into(), "install".into(), "--quiet".into()];
            install.extend(["--python".into(), interpreter.into()]);
        } else {
            create = vec![self.python.into(), "-m".into(), "venv".into(), folder.into()];
            install = vec![interpreter.into(), "-m".into(), "pip".into(), "install".into()];
            install.extend(["--quiet".into(), "--disable-pip-version-check".into()]);
        }
        install.extend(requirements.iter().map(OsString::from));
        vec![create, install]
    }

    fn run(&self, step: &[OsString]) -> Result<(), Trouble> {
        let (program, arguments) = step.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.folder).stdin(Stdio::null());
        for name in MISLEADING {
            command.env_remove(name);
        }
        let output = command.output()?;
        if output.status.success() {
            return Ok(());
        }
        let shown: Vec<_> = step.iter().take(4).map(|word| word.to_string_lossy()).collect();
        let said = [output.stderr, output.stdout].concat();
        Err(Trouble {
            what: format!("`{} …` failed", shown.join(" ")),
            output: String::from_utf8_lossy(&said).trim().to_owned(),
        })
    }
}

/// Waits until no other process makes the same environment. Where the file system knows no
/// locks, two may do the work twice; the mark of completion still comes last.
fn wait_for(lock: &File) -> io::Result<()> {
    match lock.lock() {
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        other => other,
    }
}

struct Trouble {
    what: String,
    output: String,
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self { what: error.to_string(), output: String::new() }
    }
}

impl From<io::ErrorKind> for Trouble {
    fn from(kind: io::ErrorKind) -> Self {
        io::Error::from(kind).into()
    }
}

fn missing(tool: &str, message: String, output: String, hint: String) -> Failure {
    debug_assert!(message.contains(tool));
    Failure { kind: FailureKind::Missing, message, output, hint: Some(hint) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maker<'a>(folder: &'a Path, variables: &'a Variables) -> Maker<'a> {
        Maker {
            folder,
            python: Path::new("/nowhere/python3"),
            python_version: "3.11.7",
            network: Network::Online,
            variables,
        }
    }

    #[test]
    fn offline_the_failure_names_the_tool_what_was_sought_and_what_helps() {
        let folder = tempfile::tempdir().unwrap();
        let variables = Variables::default();
        let maker = Maker { network: Network::Offline, ..maker(folder.path(), &variables) };
        let failure =
            maker.provide("flake8", &["flake8==7.5.0".into()], &mut |_, _| {}).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Missing);
        assert!(failure.message.contains("flake8"));
        assert!(failure.hint.unwrap().contains("flake8==7.5.0"));
    }

    #[test]
    fn a_failed_installation_leaves_nothing_that_looks_complete() {
        let folder = tempfile::tempdir().unwrap();
        let variables = Variables::default();
        let maker = maker(folder.path(), &variables);
        let requirements = ["flake8==7.5.0".to_owned()];
        assert!(maker.provide("flake8", &requirements, &mut |_, _| {}).is_err());
        assert_eq!(maker.existing(&requirements), None);
    }

    #[test]
    fn other_requirements_are_another_environment() {
        let variables = Variables::default();
        let maker = maker(Path::new("/envs"), &variables);
        assert_ne!(maker.place(&["a==1".into()]), maker.place(&["a==2".into()]));
    }
}
