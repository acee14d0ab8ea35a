//! Bytecode that Python would run although it was made of another source: [`stale_source`].

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::toolset::ActiveTool;
use super::workspace::Workspace;
use crate::project::bytecode::{stale_bytecode, stale_bytecode_at};
use crate::project::files::{ProjectFile, look_at};

/// The first source that one of `tools` may import and in whose place Python would run other code.
/// Looked at are the project's files, what each tool was last seen to read beside them, and the
/// sources outside of the project that its environment leads to.
pub(super) fn stale_source(workspace: &Workspace, tools: &[&ActiveTool]) -> Option<PathBuf> {
    let root = &workspace.root;
    let prefix = workspace.variables.path("PYTHONPYCACHEPREFIX");
    let beside: Vec<ProjectFile> = tools
        .iter()
        .filter_map(|tool| workspace.last_inputs.get(&tool.spec.name))
        .flat_map(|last| last.beside)
        .filter_map(|path| look_at(path, root))
        .collect();
    let files = workspace.files.files.iter().chain(&beside);
    stale_bytecode(files, root, prefix.as_deref()).map(|file| file.path.below(root)).or_else(|| {
        sources(tools).into_iter().find_map(|place| stale_bytecode_at(place, prefix.as_deref()))
    })
}

fn sources<'a>(tools: &[&'a ActiveTool]) -> BTreeSet<&'a Path> {
    let environments = tools.iter().flat_map(|tool| tool.environments());
    environments.flat_map(|environment| &environment.sources).map(PathBuf::as_path).collect()
}
