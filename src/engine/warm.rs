//! Which of a tool's jobs may run warm, and what has to be imported for them.

use super::request::Request;
use super::toolset::ActiveTool;
use super::workspace::Workspace;
use crate::error::UserError;
use crate::exec::driver::{PythonJob, Support};
use crate::exec::job::{Company, Preload};
use crate::exec::worker::{Mode, Workers};
use crate::tools::resolve::Program;

/// The warm processes that a run may use, as request and settings want them.
///
/// # Errors
/// A variable whose value means nothing.
pub fn workers(request: &Request, workspace: &Workspace) -> Result<Workers, UserError> {
    let mode = Mode::of(&request.variables, workspace.settings.workers)?;
    Ok(Workers::new(mode, &request.variables))
}

/// How the tool is called, if it is a Python function. Such a job runs in a warm process where
/// [`Workers`] can have it.
pub fn python_job(tool: &ActiveTool, support: &Support) -> Option<PythonJob> {
    let Program::Entry(entry) = &tool.resolved.program else { return None };
    Some(PythonJob {
        entry: entry.clone(),
        driver: support.driver(),
        report: None,
        shard: None,
        reads: None,
        helper: helper(tool),
        preload: preload(tool),
    })
}

/// `None`: the tool is called as it is. What pyqa does in its place is known to be the same in the
/// tested versions alone.
fn helper(tool: &ActiveTool) -> Option<String> {
    let named = tool.spec.worker.as_ref()?.helper.clone()?;
    tool.spec.tested.contains(&tool.resolved.version).then_some(named)
}

/// `None`: the tool does not run warm. A plugin that is not known may do anything when it is
/// imported, so that only the tool itself imports it, in the job. Code that changes without being
/// installed anew is not kept either.
fn preload(tool: &ActiveTool) -> Option<Preload> {
    if tool.resolved.code.is_some() {
        return None;
    }
    let spec = &tool.spec;
    let declared = spec.worker.as_ref()?;
    let known = |name: &str| spec.key.per_file_plugins.iter().any(|plugin| plugin == name);
    let (plugins, unknown): (Vec<&str>, Vec<&str>) =
        tool.resolved.plugins.iter().map(|(name, _)| name.as_str()).partition(|name| known(name));
    if declared.imports_plugins {
        let importable = unknown.is_empty();
        return importable.then(|| Preload {
            modules: declared.modules.clone(),
            plugins: Vec::new(),
            groups: Vec::new(),
            unwatched: spec.key.command_line_only.clone(),
            environment: tool.resolved.environment.fingerprint,
            company: company(tool),
        });
    }
    let own = spec.package.as_deref().filter(|_| !spec.key.plugin_groups.is_empty());
    Some(Preload {
        modules: declared.modules.clone(),
        plugins: own.into_iter().chain(plugins).map(str::to_owned).collect(),
        groups: spec.key.plugin_groups.clone(),
        unwatched: spec.key.command_line_only.clone(),
        environment: tool.resolved.environment.fingerprint,
        company: company(tool),
    })
}

fn company(tool: &ActiveTool) -> Company {
    if tool.spec.key.record_reads {
        Company::Recording
    } else if tool.resolved.imports_sources {
        Company::Own(tool.spec.name.to_string())
    } else {
        Company::Common
    }
}
