//! Systems without process groups. Untested: a time limit ends the process itself, and what it
//! started may live on.

use std::process::{Child, Command, ExitStatus, Stdio};

use crate::exec::job::End;

/// Nothing here: a job outlives a pyqa that is killed.
pub(crate) struct Guard;

impl Guard {
    pub(crate) fn start() -> Self {
        Self
    }

    pub(crate) fn take_in(&self, _: &mut Command) {}

    pub(crate) fn group(&self, job: &Child) -> Group {
        Group(job.id())
    }
}

/// Stands for the process and what it started.
pub(crate) struct Group(u32);

impl Group {
    pub(crate) fn terminate(&self) {
        self.kill();
    }

    /// `taskkill /T` follows the tree of processes.
    pub(crate) fn kill(&self) {
        let _ = Command::new("taskkill")
            .args(["/F", "/T", "/PID", &self.0.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
    }

    pub(crate) fn kill_first(&self) {
        self.kill();
    }
}

pub(crate) fn end_of(status: ExitStatus) -> End {
    End::Exited(status.code().unwrap_or(-1))
}
