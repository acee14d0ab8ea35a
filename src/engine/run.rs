//! One run over planned tools: look-up, execution, storing, outcome.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::compiled::stale_source;
use super::conclude::{note_disagreements, ordered, status};
use super::execute::{KeptState, Launch, Limits, Place, Task, execute};
use super::lookup::{Found, Names, Validity, look_up, observe};
use super::planning::{Planner, loads_code, parallel, scope_of};
use super::reasons::{Circumstance, reasons};
use super::recording::SideFiles;
use super::request::{AfterFinding, CacheUse, Reach, Reasons, Request};
use super::shadow::{Shadow, Text, are_above};
use super::sift;
use super::steady::Afterwards;
use super::toolset::{ActiveTool, Toolset};
use super::warm::python_job;
use super::work::Work;
use super::workspace::Workspace;
use crate::cache::entry::{ExtraInput, InputState};
use crate::cache::inputs::LastInput;
use crate::cache::tool_state::{Seen, ToolState};
use crate::dropped::dropped;
use crate::error::UserError;
use crate::event::{
    Event, Failure, FailureKind, LeftOut, Notice, Outcome, PlannedTool, ToolReport,
};
use crate::exec::cancel::CancelToken;
use crate::exec::driver::{PythonJob, Support};
use crate::exec::scheduler::cores;
use crate::exec::worker::{Mode, Workers};
use crate::hash::{Digest, FileStates, Fingerprint};
use crate::paths::RelPath;
use crate::plan::batch::Rate;
use crate::plan::unit::{Scope, ToolPlan};
use crate::project::files::look_at;
use crate::project::stat::FileStat;
use crate::tools::spec::OutputFormat;

/// A run under way.
pub struct Run<'a> {
    request: &'a Request,
    workspace: &'a Workspace,
    toolset: &'a Toolset,
    support: &'a Support,
    planner: &'a Planner<'a>,
    /// Looked at just now.
    folders: &'a [(RelPath, FileStat)],
    tasks: Vec<Task<'a>>,
    /// Per task: where its results lie.
    found: Vec<Found>,
    /// Per task: the tool's own incremental state, while it runs.
    states: Vec<Option<ToolState>>,
    notices: Vec<Notice>,
    /// What pytest's plugin is told of this shard.
    rule: Option<Vec<u8>>,
    /// Files of the processes of this run; they go with it.
    side: Option<SideFiles>,
    /// Where the request's texts lie for the tools.
    shadow: Option<Shadow>,
    /// Where those of the run before lay.
    last_shadow: Option<Shadow>,
}

