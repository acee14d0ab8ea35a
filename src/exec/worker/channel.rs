//! The way to a worker: [`Channel`], opened to a kept worker that is there, or to one that is
//! started for it.

use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::folder::{RuntimeFolder, connect, listen};
use super::place::Place;
use super::wire::{Messages, send, send_with};
use crate::exec::process::inherited_variables;

/// How long a worker that is there may take to answer. It may be importing something.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long a job that can do without waits for an answer: less than it takes to start by itself.
const SHORT_PATIENCE: Duration = Duration::from_millis(100);
/// How long one that was just started may take.
const START: Duration = Duration::from_secs(10);

/// When a kept worker ends by itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) idle: Duration,
    /// Bytes of memory.
    pub(super) memory: u64,
}

/// A worker that takes jobs.
pub(super) enum Channel {
    /// It listens at this socket.
    Kept(PathBuf),
    /// It was started for one run, with the other end of `control` as its only way in.
    Own { control: UnixStream, child: Mutex<Child> },
}

impl Channel {
    /// A worker for `place` that lives on when the run is over: the one that is there, or a new one.
    ///
    /// # Errors
    /// Where it cannot be reached or started, or does not answer.
    pub(super) fn kept(folder: &RuntimeFolder, place: &Place, limits: Limits) -> io::Result<Self> {
        let name = place.name();
        let socket = folder.socket(&name);
        let _lock = folder.lock(&name)?;
        if !serves(&socket, place)? {
            start(&socket, place, limits)?;
            if let Some(why) = greet(connect(&socket)?, place, START)? {
                return Err(io::Error::other(why));
            }
        }
        Ok(Self::Kept(socket))
    }

    /// The worker for `place` that is there and answers at once.
    ///
    /// # Errors
    /// Where there is none.
    pub(super) fn at_hand(folder: &RuntimeFolder, place: &Place) -> io::Result<Self> {
        let socket = folder.socket(&place.name());
        match greet(connect(&socket)?, place, SHORT_PATIENCE)? {
            None => Ok(Self::Kept(socket)),
            Some(why) => Err(io::Error::other(why)),
        }
    }

