//! [`Workers`]: which jobs run warm, and what happens when that fails.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::call::{call, wanted};
use super::channel::{Channel, Limits};
use super::folder::RuntimeFolder;
use super::mode::Mode;
use super::place::{Place, path_depends_on_folder};
use crate::exec::cancel::CancelToken;
use crate::exec::driver::PythonJob;
use crate::exec::job::{Completed, Job};
use crate::exec::process;
use crate::project::variables::Variables;

/// A kept worker ends after this time without work.
const IDLE: Duration = Duration::from_mins(15);
/// A kept worker that needs more memory than this ends. Measured with black, flake8 and bandit
/// imported: 50 MB, with mypy: 44 MB.
const MEMORY: u64 = 512 << 20;

/// The warm processes of one run, or of several runs one after the other. When it is dropped, those
/// that are not kept end, and those that were missed are started for the next run.
#[derive(Default)]
pub struct Workers {
    mode: Mode,
    folder: Option<RuntimeFolder>,
    idle: Duration,
    seats: Mutex<Vec<Arc<Seat>>>,
}

/// One place and the way to its worker, opened when it is first needed.
struct Seat {
    place: Place,
    keep: Option<(RuntimeFolder, Limits)>,
    /// More than one job is to come, so that a worker pays off even if it is not kept.
    busy: AtomicBool,
    channel: OnceLock<Option<Channel>>,
    /// What a job needed for which there was no worker, and none worth waiting for.
    missed: OnceLock<Value>,
    /// Once a worker has failed, the jobs of this place do without.
    failed: AtomicBool,
}

impl Workers {
    /// Workers that live as `mode` says. A runtime folder that cannot be used makes those that
    /// would be kept end with the run.
    pub fn new(mode: Mode, variables: &Variables) -> Self {
        let folder = match mode {
            Mode::Kept => RuntimeFolder::open(variables)
                .map_err(|error| log::warn!("no warm process is kept: {error}"))
                .ok(),
            Mode::Off | Mode::Run => None,
        };
        let idle = variables.get("PYQA_WORKER_IDLE").and_then(|text| text.to_str()?.parse().ok());
        let idle = idle.map_or(IDLE, Duration::from_secs);
        // The folder in which a worker starts is none of the project's.
        let mode = if path_depends_on_folder() { Mode::Off } else { mode };
        Self { mode, folder, idle, seats: Mutex::default() }
    }

    /// No warm processes at all.
    pub fn off() -> Self {
        Self { mode: Mode::Off, folder: None, idle: Duration::ZERO, seats: Mutex::default() }
    }

    /// Whether jobs of this kind run warm where there are several of them, as far as can be told
    /// without asking.
    pub fn serve(&self, python: &PythonJob) -> bool {
        self.mode != Mode::Off && python.preload.is_some()
    }

    /// Gets workers ready for `jobs` in the background, in the order in which they will start.
    pub fn prepare(&self, jobs: &[Job]) {
        let mut jobs: Vec<&Job> = jobs.iter().collect();
        jobs.sort_by_key(|job| std::cmp::Reverse(job.expected));
        let mut wishes: Vec<(Arc<Seat>, Vec<Value>, usize)> = Vec::new();
        for job in jobs {
            let Some(seat) = self.seat(job) else { continue };
            let Some(wish) = wish(job) else { continue };
            match wishes.iter_mut().find(|(known, ..)| Arc::ptr_eq(known, &seat)) {
                Some((_, known, count)) => {
                    *count += 1;
                    if !known.contains(&wish) {
                        known.push(wish);
                    }
                }
                None => wishes.push((seat, vec![wish], 1)),
            }
        }
        for (seat, wishes, count) in wishes {
            if count > 1 {
                seat.busy.store(true, Ordering::Relaxed);
            }
            // The run does not wait for it.
            thread::spawn(move || seat.preload(&wishes));
        }
    }

    /// Runs the job in a child of a worker where that can be done, else in a process of its own.
    pub fn run(&self, job: &Job, cancel: &CancelToken) -> Completed {
        if let Some(seat) = self.seat(job)
            && let Some(completed) = seat.run(job, cancel)
        {
            return completed;
        }
        process::run(job, cancel)
    }

    fn seat(&self, job: &Job) -> Option<Arc<Seat>> {
        if self.mode == Mode::Off || !job.cwd.is_dir() {
            return None;
        }
        let (place, _) = Place::of(job)?;
        let mut seats = self.seats.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(seat) = seats.iter().find(|seat| seat.place == place) {
            return Some(Arc::clone(seat));
        }
        let limits = Limits { idle: self.idle, memory: MEMORY };
        let seat = Arc::new(Seat {
            place,
            keep: self.folder.clone().map(|folder| (folder, limits)),
            busy: AtomicBool::default(),
            channel: OnceLock::new(),
            missed: OnceLock::new(),
            failed: AtomicBool::default(),
        });
        seats.push(Arc::clone(&seat));
        Some(seat)
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        let seats = self.seats.get_mut().unwrap_or_else(PoisonError::into_inner);
        for seat in seats {
            seat.provide();
        }
    }
}

/// What the worker has to import for the job.
fn wish(job: &Job) -> Option<Value> {
    let python = job.python.as_ref()?;
    Some(wanted(python, python.preload.as_ref()?))
}

impl Seat {
    fn preload(&self, wishes: &[Value]) {
        let Some(channel) = self.channel() else { return };
        for wish in wishes {
            if let Err(error) = channel.preload(wish) {
                self.fail(&error);
            }
        }
    }

    /// `None`: the job has to run in a process of its own.
    fn run(&self, job: &Job, cancel: &CancelToken) -> Option<Completed> {
        let (_, python) = Place::of(job)?;
        let preload = python.preload.as_ref()?;
        if self.failed.load(Ordering::Relaxed) {
            return None;
        }
        let Some(channel) = self.channel() else {
            self.missed.get_or_init(|| wanted(python, preload));
            return None;
        };
        match channel.connect().and_then(|stream| call(stream, job, python, preload, cancel)) {
            Ok(completed) => Some(completed),
            Err(error) => {
                self.fail(&error);
                None
            }
        }
    }

    fn fail(&self, error: &io::Error) {
        if !self.failed.swap(true, Ordering::Relaxed) {
            let interpreter = self.place.interpreter.display();
            log::info!("{interpreter}: processes are started without a warm one: {error}");
        }
    }

    fn channel(&self) -> Option<&Channel> {
        self.channel.get_or_init(|| self.open()).as_ref()
    }

    fn open(&self) -> Option<Channel> {
        let is_busy = self.busy.load(Ordering::Relaxed);
        if let Some((folder, limits)) = &self.keep {
            if !is_busy && self.place.serves_one_tool() {
                return Channel::at_hand(folder, &self.place)
                    .map_err(|error| log::info!("no warm process is there yet: {error}"))
                    .ok();
            }
            match Channel::kept(folder, &self.place, *limits) {
                Ok(channel) => return Some(channel),
                Err(error) => log::info!("no warm process can be kept: {error}"),
            }
        }
        if !is_busy {
            return None;
        }
        Channel::own(&self.place).map_err(|error| self.fail(&error)).ok()
    }

    /// Starts the kept worker that was missed.
    fn provide(&self) {
        let (Some((folder, limits)), Some(wish)) = (&self.keep, self.missed.get()) else { return };
        let started = Channel::for_later(folder, &self.place, *limits);
        if let Err(error) = started.and_then(|channel| channel.preload(wish)) {
            log::info!("no warm process can be kept: {error}");
        }
    }
}
