//! Runs one [`Job`] as a process in a group of its own, and sees to it that nothing of the group
//! is left when it is over: after an end of its own, a time limit, an interrupt, or the sudden end
//! of pyqa itself.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::cancel::CancelToken;
use super::job::{Completed, End, Job, Via};
use super::os;
use super::variables::is_local_to_repository;

/// Between asking a group to end and ending it.
const GRACE: Duration = Duration::from_secs(2);
/// How often a waiting job looks for an interrupt.
pub(super) const TICK: Duration = Duration::from_millis(20);
/// How long output is waited for when the process is gone but something keeps its pipes open.
const LATE_OUTPUT: Duration = Duration::from_secs(1);
/// More output than this is a tool gone wild; the rest is read and dropped.
const MOST_OUTPUT: usize = 256 << 20;

/// The command for a job: the only place where a tool's process is described.
fn command(job: &Job) -> Command {
    let mut command = Command::new(&job.program);
    if let Some(python) = &job.python {
        command.args(python.arguments());
    }
    command.args(&job.args).current_dir(&job.cwd);
    command.stdin(if job.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.env_clear().envs(inherited_variables());
    command.envs(job.env.iter().map(|(name, value)| (name, value)));
    command
}

/// The environment that jobs start from. A tool that starts git (a test suite does) must not reach
/// the repository that called us.
pub(super) fn inherited_variables() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| !is_local_to_repository(name))
}

/// Runs the job to its end.
pub fn run(job: &Job, cancel: &CancelToken) -> Completed {
    let begun = Instant::now();
    let ended = |end, stdout, stderr| Completed {
        id: job.id,
        end,
        stdout,
        stderr,
        elapsed: begun.elapsed(),
        via: Via::Process,
    };
    if cancel.is_cancelled() {
        return ended(End::Cancelled, Vec::new(), Vec::new());
    }
    let guard = os::Guard::start();
    let mut command = command(job);
    guard.take_in(&mut command);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return ended(End::NotStarted(error), Vec::new(), Vec::new()),
    };
    let group = guard.group(&child);
    feed(child.stdin.take(), job.stdin.clone());
    let stdout = Output::collect(child.stdout.take());
    let stderr = Output::collect(child.stderr.take());
    let exit = wait_in_background(child);
    let end = watch(&exit, &group, job.timeout, begun, cancel);
    // Whatever the process left running would hold the pipes and live on.
    group.kill();
    let (end, stdout, stderr) = gather(job, end, stdout, stderr);
    ended(end, stdout, stderr)
}

/// How the job ended, and what it said. Half an answer to a text is none: it would be half a file.
pub(super) fn gather(
    job: &Job,
    end: End,
    stdout: Output,
    stderr: Output,
) -> (End, Vec<u8>, Vec<u8>) {
    let (said, is_whole) = stdout.take();
    let end = match end {
        End::Exited(0) if job.stdin.is_some() && !is_whole => {
            End::NotStarted(io::Error::other("its output did not come to an end"))
        }
        end => end,
    };
    (end, said, stderr.take().0)
}

