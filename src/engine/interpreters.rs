//! Interpreters that a tool's settings name (`python_executable` of mypy): [`interpreters`].

use std::path::PathBuf;
use std::sync::Arc;

use super::options::{all_arguments, option_values};
use super::toolset::ActiveTool;
use super::workspace::{Workspace, load_environment};
use crate::project::environment::Environment;

/// What is installed for each interpreter that the settings or the arguments of `tool` name. One that
/// does not answer has nothing.
pub(super) fn interpreters(tool: &ActiveTool, workspace: &Workspace) -> Vec<Arc<Environment>> {
    let load = |python: PathBuf| {
        load_environment(&python, &workspace.site, &workspace.variables, &workspace.states)
            .map_err(|error| log::warn!("{}: {error}", python.display()))
            .ok()
    };
    named(tool, workspace).into_iter().filter_map(load).map(Arc::new).collect()
}

fn named(tool: &ActiveTool, workspace: &Workspace) -> Vec<PathBuf> {
    let keys = &tool.spec.key.interpreters_from;
    if keys.is_empty() {
        return Vec::new();
    }
    let variables = &workspace.variables;
    let arguments = all_arguments(&tool.settings.args, &workspace.root);
    let mut names: Vec<String> = Vec::new();
    for key in keys {
        names.extend(option_values(&arguments, key).map(str::to_owned));
        names.extend(
            tool.configs()
                .filter_map(|config| Some(tool.expanded(config.text(key)?, config, variables))),
        );
    }
    // As the tool starts it: from the root, and by `PATH` where it is only a name.
    let path = variables.get("PATH");
    names.sort();
    names.dedup();
    names.iter().filter_map(|name| which::which_in(name, path, &workspace.root).ok()).collect()
}