impl<'a> Run<'a> {
    /// Plans all tools and asks the store what it knows. `folders` of the work tree were looked at
    /// just now.
    ///
    /// # Errors
    /// Settings of a tool that cannot be used.
    pub fn new(
        request: &'a Request,
        workspace: &'a Workspace,
        toolset: &'a Toolset,
        support: &'a Support,
        planner: &'a Planner<'a>,
        folders: &'a [(RelPath, FileStat)],
    ) -> Result<Self, Vec<UserError>> {
        let notices = workspace.notices.iter().chain(&toolset.notices).cloned().collect();
        let (tasks, found, states) = (Vec::new(), Vec::new(), Vec::new());
        let mut run = Self {
            request,
            workspace,
            toolset,
            support,
            planner,
            folders,
            tasks,
            found,
            states,
            notices,
            rule: planner.rule(),
            side: None,
            shadow: None,
            last_shadow: None,
        };
        let taking_part: Vec<&ActiveTool> =
            toolset.active.iter().filter(|tool| takes_part(request, tool)).collect();
        let plans: Vec<_> = taking_part
            .par_iter()
            .map(|tool| {
                let plan = planner.plan(tool)?;
                let found = run.look_up(tool, &plan);
                Ok((*tool, plan, found))
            })
            .collect();
        let mut errors = Vec::new();
        for plan in plans {
            match plan {
                Ok((tool, plan, found)) => run.add(tool, plan, found),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() { Ok(run) } else { Err(errors) }
    }

    /// The folder in which the texts of the run before lay, which may serve again.
    pub(super) fn take_over(&mut self, shadow: Option<Shadow>) {
        self.last_shadow = shadow;
    }

    /// The folder in which the texts lay, for the run after this one.
    pub(super) fn hand_over(&mut self) -> Option<Shadow> {
        self.shadow.take().or_else(|| self.last_shadow.take())
    }

    fn cache_use(&self, tool: &ActiveTool) -> CacheUse {
        if tool.settings.cache { self.workspace.cache_use } else { CacheUse::Off }
    }

    fn look_up(&self, tool: &ActiveTool, plan: &ToolPlan) -> Found {
        let workspace = self.workspace;
        if self.cache_use(tool) == CacheUse::Off {
            let entries = plan.units.iter().map(|_| None).collect();
            return Found { entries, pack: None, expired: false };
        }
        let site = &workspace.site;
        let folders = if site.is_elsewhere() { &[] } else { self.folders };
        let validity = Validity::new(&workspace.states, &site.home, max_age(tool)).knowing(folders);
        look_up(plan, &workspace.store, &validity)
    }

    fn add(&mut self, tool: &'a ActiveTool, plan: ToolPlan, mut found: Found) {
        let workspace = self.workspace;
        let cache_use = self.cache_use(tool);
        let mut work = Work::new(plan, std::mem::take(&mut found.entries));
        let to_run = match cache_use {
            CacheUse::Verify => (0..work.plan.units.len()).collect(),
            CacheUse::ReadWrite | CacheUse::Off => work.missing(),
        };
        if self.request.reasons == Reasons::Told {
            let replayed: Vec<bool> = work.replayed.iter().map(Option::is_some).collect();
            let last = workspace.last_inputs.get(work.tool());
            let circumstance = match cache_use {
                CacheUse::Off => Circumstance::NoCache,
                CacheUse::Verify => Circumstance::Verifying,
                CacheUse::ReadWrite if found.expired => Circumstance::Expired,
                CacheUse::ReadWrite if tool.spec.key.successes_only => Circumstance::SuccessesOnly,
                CacheUse::ReadWrite => Circumstance::Usual,
            };
            let contents = workspace.contents();
            work.reasons = reasons(&work.plan, &replayed, last.as_ref(), contents, circumstance);
        }
        let rate = self.rate(&work.plan);
        let launch = Launch::default();
        self.tasks.push(Task { tool, work, to_run, rate, launch });
        self.found.push(found);
        self.states.push(None);
    }

    /// What the tool's work has cost so far in this checkout.
    fn rate(&self, plan: &ToolPlan) -> Rate {
        let known = self.workspace.states.recall(&rate_key(plan));
        known.and_then(|bytes| postcard::from_bytes(&bytes).ok()).unwrap_or_default()
    }

    /// Runs what is missing.
    pub fn execute(&mut self, mode: Mode, cancel: &CancelToken, on: &mut dyn FnMut(Event)) {
        let planned = self.tasks.iter().map(|task| PlannedTool {
            tool: task.work.tool().clone(),
            to_run: task.to_run.len(),
            replayed: task.work.plan.units.len() - task.to_run.len(),
        });
        let slots = self.slots();
        on(Event::Planned { tools: planned.collect(), slots });
        for task in self.tasks.iter().filter(|task| task.to_run.is_empty()) {
            task.tell(self.request.telling, on);
            on(Event::ToolDone(Box::new(task.report())));
        }
        if self.tasks.iter().all(|task| task.to_run.is_empty()) {
            return;
        }
        if let Err(error) = self.workspace.site.prepare_for_programs() {
            return self.fail_all(&error.to_string());
        }
        let side = match SideFiles::new(self.rule.as_deref()) {
            Ok(side) => side,
            Err(error) => {
                return self.fail_all(&format!("no temporary file can be made: {error}"));
            }
        };
        match self.lay_out() {
            Ok(shadow) => self.shadow = shadow,
            Err(error) => {
                return self.fail_all(&format!("an unsaved text cannot be written: {error}"));
            }
        }
        let bytecode = self.fresh_bytecode(&side);
        for at in 0..self.tasks.len() {
            self.prepare(at, &side, bytecode.as_ref(), slots);
        }
        let settings = &self.workspace.settings;
        let limits = Limits {
            side: &side,
            slots,
            timeout: self.request.timeout.or(settings.timeout),
            after_finding: match self.request.after_finding {
                // Only at the end is it known which findings count.
                _ if sift::leaves_out(&self.request.sift, &self.workspace.root) => {
                    AfterFinding::GoOn
                }
                AfterFinding::AsSet if settings.fail_fast => AfterFinding::Stop,
                wanted => wanted,
            },
            telling: self.request.telling,
        };
        let workers = Workers::new(mode, &self.request.variables);
        let place = Place {
            workspace: self.workspace,
            texts: self.shadow.as_ref().map_or(&self.workspace.root, Shadow::root),
        };
        execute(&mut self.tasks, &place, &limits, &workers, cancel, on);
        self.side = Some(side);
    }

    /// How many processes run at once. For the text of an editor all tools start at once: somebody
    /// waits for each answer, and a short run is not to wait for a long one.
    fn slots(&self) -> usize {
        let asked = self.request.jobs.or(self.workspace.settings.jobs);
        let at_once = if self.workspace.overlaid.is_empty() { 1 } else { self.tasks.len() };
        asked.unwrap_or_else(|| cores().max(at_once))
    }

    /// Writes the request's texts where tools can read them.
    fn lay_out(&mut self) -> std::io::Result<Option<Shadow>> {
        let workspace = self.workspace;
        if workspace.overlaid.is_empty() {
            return Ok(None);
        }
        let settings: Vec<&Path> =
            self.tasks.iter().filter_map(|task| task.tool.config.file.as_deref()).collect();
        let texts = || {
            workspace.overlaid.iter().map(|(path, bytes)| {
                let file = workspace.files.find(path).map(|index| &workspace.files.files[index]);
                Text { path, bytes, is_executable: file.is_some_and(|f| f.stat.is_executable()) }
            })
        };
        let last = self.last_shadow.take().filter(|_| !are_above(&settings, &workspace.root));
        if let Some(shadow) = last.and_then(|last| last.renewed(&workspace.root, texts())) {
            return Ok(Some(shadow));
        }
        let folder = workspace.cache.texts();
        Shadow::make(&folder, &workspace.root, &settings, texts()).map(Some)
    }

    fn fail_all(&mut self, error: &str) {
        for task in self.tasks.iter_mut().filter(|task| !task.to_run.is_empty()) {
            task.work.fail(Failure {
                kind: FailureKind::Crashed,
                message: error.to_owned(),
                output: String::new(),
                hint: Some("free some space, or set TMPDIR to another folder".to_owned()),
            });
        }
    }

    /// A place for new bytecode, if what lies beside the sources would not be made anew although
    /// it has to be.
    fn fresh_bytecode(&self, side: &SideFiles) -> Option<PathBuf> {
        let tools: Vec<&ActiveTool> = self
            .tasks
            .iter()
            .filter(|task| !task.to_run.is_empty())
            .map(|task| task.tool)
            .collect();
        let stale = stale_source(self.workspace, &tools)?;
        log::info!("{} was edited within the second of its bytecode", stale.display());
        Some(side.path("bytecode"))
    }

    /// Everything that a tool's processes are started with.
    fn prepare(&mut self, at: usize, side: &SideFiles, bytecode: Option<&PathBuf>, slots: usize) {
        let workspace = self.workspace;
        let cache_use = self.cache_use(self.tasks[at].tool);
        let task = &mut self.tasks[at];
        if task.to_run.is_empty() {
            return;
        }
        let plan = &task.work.plan;
        let arguments = &plan.arguments;
        let nowhere = PathBuf::from(if cfg!(windows) { "nul" } else { "/dev/null" });
        // A result is verified without anything that an earlier run has left.
        if arguments.uses_state_folder() && cache_use == CacheUse::ReadWrite {
            let folder =
                workspace.cache.tool_state(plan.tool.as_str(), &workspace.root, &plan.pack);
            let seen = plan.inputs.iter().filter_map(|&index| {
                let (file, content) = workspace.contents().file(index);
                Some((file.path.clone(), Seen::new(&file.stat, *content?)))
            });
            let look = |path: &RelPath| seen_now(path, workspace);
            match ToolState::prepare(&folder, &workspace.root, seen, &look) {
                Ok(state) => self.states[at] = Some(state),
                Err(error) => log::info!("{}: {error}", folder.display()),
            }
        }
        let processes = parallel(task.tool).map_or(1, |parallel| parallel.processes(slots));
        let with_state = |folder: &Path| {
            let mut arguments = arguments.with_state_folder(folder);
            if processes > 1 {
                arguments.extend(["-n".into(), processes.to_string().into()]);
            }
            arguments
        };
        let (arguments, kept) = match &self.states[at] {
            None => (with_state(&nowhere), KeptState::Without),
            Some(state) => {
                let (arguments, is_new) = (with_state(&nowhere), state.is_new());
                (with_state(&state.path()), KeptState::Used { arguments, is_new })
            }
        };
        let mut launch = Launch {
            arguments,
            kept,
            env: task
                .tool
                .spec
                .command
                .env
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            python: None,
            slots: processes,
        };
        if plan.scope != Scope::File || task.tool.resolved.code.is_some() {
            let python_path = workspace.variables.get("PYTHONPATH");
            launch.env.extend(workspace.site.variables(&self.support.moved(), python_path));
        }
        if let Some(folder) = bytecode {
            launch.env.push(("PYTHONPYCACHEPREFIX".into(), folder.into()));
        }
        if let Some(python) = python_job(task.tool, self.support) {
            let name = plan.tool.as_str();
            let reports = task.tool.spec.output.format == OutputFormat::Pytest;
            let records = cache_use != CacheUse::Off
                && (task.tool.spec.key.record_reads || loads_code(task.tool));
            launch.python = Some(PythonJob {
                report: reports.then(|| side.path(&format!("{name}.report"))),
                shard: side.rule().filter(|_| reports),
                reads: records
                    .then(|| (side.path(&format!("{name}.reads")), workspace.root.clone())),
                ..python
            });
        }
        task.launch = launch;
    }

    /// Keeps what this run learnt, as far as nothing moved meanwhile. `on` is told where it cannot.
    pub fn store(&mut self, on: &mut dyn FnMut(Event)) {
        let unchanged = self.project_is_unchanged();
        let afterwards = Afterwards::new(self.workspace, self.planner);
        let steady: Vec<bool> =
            self.tasks.iter().map(|task| self.is_steady(task, &afterwards)).collect();
        for (at, state) in std::mem::take(&mut self.states).into_iter().enumerate() {
            if let Some(state) = state
                && self.tasks[at].launch.kept.is_good()
                && let Err(error) = self.close(at, state, unchanged && steady[at])
            {
                log::warn!("{error}");
            }
        }
        let mut trouble = None;
        for ((task, found), steady) in self.tasks.iter().zip(&self.found).zip(steady) {
            if task.to_run.is_empty() || self.cache_use(task.tool) == CacheUse::Off {
                continue;
            }
            if steady && let Err(error) = self.store_task(task, found, unchanged) {
                trouble = Some(error);
            }
            if let Ok(rate) = postcard::to_stdvec(&task.rate) {
                self.workspace.states.remember(rate_key(&task.work.plan), rate);
            }
        }
        if self.workspace.cache_use != CacheUse::Off
            && let Err(error) = self.workspace.states.save()
        {
            trouble = Some(error);
        }
        if let Some(error) = trouble {
            let path = self.workspace.cache.path().display();
            let notice = Notice::warning(format!("results could not be kept in {path}: {error}"))
                .hint("free some space, or name another folder with PYQA_CACHE_DIR");
            on(Event::Notice(notice.clone()));
            self.notices.push(notice);
        }
    }

    /// Whether what the tool ran under still is what its key says.
    fn is_steady(&self, task: &Task<'_>, afterwards: &Afterwards<'_>) -> bool {
        task.to_run.is_empty()
            || self.cache_use(task.tool) == CacheUse::Off
            || afterwards.is_steady(task.tool, &task.work.plan.common)
    }

    /// Ends the use of a tool's own state. What it took from there it stands on as well.
    fn close(&mut self, at: usize, state: ToolState, unchanged: bool) -> std::io::Result<()> {
        let workspace = self.workspace;
        let work = &mut self.tasks[at].work;
        let names = Names::Modules;
        let earlier = state.beside().map(|path| ExtraInput {
            path: path.as_bytes().to_vec(),
            state: observe(path.as_bytes(), names, &workspace.states, &workspace.root),
        });
        work.stands_on(earlier.collect::<Vec<_>>().into_iter());
        if !unchanged || !work.failures.is_empty() || !work.is_trusted() {
            return Ok(());
        }
        let path = |input: &ExtraInput| RelPath::from_bytes(&input.path[..]);
        let (folders, files): (Vec<_>, Vec<_>) =
            work.beside().iter().partition(|input| is_folder(input.state));
        let files = files.into_iter().map(path).map(|path| {
            let seen = seen_now(&path, workspace);
            (path, seen)
        });
        state.close(&workspace.root, files, folders.into_iter().map(path))
    }

    fn store_task(&self, task: &Task<'_>, found: &Found, unchanged: bool) -> std::io::Result<()> {
        let workspace = self.workspace;
        let plan = &task.work.plan;
        let results = task.work.to_store();
        if let Some(pack) = &found.pack {
            let kept: Vec<_> = results
                .iter()
                .filter_map(|(unit, entry)| {
                    let (file, content) = workspace.contents().file(unit.file?);
                    let holds = dropped("moved") || workspace.still_holds(file, content?);
                    holds.then(|| Some((unit.key?, (*entry).clone()))).flatten()
                })
                .collect();
            let used: Vec<Fingerprint> = plan
                .units
                .iter()
                .zip(&task.work.replayed)
                .filter_map(|(unit, entry)| entry.as_ref().and(unit.key))
                .collect();
            if !kept.is_empty() {
                pack.add(&kept, &used)?;
            }
        } else if unchanged {
            for (unit, entry) in results {
                let fits = !task.tool.spec.key.successes_only || entry.findings.is_empty();
                if let Some(key) = unit.key.filter(|_| fits) {
                    workspace.store.put_whole(&key, entry)?;
                }
            }
        }
        if !workspace.overlaid.is_empty() {
            // What was last checked is what was last on disk.
            return Ok(());
        }
        let given = if plan.scope == Scope::File { &plan.files } else { &plan.inputs };
        let files = given.iter().filter_map(|&index| {
            let (file, content) = workspace.contents().file(index);
            Some((file.path.clone(), *content?))
        });
        let beside = task.work.beside().iter().filter(|input| !is_folder(input.state));
        let input = LastInput {
            common: plan.common.parts().to_vec(),
            files: files.collect(),
            beside: beside.map(|input| RelPath::from_bytes(&input.path[..])).collect(),
        };
        workspace.last_inputs.put(&plan.tool, &input)
    }

    /// Whether a result for the project as a whole still fits what is on disk: every file is as
    /// it was when its key was made, and none came or went.
    fn project_is_unchanged(&self) -> bool {
        if dropped("moved") {
            return true;
        }
        let is_whole =
            |task: &Task<'_>| !task.to_run.is_empty() && task.work.plan.scope != Scope::File;
        if !self.tasks.iter().any(is_whole) {
            return true;
        }
        let workspace = self.workspace;
        let now = workspace.site.list_again(&workspace.files);
        let same_names = now.len() == workspace.files.len()
            && now.files.iter().zip(&workspace.files.files).all(|(a, b)| a.path == b.path);
        same_names
            && workspace.files.files.iter().zip(&workspace.hashes).all(|(file, hash)| {
                hash.as_ref().is_none_or(|hash| workspace.states.still_holds(file, hash))
            })
    }

    /// The whole result.
    pub fn outcome(mut self, cancel: &CancelToken, begun: Instant) -> Outcome {
        for task in &mut self.tasks {
            note_disagreements(task, self.workspace);
        }
        let whole =
            |task: &mut Task<'_>| ToolReport { tests: task.work.take_tests(), ..task.report() };
        let mut tools: Vec<ToolReport> = self.tasks.iter_mut().map(whole).collect();
        if self.workspace.cache_use != CacheUse::Off {
            self.workspace.cache.usage().note(&tools);
        }
        tools.extend(self.toolset.missing.iter().map(|missing| ToolReport {
            tool: missing.tool.clone(),
            version: None,
            findings: 0,
            units_run: 0,
            units_replayed: 0,
            per_file: false,
            elapsed: Duration::ZERO,
            saved: Duration::ZERO,
            failures: vec![missing.failure.clone()],
            reasons: Vec::new(),
            tests: Vec::new(),
            left_out: LeftOut::default(),
        }));
        let workspace = self.workspace;
        let lists = self.tasks.into_iter().flat_map(|task| task.into_findings(workspace));
        let findings = ordered(lists);
        let status = status(&findings, &tools, cancel);
        let site = &self.workspace.site;
        Outcome {
            root: site.home.clone(),
            content: site.root.clone(),
            repository: site.repository.clone().unwrap_or_else(|| site.home.clone()),
            findings,
            caused: BTreeSet::new(),
            tools,
            notices: self.notices,
            files: self.workspace.files.len(),
            elapsed: begun.elapsed(),
            status,
            shard: None,
        }
    }
}

/// Whether the request asks for this tool, by what it looks at.
fn takes_part(request: &Request, tool: &ActiveTool) -> bool {
    let by_file = scope_of(tool) == Scope::File;
    match request.reach {
        Reach::All => by_file || request.overlay.is_empty(),
        Reach::Files => by_file,
        Reach::Project => !by_file && request.overlay.is_empty(),
    }
}

fn is_folder(state: InputState) -> bool {
    matches!(state, InputState::Folder(_) | InputState::Modules(_))
}

/// What a file beside the key's holds now, as a tool's own state goes by it.
fn seen_now(path: &RelPath, workspace: &Workspace) -> Option<Seen> {
    let file = look_at(path.clone(), &workspace.root)?;
    let content = workspace.states.content_hash(&path.below(&workspace.root)).ok()?;
    Some(Seen::new(&file.stat, content))
}

/// How long a result of the tool may be replayed; `None`: for ever.
pub(super) fn max_age(tool: &ActiveTool) -> Option<Duration> {
    let by_default = Duration::from_secs(tool.spec.key.max_age_hours * 3600);
    Some(tool.settings.max_age.unwrap_or(by_default)).filter(|age| !age.is_zero())
}

fn rate_key(plan: &ToolPlan) -> Fingerprint {
    Digest::new("pyqa rate").field("tool", plan.tool.as_str()).finish()
}
