//! The formatters of a project, in the order in which they work, each with what the store knows
//! of its files: [`Formatters`].

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::Duration;

use super::LineRange;
use crate::cache::entry::Entry;
use crate::cache::store::Pack;
use crate::engine::lookup::{Validity, seconds_now};
use crate::engine::planning::Planner;
use crate::engine::request::{CacheUse, Content, Request};
use crate::engine::run::max_age;
use crate::engine::toolset::{ActiveTool, Toolset};
use crate::engine::warm::{python_job, workers};
use crate::engine::workspace::Workspace;
use crate::error::UserError;
use crate::exec::driver::Support;
use crate::exec::job::Job;
use crate::exec::scheduler::cores;
use crate::exec::worker::Workers;
use crate::hash::{ContentHash, Fingerprint};
use crate::paths::RelPath;
use crate::plan::key::file_key;
use crate::plan::unit::Scope;
use crate::tools::spec::FixDecl;

/// Formatters in their order, and where they work.
pub(super) struct Formatters<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) list: Vec<Formatter<'a>>,
    pub(super) slots: usize,
    pub(super) workers: Workers,
    support: &'a Support,
    timeout: Option<Duration>,
}

/// One formatter.
pub(super) struct Formatter<'a> {
    pub(super) tool: &'a ActiveTool,
    /// Indexes of the files that it may format.
    pub(super) files: BTreeSet<usize>,
    /// Without the name of the file.
    arguments: Vec<OsString>,
    /// Where it is known which contents are formatted; `None` where that depends on more than one
    /// file, or must not be kept.
    results: Option<Results>,
    /// Files that are formatted as they are on disk, by the word of a run over many files.
    pub(super) clean: BTreeSet<usize>,
}

/// What is known of single contents.
struct Results {
    pack: Pack,
    common: Fingerprint,
    max_age: Option<Duration>,
    /// Whether the formatter vouches for what it changed.
    proven: bool,
    learnt: Vec<(Fingerprint, Entry)>,
}

impl<'a> Formatters<'a> {
    /// # Errors
    /// Settings or paths that cannot be used; `ranges` that no formatter can keep to.
    pub(super) fn new(
        workspace: &'a Workspace,
        toolset: &'a Toolset,
        support: &'a Support,
        request: &Request,
        ranges: &[LineRange],
    ) -> Result<Self, Vec<UserError>> {
        let one = |error: UserError| vec![error];
        let planner = Planner::new(workspace, support, request)?;
        let mut tools: Vec<(&ActiveTool, &FixDecl)> = toolset
            .active
            .iter()
            .filter_map(|tool| Some((tool, tool.spec.fix.as_ref()?)))
            .collect();
        tools.sort_by_key(|(_, fix)| fix.stage);
        if !ranges.is_empty() {
            // Some lines are formatted by whoever can; imports are a matter of the whole file.
            tools.retain(|(_, fix)| !fix.range_args.is_empty());
            if tools.is_empty() {
                let what = "the project's formatters cannot format a range of lines";
                return Err(one(UserError::new(what).hint("leave out `--range`")));
            }
        }
        let mut list = Vec::new();
        for (tool, fix) in tools {
            list.push(formatter(tool, fix, &planner, workspace, request, ranges).map_err(one)?);
        }
        Ok(Self {
            workspace,
            list,
            workers: workers(request, workspace).map_err(one)?,
            slots: request.jobs.or(workspace.settings.jobs).unwrap_or_else(cores),
            support,
            timeout: request.timeout.or(workspace.settings.timeout),
        })
    }

    /// The process that formats `content` as the file at `path`.
    pub(super) fn job(&self, at: usize, id: usize, path: &RelPath, content: Vec<u8>) -> Job {
        let Formatter { tool, arguments, .. } = &self.list[at];
        let env = &tool.spec.command.env;
        Job {
            id,
            program: tool.resolved.executable().to_owned(),
            args: arguments.iter().map(|argument| with_path(argument, path)).collect(),
            cwd: self.workspace.root.clone(),
            env: env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            stdin: Some(content),
            timeout: tool.settings.timeout.or(self.timeout),
            expected: Duration::ZERO,
            slots: 1,
            python: python_job(tool, self.support),
        }
    }

