//! Runs what the store could not answer: cuts the missing units into jobs, hands them to `exec`,
//! reads what comes back.

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::lookup::Names;
use super::planning::{file_argument, reads_all, reads_around};
use super::recording::{Recorded, Recording, SideFiles};
use super::request::{AfterFinding, Telling};
use super::site::Site;
use super::toolset::ActiveTool;
use super::work::{Answer, Work};
use super::workspace::Workspace;
use crate::cache::entry::ExtraInput;
use crate::event::{Event, Failure, FailureKind, Span, ToolReport};
use crate::exec::cancel::CancelToken;
use crate::exec::driver::PythonJob;
use crate::exec::job::{Completed, End, Job, JobId, Via};
use crate::exec::scheduler::{self, Control, Progress};
use crate::exec::worker::Workers;
use crate::finding::Finding;
use crate::plan::batch::{Item, Rate, cut};
use crate::plan::unit::Scope;
use crate::tools::parse::{ParseContext, Parsed, RawOutput, Verdict, parse};
use crate::tools::resolve::needs_project;

/// What one more batch of a tool costs where it is forked from a warm process: the fork, and
/// what the tool does before it reads its first file.
const FORK: Duration = Duration::from_millis(25);

/// What a run is allowed and told to do.
pub struct Limits<'s> {
    /// Files of this run's processes.
    pub side: &'s SideFiles,
    /// Most processes at once.
    pub slots: usize,
    /// For each process of a tool that has no limit of its own.
    pub timeout: Option<Duration>,
    pub after_finding: AfterFinding,
    pub telling: Telling,
}

/// Where tools run.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub workspace: &'a Workspace,
    /// Where the texts lie that stand in the place of what is on disk.
    pub texts: &'a Path,
}

/// A tool with its work.
pub struct Task<'a> {
    pub tool: &'a ActiveTool,
    pub work: Work,
    /// Units to run: those missing, or all of them to verify the store.
    pub to_run: Vec<usize>,
    pub rate: Rate,
    /// What is given to every process of the tool.
    pub launch: Launch,
}

impl Task<'_> {
    /// Lists of all that the tool found, as far as it was asked for. A tool that takes the project as
    /// a whole tells of all its files; where it goes by files, those not selected are left out.
    pub fn into_findings(self, workspace: &Workspace) -> impl Iterator<Item = Vec<Finding>> {
        let selected = workspace.site.selected.as_ref().filter(|_| !needs_project(&self.tool.spec));
        self.work.into_findings().map(move |mut list| {
            if let Some(selected) = selected {
                list.retain(|finding| {
                    let place = finding.location.as_ref();
                    place.is_none_or(|place| selected.binary_search(&place.path).is_ok())
                });
            }
            list
        })
    }

    /// What became of the tool so far.
    pub fn report(&self) -> ToolReport {
        self.work.report(Some(self.tool.resolved.version.clone()))
    }

    /// Keeps this run's answers from being stored, if there is a reason.
    fn doubt(&mut self, why: Option<&str>) {
        if let Some(why) = why {
            log::info!("the result is not kept: {why}");
            self.work.distrust();
        }
    }

    /// Tells what the tool found, if that is wanted before the end.
    pub fn tell(&self, telling: Telling, on: &mut dyn FnMut(Event)) {
        if telling == Telling::ByTool {
            let findings = self.work.findings().cloned().collect();
            on(Event::Found { tool: self.work.tool().clone(), findings });
        }
    }
}

/// How a tool's processes are started.
#[derive(Clone, Debug, Default)]
pub struct Launch {
    pub arguments: Vec<OsString>,
    pub kept: KeptState,
    pub env: Vec<(OsString, OsString)>,
    /// For a tool that is a Python function.
    pub python: Option<PythonJob>,
    /// Processes that each of them works with; 0 counts as 1.
    pub slots: usize,
}

/// What a tool has of the state that it keeps between runs.
#[derive(Clone, Debug, Default)]
pub enum KeptState {
    /// It keeps none, could not have it, or had to do without.
    #[default]
    Without,
    /// It works with it.
    Used {
        /// What it is given to do without.
        arguments: Vec<OsString>,
        /// Nothing was there when it began.
        is_new: bool,
    },
    /// It was asked once more without, for the state was good but hid a part of the answer.
    Spared {
        /// What the tool read beside the key's files while it worked with it.
        read: Vec<ExtraInput>,
    },
}

impl KeptState {
    /// Whether what the tool has written there may be used again.
    pub fn is_good(&self) -> bool {
        !matches!(self, Self::Without)
    }
}

/// A batch that is out.
struct Batch {
    task: usize,
    units: Vec<usize>,
    bytes: u64,
    /// Where it runs.
    folder: PathBuf,
    /// When it began, and in which slots.
    begun: Option<(Instant, Vec<usize>)>,
    /// Where it notes what it reads.
    reads: Option<PathBuf>,
    /// When it began by the file system's clock.
    started: i64,
}

