//! Process groups and signals.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::exec::job::End;

/// Waits for the end of its input, which comes when pyqa is gone, and ends its group, itself
/// included. It is in the way of signals that ask the job to end, and does not mind them.
const GUARD: &str = "trap '' HUP INT TERM; read -r _; kill -KILL 0";

/// Leads the group of one job: signals reach all that the job starts, and the terminal's Ctrl-C
/// reaches pyqa alone. However pyqa ends, be it by SIGKILL, the group ends with it.
///
/// No job slips through. A process that is being started holds the other end of the guard's input
/// until it runs its program, and is in the group by then.
pub(crate) struct Guard {
    /// Without a shell the job leads its group itself, and outlives a pyqa that is killed.
    shell: Option<Child>,
}

impl Guard {
    pub(crate) fn start() -> Self {
        let shell = Command::new("/bin/sh")
            .args(["-c", GUARD])
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        let shell = shell.map_err(|error| log::info!("jobs are not guarded: {error}")).ok();
        Self { shell }
    }

    /// The process that is started with `command` will be in the group.
    pub(crate) fn take_in(&self, command: &mut Command) {
        command.process_group(self.shell.as_ref().map_or(0, |shell| shell.id().cast_signed()));
    }

    /// The group, once `job` is in it.
    pub(crate) fn group(&self, job: &Child) -> Group {
        let leader = self.shell.as_ref().unwrap_or(job);
        Group { leader: pid_of(leader), job: pid_of(job) }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(shell) = &mut self.shell {
            // Fails when it is gone already.
            let _ = shell.kill();
            let _ = shell.wait();
        }
    }
}

fn pid_of(child: &Child) -> Option<Pid> {
    Pid::from_raw(child.id().cast_signed())
}

/// The processes of one job.
pub(crate) struct Group {
    leader: Option<Pid>,
    job: Option<Pid>,
}

impl Group {
    /// The group of a process that is no child of this one.
    #[cfg(target_os = "linux")]
    pub(crate) fn led_by(pid: i32) -> Self {
        let pid = Pid::from_raw(pid);
        Self { leader: pid, job: pid }
    }

    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Ends the job's first process, which is still there, also if it has left the group.
    pub(crate) fn kill_first(&self) {
        if let Some(pid) = self.job {
            let _ = kill_process(pid, Signal::KILL);
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.leader {
            // Fails when nobody is left, which is what is wanted.
            let _ = kill_process_group(pid, signal);
        }
    }
}

pub(crate) fn end_of(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exited(code),
        (None, Some(signal)) => End::Signalled(signal),
        (None, None) => End::Exited(-1),
    }
}
