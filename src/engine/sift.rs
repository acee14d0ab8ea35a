//! What is left out of an outcome after the tools have answered: findings that the baseline
//! accepts, and those that a change has nothing to do with. Where that cannot be told, nothing is
//! left out and the run has failed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::request::{BaselineUse, Sift};
use super::since::{CheckBase, leave_out_unchanged};
use crate::baseline::file::{Baseline, Entry, FILE_NAME, today};
use crate::baseline::omit::{Omission, leave_out};
use crate::baseline::recognise::{Renames, recognise};
use crate::error::{ExitStatus, UserError};
use crate::event::{Notice, Outcome};
use crate::git::program::Git;
use crate::git::renames;
use crate::paths::RelPath;

/// Texts that are not on disk.
type Texts = BTreeMap<RelPath, Arc<[u8]>>;

/// Expired entries that are named.
const NAMED: usize = 5;

/// Whether findings may be left out of the outcome.
pub fn leaves_out(sift: &Sift, root: &Path) -> bool {
    sift.new_since.is_some()
        || (sift.baseline == BaselineUse::Apply && root.join(FILE_NAME).symlink_metadata().is_ok())
}

/// Leaves out what `sift` says. `texts` stand in the place of what is on disk. What the user should
/// know of it is returned.
pub fn sift(
    outcome: &mut Outcome,
    sift: &Sift,
    texts: &Texts,
    check_base: &mut CheckBase<'_>,
) -> Vec<Notice> {
    let mut notices = Vec::new();
    let mut errors = Vec::new();
    if sift.baseline == BaselineUse::Apply {
        match apply_baseline(outcome, texts) {
            Ok(told) => notices.extend(told),
            Err(error) => errors.push(error),
        }
    }
    if let Some(reference) = &sift.new_since {
        match leave_out_unchanged(outcome, reference, check_base) {
            Ok(told) => notices.extend(told),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        outcome.status = outcome.status.max(ExitStatus::Failure);
        notices.extend(errors.iter().map(failed));
    }
    notices
}

fn failed(error: &UserError) -> Notice {
    let notice = Notice::error(error.to_string());
    match &error.hint {
        Some(hint) => notice.hint(hint.clone()),
        None => notice,
    }
}

fn apply_baseline(outcome: &mut Outcome, texts: &Texts) -> Result<Vec<Notice>, UserError> {
    let Some(baseline) = Baseline::read(&outcome.content)? else { return Ok(Vec::new()) };
    let (renames, mut notices) = renames_of(&baseline, outcome);
    let root = outcome.content.clone();
    let read = |path: &RelPath| match texts.get(path) {
        Some(text) => Some(text.to_vec()),
        None => std::fs::read(path.below(&root)).ok(),
    };
    let today = today();
    let known = recognise(&outcome.findings, &baseline, &renames, &read);
    let reasons: Vec<Option<Omission>> = known
        .iter()
        .map(|known| {
            let entry = &baseline.entries[known.entry?];
            (!entry.has_expired(today)).then_some(Omission::Known)
        })
        .collect();
    leave_out(outcome, &reasons);
    let expired: Vec<&Entry> =
        baseline.entries.iter().filter(|entry| entry.has_expired(today)).collect();
    notices.extend(tell_expired(&expired));
    Ok(notices)
}

fn tell_expired(expired: &[&Entry]) -> Option<Notice> {
    let count = expired.len();
    let entries = if count == 1 { "entry" } else { "entries" };
    let named: Vec<String> = expired.iter().take(NAMED).map(|entry| one_line(entry)).collect();
    let rest = if count > NAMED { ", …" } else { "" };
    let message = format!("{count} {entries} of {FILE_NAME} expired: {}{rest}", named.join(", "));
    let notice = Notice::warning(message).hint(
        "mend the findings, or accept them again with `pyqa baseline write --expires YYYY-MM-DD`",
    );
    (count > 0).then_some(notice)
}

/// `src/a.py flake8 E501 (2026-12-31, reason)`
fn one_line(entry: &Entry) -> String {
    let place = entry.test.clone().or_else(|| entry.path.as_ref().map(ToString::to_string));
    let code = entry.code.as_deref().unwrap_or_default();
    let day = entry.expires.map(|day| day.to_string());
    let why: Vec<String> = day.into_iter().chain(entry.reason.clone()).collect();
    let parts = [place.unwrap_or_default(), entry.tool.to_string(), code.to_owned()];
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    format!("{} ({})", parts.join(" "), why.join(", "))
}

/// The renames of files that the baseline speaks of and that are gone. Costs nothing where all
/// of them are there.
pub fn renames_of(baseline: &Baseline, outcome: &Outcome) -> (Renames, Vec<Notice>) {
    let (root, top) = (&outcome.root, &outcome.repository);
    let files: BTreeSet<RelPath> = baseline.entries.iter().filter_map(Entry::file).collect();
    let is_gone = |file: &RelPath| file.below(root).symlink_metadata().is_err();
    let folder = RelPath::from_absolute(root, top).unwrap_or_else(|| "".into());
    let gone: BTreeSet<RelPath> =
        files.iter().filter(|file| is_gone(file)).map(|file| folder.join(file)).collect();
    if gone.is_empty() || !top.join(".git").exists() {
        return (Renames::new(), Vec::new());
    }
    let found = match renames::find(top, &gone) {
        Ok(found) => found,
        Err(error) => {
            let message = format!("renamed files of {FILE_NAME} are not recognised: {error}");
            return (Renames::new(), vec![Notice::warning(message)]);
        }
    };
    let lost = gone.len() - found.values().collect::<BTreeSet<_>>().len();
    let within = |path: RelPath| path.below_folder(folder.as_bytes()).map(RelPath::from_bytes);
    let renames: Renames =
        found.into_iter().filter_map(|(new, old)| Some((within(new)?, within(old)?))).collect();
    let cut = (lost > 0 && Git::at(top).is_shallow()).then(|| {
        let message = format!(
            "files of {FILE_NAME} are gone, and this clone is too shallow to tell whether they \
             were renamed"
        );
        Notice::warning(message).hint(
            "fetch the history with `git fetch --unshallow`, or `fetch-depth: 0` in the workflow",
        )
    });
    (renames, cut.into_iter().collect())
}
