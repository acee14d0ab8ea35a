//! What a run leaves behind for later ones, as far as nothing moved meanwhile.

use super::launch::seen_now;
use super::{Run, rate_key};
use crate::cache::entry::{ExtraInput, InputState};
use crate::cache::inputs::LastInput;
use crate::cache::tool_state::ToolState;
use crate::dropped::dropped;
use crate::engine::execute::Task;
use crate::engine::lookup::{Found, Names, observe};
use crate::engine::request::CacheUse;
use crate::engine::steady::Afterwards;
use crate::event::{Event, Notice};
use crate::hash::{FileStates, Fingerprint};
use crate::paths::RelPath;
use crate::plan::unit::Scope;

impl Run<'_> {
    /// Keeps what this run learnt, as far as nothing moved meanwhile. `on` is told where it cannot.
    pub fn store(&mut self, on: &mut dyn FnMut(Event)) {
        let unchanged = self.project_is_unchanged();
        let afterwards = Afterwards::new(self.workspace, self.planner);
        let steady: Vec<bool> =
            self.tasks.iter().map(|task| self.is_steady(task, &afterwards)).collect();
        for (at, state) in std::mem::take(&mut self.states).into_iter().enumerate() {
            if let Some(state) = state
                && self.tasks[at].launch.kept.is_good()
                && let Err(error) = self.close(at, state, unchanged && steady[at])
            {
                log::warn!("{error}");
            }
        }
        let mut trouble = None;
        for ((task, found), steady) in self.tasks.iter().zip(&self.found).zip(steady) {
            if task.to_run.is_empty() || self.cache_use(task.tool) == CacheUse::Off {
                continue;
            }
            if steady && let Err(error) = self.store_task(task, found, unchanged) {
                trouble = Some(error);
            }
            if let Ok(rate) = postcard::to_stdvec(&task.rate) {
                self.workspace.states.remember(rate_key(&task.work.plan), rate);
            }
        }
        if self.workspace.cache_use != CacheUse::Off
            && let Err(error) = self.workspace.states.save()
        {
            trouble = Some(error);
        }
        if let Some(error) = trouble {
            let path = self.workspace.cache.path().display();
            let notice = Notice::warning(format!("results could not be kept in {path}: {error}"))
                .hint("free some space, or name another folder with PYQA_CACHE_DIR");
            on(Event::Notice(notice.clone()));
            self.notices.push(notice);
        }
    }

    /// Whether what the tool ran under still is what its key says.
    fn is_steady(&self, task: &Task<'_>, afterwards: &Afterwards<'_>) -> bool {
        task.to_run.is_empty()
            || self.cache_use(task.tool) == CacheUse::Off
            || afterwards.is_steady(task.tool, &task.work.plan.common)
    }

    /// Ends the use of a tool's own state. What it took from there it stands on as well.
    fn close(&mut self, at: usize, state: ToolState, unchanged: bool) -> std::io::Result<()> {
        let workspace = self.workspace;
        let work = &mut self.tasks[at].work;
        let names = Names::Modules;
        let earlier = state.beside().map(|path| ExtraInput {
            path: path.as_bytes().to_vec(),
            state: observe(&workspace.place_of(path), names, &workspace.states),
        });
        work.stands_on(earlier.collect::<Vec<_>>().into_iter());
        if !unchanged || !work.failures.is_empty() || !work.is_trusted() {
            return Ok(());
        }
        let path = |input: &ExtraInput| RelPath::from_bytes(&input.path[..]);
        let (folders, files): (Vec<_>, Vec<_>) =
            work.beside().iter().partition(|input| is_folder(input.state));
        let files = files.into_iter().map(path).map(|path| {
            let seen = seen_now(&path, workspace);
            (path, seen)
        });
        state.close(&workspace.root, files, folders.into_iter().map(path))
    }

    fn store_task(&self, task: &Task<'_>, found: &Found, unchanged: bool) -> std::io::Result<()> {
        let workspace = self.workspace;
        let plan = &task.work.plan;
        let results = task.work.to_store();
        if let Some(pack) = &found.pack {
            let kept: Vec<_> = results
                .iter()
                .filter_map(|(unit, entry)| {
                    let (file, content) = workspace.contents().file(unit.file?);
                    let holds = dropped("moved") || workspace.still_holds(file, content?);
                    holds.then(|| Some((unit.key?, (*entry).clone()))).flatten()
                })
                .collect();
            let used: Vec<Fingerprint> = plan
                .units
                .iter()
                .zip(&task.work.replayed)
                .filter_map(|(unit, entry)| entry.as_ref().and(unit.key))
                .collect();
            if !kept.is_empty() {
                pack.add(&kept, &used)?;
            }
        } else if unchanged {
            for (unit, entry) in results {
                let fits = !task.tool.spec.key.successes_only || entry.findings.is_empty();
                if let Some(key) = unit.key.filter(|_| fits) {
                    workspace.store.put_whole(&key, entry)?;
                }
            }
        }
        if !workspace.overlaid.is_empty() {
            // What was last checked is what was last on disk.
            return Ok(());
        }
        let given = if plan.scope == Scope::File { &plan.files } else { &plan.inputs };
        let files = given.iter().filter_map(|&index| {
            let (file, content) = workspace.contents().file(index);
            Some((file.path.clone(), *content?))
        });
        let beside = task.work.beside().iter().filter(|input| !is_folder(input.state));
        let input = LastInput {
            common: plan.common.parts().to_vec(),
            files: files.collect(),
            beside: beside.map(|input| RelPath::from_bytes(&input.path[..])).collect(),
        };
        workspace.last_inputs.put(&plan.tool, &input)
    }

    /// Whether a result for the project as a whole still fits what is on disk: every file is as
    /// it was when its key was made, and none came or went.
    fn project_is_unchanged(&self) -> bool {
        if dropped("moved") {
            return true;
        }
        let is_whole =
            |task: &Task<'_>| !task.to_run.is_empty() && task.work.plan.scope != Scope::File;
        if !self.tasks.iter().any(is_whole) {
            return true;
        }
        let workspace = self.workspace;
        let now = workspace.site.list_again(&workspace.files);
        let same_names = now.len() == workspace.files.len()
            && now.files.iter().zip(&workspace.files.files).all(|(a, b)| a.path == b.path);
        same_names
            && workspace.files.files.iter().zip(&workspace.hashes).all(|(file, hash)| {
                hash.as_ref().is_none_or(|hash| workspace.states.still_holds(file, hash))
            })
    }
}

fn is_folder(state: InputState) -> bool {
    matches!(state, InputState::Folder(_) | InputState::Modules(_))
}
