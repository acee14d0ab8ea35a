//! A project that is looked at more than once: [`Session`]. What does not change between two
//! runs of an editor or a watcher (files, settings, environment, tools) is found once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::planning::Planner;
use super::request::Request;
use super::run::Run;
use super::shadow::Shadow;
use super::since::BaseRun;
use super::split::Split;
use super::toolset::{ActiveTool, Toolset};
use super::workspace::{Workspace, resolved};
use super::{check_base, open, shadow, sift, support};
use crate::error::UserError;
use crate::event::{Event, Outcome};
use crate::exec::cancel::CancelToken;
use crate::exec::driver::Support;
use crate::exec::worker::Mode;
use crate::finding::ToolId;
use crate::paths::RelPath;
use crate::project::environment::Environment;
use crate::tools::spec::ColumnsDecl;

/// What is not looked at again within this time, such as a new environment in the project, is
/// seen after it.
const LONGEST: Duration = Duration::from_mins(5);

/// What a run needs to know, found once.
pub struct Session {
    workspace: Workspace,
    toolset: Toolset,
    support: Support,
    opened: Instant,
    /// On disk, and none of the project's files.
    foreign: BTreeSet<PathBuf>,
    /// Where the texts of the last run lay.
    shadow: Option<Shadow>,
}

impl Session {
    /// Looks at the project as `request` names it. Every request of the session names the same
    /// root, tools and variables.
    ///
    /// # Errors
    /// As for [`check`](super::check).
    pub fn open(request: &Request, on: &mut dyn FnMut(Event)) -> Result<Self, Vec<UserError>> {
        Self::of(open(request)?, request, on)
    }

    /// As [`Session::open`], in an open workspace.
    ///
    /// # Errors
    /// As there.
    pub fn of(
        workspace: Workspace,
        request: &Request,
        on: &mut dyn FnMut(Event),
    ) -> Result<Self, Vec<UserError>> {
        let opened = Instant::now();
        let toolset =
            Toolset::gather(&workspace, request, on).map_err(|errors| workspace.told(errors))?;
        for notice in workspace.notices.iter().chain(&toolset.notices) {
            on(Event::Notice(notice.clone()));
        }
        let support = support(&workspace)?;
        shadow::sweep(&workspace.cache.texts());
        let foreign = BTreeSet::new();
        let mut session = Self { workspace, toolset, support, opened, foreign, shadow: None };
        session.foreign = request.paths.iter().filter(|p| session.is_unknown(p)).cloned().collect();
        Ok(session)
    }

    pub fn root(&self) -> &Path {
        &self.workspace.root
    }

    /// What the columns of each tool count.
    pub fn columns(&self) -> BTreeMap<ToolId, ColumnsDecl> {
        let active = self.toolset.active.iter();
        active.map(|tool| (tool.spec.name.clone(), tool.spec.columns.clone())).collect()
    }

    /// The tools whose findings a formatter mends.
    pub fn formatters(&self) -> Vec<ToolId> {
        let formats =
            |tool: &&ActiveTool| tool.spec.fix.as_ref().is_some_and(|fix| fix.stage.is_format());
        let active = self.toolset.active.iter().filter(formats);
        active.map(|tool| tool.spec.name.clone()).collect()
    }

    /// Whether what was found still holds for `request`: settings, installed packages, and that
    /// its paths are listed. Files are looked at by each run.
    pub fn is_current(&self, request: &Request) -> bool {
        let is_new = |path: &PathBuf| self.is_unknown(path) && !self.foreign.contains(path);
        self.opened.elapsed() < LONGEST
            && !self.depends_on_more()
            && !request.paths.iter().any(is_new)
            && self.workspace.documents.are_current()
            && self.environments().all(|environment| self.workspace.still_has(environment))
    }

    /// Checks what `request` asks for.
    ///
    /// # Errors
    /// As for [`check`](super::check).
    pub fn check(
        &mut self,
        request: &Request,
        cancel: &CancelToken,
        on: &mut dyn FnMut(Event),
    ) -> Result<Outcome, Vec<UserError>> {
        self.workspace.lay_over(&request.overlay);
        self.run(request, cancel, on).map_err(|errors| self.workspace.told(errors))
    }

    fn run(
        &mut self,
        request: &Request,
        cancel: &CancelToken,
        on: &mut dyn FnMut(Event),
    ) -> Result<Outcome, Vec<UserError>> {
        let begun = Instant::now();
        // They tell nothing to a later run.
        let folders = std::mem::take(&mut self.workspace.files.folders);
        let workspace = &self.workspace;
        let mode = Mode::of(&request.variables, workspace.settings.workers).map_err(|e| vec![e])?;
        let split = Split::load(request, workspace)?;
        let planner = Planner::new(workspace, &self.support, request)?.sharing(split.as_ref());
        let mut run =
            Run::new(request, workspace, &self.toolset, &self.support, &planner, &folders)?;
        run.take_over(self.shadow.take());
        run.execute(mode, cancel, on);
        run.store(on);
        self.shadow = run.hand_over();
        let mark = split.as_ref().map(|split| split.mark(request, workspace, &self.toolset));
        let mut outcome = Outcome { shard: mark, ..run.outcome(cancel, begun) };
        let mut check_base = |run: &BaseRun| check_base(run, request, cancel);
        let texts = &workspace.overlaid;
        for notice in sift::sift(&mut outcome, &request.sift, texts, &mut check_base) {
            on(Event::Notice(notice.clone()));
            outcome.notices.push(notice);
        }
        Ok(outcome)
    }

    /// Whether findings may be left out at the end that are told before.
    pub fn leaves_out(&self, request: &Request) -> bool {
        sift::leaves_out(&request.sift, &self.workspace.root)
    }

    /// Looks again at the files that `request` names.
    pub fn look_again(&mut self, request: &Request) {
        for path in &request.paths {
            if let Some(path) = self.place(path).filter(|p| self.workspace.files.find(p).is_some())
            {
                self.workspace.look_again(&path);
            }
        }
    }

    fn place(&self, path: &Path) -> Option<RelPath> {
        RelPath::from_absolute(&resolved(path), &self.workspace.root)
    }

    fn is_unknown(&self, path: &Path) -> bool {
        let known = |path: &RelPath| self.workspace.files.find(path).is_some();
        path.is_file() && !self.place(path).is_some_and(|path| known(&path))
    }

    /// Whether a tool depends on files that are not looked at here: project files that settings
    /// name for its key, or its own source where that is edited.
    fn depends_on_more(&self) -> bool {
        let depends = |tool: &ActiveTool| {
            !tool.spec.key.files.is_empty()
                || !tool.settings.inputs.is_empty()
                || tool.resolved.code.is_some()
        };
        self.toolset.active.iter().any(depends)
    }

    fn environments(&self) -> impl Iterator<Item = &Environment> {
        let own = self.workspace.environment.iter().map(|own| &*own.environment);
        let of_tools = self.toolset.active.iter().flat_map(ActiveTool::environments);
        let all = own.chain(of_tools.map(|environment| &**environment));
        let by_interpreter: BTreeMap<_, _> =
            all.map(|environment| (&environment.interpreter.executable, environment)).collect();
        by_interpreter.into_values()
    }
}