/// Waits for the process, its time limit, or an interrupt, whichever comes first.
pub(super) fn watch(
    exit: &Receiver<io::Result<ExitStatus>>,
    group: &os::Group,
    limit: Option<Duration>,
    begun: Instant,
    cancel: &CancelToken,
) -> End {
    loop {
        match exit.recv_timeout(TICK) {
            Ok(Ok(status)) => return os::end_of(status),
            Ok(Err(error)) => return End::NotStarted(error),
            Err(RecvTimeoutError::Disconnected) => {
                return End::NotStarted(io::Error::other("the process could not be waited for"));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
        let end = match limit {
            _ if cancel.is_cancelled() => End::Cancelled,
            Some(limit) if begun.elapsed() >= limit => End::TimedOut(limit),
            _ => continue,
        };
        end_group(exit, group, cancel);
        return end;
    }
}

/// Asks the group to end, and ends it when it does not.
fn end_group(exit: &Receiver<io::Result<ExitStatus>>, group: &os::Group, cancel: &CancelToken) {
    group.terminate();
    let asked = Instant::now();
    while asked.elapsed() < GRACE && !cancel.is_impatient() {
        if exit.recv_timeout(TICK).is_ok() {
            return;
        }
    }
    group.kill();
    group.kill_first();
    // SIGKILL cannot be ignored: the wait is short.
    let _ = exit.recv();
}

fn wait_in_background(mut child: Child) -> Receiver<io::Result<ExitStatus>> {
    let (sender, receiver) = bounded(1);
    thread::spawn(move || {
        // The receiver is gone only when nobody wants to know.
        let _ = sender.send(child.wait());
    });
    receiver
}

/// Writes `bytes` to `pipe` while the process reads them.
pub(super) fn feed(pipe: Option<impl Write + Send + 'static>, bytes: Option<Vec<u8>>) {
    if let (Some(mut pipe), Some(bytes)) = (pipe, bytes) {
        thread::spawn(move || {
            // A process that does not read its input to the end is free not to.
            let _ = pipe.write_all(&bytes);
        });
    }
}

/// Bytes that a thread reads from a pipe.
pub(super) struct Output {
    bytes: Arc<Mutex<Vec<u8>>>,
    done: Receiver<()>,
}

impl Output {
    pub(super) fn collect(pipe: Option<impl Read + Send + 'static>) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let (sender, done) = bounded(1);
        if let Some(mut pipe) = pipe {
            let bytes = Arc::clone(&bytes);
            thread::spawn(move || {
                read_all(&mut pipe, &bytes);
                let _ = sender.send(());
            });
        }
        Self { bytes, done }
    }

    /// What was said, and whether that is all.
    fn take(self) -> (Vec<u8>, bool) {
        // Something outside of the group may hold the pipe for ever; what it said so far counts.
        let is_whole = self.done.recv_timeout(LATE_OUTPUT).is_ok();
        let bytes = std::mem::take(&mut *self.bytes.lock().unwrap_or_else(PoisonError::into_inner));
        let is_whole = is_whole && bytes.len() < MOST_OUTPUT;
        (bytes, is_whole)
    }
}

fn read_all(pipe: &mut impl Read, bytes: &Mutex<Vec<u8>>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match pipe.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) => {
                let mut bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
                let room = MOST_OUTPUT.saturating_sub(bytes.len()).min(count);
                bytes.extend_from_slice(&buffer[..room]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    fn shell(script: &str) -> Job {
        Job {
            id: 0,
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            cwd: std::env::temp_dir(),
            env: Vec::new(),
            stdin: None,
            timeout: None,
            expected: Duration::ZERO,
            slots: 1,
            python: None,
        }
    }

    /// Whether the process is gone, or dead and only waits to be collected by its new parent.
    fn is_gone(pid: &str) -> bool {
        let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()));
        state.map_or(true, |text| text.rsplit(") ").next().is_some_and(|s| s.starts_with('Z')))
    }

    /// A signal takes effect soon, not at once.
    fn comes_to_an_end(pid: &[u8]) -> bool {
        let pid = String::from_utf8_lossy(pid);
        let begun = Instant::now();
        while !is_gone(&pid) {
            if begun.elapsed() > Duration::from_secs(20) {
                return false;
            }
            thread::yield_now();
        }
        true
    }

    #[test]
    fn output_and_exit_code_come_back_however_large_the_output_is() {
        let script = "yes out | head -c 3000000; yes err | head -c 3000000 >&2; exit 7";
        let done = run(&shell(script), &CancelToken::new());
        assert!(matches!(done.end, End::Exited(7)));
        assert_eq!((done.stdout.len(), done.stderr.len()), (3_000_000, 3_000_000));
    }

    #[test]
    fn a_child_left_in_the_background_is_ended_and_does_not_hold_us() {
        let done = run(&shell("sleep 300 & echo $!"), &CancelToken::new());
        assert!(matches!(done.end, End::Exited(0)));
        assert!(done.elapsed < Duration::from_mins(1));
        assert!(comes_to_an_end(&done.stdout));
    }

    #[test]
    fn a_time_limit_ends_the_whole_group_even_if_it_ignores_the_first_signal() {
        let mut job =
            shell("trap '' TERM; echo $$; (trap '' TERM; sleep 300) & sleep 300; sleep 300");
        job.timeout = Some(Duration::from_millis(100));
        let done = run(&job, &CancelToken::new());
        assert!(matches!(done.end, End::TimedOut(_)));
        assert!(comes_to_an_end(&done.stdout));
    }

    #[test]
    fn input_is_fed_and_absent_input_is_empty() {
        let mut job = shell("cat");
        assert_eq!(run(&job, &CancelToken::new()).stdout, b"");
        job.stdin = Some(b"text".to_vec());
        assert_eq!(run(&job, &CancelToken::new()).stdout, b"text");
    }

    #[test]
    fn a_program_that_is_not_there_is_told_apart() {
        let job = Job { program: "/nowhere/tool".into(), ..shell("") };
        assert!(matches!(run(&job, &CancelToken::new()).end, End::NotStarted(_)));
    }
}
