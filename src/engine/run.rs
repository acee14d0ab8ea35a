//! One run over planned tools: look-up and outcome here, execution in `launch.rs`, storing in `keep.rs`.

mod keep;
mod launch;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::conclude::{note_disagreements, ordered, status};
use super::execute::{Launch, Task};
use super::lookup::{Found, Validity, look_up};
use super::planning::{Planner, scope_of};
use super::reasons::{Circumstance, reasons};
use super::recording::SideFiles;
use super::request::{CacheUse, Reach, Reasons, Request};
use super::shadow::Shadow;
use super::toolset::{ActiveTool, Toolset};
use super::work::Work;
use super::workspace::Workspace;
use crate::cache::tool_state::ToolState;
use crate::error::UserError;
use crate::event::{LeftOut, Notice, Outcome, ToolReport};
use crate::exec::cancel::CancelToken;
use crate::exec::driver::Support;
use crate::hash::{Digest, FileStates, Fingerprint};
use crate::paths::RelPath;
use crate::plan::batch::Rate;
use crate::plan::unit::{Scope, ToolPlan};
use crate::project::stat::FileStat;

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
        let validity = Validity::new(&workspace.states, &site.home, max_age(tool));
        let validity = validity.on(site).knowing(folders);
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

/// How long a result of the tool may be replayed; `None`: for ever.
pub(super) fn max_age(tool: &ActiveTool) -> Option<Duration> {
    let by_default = Duration::from_secs(tool.spec.key.max_age_hours * 3600);
    Some(tool.settings.max_age.unwrap_or(by_default)).filter(|age| !age.is_zero())
}

fn rate_key(plan: &ToolPlan) -> Fingerprint {
    Digest::new("pyqa rate").field("tool", plan.tool.as_str()).finish()
}
