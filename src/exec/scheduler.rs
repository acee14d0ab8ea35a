//! Keeps the cores busy: [`run`] starts the longest waiting job whenever a slot is free, and tells
//! its caller what happens. Knows nothing of tools.

use std::collections::{BTreeSet, BinaryHeap, HashMap};
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use crossbeam_channel::unbounded;

use super::cancel::CancelToken;
use super::job::{Completed, End, Job, JobId};
use super::worker::Workers;

/// What happened.
#[derive(Debug)]
pub enum Progress {
    /// The job and the slots that are its own until it is completed, counted from 0.
    Started(JobId, Vec<usize>),
    Completed(Completed),
}

/// What the caller wants then.
#[derive(Debug)]
pub enum Control {
    Continue,
    /// These jobs too.
    More(Vec<Job>),
    /// Nothing more: what runs is ended, what waits is given back as cancelled.
    Stop,
}

/// A waiting job; the longest comes first, and among equals the one with the lowest number.
struct Waiting(Job);

impl Waiting {
    fn rank(&self) -> (Duration, std::cmp::Reverse<JobId>) {
        (self.0.expected, std::cmp::Reverse(self.0.id))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Waiting {}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// The first waiting job for which enough slots are free. One that needs more does not keep
/// smaller ones from running; it comes when they are done.
fn next_fitting(waiting: &mut BinaryHeap<Waiting>, free: usize, slots: usize) -> Option<Job> {
    let mut too_wide = Vec::new();
    let mut found = None;
    while free > 0
        && found.is_none()
        && let Some(Waiting(job)) = waiting.pop()
    {
        if width(&job, slots) <= free {
            found = Some(job);
        } else {
            too_wide.push(Waiting(job));
        }
    }
    waiting.extend(too_wide);
    found
}

fn width(job: &Job, slots: usize) -> usize {
    job.slots.clamp(1, slots)
}

/// Runs all jobs, in at most `slots` slots at once, until none is left: in `workers` where they can. Every
/// job is completed exactly once, in whatever way. `on` runs on the caller's thread.
pub fn run(
    jobs: Vec<Job>,
    slots: usize,
    workers: &Workers,
    cancel: &CancelToken,
    on: &mut dyn FnMut(Progress) -> Control,
) {
    let mut waiting: BinaryHeap<Waiting> = jobs.into_iter().map(Waiting).collect();
    let (sender, receiver) = unbounded();
    // Ends this run alone; an interrupt from outside ends it too.
    let stop = cancel.child();
    let slots = slots.max(1);
    let mut free: BTreeSet<usize> = (0..slots).collect();
    let mut taken: HashMap<JobId, Vec<usize>> = HashMap::new();
    thread::scope(|scope| {
        loop {
            while let Some(job) = next_fitting(&mut waiting, free.len(), slots) {
                let lanes: Vec<usize> = free.iter().copied().take(width(&job, slots)).collect();
                free.retain(|lane| !lanes.contains(lane));
                if !stop.is_cancelled() {
                    apply(on(Progress::Started(job.id, lanes.clone())), &mut waiting, &stop);
                }
                taken.insert(job.id, lanes);
                let (sender, stop) = (sender.clone(), stop.clone());
                scope.spawn(move || {
                    // The receiver lives until the last job is back.
                    let _ = sender.send(workers.run(&job, &stop));
                });
            }
            if taken.is_empty() {
                return;
            }
            if let Ok(done) = receiver.recv() {
                free.extend(taken.remove(&done.id).unwrap_or_default());
                apply(on(Progress::Completed(done)), &mut waiting, &stop);
            }
        }
    });
}

fn apply(control: Control, waiting: &mut BinaryHeap<Waiting>, stop: &CancelToken) {
    match control {
        Control::Continue => {}
        Control::More(jobs) => waiting.extend(jobs.into_iter().map(Waiting)),
        Control::Stop => stop.cancel(),
    }
}

/// Cores that this process may use: affinity and cgroup limits are respected.
pub fn cores() -> usize {
    // On Linux the quotas of control groups are read from files.
    static CORES: LazyLock<usize> =
        LazyLock::new(|| thread::available_parallelism().map_or(1, std::num::NonZero::get));
    *CORES
}

/// Whether the job ran to an end of its own.
pub fn is_finished(end: &End) -> bool {
    matches!(end, End::Exited(_))
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;

    fn job(id: JobId, script: &str, seconds: u64) -> Job {
        Job {
            id,
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            cwd: std::env::temp_dir(),
            env: Vec::new(),
            stdin: None,
            timeout: None,
            expected: Duration::from_secs(seconds),
            slots: 1,
            python: None,
        }
    }

    #[test]
    fn the_longest_job_starts_first_and_added_jobs_run_too() {
        let jobs = vec![job(0, "true", 1), job(1, "true", 9), job(2, "true", 5)];
        let mut started = Vec::new();
        run(jobs, 1, &Workers::off(), &CancelToken::new(), &mut |progress| match progress {
            Progress::Started(id, _) => {
                started.push(id);
                Control::Continue
            }
            Progress::Completed(done) if done.id == 1 => Control::More(vec![job(3, "true", 7)]),
            Progress::Completed(_) => Control::Continue,
        });
        assert_eq!(started, [1, 3, 2, 0]);
    }

    #[test]
    fn stopping_ends_what_runs_and_gives_back_what_waits() {
        let jobs = vec![job(0, "true", 9), job(1, "sleep 300", 8), job(2, "sleep 300", 7)];
        let mut ends = Vec::new();
        run(jobs, 2, &Workers::off(), &CancelToken::new(), &mut |progress| match progress {
            Progress::Completed(done) => {
                ends.push((done.id, is_finished(&done.end)));
                Control::Stop
            }
            Progress::Started(..) => Control::Continue,
        });
        ends.sort_unstable();
        assert_eq!(ends, [(0, true), (1, false), (2, false)]);
    }

    #[test]
    fn a_wide_job_has_its_slots_to_itself() {
        let wide = Job { slots: 9, ..job(0, "true", 9) };
        let jobs = vec![wide, job(1, "true", 8), job(2, "true", 7), job(3, "true", 6)];
        let mut running: HashMap<JobId, Vec<usize>> = HashMap::new();
        let mut seen = Vec::new();
        run(jobs, 2, &Workers::off(), &CancelToken::new(), &mut |progress| {
            match progress {
                Progress::Started(id, lanes) => {
                    assert!(running.values().flatten().all(|lane| !lanes.contains(lane)));
                    seen.push((id, lanes.len()));
                    running.insert(id, lanes);
                }
                Progress::Completed(done) => {
                    running.remove(&done.id);
                }
            }
            Control::Continue
        });
        assert_eq!(seen[0], (0, 2), "the longest, as wide as there are slots");
        assert!(seen[1..].iter().all(|(_, lanes)| *lanes == 1), "{seen:?}");
        assert_eq!(seen.len(), 4);
    }

    #[test]
    fn an_interrupt_completes_every_job_as_cancelled() {
        let cancel = CancelToken::new();
        cancel.cancel();
        let jobs = (0..4).map(|id| job(id, "sleep 300", 1)).collect();
        let mut cancelled = 0;
        run(jobs, 2, &Workers::off(), &cancel, &mut |progress| {
            if let Progress::Completed(done) = progress {
                cancelled += usize::from(matches!(done.end, End::Cancelled));
            }
            Control::Continue
        });
        assert_eq!(cancelled, 4);
    }
}
