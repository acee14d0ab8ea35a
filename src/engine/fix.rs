//! `--fix`: the tools that can mend do so, one after the other, so that a file never has two
//! writers. Linters come first and write themselves; formatters come last.

use std::ffi::OsString;

use super::format::{self, Purpose};
use super::planning::{Planner, file_argument};
use super::request::Request;
use super::toolset::{ActiveTool, Toolset};
use super::warm::{python_job, workers};
use super::workspace::Workspace;
use super::{open, support};
use crate::error::UserError;
use crate::event::{Event, Notice};
use crate::exec::cancel::CancelToken;
use crate::exec::driver::Support;
use crate::exec::job::{End, Job};
use crate::exec::scheduler::{Control, Progress, cores, run};
use crate::plan::batch::{Item, Rate, cut};
use crate::tools::spec::{FixDecl, Granularity, ToolSpec};

/// Mends what the tools can mend.
///
/// # Errors
/// As for [`check`](super::check). A tool that fails to mend is told by a notice; what it left
/// is found by the check that follows.
pub fn fix(
    request: &Request,
    cancel: &CancelToken,
    on: &mut dyn FnMut(Event),
) -> Result<(), Vec<UserError>> {
    lint(request, cancel, on)?;
    // What was learnt of the files before they were mended is of no use.
    let workspace = open(request)?;
    let toolset = Toolset::gather_some(&workspace, request, &format::is_formatter, on)?;
    if toolset.active.is_empty() {
        return Ok(());
    }
    let report = format::files_of(
        &workspace,
        &toolset,
        request,
        &[],
        Purpose::Write,
        cancel,
        &mut |event| {
            // The check that follows tells them too.
            if !matches!(event, Event::Notice(_)) {
                on(event);
            }
        },
    )?;
    for failure in report.failures {
        on(Event::Notice(Notice::warning(failure.message)));
    }
    Ok(())
}

/// Has the linters mend what they can.
fn lint(
    request: &Request,
    cancel: &CancelToken,
    on: &mut dyn FnMut(Event),
) -> Result<(), Vec<UserError>> {
    let workspace = open(request)?;
    let mends = |fix: &FixDecl| !fix.stage.is_format() || fix.stdin_args.is_empty();
    run_fixers(&workspace, request, &mends, cancel, on)
}

/// Which tools mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixers {
    All,
    Formatters,
}

/// Mends the files of `workspace` where they lie, one tool after the other.
///
/// # Errors
/// As for [`fix`].
pub fn fix_in(
    workspace: &Workspace,
    request: &Request,
    wanted: Fixers,
    cancel: &CancelToken,
    on: &mut dyn FnMut(Event),
) -> Result<(), Vec<UserError>> {
    let mends = |fix: &FixDecl| wanted == Fixers::All || fix.stage.is_format();
    run_fixers(workspace, request, &mends, cancel, on)
}

fn run_fixers(
    workspace: &Workspace,
    request: &Request,
    mends: &dyn Fn(&FixDecl) -> bool,
    cancel: &CancelToken,
    on: &mut dyn FnMut(Event),
) -> Result<(), Vec<UserError>> {
    let wanted = |spec: &ToolSpec| spec.fix.as_ref().is_some_and(mends);
    let toolset = Toolset::gather_some(workspace, request, &wanted, on)?;
    if toolset.active.is_empty() {
        return Ok(());
    }
    let support = support(workspace)?;
    let workers = workers(request, workspace).map_err(|error| vec![error])?;
    let planner = Planner::new(workspace, &support, request)?;
    let mut fixers: Vec<(&ActiveTool, &FixDecl)> =
        toolset.active.iter().filter_map(|tool| Some((tool, tool.spec.fix.as_ref()?))).collect();
    fixers.sort_by_key(|(_, fix)| fix.stage);
    for (tool, fix) in fixers {
        let plan = planner.plan(tool).map_err(|error| vec![error])?;
        let arguments = planner.arguments(tool, &fix.args).map_err(|error| vec![error])?.actual;
        let fixer = Fixer { workspace, support: &support, request, tool, fix };
        let jobs = fixer.jobs(&plan.files, &arguments);
        let slots = request.jobs.or(workspace.settings.jobs).unwrap_or_else(cores);
        workers.prepare(&jobs);
        run(jobs, slots, &workers, cancel, &mut |progress| {
            if let Progress::Completed(done) = progress
                && let Some(trouble) = fixer.trouble(&done.end, &done.stderr)
            {
                on(Event::Notice(trouble));
            }
            Control::Continue
        });
    }
    Ok(())
}

struct Fixer<'a> {
    workspace: &'a Workspace,
    support: &'a Support,
    request: &'a Request,
    tool: &'a ActiveTool,
    fix: &'a FixDecl,
}

impl Fixer<'_> {
    fn jobs(&self, files: &[usize], arguments: &[OsString]) -> Vec<Job> {
        let all = &self.workspace.files.files;
        let batches = match self.tool.spec.granularity {
            Granularity::Project => vec![Vec::new()],
            Granularity::File => {
                let items: Vec<Item> = files
                    .iter()
                    .map(|&index| {
                        let file = &all[index];
                        Item { bytes: file.stat.size, name: file.path.as_bytes().len() }
                    })
                    .collect();
                let rate = Rate::default();
                let start = std::time::Duration::from_secs_f64(rate.start);
                cut(&items, rate, cores(), start)
            }
        };
        batches
            .into_iter()
            .enumerate()
            .map(|(id, batch)| {
                let prefix = &self.tool.spec.files.prefix;
                let names = batch.iter().map(|&at| file_argument(prefix, &all[files[at]].path));
                self.job(id, arguments.iter().cloned().chain(names).collect())
            })
            .collect()
    }

    fn job(&self, id: usize, args: Vec<OsString>) -> Job {
        let env = &self.tool.spec.command.env;
        let limit = self.tool.settings.timeout.or(self.request.timeout);
        Job {
            id,
            program: self.tool.resolved.executable().to_owned(),
            args,
            cwd: self.workspace.root.clone(),
            env: env.iter().map(|(name, value)| (name.into(), value.into())).collect(),
            stdin: None,
            timeout: limit.or(self.workspace.settings.timeout),
            expected: std::time::Duration::ZERO,
            slots: 1,
            python: python_job(self.tool, self.support),
        }
    }

    fn trouble(&self, end: &End, stderr: &[u8]) -> Option<Notice> {
        let done = matches!(end, End::Exited(code) if self.fix.exit.contains(code));
        (!done).then(|| {
            let words = String::from_utf8_lossy(stderr);
            let words = words.trim().lines().last().unwrap_or_default();
            Notice::warning(format!("{} could not mend everything: {words}", self.tool.spec.name))
        })
    }
}
