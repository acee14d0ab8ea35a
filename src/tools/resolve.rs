//! Which executable serves a tool in this project: [`Resolved`].

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::installed::InstalledTool;
use super::spec::{EnvironmentNeed, ToolSpec};
use crate::exec::job::PythonEntry;
use crate::hash::{ContentHash, FileStates, Fingerprint};
use crate::project::environment::{Distribution, Environment};

/// A tool that was found.
#[derive(Clone, Debug)]
pub struct Resolved {
    pub version: String,
    /// Name and version of each plugin, by name.
    pub plugins: Vec<(String, String)>,
    /// Name and version of what the tool and its plugins stand on, by name.
    pub requirements: Vec<(String, String)>,
    /// Of the files of all of these: two of the same version may differ.
    pub installed: Option<Fingerprint>,
    pub program: Program,
    pub environment: Arc<Environment>,
    /// Where it comes from, for people: "the project's environment .venv".
    pub origin: String,
    /// Of the source of the tool and of what it stands on, where that can change without a version.
    pub code: Option<Fingerprint>,
    /// It imports source that can change so, whether or not that counts for what it says.
    pub imports_sources: bool,
    /// The project's environment, where the tool looks into it from outside, and the arguments
    /// for that.
    pub looks_into: Option<(Arc<Environment>, Vec<String>)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// A function that the environment's interpreter calls, as a console script would.
    Entry(PythonEntry),
    Executable(PathBuf),
}

impl Resolved {
    /// The tool in `environment`, if it is installed there.
    pub fn in_environment(
        spec: &ToolSpec,
        environment: &Arc<Environment>,
        origin: &str,
        states: &dyn FileStates,
    ) -> Option<Self> {
        let tool = InstalledTool::find(spec, environment)?;
        let named = |distribution: &&Distribution| {
            (distribution.name.clone(), distribution.version.clone())
        };
        let is_other = |plugin: &&&Distribution| plugin.name != tool.package.name;
        Some(Self {
            version: tool.package.version.clone(),
            requirements: tool.requirements.iter().map(named).collect(),
            installed: Some(tool.files()),
            plugins: tool.plugins.iter().filter(is_other).map(named).collect(),
            program: program(spec, environment)?,
            environment: Arc::clone(environment),
            origin: origin.to_owned(),
            code: tool.code(states),
            imports_sources: tool.requirements.iter().any(|of| of.editable.is_some()),
            looks_into: None,
        })
    }

    /// Whether the tool is what it was, `now` being what is installed for it.
    pub fn is_still(&self, spec: &ToolSpec, now: &Environment, states: &dyn FileStates) -> bool {
        let hash = || states.content_hash(self.executable()).ok();
        let is_same = match self.installed {
            Some(_) => {
                InstalledTool::find(spec, now).map(|tool| tool.code(states)) == Some(self.code)
            }
            None => hash().is_some_and(|hash| version_of(&hash) == self.version),
        };
        is_same && now.fingerprint == self.environment.fingerprint
    }

    /// A program on `PATH` that no Python package brings. Its content stands for its version.
    pub fn on_path(
        spec: &ToolSpec,
        path: &std::ffi::OsStr,
        environment: &Arc<Environment>,
        root: &Path,
        states: &dyn FileStates,
    ) -> Option<Self> {
        let executable = which::which_in(&spec.command.program, Some(path), root).ok()?;
        let hash = states.content_hash(&executable).ok()?;
        Some(Self {
            version: version_of(&hash),
            plugins: Vec::new(),
            requirements: Vec::new(),
            installed: None,
            origin: format!("PATH, {}", executable.display()),
            program: Program::Executable(executable),
            environment: Arc::clone(environment),
            code: None,
            imports_sources: false,
            looks_into: None,
        })
    }

    /// Lets the tool look into the project's environment from the one that it runs in.
    pub fn look_into(&mut self, spec: &ToolSpec, environment: Arc<Environment>) {
        let python = environment.interpreter.executable.to_string_lossy().into_owned();
        let arguments =
            spec.command.outside_args.iter().map(|a| a.replace("{python}", &python)).collect();
        self.looks_into = Some((environment, arguments));
    }

    /// The environments in which it runs and into which it looks.
    pub fn environments(&self) -> impl Iterator<Item = &Arc<Environment>> {
        let looked_into = self.looks_into.as_ref().map(|(environment, _)| environment);
        [&self.environment].into_iter().chain(looked_into)
    }

    /// What is started.
    pub fn executable(&self) -> &Path {
        match &self.program {
            Program::Entry(entry) => &entry.interpreter,
            Program::Executable(path) => path,
        }
    }