/// Runs all tasks.
pub fn execute(
    tasks: &mut [Task<'_>],
    place: &Place<'_>,
    limits: &Limits<'_>,
    workers: &Workers,
    cancel: &CancelToken,
    on: &mut dyn FnMut(Event),
) {
    let mut running = Running {
        tasks,
        place,
        workspace: place.workspace,
        batches: HashMap::new(),
        next: 0,
        limits,
        workers,
    };
    let mut jobs = Vec::new();
    for task in 0..running.tasks.len() {
        jobs.extend(running.first_jobs(task));
    }
    workers.prepare(&jobs);
    scheduler::run(jobs, limits.slots, workers, cancel, &mut |progress| running.step(progress, on));
}

struct Running<'r, 'a> {
    tasks: &'r mut [Task<'a>],
    place: &'r Place<'r>,
    workspace: &'r Workspace,
    batches: HashMap<JobId, Batch>,
    next: JobId,
    limits: &'r Limits<'r>,
    workers: &'r Workers,
}

impl Running<'_, '_> {
    fn first_jobs(&mut self, task: usize) -> Vec<Job> {
        let Task { work, to_run, rate, launch, .. } = &self.tasks[task];
        if to_run.is_empty() {
            return Vec::new();
        }
        let is_warm = launch.python.as_ref().is_some_and(|python| self.workers.serve(python));
        let start = if is_warm { FORK } else { Duration::from_secs_f64(rate.start) };
        let batches = match work.plan.scope {
            Scope::Project => vec![Vec::new()],
            Scope::File => {
                // Each batch runs in one of the two places.
                let (texts, on_disk): (Vec<usize>, Vec<usize>) =
                    to_run.iter().partition(|&&unit| {
                        work.plan.units[unit].file.is_some_and(|f| self.is_text(f))
                    });
                let cut = |units: &[usize]| -> Vec<Vec<usize>> {
                    let files: Vec<usize> =
                        units.iter().filter_map(|&unit| work.plan.units[unit].file).collect();
                    let batches = self.cut(&files, *rate, start).into_iter();
                    batches.map(|batch| batch.into_iter().map(|at| units[at]).collect()).collect()
                };
                [cut(&texts), cut(&on_disk)].concat()
            }
            Scope::AllFiles => self.cut(&work.plan.files, *rate, start),
        };
        batches.into_iter().map(|members| self.job(task, members)).collect()
    }

    fn cut(&self, files: &[usize], rate: Rate, start: Duration) -> Vec<Vec<usize>> {
        let items: Vec<Item> = files
            .iter()
            .map(|&index| {
                let file = &self.workspace.files.files[index];
                Item { bytes: file.stat.size, name: file.path.as_bytes().len() }
            })
            .collect();
        cut(&items, rate, self.limits.slots, start)
    }

    /// Whether a text stands in the place of the file.
    fn is_text(&self, file: usize) -> bool {
        self.workspace.overlaid.contains_key(&self.workspace.files.files[file].path)
    }

    /// A job for `members` of a task: units where a unit is a file, else positions in the plan's
    /// files; none for a tool that is started on its own targets.
    fn job(&mut self, task: usize, members: Vec<usize>) -> Job {
        let id = self.next;
        self.next += 1;
        self.tasks[task].work.outstanding += 1;
        let Task { tool, work, rate, launch, .. } = &self.tasks[task];
        let files: Vec<usize> = match work.plan.scope {
            Scope::File => members.iter().filter_map(|&unit| work.plan.units[unit].file).collect(),
            Scope::AllFiles => members.iter().map(|&at| work.plan.files[at]).collect(),
            Scope::Project => Vec::new(),
        };
        let of = if work.plan.scope == Scope::Project { &work.plan.inputs } else { &files };
        let size = |&index: &usize| self.workspace.files.files[index].stat.size;
        let bytes: u64 = of.iter().map(size).sum();
        let prefix = &tool.spec.files.prefix;
        let name = |&index: &usize| file_argument(prefix, &self.workspace.files.files[index].path);
        let is_text = files.first().is_some_and(|&file| self.is_text(file));
        let folder = if is_text { self.place.texts } else { &self.workspace.root }.to_owned();
        let mut args = launch.arguments.clone();
        args.extend(files.iter().map(name));
        let mut python = launch.python.clone();
        if let Some((file, _)) = python.as_mut().and_then(|python| python.reads.as_mut()) {
            // Each process writes a file of its own.
            file.set_extension(format!("{id}.reads"));
        }
        let reads = python.as_ref().and_then(|p| p.reads.as_ref()).map(|(file, _)| file.clone());
        let job = Job {
            id,
            program: tool.resolved.executable().to_owned(),
            args,
            cwd: folder.clone(),
            env: launch.env.clone(),
            stdin: None,
            timeout: tool.settings.timeout.or(self.limits.timeout),
            expected: rate.expected(bytes),
            slots: launch.slots.max(1),
            python,
        };
        let batch =
            Batch { task, units: members, bytes, folder, begun: None, reads, started: i64::MAX };
        self.batches.insert(id, batch);
        job
    }

