//! Mends staged content: the tools work in a snapshot, and what they change goes into the index
//! and, where that loses nothing, into the work tree.

use std::collections::BTreeMap;
use std::fs;

use super::fix::{Fixers, fix_in};
use super::open_until;
use super::request::{Content, Place, Request};
use crate::error::UserError;
use crate::event::Event;
use crate::exec::cancel::CancelToken;
use crate::git::restage::{Fix, Restaged};
use crate::paths::RelPath;

/// Mends the staged files that `request` selects.
///
/// # Errors
/// As for [`check`](super::check), and what git says where it cannot write the index.
pub fn mend(
    request: &Request,
    fixers: Fixers,
    cancel: &CancelToken,
    on: &mut dyn FnMut(Event),
) -> Result<Vec<Restaged>, Vec<UserError>> {
    let request = Request { content: Content::Staged, place: Place::Snapshot, ..request.clone() };
    let workspace = open_until(&request, cancel)?;
    let told = |errors| workspace.told(errors);
    workspace.site.prepare_for_programs().map_err(|error| told(vec![error]))?;
    let selected = workspace.site.selected.iter().flatten();
    // A link is what it is; what it leads to is another file.
    let is_file = |path: &&RelPath| {
        let found = workspace.files.find(path).map(|at| &workspace.files.files[at]);
        found.is_some_and(|file| file.link.is_none())
    };
    let read = |path: &RelPath| fs::read(path.below(&workspace.root)).ok();
    let before: BTreeMap<&RelPath, Vec<u8>> =
        selected.filter(is_file).filter_map(|path| Some((path, read(path)?))).collect();
    fix_in(&workspace, &request, fixers, cancel, on).map_err(told)?;
    if cancel.is_cancelled() {
        return Ok(Vec::new());
    }
    let changed = before
        .into_iter()
        .filter_map(|(path, before)| {
            let after = read(path)?;
            (after != before).then(|| Fix { path: workspace.site.from_top(path), before, after })
        })
        .collect();
    workspace.site.restage(changed).map_err(|error| told(vec![error]))
}
