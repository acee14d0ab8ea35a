//! Whether what a run went by is still there when it is over: settings, environment, the further
//! files of the key. A tool reads its settings after pyqa did, so that a result may belong to
//! others than those of its key.

use super::planning::Planner;
use super::toolset::ActiveTool;
use super::workspace::{Workspace, load_environment};
use crate::config::documents::Documents;
use crate::config::lookup::Places;
use crate::config::{handover, lookup};
use crate::plan::key::CommonKey;

/// Whether a result of `tool` made under `key` may be stored under it.
pub fn is_steady(
    tool: &ActiveTool,
    key: &CommonKey,
    workspace: &Workspace,
    planner: &Planner<'_>,
) -> bool {
    settings_are_the_same(tool, workspace)
        && environments_are_the_same(tool, workspace)
        && planner.common(tool).is_ok_and(|again| again == *key)
}

fn settings_are_the_same(tool: &ActiveTool, workspace: &Workspace) -> bool {
    let documents = Documents::default();
    let places = Places { documents: &documents, ..workspace.places() };
    let preset = workspace.preset.as_ref().and_then(|p| p.table(tool.spec.name.as_str()));
    let again = lookup::tool_config(&tool.spec.config, &places).and_then(|mut config| {
        let preset = preset.map(|(table, _)| table);
        handover::complete(&tool.spec.config, &mut config, preset, &places)?;
        Ok(config)
    });
    again.is_ok_and(|again| again == tool.config)
}

fn environments_are_the_same(tool: &ActiveTool, workspace: &Workspace) -> bool {
    let other = tool.resolved.looks_into.as_ref().map(|(environment, _)| environment);
    [Some(&tool.resolved.environment), other].into_iter().flatten().all(|environment| {
        let python = &environment.interpreter.executable;
        load_environment(python, &workspace.site, &workspace.variables, &workspace.states)
            .is_ok_and(|again| again.fingerprint == environment.fingerprint)
    })
}
