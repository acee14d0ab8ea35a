//! Whether what a run went by is still there when it is over: settings, environment, the further
//! files of the key. A tool reads its settings after pyqa did, so that a result may belong to
//! others than those of its key.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::planning::Planner;
use super::toolset::{ActiveTool, config};
use super::workspace::Workspace;
use crate::config::documents::Documents;
use crate::config::lookup::Places;
use crate::plan::key::CommonKey;
use crate::project::environment::Environment;

/// The project after the tools have run. What several of them went by is looked at once.
pub struct Afterwards<'a> {
    workspace: &'a Workspace,
    planner: &'a Planner<'a>,
    documents: Documents,
    environments: Looks<Environment>,
}

impl<'a> Afterwards<'a> {
    pub fn new(workspace: &'a Workspace, planner: &'a Planner<'a>) -> Self {
        let (documents, environments) = (Documents::default(), Looks::default());
        Self { workspace, planner, documents, environments }
    }

    /// Whether a result of `tool` made under `key` may be stored under it.
    pub fn is_steady(&self, tool: &ActiveTool, key: &CommonKey) -> bool {
        let resolved = &tool.resolved;
        let is_still =
            |now: &Environment| resolved.is_still(&tool.spec, now, &self.workspace.states);
        self.has_settings_of(tool)
            && self.now(&resolved.environment).is_some_and(|now| is_still(&now))
            && tool.environments().skip(1).all(|environment| self.has(environment))
            && self.planner.common(tool).is_ok_and(|again| again == *key)
    }

    fn has_settings_of(&self, tool: &ActiveTool) -> bool {
        let places = Places { documents: &self.documents, ..self.workspace.places() };
        config(&tool.spec, self.workspace, &places).is_ok_and(|(again, _)| again == tool.config)
    }

    fn has(&self, environment: &Environment) -> bool {
        self.now(environment).is_some_and(|now| now.fingerprint == environment.fingerprint)
    }

    /// What the environment is now. Two tools may have come to know one interpreter in two states, of
    /// which at most one is that of now.
    fn now(&self, environment: &Environment) -> Option<Rc<Environment>> {
        let interpreter = &environment.interpreter.executable;
        self.environments.get(interpreter, || self.workspace.environment_now(interpreter))
    }
}

/// By path, what was found there, which may be nothing.
struct Looks<T>(RefCell<BTreeMap<PathBuf, Option<Rc<T>>>>);

impl<T> Default for Looks<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<T> Looks<T> {
    /// Looks once for each path.
    fn get(&self, path: &Path, look: impl FnOnce() -> Option<T>) -> Option<Rc<T>> {
        let mut all = self.0.borrow_mut();
        all.entry(path.to_owned()).or_insert_with(|| look().map(Rc::new)).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_place_is_looked_at_once_whatever_is_found() {
        for found in [Some(1), None] {
            let (looks, count) = (Looks::default(), RefCell::new(0));
            let get = || {
                looks.get(Path::new("python"), || {
                    *count.borrow_mut() += 1;
                    found
                })
            };
            assert_eq!([get(), get()].map(|found| found.as_deref().copied()), [found, found]);
            assert_eq!(*count.borrow(), 1);
        }
    }
}
