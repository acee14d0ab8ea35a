//! Systems on which forking a Python process is unsafe (macOS) or impossible (Windows), or whose
//! sockets tell nothing of a peer's user in a way that was tried: every job is a process of its own.

use crate::exec::cancel::CancelToken;
use crate::exec::driver::PythonJob;
use crate::exec::job::{Completed, Job};
use crate::exec::process;
use crate::project::variables::Variables;

use super::mode::Mode;

/// Runs jobs, here always in processes of their own.
#[derive(Default)]
pub struct Workers;

impl Workers {
    pub fn new(_: Mode, _: &Variables) -> Self {
        Self
    }

    pub fn off() -> Self {
        Self
    }

    pub fn prepare(&self, _: &[Job]) {}

    pub fn serve(&self, _: &PythonJob) -> bool {
        false
    }

    pub fn run(&self, job: &Job, cancel: &CancelToken) -> Completed {
        process::run(job, cancel)
    }
}

/// What a worker tells of itself; there are none here.
#[derive(Clone, Debug)]
pub enum Status {}

impl std::fmt::Display for Status {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {}
    }
}

pub fn status(_: &Variables) -> Vec<Status> {
    Vec::new()
}

pub fn stop(_: &Variables) -> usize {
    0
}
