//! A run's processes: with what they are started, and where the request's texts lie for them.

use std::path::{Path, PathBuf};

use super::Run;
use crate::cache::tool_state::{Seen, ToolState};
use crate::engine::compiled::stale_source;
use crate::engine::execute::{KeptState, Launch, Limits, Place, execute};
use crate::engine::loaded::outdates_state;
use crate::engine::planning::{parallel, reads_around};
use crate::engine::recording::SideFiles;
use crate::engine::request::{AfterFinding, CacheUse};
use crate::engine::shadow::{Shadow, Text, are_above};
use crate::engine::sift;
use crate::engine::toolset::ActiveTool;
use crate::engine::warm::python_job;
use crate::engine::workspace::Workspace;
use crate::event::{Event, Failure, FailureKind, PlannedTool};
use crate::exec::cancel::CancelToken;
use crate::exec::driver::PythonJob;
use crate::exec::scheduler::cores;
use crate::exec::worker::{Mode, Workers};
use crate::hash::FileStates;
use crate::paths::RelPath;
use crate::plan::unit::Scope;
use crate::project::files::state_of;
use crate::tools::spec::OutputFormat;

impl Run<'_> {
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
        log::info!("{} has bytecode that may be of another text", stale.display());
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
        // A result is verified without anything that an earlier run has left. A tool's state does not
        // know what a plugin imports and reads.
        let keeps_state = arguments.uses_state_folder() && cache_use == CacheUse::ReadWrite;
        if keeps_state && !outdates_state(task.tool) {
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
                && (task.tool.spec.key.record_reads || reads_around(task.tool));
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
}

/// What a file beside the key's holds now, as a tool's own state goes by it.
pub(super) fn seen_now(path: &RelPath, workspace: &Workspace) -> Option<Seen> {
    let place = workspace.place_of(path);
    let stat = state_of(&place)?;
    let content = workspace.states.content_hash(&place).ok()?;
    Some(Seen::new(&stat, content))
}