    /// Stands for all that the tool can import beside the project.
    pub fn imports(&self) -> Fingerprint {
        match &self.looks_into {
            Some((environment, _)) => {
                let mut digest = crate::hash::Digest::new("pyqa two environments");
                digest.field("of the tool", self.environment.fingerprint);
                digest.field("of the project", environment.fingerprint).finish()
            }
            None => self.environment.fingerprint,
        }
    }
}

/// The content of a program stands for its version.
fn version_of(content: &ContentHash) -> String {
    content.to_string()[..12].to_owned()
}

fn program(spec: &ToolSpec, environment: &Environment) -> Option<Program> {
    let interpreter = &environment.interpreter;
    if let Some(entry) = &spec.command.entry {
        return Some(Program::Entry(PythonEntry {
            interpreter: interpreter.executable.clone(),
            entry: entry.clone(),
            scripts: interpreter.scripts.clone(),
            name: spec.command.program.clone(),
        }));
    }
    let name = format!("{}{}", spec.command.program, std::env::consts::EXE_SUFFIX);
    let path = interpreter.scripts.join(name);
    path.is_file().then_some(Program::Executable(path))
}

/// Tools that may share one environment of pyqa's: those that run anywhere, so that one warm
/// process serves them all, and those that import the project.
pub fn share_environment(one: &ToolSpec, other: &ToolSpec) -> bool {
    one.default && other.default && one.environment == other.environment
}

/// The requirements of the environment that serves `spec`, with those of the tools it shares it
/// with, sorted.
pub fn requirements(spec: &ToolSpec, specs: &[Arc<ToolSpec>], further: &[String]) -> Vec<String> {
    let mut all: Vec<String> = spec.provision.clone();
    all.extend(
        specs
            .iter()
            .filter(|other| share_environment(spec, other))
            .flat_map(|other| other.provision.clone()),
    );
    all.extend(further.iter().cloned());
    all.sort();
    all.dedup();
    all
}

/// Whether the tool has to run where the project's dependencies are.
pub fn needs_project(spec: &ToolSpec) -> bool {
    spec.environment == EnvironmentNeed::Project
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;

    use super::*;
    use crate::cache::states::States;
    use crate::finding::ToolId;
    use crate::hash::Digest;
    use crate::project::interpreter::Interpreter;
    use crate::tools::registry::builtin;

    /// The tool `name`, which requires `requirement`, whose source in `folder` is worked on.
    fn tool(name: &str, requirement: &str, folder: &Path) -> Resolved {
        let distribution = |name: &str, requires: &[&str], editable| Distribution {
            name: name.to_owned(),
            version: "1".to_owned(),
            groups: Vec::new(),
            modules: vec![name.to_owned()],
            editable,
            requires: requires.iter().map(|&name| name.to_owned()).collect(),
            files: Digest::new("files").finish(),
        };
        let installed = [
            distribution(name, &["between"], None),
            distribution("between", &[requirement], None),
            distribution(requirement, &[], Some(folder.to_owned())),
        ];
        let environment = Environment {
            interpreter: Interpreter {
                executable: folder.join("bin/python"),
                version: "3.11.7".into(),
                implementation: "CPython".into(),
                platform: "linux-x86_64".into(),
                prefix: folder.into(),
                scripts: folder.join("bin"),
                path: Vec::new(),
                stdlib: Vec::new(),
            },
            distributions: BTreeMap::from(installed.map(|d| (d.name.clone(), d))),
            sources: Vec::new(),
            strays: Vec::new(),
            startup: Digest::new("startup").finish(),
            fingerprint: Digest::new("environment").finish(),
        };
        let name = ToolId::new(name);
        let spec = builtin().into_iter().find(|spec| spec.name == name).unwrap();
        let cache = tempfile::tempdir().unwrap();
        let states = States::open(cache.path(), folder);
        Resolved::in_environment(&spec, &Arc::new(environment), "", &states).unwrap()
    }

    #[test]
    fn source_of_a_requirement_counts_unless_it_only_serves_the_command_line() {
        let cases = [("flake8", "pycodestyle", true), ("black", "pathspec", true)];
        for (name, requirement, counts) in cases.into_iter().chain([("black", "click", false)]) {
            let folder = tempfile::tempdir().unwrap();
            let now = |text: &str| {
                fs::write(folder.path().join("m.py"), text).unwrap();
                let resolved = tool(name, requirement, folder.path());
                assert!(resolved.imports_sources, "{name} {requirement}");
                resolved.code
            };
            assert_eq!(now("x = 1\n") != now("x = 2\n"), counts, "{name} {requirement}");
        }
    }
}
