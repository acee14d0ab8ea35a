//! What tests stand on: a [`Project`] in a temporary folder, and the environment with the pinned
//! tools, made once for all tests.

pub(crate) mod client;
mod environment;
pub(crate) mod files;
mod once;
#[cfg(unix)]
pub(crate) mod suite;
pub(crate) mod validators;
pub(crate) mod wheel;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use files::{copy_tree, files_below};

pub(crate) use environment::{
    environment_beside_the_tools, further_environment, runner_environment, site_packages,
    tool_environment,
};

/// Variables that an installer may need to reach its index.
const PASSED_ON: [&str; 12] = [
    "PATH",
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_FIND_LINKS",
    "PIP_CERT",
    "PIP_CONFIG_FILE",
    "UV_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// A Python project in a folder of its own, with a home and a cache of its own.
pub(crate) struct Project {
    folder: tempfile::TempDir,
    environment: Option<PathBuf>,
    variables: Vec<(String, String)>,
}

/// What a run of pyqa left behind.
#[must_use = "a run that nobody looks at tests nothing"]
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Project {
    /// An empty project in which the tools' environment is active.
    pub(crate) fn new() -> Self {
        let mut project = Self::without_environment();
        project.environment = Some(tool_environment().to_owned());
        project
    }

    /// An empty project without any environment.
    pub(crate) fn without_environment() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["root", "home"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        private_folder(&folder.path().join("run"));
        Self { folder, environment: None, variables: Vec::new() }
    }

    /// A copy of tests/fixtures/projects/NAME.
    pub(crate) fn fixture(name: &str) -> Self {
        let project = Self::new();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/projects").join(name);
        copy_tree(&from, &project.root());
        project
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// Where this project's warm processes listen.
    pub(crate) fn runtime(&self) -> PathBuf {
        self.folder.path().join("run")
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root().join(name)
    }

    pub(crate) fn write(&self, name: impl AsRef<Path>, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Sets a variable for all runs from here on.
    pub(crate) fn set(&mut self, name: &str, value: impl AsRef<OsStr>) -> &mut Self {
        let value = value.as_ref().to_str().unwrap().to_owned();
        self.variables.retain(|(known, _)| known != name);
        self.variables.push((name.to_owned(), value));
        self
    }

    /// A command in the project's root that sees nothing of the tests' own surroundings.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.root()).stdin(Stdio::null()).env_clear();
        for name in PASSED_ON {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("HOME", self.folder.path().join("home"))
            .env("LC_ALL", "C.UTF-8")
            .env("COLUMNS", "100")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("XDG_RUNTIME_DIR", self.runtime())
            .env("PYQA_WORKERS", std::env::var("PYQA_TEST_WORKERS").as_deref().unwrap_or("run"))
            .env("PYQA_CACHE_DIR", self.cache());
        if let Some(environment) = &self.environment {
            command.env("VIRTUAL_ENV", environment);
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// Python runs whatever bytecode it finds, also what is damaged.
    pub(crate) fn assert_no_bytecode_in_the_cache(&self) {
        for path in files_below(&self.cache()) {
            assert_ne!(path.extension(), Some(OsStr::new("pyc")), "{}", path.display());
        }
    }

    pub(crate) fn git(&self, arguments: &[&str]) -> &Self {
        let output = self
            .command("git")
            .args(["-c", "user.name=Tester", "-c", "user.email=tester@example.invalid"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self
    }

    pub(crate) fn pyqa(&self, arguments: &[&str]) -> Run {
        Run::of(&self.command(env!("CARGO_BIN_EXE_pyqa")).args(arguments).output().unwrap())
    }

    /// `pyqa check --output-format json` with further arguments.
    pub(crate) fn check(&self, arguments: &[&str]) -> Run {
        self.pyqa(&[&["check", "--output-format", "json"], arguments].concat())
    }
}

/// Warm processes that a test kept end with its project.
impl Drop for Project {
    fn drop(&mut self) {
        if self.runtime().join("pyqa").exists() {
            let stopped =
                self.command(env!("CARGO_BIN_EXE_pyqa")).args(["worker", "stop"]).output();
            assert!(
                stopped.is_ok_and(|output| output.status.success()) || std::thread::panicking()
            );
        }
    }
}

impl Run {
    pub(crate) fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}\n{}", self.stdout, self.stderr))
    }

    /// `tool path:line code` of each finding that is no note.
    pub(crate) fn findings(&self) -> BTreeSet<String> {
        let report = self.json();
        let findings = report["findings"].as_array().unwrap().iter();
        findings
            .filter(|finding| finding["severity"] != "note")
            .map(|finding| {
                let text = |name: &str| match &finding[name] {
                    Value::String(text) => text.clone(),
                    Value::Null => "-".to_owned(),
                    other => other.to_string(),
                };
                format!("{} {}:{} {}", text("tool"), text("path"), text("line"), text("code"))
            })
            .collect()
    }

    /// A member of a tool's report.
    pub(crate) fn tool(&self, tool: &str, member: &str) -> Value {
        let report = self.json();
        let tools = report["tools"].as_array().unwrap();
        let found = tools.iter().find(|report| report["tool"] == tool);
        found.unwrap_or_else(|| panic!("no {tool} in {}", self.stdout))[member].clone()
    }

    /// Units of a tool that ran in this run.
    pub(crate) fn ran(&self, tool: &str) -> u64 {
        self.tool(tool, "units_run").as_u64().unwrap()
    }
}

/// A folder that nobody else may use.
fn private_folder(path: &Path) {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path).unwrap();
}