    /// Whether a file with this content is known to be formatted.
    pub(super) fn is_known(&self, at: usize, file: usize, content: &ContentHash) -> bool {
        let Some(results) = &self.list[at].results else { return false };
        let entry = results.pack.get(&self.key(results, file, content));
        let workspace = self.workspace;
        let validity = Validity::new(&workspace.states, &workspace.root, results.max_age);
        entry.is_some_and(|entry| validity.holds(&entry) && entry.findings.is_empty())
    }

    /// Notes what the formatter made of `before`.
    pub(super) fn learn(
        &mut self,
        at: usize,
        file: usize,
        before: &[u8],
        after: &[u8],
        cost: Duration,
    ) {
        let Some(results) = &self.list[at].results else { return };
        if before != after && !results.proven {
            return;
        }
        let key = self.key(results, file, &ContentHash::of(after));
        let entry = Entry {
            findings: Vec::new(),
            tests: Vec::new(),
            cost,
            stored: seconds_now(),
            inputs: Vec::new(),
        };
        if let Some(results) = &mut self.list[at].results {
            results.learnt.push((key, entry));
        }
    }

    /// Keeps what was learnt. A cache that cannot be written costs time only.
    pub(super) fn store(&mut self) {
        for results in self.list.iter_mut().filter_map(|formatter| formatter.results.as_mut()) {
            let learnt = std::mem::take(&mut results.learnt);
            if !learnt.is_empty()
                && let Err(error) = results.pack.add(&learnt, &[])
            {
                log::warn!("{error}");
            }
        }
        if self.workspace.cache_use != CacheUse::Off
            && let Err(error) = self.workspace.states.save()
        {
            log::warn!("{error}");
        }
    }

    fn key(&self, results: &Results, file: usize, content: &ContentHash) -> Fingerprint {
        file_key(&results.common, &self.workspace.files.files[file], content)
    }
}

fn formatter<'a>(
    tool: &'a ActiveTool,
    fix: &'a FixDecl,
    planner: &Planner<'_>,
    workspace: &Workspace,
    request: &Request,
    ranges: &[LineRange],
) -> Result<Formatter<'a>, UserError> {
    let arguments = planner.options(tool, &leading(fix, ranges))?.actual;
    // Files that the key of every unit holds are not looked at when there is but one text.
    let whole = !matches!(request.content, Content::Buffer(_))
        || (tool.settings.inputs.is_empty() && tool.spec.key.files.is_empty());
    let keeps = tool.settings.cache && workspace.cache_use == CacheUse::ReadWrite;
    let plan = planner.plan(tool)?;
    let is_kept = whole && keeps && ranges.is_empty() && plan.scope == Scope::File;
    let results = is_kept.then(|| Results {
        pack: workspace.store.pack(&plan.pack),
        common: plan.pack,
        max_age: max_age(tool),
        proven: is_proven(tool, fix),
        learnt: Vec::new(),
    });
    Ok(Formatter {
        tool,
        files: planner.files(tool)?.into_iter().collect(),
        arguments,
        results,
        clean: BTreeSet::new(),
    })
}

/// What the command line begins with: `stdin-args`, the ranges before the first option.
fn leading(fix: &FixDecl, ranges: &[LineRange]) -> Vec<String> {
    let (subcommand, options) =
        fix.stdin_args.split_at(fix.stdin_args.iter().take_while(|a| !a.starts_with('-')).count());
    let mut arguments = subcommand.to_vec();
    for range in ranges {
        let after = range.end.saturating_add(1).to_string();
        arguments.extend(fix.range_args.iter().map(|argument| {
            let argument = argument.replace("{start}", &range.start.to_string());
            argument.replace("{end}", &range.end.to_string()).replace("{after}", &after)
        }));
    }
    arguments.extend_from_slice(options);
    arguments
}

/// Whether the formatter made sure that it would leave its own result alone.
fn is_proven(tool: &ActiveTool, fix: &FixDecl) -> bool {
    let is_set = |name: &String| {
        let argument = format!("--{name}");
        tool.config.get(name).is_some() || tool.settings.args.contains(&argument)
    };
    fix.proves_result && !fix.unproven_with.iter().any(is_set)
}

/// The argument with the file's path in the place of `{path}`.
fn with_path(argument: &OsString, path: &RelPath) -> OsString {
    let Some((before, after)) = argument.to_str().and_then(|text| text.split_once("{path}")) else {
        return argument.clone();
    };
    let mut filled = OsString::from(before);
    filled.push(path.to_path());
    filled.push(after);
    filled
}