    fn step(&mut self, progress: Progress, on: &mut dyn FnMut(Event)) -> Control {
        match progress {
            Progress::Started(id, lanes) => {
                if let Some(batch) = self.batches.get_mut(&id) {
                    batch.begun = Some((Instant::now(), lanes));
                    batch.started = self.limits.side.stamp();
                    let work = &mut self.tasks[batch.task].work;
                    work.begin();
                    let units = batch.units.len().max(1);
                    on(Event::Started { tool: work.tool().clone(), units });
                }
                Control::Continue
            }
            Progress::Completed(done) => self.completed(done, on),
        }
    }

    fn completed(&mut self, done: Completed, on: &mut dyn FnMut(Event)) -> Control {
        let Some(batch) = self.batches.remove(&done.id) else { return Control::Continue };
        let (elapsed, done_via) = (done.elapsed, done.via);
        let code = match done.end {
            End::Exited(code) => Some(code),
            _ => None,
        };
        if let Some(span) = self.span(&batch) {
            on(Event::Ran(Box::new(span)));
        }
        let (parsed, recorded) = self.read(&batch, done);
        let task = &mut self.tasks[batch.task];
        task.work.outstanding -= 1;
        on(Event::Finished {
            tool: task.work.tool().clone(),
            units: batch.units.len().max(1),
            elapsed,
        });
        let failed = matches!(parsed.verdict, Verdict::Crashed(_));
        let is_blocked =
            !failed && code.is_some_and(|code| task.tool.spec.exit.blocked.contains(&code));
        if let KeptState::Used { arguments, is_new } = &task.launch.kept
            && ((failed && !was_ended(&parsed.verdict)) || is_blocked)
        {
            let (arguments, is_new) = (arguments.clone(), *is_new);
            // What it keeps between runs may be damaged, or the disk is full. Where it stopped
            // early, it has left out what it would have taken from an earlier run.
            task.launch.kept = KeptState::Without;
            if is_blocked && !is_new {
                task.launch.kept = KeptState::Spared { read: recorded.inputs.clone() };
                task.doubt(recorded.doubt.as_deref());
            }
            if failed || !is_new {
                task.launch.arguments = arguments;
                return Control::More(vec![self.job(batch.task, batch.units)]);
            }
        }
        if failed && batch.units.len() > 1 && !was_ended(&parsed.verdict) {
            // One file brings the tool down: halving finds it, and the others get their answer.
            let mut units = batch.units;
            let half = units.split_off(units.len() / 2);
            return Control::More(vec![self.job(batch.task, units), self.job(batch.task, half)]);
        }
        let found = !parsed.findings.is_empty();
        match parsed.verdict {
            Verdict::Crashed(failure) => task.work.fail(failure),
            Verdict::Clean | Verdict::Findings => {
                task.rate = match done_via {
                    Via::Process => task.rate.learn(batch.bytes, elapsed),
                    Via::Worker => task.rate.learn_warm(batch.bytes, elapsed),
                };
                task.doubt(parsed.unstable.as_deref());
                task.doubt(recorded.doubt.as_deref());
                let answer = Answer {
                    findings: parsed.findings,
                    tests: parsed.tests,
                    inputs: recorded.inputs,
                    cost: elapsed,
                };
                task.work.answer(&batch.units, answer, &self.workspace.files);
                if let KeptState::Spared { read } = &mut task.launch.kept {
                    task.work.stands_on(std::mem::take(read).into_iter());
                }
            }
        }
        if task.work.outstanding == 0 {
            task.tell(self.limits.telling, on);
            on(Event::ToolDone(Box::new(task.report())));
        }
        match self.limits.after_finding {
            AfterFinding::Stop if found || failed => Control::Stop,
            _ => Control::Continue,
        }
    }

    /// The time that a batch took, which is now over.
    fn span(&self, batch: &Batch) -> Option<Span> {
        let (start, lanes) = batch.begun.clone()?;
        let plan = &self.tasks[batch.task].work.plan;
        let files = batch.units.iter().filter_map(|&unit| match plan.scope {
            Scope::File => plan.units[unit].file,
            Scope::AllFiles => plan.files.get(unit).copied(),
            Scope::Project => None,
        });
        let path = |index: usize| self.workspace.files.files[index].path.clone();
        Some(Span {
            tool: plan.tool.clone(),
            files: files.map(path).collect(),
            lanes,
            start,
            end: Instant::now(),
        })
    }

