//! One job in a child of a worker: [`call`]. Streams, time limit, interrupt and process group are
//! dealt with as for a process that pyqa starts itself.

use std::fs::File;
use std::io::{self, PipeWriter, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded};
use rustix::pipe::fcntl_getpipe_size;
use serde_json::{Value, json};

use super::wire::{Messages, latin, send};
use crate::exec::cancel::CancelToken;
use crate::exec::driver::PythonJob;
use crate::exec::job::{Completed, End, Job, Preload, Via};
use crate::exec::os::Group;
use crate::exec::process::{Output, TICK, feed, gather, inherited_variables, watch};
use crate::project::stat::umask;

/// How long a worker may take to start a child. It may have to import the tool first.
const START: Duration = Duration::from_secs(15);
/// How often a worker is asked whether it is still there.
const PULSE: Duration = Duration::from_secs(2);
/// How often it may fail to say so.
const MISSED: usize = 5;

/// Runs the job by way of `stream`.
///
/// # Errors
/// Where the worker does not take it, or is gone before the job is done: it has to run otherwise.
pub(super) fn call(
    stream: UnixStream,
    job: &Job,
    python: &PythonJob,
    preload: &Preload,
    cancel: &CancelToken,
) -> io::Result<Completed> {
    let (stdout, stdout_end) = io::pipe()?;
    let (stderr, stderr_end) = io::pipe()?;
    let (stdin_end, stdin) = input(job)?;
    let message = request(job, python, preload);
    send(&stream, &message, &[stdin_end.as_fd(), stdout_end.as_fd(), stderr_end.as_fd()])?;
    drop((stdin_end, stdout_end, stderr_end));
    let stdout = Output::collect(Some(stdout));
    let stderr = Output::collect(Some(stderr));
    let mut messages = Messages::new(stream);
    let completed = |end, stdout, stderr, elapsed| {
        Ok(Completed { id: job.id, end, stdout, stderr, elapsed, via: Via::Worker })
    };
    let Some(pid) = started(&mut messages, cancel)? else {
        return completed(End::Cancelled, Vec::new(), Vec::new(), Duration::ZERO);
    };
    let begun = Instant::now();
    feed(stdin, job.stdin.clone());
    let group = Group::led_by(pid);
    let end = watch(&follow(messages), &group, job.timeout, begun, cancel);
    if let End::NotStarted(error) = end {
        // The child outlived its worker.
        group.kill();
        return Err(error);
    }
    let (end, stdout, stderr) = gather(job, end, stdout, stderr);
    completed(end, stdout, stderr, begun.elapsed())
}

/// What the child reads, and where to write it. A text for which the pipe has room is written at
/// once: the child has not to wait for it.
fn input(job: &Job) -> io::Result<(File, Option<PipeWriter>)> {
    let Some(text) = &job.stdin else { return Ok((File::open("/dev/null")?, None)) };
    let (reader, mut writer) = io::pipe()?;
    let has_room = fcntl_getpipe_size(&writer).is_ok_and(|room| text.len() <= room);
    if has_room {
        writer.write_all(text)?;
    }
    Ok((File::from(std::os::fd::OwnedFd::from(reader)), Some(writer).filter(|_| !has_room)))
}

fn request(job: &Job, python: &PythonJob, preload: &Preload) -> Value {
    let own = job.env.iter().cloned();
    let environ: Vec<[String; 2]> = inherited_variables()
        .chain(own)
        .map(|(name, value)| [latin(&name), latin(&value)])
        .collect();
    json!({
        "do": "run",
        "preload": wanted(python, preload),
        "environ": environ,
        "umask": umask(),
        "cwd": latin(job.cwd.as_os_str()),
        "args": job.args.iter().map(|argument| latin(argument)).collect::<Vec<_>>(),
        "job": python.described(),
    })
}

/// What has to be imported, as the worker is told.
pub(super) fn wanted(python: &PythonJob, preload: &Preload) -> Value {
    json!({
        "name": python.entry.name,
        "modules": preload.modules,
        "plugins": preload.plugins,
        "groups": preload.groups,
        "unwatched": preload.unwatched,
        "helper": python.helper,
    })
}

/// The number of the child; `None`: the run was interrupted before there was one.
fn started(messages: &mut Messages, cancel: &CancelToken) -> io::Result<Option<i32>> {
    let begun = Instant::now();
    while begun.elapsed() < START {
        if cancel.is_cancelled() {
            return Ok(None);
        }
        let Some(answer) = messages.next(TICK)? else { continue };
        if let Value::String(why) = &answer["refused"] {
            return Err(io::Error::other(why.clone()));
        }
        let pid = answer["started"].as_i64().and_then(|pid| i32::try_from(pid).ok());
        return pid.map(Some).ok_or_else(|| io::Error::other("it does not start the job"));
    }
    Err(io::ErrorKind::TimedOut.into())
}

/// Waits for the child's end, as long as the worker shows that it is there.
fn follow(mut messages: Messages) -> Receiver<io::Result<ExitStatus>> {
    let (sender, receiver) = bounded(1);
    thread::spawn(move || {
        // The receiver is gone only when nobody wants to know.
        let _ = sender.send(end(&mut messages));
    });
    receiver
}

fn end(messages: &mut Messages) -> io::Result<ExitStatus> {
    let mut missed = 0;
    while missed < MISSED {
        let Some(answer) = messages.next(PULSE)? else {
            missed += 1;
            send(messages.stream(), &json!({ "do": "ping" }), &[])?;
            continue;
        };
        missed = 0;
        if let Some(status) = answer["status"].as_i64() {
            let status = i32::try_from(status).map_err(io::Error::other)?;
            return Ok(ExitStatus::from_raw(status));
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}
