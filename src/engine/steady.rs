//! Whether what a run went by is still there when it is over: settings, environment, the further
//! files of the key. A tool reads its settings after pyqa did, so that a result may belong to
//! others than those of its key.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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
    environments: Installed,
}

impl<'a> Afterwards<'a> {
    pub fn new(workspace: &'a Workspace, planner: &'a Planner<'a>) -> Self {
        let (documents, environments) = (Documents::default(), Installed::default());
        Self { workspace, planner, documents, environments }
    }

    /// Whether a result of `tool` made under `key` may be stored under it.
    pub fn is_steady(&self, tool: &ActiveTool, key: &CommonKey) -> bool {
        self.has_settings_of(tool)
            && tool.environments().all(|environment| self.has(environment))
            && self.planner.common(tool).is_ok_and(|again| again == *key)
    }

    fn has_settings_of(&self, tool: &ActiveTool) -> bool {
        let places = Places { documents: &self.documents, ..self.workspace.places() };
        config(&tool.spec, self.workspace, &places).is_ok_and(|(again, _)| again == tool.config)
    }

    fn has(&self, environment: &Environment) -> bool {
        let interpreter = &environment.interpreter.executable;
        let look = || self.workspace.fingerprint_now(interpreter);
        self.environments.is_still(interpreter, environment.fingerprint, look)
    }
}

/// By interpreter, what stands now for what is installed for it. Two tools may have come to know
/// one interpreter in two states, of which at most one is that of now.
#[derive(Default)]
struct Installed(RefCell<BTreeMap<PathBuf, Option<Fingerprint>>>);

impl Installed {
    /// Whether `known` stands for what is installed now. Looks once for each interpreter.
    fn is_still(
        &self,
        interpreter: &Path,
        known: Fingerprint,
        look: impl FnOnce() -> Option<Fingerprint>,
    ) -> bool {
        let mut all = self.0.borrow_mut();
        let now = all.entry(interpreter.to_owned()).or_insert_with(look);
        *now == Some(known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_s_environment_is_compared_with_one_look_at_the_interpreter() {
        let state = |name: &str| Fingerprint::of_path("state of an environment", Path::new(name));
        let (earlier, now) = (state("earlier"), state("now"));
        for order in [[earlier, now], [now, earlier]] {
            let (installed, looks) = (Installed::default(), RefCell::new(0));
            let is_still = |known| {
                let look = || {
                    *looks.borrow_mut() += 1;
                    Some(now)
                };
                installed.is_still(Path::new("python"), known, look)
            };
            assert_eq!(order.map(is_still), order.map(|known| known == now));
            assert_eq!(*looks.borrow(), 1);
        }
    }

    #[test]
    fn an_interpreter_that_does_not_answer_any_more_holds_nothing() {
        let known = Fingerprint::of_path("state of an environment", Path::new("earlier"));
        assert!(!Installed::default().is_still(Path::new("python"), known, || None));
    }
}
