//! Whether what a run went by is still there when it is over: settings, environment, the further
//! files of the key. A tool reads its settings after pyqa did, so that a result may belong to
//! others than those of its key.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::planning::Planner;
use super::toolset::{ActiveTool, config};
use super::workspace::Workspace;
use crate::config::documents::Documents;
use crate::config::lookup::Places;
use crate::hash::Fingerprint;
use crate::plan::key::CommonKey;
use crate::project::environment::Environment;

/// The project after the tools have run. What several of them went by is looked at once.
pub struct Afterwards<'a> {
    workspace: &'a Workspace,
    planner: &'a Planner<'a>,
    documents: Documents,
    /// By interpreter: what stands now for what is installed for it.
    environments: RefCell<BTreeMap<PathBuf, Option<Fingerprint>>>,
}

impl<'a> Afterwards<'a> {
    pub fn new(workspace: &'a Workspace, planner: &'a Planner<'a>) -> Self {
        let (documents, environments) = (Documents::default(), RefCell::default());
        Self { workspace, planner, documents, environments }
    }

    /// Whether a result of `tool` made under `key` may be stored under it.
    pub fn is_steady(&self, tool: &ActiveTool, key: &CommonKey) -> bool {
        let looked_into = tool.resolved.looks_into.as_ref().map(|(environment, _)| environment);
        self.has_settings_of(tool)
            && self.has(&tool.resolved.environment)
            && looked_into.is_none_or(|environment| self.has(environment))
            && self.planner.common(tool).is_ok_and(|again| again == *key)
    }

    fn has_settings_of(&self, tool: &ActiveTool) -> bool {
        let places = Places { documents: &self.documents, ..self.workspace.places() };
        config(&tool.spec, self.workspace, &places).is_ok_and(|(again, _)| again == tool.config)
    }

    fn has(&self, environment: &Environment) -> bool {
        let interpreter = &environment.interpreter.executable;
        let mut known = self.environments.borrow_mut();
        let now = known.entry(interpreter.clone());
        let now = now.or_insert_with(|| self.workspace.fingerprint_now(interpreter));
        *now == Some(environment.fingerprint)
    }
}
