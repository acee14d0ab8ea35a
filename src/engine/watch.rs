//! Checks again and again: whether there is anything new to check since the last time.

use std::collections::{BTreeMap, BTreeSet};

use super::request::Request;
use super::workspace::Workspace;
use crate::error::UserError;
use crate::exec::cancel::CancelToken;
use crate::hash::ContentHash;
use crate::paths::RelPath;
use crate::project::watch::{Wake, Watcher};

/// Extensions of files that people edit. Others that change with every check are written by it.
const EDITED: [&str; 7] = ["py", "pyi", "toml", "cfg", "ini", "txt", "md"];

/// What the project's files hold at one moment.
type Contents = BTreeMap<RelPath, (Option<ContentHash>, bool)>;

/// A project that is watched.
pub struct Watch {
    request: Request,
    watcher: Watcher,
    /// As of the last look.
    contents: Contents,
    /// What changed while the last check ran.
    during_last: BTreeSet<RelPath>,
    /// Whether the last look came to nothing.
    is_blind: bool,
}

impl Watch {
    /// Begins to watch the project that `request` names.
    ///
    /// # Errors
    /// Mistakes in settings or in the request; a system that does not watch.
    pub fn begin(request: &Request) -> Result<Self, Vec<UserError>> {
        let workspace = super::open(request)?;
        let root = &workspace.root;
        let watcher =
            Watcher::new(root, workspace.site.repository.is_some()).map_err(|e| refused(&e))?;
        let mut watch = Self {
            request: request.clone(),
            watcher,
            contents: Contents::new(),
            during_last: BTreeSet::new(),
            is_blind: false,
        };
        watch.watcher.follow(&workspace.files).map_err(|e| refused(&e))?;
        // What came between the listing and the watching.
        watch.look()?;
        Ok(watch)
    }

    /// Number of the project's files.
    pub fn files(&self) -> usize {
        self.contents.len()
    }

    /// To be called when a check is over: what changed while it ran, and is no work of its own.
    ///
    /// # Errors
    /// As for [`Watch::begin`].
    pub fn checked(&mut self) -> Result<Vec<RelPath>, Vec<UserError>> {
        let changed: BTreeSet<RelPath> = self.look()?.into_iter().collect();
        let news = news(&changed, &self.during_last);
        self.during_last = changed;
        Ok(news)
    }

    /// Waits until the content of some file changes, and tells which. `None`: cancelled.
    ///
    /// # Errors
    /// As for [`Watch::begin`].
    pub fn wait(&mut self, cancel: &CancelToken) -> Result<Option<Vec<RelPath>>, Vec<UserError>> {
        loop {
            match self.watcher.wait(&|| !cancel.is_cancelled()).map_err(|e| refused(&e))? {
                Wake::GivenUp => return Ok(None),
                Wake::Touched => {
                    // What can be read again is checked, changed or not.
                    let was_blind = std::mem::replace(&mut self.is_blind, true);
                    let changed = self.look()?;
                    self.is_blind = false;
                    if was_blind || !changed.is_empty() {
                        self.during_last.clear();
                        return Ok(Some(changed));
                    }
                }
            }
        }
    }

    /// Looks at the project anew: which files changed, came or went since the last look.
    fn look(&mut self) -> Result<Vec<RelPath>, Vec<UserError>> {
        let workspace = super::open(&self.request)?;
        self.watcher.follow(&workspace.files).map_err(|e| refused(&e))?;
        let now = contents(&workspace);
        if let Err(error) = workspace.states.save() {
            log::warn!("{error}");
        }
        let changed = differences(&self.contents, &now);
        self.contents = now;
        Ok(changed)
    }
}

fn contents(workspace: &Workspace) -> Contents {
    let files = workspace.files.files.iter().zip(&workspace.hashes);
    files.map(|(file, hash)| (file.path.clone(), (*hash, file.stat.is_executable()))).collect()
}

fn differences(before: &Contents, after: &Contents) -> Vec<RelPath> {
    let changed = after.iter().filter(|(path, content)| before.get(*path) != Some(*content));
    let gone = before.keys().filter(|path| !after.contains_key(*path));
    let mut paths: Vec<RelPath> = changed.map(|(path, _)| path.clone()).collect();
    paths.extend(gone.cloned());
    paths.sort_unstable();
    paths
}

/// Of what changed during a check, that which is to be checked. A file that people do not edit and
/// that also changed during the check before is one that checking writes.
fn news(changed: &BTreeSet<RelPath>, before: &BTreeSet<RelPath>) -> Vec<RelPath> {
    let is_own = |path: &RelPath| !path.has_extension(&EDITED) && before.contains(path);
    changed.iter().filter(|path| !is_own(path)).cloned().collect()
}

fn refused(error: &notify::Error) -> Vec<UserError> {
    let told = UserError::new(format!("the project cannot be watched: {error}"));
    let hint = match error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            "let the system watch more folders: raise fs.inotify.max_user_watches"
        }
        _ => "run `pyqa check` by hand, or name a smaller project with `--root`",
    };
    vec![told.hint(hint)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(paths: &[&str]) -> BTreeSet<RelPath> {
        paths.iter().map(|path| (*path).into()).collect()
    }

    #[test]
    fn what_every_check_writes_is_no_news_and_an_edit_always_is() {
        assert_eq!(news(&set(&[".coverage"]), &set(&[])), [".coverage".into()]);
        assert!(news(&set(&[".coverage"]), &set(&[".coverage"])).is_empty());
        assert_eq!(news(&set(&["a.py"]), &set(&["a.py"])), ["a.py".into()]);
    }

    #[test]
    fn files_that_changed_came_or_went_differ() {
        let contents = |files: &[(&str, u8)]| -> Contents {
            files
                .iter()
                .map(|(path, n)| ((*path).into(), (Some(ContentHash([*n; 32])), false)))
                .collect()
        };
        let before = contents(&[("a", 1), ("b", 1), ("c", 1)]);
        let after = contents(&[("a", 1), ("b", 2), ("d", 1)]);
        assert_eq!(differences(&before, &after), ["b".into(), "c".into(), "d".into()]);
    }
}
