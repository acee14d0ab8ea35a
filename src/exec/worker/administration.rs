//! Looking at the user's kept workers and stopping them.

use std::fmt;
use std::fs;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;

use super::channel::{ask, pid_file};
use super::folder::{RuntimeFolder, connect};
use crate::project::variables::Variables;

const PATIENCE: Duration = Duration::from_secs(2);

/// What a kept worker tells of itself.
#[derive(Clone, Debug, Deserialize)]
pub struct Status {
    pub pid: u32,
    /// Version of the pyqa that started it.
    pub pyqa: String,
    /// Its interpreter.
    pub python: String,
    /// Since it started.
    pub seconds: f64,
    /// Until it ends if nothing comes.
    pub idle: f64,
    /// Jobs that it has served.
    pub jobs: u64,
    /// Modules and distributions that are imported.
    pub loaded: Vec<String>,
    /// Why it serves nobody, if so.
    pub unfit: Option<String>,
    /// Bytes.
    pub memory: u64,
}

impl fmt::Display for Status {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "for people")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, python, jobs, memory, pyqa, .. } = self;
        let megabytes = memory >> 20;
        let minutes = |seconds: f64| (seconds.max(0.0) / 60.0).ceil() as u64;
        write!(
            f,
            "{pid} {python} (pyqa {pyqa}): {jobs} jobs in {} min, {megabytes} MiB, ends in {} min; {}",
            minutes(self.seconds),
            minutes(self.idle),
            self.loaded.join(" ")
        )?;
        match &self.unfit {
            Some(why) => write!(f, "; serves nobody: {why}"),
            None => Ok(()),
        }
    }
}

/// The kept workers of this user that answer.
pub fn status(variables: &Variables) -> Vec<Status> {
    let Ok(folder) = RuntimeFolder::open(variables) else { return Vec::new() };
    let sockets = folder.sockets().into_iter();
    sockets
        .filter_map(|socket| {
            let answer = ask(connect(&socket).ok()?, &json!({ "do": "status" }), PATIENCE).ok()?;
            serde_json::from_value(answer).ok()
        })
        .collect()
}

/// Lets all kept workers of this user end when their last child is done; tells how many there were.
/// What dead ones left behind is removed.
pub fn stop(variables: &Variables) -> usize {
    let Ok(folder) = RuntimeFolder::open(variables) else { return 0 };
    let stopped = |socket: &std::path::PathBuf| {
        let answered = connect(socket)
            .and_then(|stream| ask(stream, &json!({ "do": "stop" }), PATIENCE))
            .is_ok();
        for path in [socket.clone(), pid_file(socket)] {
            // Whoever ended first has removed it.
            let _ = fs::remove_file(path);
        }
        answered
    };
    folder.sockets().iter().filter(|socket| stopped(socket)).count()
}