    /// A worker as that of [`Channel::kept`], for later: whether it starts is not waited for.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(super) fn for_later(
        folder: &RuntimeFolder,
        place: &Place,
        limits: Limits,
    ) -> io::Result<Self> {
        let name = place.name();
        let socket = folder.socket(&name);
        let _lock = folder.lock(&name)?;
        let is_starting = connect(&socket).is_ok() && was_just_started(&socket);
        if !is_starting && !serves(&socket, place)? {
            start(&socket, place, limits)?;
        }
        Ok(Self::Kept(socket))
    }

    /// A worker that ends with this run.
    ///
    /// # Errors
    /// Where it cannot be started.
    pub(super) fn own(place: &Place) -> io::Result<Self> {
        let (control, theirs) = UnixStream::pair()?;
        let mut start = place.start();
        start["idle"] = 0.into();
        start["memory"] = 0.into();
        let child = command(place, &start, theirs.into()).spawn()?;
        Ok(Self::Own { control, child: Mutex::new(child) })
    }

    /// A new connection, for one job.
    ///
    /// # Errors
    /// Where the worker is gone.
    pub(super) fn connect(&self) -> io::Result<UnixStream> {
        match self {
            Self::Kept(socket) => connect(socket),
            Self::Own { control, .. } => {
                let (ours, theirs) = UnixStream::pair()?;
                send_with(control, b"c", &[theirs.as_fd()])?;
                Ok(ours)
            }
        }
    }

    /// Lets the worker import what a job will need.
    ///
    /// # Errors
    /// Where it is gone.
    pub(super) fn preload(&self, wanted: &Value) -> io::Result<()> {
        let mut message = wanted.clone();
        message["do"] = "preload".into();
        send(&self.connect()?, &message, &[])
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        if let Self::Own { child, .. } = self {
            let child = child.get_mut().unwrap_or_else(PoisonError::into_inner);
            // Fails when it is gone already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Whether the worker at `socket` serves this place. One that does not is ended.
///
/// # Errors
/// Where another one can have no place there.
fn serves(socket: &Path, place: &Place) -> io::Result<bool> {
    match connect(socket) {
        Ok(stream) => match greet(stream, place, PATIENCE) {
            Ok(None) => return Ok(true),
            Ok(Some(why)) => {
                log::info!("a warm process is replaced: {why}");
                dismiss(socket);
            }
            Err(error) => {
                log::info!("a warm process does not answer: {error}");
                kill(socket, place);
            }
        },
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {}
            _ => return Err(error),
        },
    }
    Ok(false)
}

/// Whether the worker at `socket` may not answer because it is importing what it was started for.
fn was_just_started(socket: &Path) -> bool {
    let started = fs::metadata(pid_file(socket)).and_then(|meta| meta.modified());
    started.is_ok_and(|at| at.elapsed().is_ok_and(|age| age < START))
}

/// Starts a worker that listens at `socket`.
///
/// # Errors
/// Those of the system.
fn start(socket: &Path, place: &Place, limits: Limits) -> io::Result<()> {
    let listener = listen(socket)?;
    let mut start = place.start();
    start["path"] = socket.to_string_lossy().into();
    start["idle"] = limits.idle.as_secs_f64().into();
    start["memory"] = limits.memory.into();
    let mut child = command(place, &start, listener.into()).spawn()?;
    fs::write(pid_file(socket), child.id().to_string())?;
    // It may end before this process does, and has to be collected then.
    thread::spawn(move || child.wait());
    Ok(())
}

/// The interpreter with pyqa's driver, which becomes a worker that takes work from `source`.
fn command(place: &Place, start: &Value, source: OwnedFd) -> Command {
    let mut command = Command::new(&place.interpreter);
    command.arg(&place.driver).arg(json!({ "worker": start }).to_string()).current_dir("/");
    command.env_clear().envs(inherited_variables());
    for name in ["PYTHONIOENCODING", "PYTHONPYCACHEPREFIX"] {
        command.env_remove(name);
    }
    // It leaves the terminal by itself. Pipes, because those of a child will be pipes.
    command.stdin(Stdio::from(source)).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Asks whether the worker serves this place; `Some`: why it does not.
fn greet(stream: UnixStream, place: &Place, patience: Duration) -> io::Result<Option<String>> {
    let message = json!({ "do": "hello", "key": place.key().to_string() });
    let answer = ask(stream, &message, patience)?;
    match &answer["refused"] {
        Value::Null if answer.get("refused").is_some() => Ok(None),
        Value::String(why) => Ok(Some(why.clone())),
        _ => Ok(Some("it is none of this version's".to_owned())),
    }
}

/// One question and its answer.
///
/// # Errors
/// Where none comes within `patience`.
pub(super) fn ask(stream: UnixStream, message: &Value, patience: Duration) -> io::Result<Value> {
    send(&stream, message, &[])?;
    Messages::new(stream).next(patience)?.ok_or_else(|| io::ErrorKind::TimedOut.into())
}

/// Lets the worker at `socket` end when its last child is done.
pub(super) fn dismiss(socket: &Path) {
    let asked = connect(socket).and_then(|s| ask(s, &json!({ "do": "stop" }), PATIENCE));
    if let Err(error) = asked {
        log::info!("{}: {error}", socket.display());
    }
}

/// Ends a worker that does not answer, if the process is still the one that was started.
fn kill(socket: &Path, place: &Place) {
    let pid = fs::read_to_string(pid_file(socket)).ok().and_then(|text| text.parse().ok());
    let Some(pid) = pid.and_then(Pid::from_raw) else { return };
    let command = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).unwrap_or_default();
    let driver = place.driver.as_os_str().as_encoded_bytes();
    if command.split(|&byte| byte == 0).any(|argument| argument == driver) {
        // Fails when it is gone, which is what is wanted.
        let _ = kill_process(pid, Signal::KILL);
    }
}

pub(super) fn pid_file(socket: &Path) -> PathBuf {
    socket.with_extension("pid")
}
