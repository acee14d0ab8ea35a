//! Process groups and signals.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::exec::job::End;

/// The process becomes the leader of a group of its own: signals reach all that it starts, and
/// the terminal's Ctrl-C reaches pyqa alone.
pub(crate) fn own_group(command: &mut Command) {
    command.process_group(0);
}

/// The group of a process that was started with [`own_group`].
pub(crate) struct Group(Option<Pid>);

impl Group {
    pub(crate) fn of(child: &Child) -> Self {
        Self(Pid::from_raw(child.id().cast_signed()))
    }

    /// The group of a process that is no child of this one.
    #[cfg(target_os = "linux")]
    pub(crate) fn led_by(pid: i32) -> Self {
        Self(Pid::from_raw(pid))
    }

    pub(crate) fn terminate(&self) {
        self.signal(Signal::TERM);
    }

    pub(crate) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = self.0 {
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
