//! A process to run ([`Job`]) and how it ended ([`Completed`]).

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::driver::PythonJob;
use crate::hash::Fingerprint;

/// Number that names a job within one run.
pub type JobId = usize;

/// One process: a batch of units of one tool.
#[derive(Clone, Debug)]
pub struct Job {
    pub id: JobId,
    pub program: PathBuf,
    pub args: Vec<OsString>,
    /// Absolute.
    pub cwd: PathBuf,
    /// Variables set on top of the inherited environment, from which git's local variables are
    /// always removed.
    pub env: Vec<(OsString, OsString)>,
    pub stdin: Option<Vec<u8>>,
    /// `None`: no limit.
    pub timeout: Option<Duration>,
    /// What it will take by experience; the longest start first.
    pub expected: Duration,
    /// How many of the run's slots it takes: the processes that it works with. From 1 on.
    pub slots: usize,
    /// Set when `program` is an interpreter that calls a function: `args` are the function's, and
    /// the job could run in a warm process as well.
    pub python: Option<PythonJob>,
}

/// The Python function behind a job, for a worker that has it imported already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonEntry {
    /// Interpreter of the environment.
    pub interpreter: PathBuf,
    /// `module:function`
    pub entry: String,
    /// The environment's folder of console scripts, the first place where one of them looks for
    /// modules.
    pub scripts: PathBuf,
    /// Name of the console script, which a tool sees as its own.
    pub name: String,
}

/// What a warm process must have imported before it serves a job, so that what is imported is
/// what the job itself would import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preload {
    pub modules: Vec<String>,
    /// Distributions whose modules are imported: those behind their entry points in `groups`.
    pub plugins: Vec<String>,
    pub groups: Vec<String>,
    /// Packages that are imported with them and of which an older source serves as well.
    pub unwatched: Vec<String>,
    /// Of the environment that all of it comes from.
    pub environment: Fingerprint,
    pub company: Company,
}

/// Which tools share a warm process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Company {
    /// All others of the environment.
    Common,
    /// Those whose jobs note what they read, which begins with what is imported for them: the warm
    /// process notes it too. Such a tool takes the project as a whole.
    Recording,
    /// None: what this tool imports may change at any time, and the warm process with it.
    Own(String),
}

/// How a job ended.
#[derive(Debug)]
pub struct Completed {
    pub id: JobId,
    pub end: End,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// From start to end, waiting for a free core or for a warm process not counted.
    pub elapsed: Duration,
    pub via: Via,
}

/// Where a job ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// A process of its own, which had to start first.
    Process,
    /// A child of a warm process.
    Worker,
}

#[derive(Debug)]
pub enum End {
    Exited(i32),
    /// Ended by a signal that pyqa did not send.
    Signalled(i32),
    TimedOut(Duration),
    /// Ended or never started because the run was interrupted or given up.
    Cancelled,
    /// The program could not be started.
    NotStarted(std::io::Error),
}