    /// Reads what a process left behind.
    fn read(&self, batch: &Batch, done: Completed) -> (Parsed, Recorded) {
        let task = &self.tasks[batch.task];
        let python = task.launch.python.as_ref();
        let side_file = python.and_then(|p| p.report.as_ref()).and_then(|f| std::fs::read(f).ok());
        let recorded = batch.reads.as_ref().map(|file| self.recorded(task, batch, file));
        let mut parsed = match done.end {
            End::Exited(code) => {
                let output =
                    RawOutput { code, stdout: done.stdout, stderr: done.stderr, side_file };
                parse(&task.tool.spec, &output, &ParseContext::new(&batch.folder))
            }
            end => Parsed::failed(not_exited(task.work.tool().as_str(), end, &done.stderr)),
        };
        tell_of_home(&mut parsed, &self.workspace.site);
        if let Verdict::Crashed(failure) = &mut parsed.verdict
            && failure.kind == FailureKind::Crashed
        {
            failure.hint = failure.hint.take().or_else(|| self.odd_name(task));
        }
        (parsed, recorded.unwrap_or_default())
    }

    /// A hint at an input whose name is no text. mypy ends at one with an internal error that does not
    /// say so; of several files that it cannot read it tells one, another each time (2.4.1).
    fn odd_name(&self, task: &Task<'_>) -> Option<String> {
        if task.tool.spec.key.extensions.is_empty() {
            // Others are rarely troubled by a name, and have many inputs.
            return None;
        }
        let files = &self.workspace.files.files;
        let mut inputs = task.work.plan.inputs.iter().map(|&index| files[index].path.as_bytes());
        let name = inputs.find(|name| std::str::from_utf8(name).is_err())?;
        let (tool, name) = (task.work.tool(), name.escape_ascii());
        Some(format!("if {tool} cannot read names that are not UTF-8, rename or exclude `{name}`"))
    }

    fn recorded(&self, task: &Task<'_>, batch: &Batch, file: &Path) -> Recorded {
        let environments = task.tool.resolved.environments();
        let mut apart: Vec<PathBuf> =
            environments.flat_map(|of| of.interpreter.installed_folders()).collect();
        // The files of this run go with it.
        apart.extend([self.workspace.cache.path(), self.limits.side.folder()].map(Path::to_owned));
        if !reads_around(task.tool) && !reads_all(task.tool) {
            // What it takes from there is part of the key.
            apart.extend(task.tool.config.file.clone());
        }
        let modules_only = !task.tool.spec.key.extensions.is_empty();
        let recording = Recording {
            root: &self.workspace.root,
            home: &self.workspace.site.home,
            snapshot: self.workspace.site.snapshot_top(),
            files: &self.workspace.files,
            covered: &task.work.plan.inputs,
            names: if modules_only { Names::Modules } else { Names::All },
            apart: &apart,
            states: &self.workspace.states,
            started: batch.started,
        };
        recording.read(file)
    }
}

/// What tools say of files in a snapshot is about those of the work tree.
fn tell_of_home(parsed: &mut Parsed, site: &Site) {
    if !site.is_elsewhere() {
        return;
    }
    for finding in &mut parsed.findings {
        finding.message = site.told(&finding.message);
        for detail in &mut finding.details {
            *detail = site.told(detail);
        }
    }
    if let Verdict::Crashed(failure) = &mut parsed.verdict {
        failure.message = site.told(&failure.message);
        failure.output = site.told(&failure.output);
    }
}

/// Ended by pyqa: trying again with fewer files would not help.
fn was_ended(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Crashed(failure)
        if matches!(failure.kind, FailureKind::Cancelled | FailureKind::TimedOut))
}

pub(super) fn not_exited(tool: &str, end: End, stderr: &[u8]) -> Failure {
    let (kind, message, hint) = match end {
        End::TimedOut(limit) => (
            FailureKind::TimedOut,
            format!("{tool} was ended after {} s", limit.as_secs()),
            Some(format!(
                "give it more time with `--timeout SECONDS` or `timeout` under [tool.pyqa.{tool}]"
            )),
        ),
        End::Cancelled => (FailureKind::Cancelled, format!("{tool} was not finished"), None),
        End::Signalled(signal) => {
            (FailureKind::Crashed, format!("{tool} was ended by signal {signal}"), None)
        }
        End::NotStarted(error) => {
            (FailureKind::Missing, format!("{tool} could not be started: {error}"), None)
        }
        End::Exited(code) => (FailureKind::Crashed, format!("{tool} exited with {code}"), None),
    };
    Failure { kind, message, output: String::from_utf8_lossy(stderr).into_owned(), hint }
}
