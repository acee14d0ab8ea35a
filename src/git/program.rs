//! The git program, for what only it can answer of every repository. Settings of the user that
//! would change what is printed are overridden, and nothing in the repository is written.

use std::ffi::OsStr;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use crate::paths::RelPath;

/// The start of every git command of pyqa's own: in `folder`, in English, and without questions.
pub(super) fn command(folder: &Path) -> Command {
    let mut command = Command::new("git");
    // A monitor of the file system would be started as a child that outlives us.
    command
        .args(["--no-pager", "--literal-pathspecs", "-c", "core.fsmonitor=false"])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .env("LC_ALL", "C")
        .env("GIT_OPTIONAL_LOCKS", "0");
    command
}

/// The names in a list that is separated by zero bytes.
pub(super) fn names(list: &[u8]) -> impl Iterator<Item = RelPath> {
    list.split(|&byte| byte == 0).filter(|name| !name.is_empty()).map(RelPath::from_bytes)
}

/// git, run at the top of a repository.
#[derive(Clone, Copy, Debug)]
pub struct Git<'a> {
    top: &'a Path,
    /// Instead of the repository's own index.
    index: Option<&'a Path>,
}

/// Why git gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitError {
    #[error("git cannot be started: {0}")]
    NotStarted(String),
    /// Exit code (where there is one) and git's own words.
    #[error("{message}")]
    Refused { code: Option<i32>, message: String },
}

impl<'a> Git<'a> {
    pub fn at(top: &'a Path) -> Self {
        Self { top, index: None }
    }

    /// The same with another index.
    #[must_use]
    pub fn with_index(self, index: &'a Path) -> Self {
        Self { index: Some(index), ..self }
    }

    /// What git prints.
    ///
    /// # Errors
    /// Where it cannot be started or does not exit with 0.
    pub fn run<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<Vec<u8>, GitError> {
        self.run_on(arguments, &[])
    }

    /// What git prints when it is given `input`.
    ///
    /// # Errors
    /// As for [`Git::run`].
    pub fn run_on<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
        input: &[u8],
    ) -> Result<Vec<u8>, GitError> {
        let mut command = command(self.top);
        command.args(arguments).stdin(Stdio::piped());
        if let Some(index) = self.index {
            command.env("GIT_INDEX_FILE", index);
        }
        let not_started = |error: std::io::Error| GitError::NotStarted(error.to_string());
        let mut child = command.spawn().map_err(not_started)?;
        let stdin = child.stdin.take();
        // Both at once: each side may wait for the other.
        let output = thread::scope(|scope| {
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
            child.wait_with_output()
        });
        let output = output.map_err(not_started)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let message = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(GitError::Refused { code: output.status.code(), message })
    }

    /// What git prints, as one line of text.
    ///
    /// # Errors
    /// As for [`Git::run`].
    pub fn line<S: AsRef<OsStr>>(
        &self,
        arguments: impl IntoIterator<Item = S>,
    ) -> Result<String, GitError> {
        Ok(String::from_utf8_lossy(&self.run(arguments)?).trim_end().to_owned())
    }

    /// Whether history ends where the clone was cut (`git clone --depth`).
    pub fn is_shallow(&self) -> bool {
        self.line(["rev-parse", "--is-shallow-repository"]).is_ok_and(|answer| answer == "true")
    }
}
