//! What a run would do, piece by piece: `--list-units`. Tests are collected by pytest itself.

use std::path::Path;

use super::compiled::stale_source;
use super::planning::{Planner, runs_tests};
use super::recording::SideFiles;
use super::request::Request;
use super::split::Split;
use super::toolset::{ActiveTool, Toolset};
use super::warm::python_job;
use super::workspace::Workspace;
use super::{open, support};
use crate::error::UserError;
use crate::exec::cancel::CancelToken;
use crate::exec::driver::{PythonJob, Support};
use crate::exec::job::{End, Job};
use crate::exec::process;
use crate::finding::ToolId;
use crate::paths::RelPath;
use crate::plan::unit::{Scope, ToolPlan};
use crate::tools::parse::pytest::collected;

/// One piece of work.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListedUnit {
    pub tool: ToolId,
    pub piece: Piece,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Piece {
    Project,
    File(RelPath),
    /// pytest's node id.
    Test(String),
}

/// All pieces of the run, or of the shard that `request` names.
///
/// # Errors
/// What keeps the list from being whole: mistakes in settings, a missing tool, tests that cannot
/// be collected.
pub fn list(request: &Request, cancel: &CancelToken) -> Result<Vec<ListedUnit>, Vec<UserError>> {
    let workspace = open(request)?;
    let toolset = Toolset::gather(&workspace, request, &mut |_| {})?;
    if !toolset.missing.is_empty() {
        let failures = toolset.missing.iter().map(|missing| &missing.failure);
        return Err(failures
            .map(|failure| {
                let error = UserError::new(&failure.message);
                failure.hint.iter().fold(error, UserError::hint)
            })
            .collect());
    }
    let support = support(&workspace)?;
    let split = Split::load(request, &workspace)?;
    let planner = Planner::new(&workspace, &support, request)?.sharing(split.as_ref());
    let mut units = Vec::new();
    for tool in &toolset.active {
        let plan = planner.plan(tool).map_err(|error| vec![error])?;
        let pieces = if runs_tests(tool) {
            let collector = Collector { workspace: &workspace, support: &support, tool };
            collector.tests(&plan, planner.rule().as_deref(), cancel).map_err(|e| vec![e])?
        } else {
            pieces(&plan, &workspace)
        };
        let of_tool = |piece| ListedUnit { tool: plan.tool.clone(), piece };
        units.extend(pieces.into_iter().map(of_tool));
    }
    Ok(units)
}

fn pieces(plan: &ToolPlan, workspace: &Workspace) -> Vec<Piece> {
    let file = |index: &usize| Piece::File(workspace.files.files[*index].path.clone());
    match plan.scope {
        Scope::File => plan.units.iter().filter_map(|unit| unit.file.as_ref()).map(file).collect(),
        Scope::Project | Scope::AllFiles => plan.units.iter().map(|_| Piece::Project).collect(),
    }
}

/// Asks pytest for its tests.
struct Collector<'a> {
    workspace: &'a Workspace,
    support: &'a Support,
    tool: &'a ActiveTool,
}

impl Collector<'_> {
    fn tests(
        &self,
        plan: &ToolPlan,
        rule: Option<&[u8]>,
        cancel: &CancelToken,
    ) -> Result<Vec<Piece>, UserError> {
        self.workspace.site.prepare_for_programs()?;
        let side = SideFiles::new(rule).map_err(|error| {
            UserError::new(format!("no temporary file can be made: {error}"))
                .hint("free some space, or set TMPDIR to another folder")
        })?;
        let report = side.path("collected");
        let done = process::run(&self.job(plan, &side, &report), cancel);
        let whole = matches!(done.end, End::Exited(0 | 5));
        let tests = std::fs::read(&report).ok().and_then(|report| collected(&report));
        let tests = tests.filter(|_| whole).ok_or_else(|| {
            let said = [done.stdout, done.stderr].concat();
            let said = String::from_utf8_lossy(&said).trim().to_owned();
            let what = format!("{} cannot collect its tests:\n{said}", plan.tool);
            UserError::new(what).hint(format!(
                "see `pyqa check --only {}`, or leave it out with `--skip {}`",
                plan.tool, plan.tool
            ))
        })?;
        Ok(tests.into_iter().map(Piece::Test).collect())
    }

    fn job(&self, plan: &ToolPlan, side: &SideFiles, report: &Path) -> Job {
        let Self { workspace, support, tool } = self;
        let mut args = plan.arguments.with_state_folder(side.path("state").as_path());
        args.extend(["--collect-only".into(), "-q".into()]);
        let mut env: Vec<_> =
            tool.spec.command.env.iter().map(|(n, v)| (n.into(), v.into())).collect();
        let python_path = workspace.variables.get("PYTHONPATH");
        env.extend(workspace.site.variables(&support.moved(), python_path));
        if stale_source(workspace, &[tool]).is_some() {
            env.push(("PYTHONPYCACHEPREFIX".into(), side.path("bytecode").into()));
        }
        let python = python_job(tool, support).map(|python| PythonJob {
            report: Some(report.to_owned()),
            shard: side.rule(),
            ..python
        });
        Job {
            id: 0,
            program: tool.resolved.executable().to_owned(),
            args,
            cwd: workspace.root.clone(),
            env,
            stdin: None,
            timeout: tool.settings.timeout.or(workspace.settings.timeout),
            expected: std::time::Duration::ZERO,
            slots: 1,
            python,
        }
    }
}
