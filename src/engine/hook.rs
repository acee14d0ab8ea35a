//! A run for a git hook.

use std::time::Instant;

use super::fix::Fixers;
use super::mend::mend;
use super::open_until;
use super::request::{Content, Files, Occasion, Request};
use super::session::Session;
use crate::config::model::HookFix;
use crate::error::{ExitStatus, UserError};
use crate::event::{Event, Outcome};
use crate::exec::cancel::CancelToken;
use crate::git::changes::is_nothing_to_commit;
use crate::git::push::{Base, Update, base_of, commit_of};
use crate::git::restage::Restaged;
use crate::git::worktree::WorkTree;

/// What a hook found.
pub enum Checked {
    /// The change touches no file.
    Nothing,
    /// The change touched files until it was mended: it was what a formatter takes back.
    TakenBack {
        mended: Vec<Restaged>,
        /// The commit has nothing else: it would be empty.
        is_all: bool,
    },
    Run(Box<Report>),
}

/// A run and what was mended before its last word.
pub struct Report {
    pub outcome: Outcome,
    /// What is mended in the index.
    pub mended: Vec<Restaged>,
    /// A formatter has something to change, and it is wanted to say how.
    pub suggests_fix: bool,
}

/// Checks what is to be committed, unless it changes no file; mends it first where the settings
/// say so.
///
/// # Errors
/// As for [`check`](super::check).
pub fn commit(
    request: &Request,
    cancel: &CancelToken,
    on: &mut dyn FnMut(Event),
) -> Result<Checked, Vec<UserError>> {
    let begun = Instant::now();
    let Some((mut outcome, wanted)) = run(request, cancel, begun, on)? else {
        return Ok(Checked::Nothing);
    };
    let mut mended = Vec::new();
    if wanted == Some(HookFix::Stage) && outcome.status == ExitStatus::Findings {
        mended = mend(request, Fixers::Formatters, cancel, on)?;
        if !mended.is_empty() {
            match run(request, cancel, begun, on)? {
                None => {
                    let work_tree = WorkTree::find(&request.folder, &request.variables);
                    let is_all = work_tree.and_then(|tree| is_nothing_to_commit(&tree));
                    let is_all = is_all.map_err(|error| vec![error])?;
                    return Ok(Checked::TakenBack { mended, is_all });
                }
                Some((after, _)) => outcome = after,
            }
        }
    }
    let suggests_fix = wanted == Some(HookFix::Suggest);
    Ok(Checked::Run(Box::new(Report { outcome, mended, suggests_fix })))
}

/// The outcome, and what is to be done about what a formatter would change, if it would.
fn run(
    request: &Request,
    cancel: &CancelToken,
    begun: Instant,
    on: &mut dyn FnMut(Event),
) -> Result<Option<(Outcome, Option<HookFix>)>, Vec<UserError>> {
    let workspace = open_until(request, cancel)?;
    if workspace.site.selected.as_ref().is_some_and(Vec::is_empty) {
        return Ok(None);
    }
    let fix = workspace.settings.hooks.fix;
    let mut session = Session::of(workspace, request, on)?;
    let outcome = session.check(request, cancel, on)?;
    let outcome = Outcome { elapsed: begun.elapsed(), ..outcome };
    let formatters = session.formatters();
    let is_fixable = outcome.findings.iter().any(|finding| formatters.contains(&finding.tool));
    Ok(Some((outcome, is_fixable.then_some(fix).filter(|fix| *fix != HookFix::Off))))
}

/// What became of one update of a push.
pub struct Pushed {
    /// The name on this side.
    pub name: String,
    pub checked: Checked,
}

/// Checks the content of each commit that is to be pushed, whether or not it is checked out.
/// Deletions have none; a commit that is pushed under two names is checked once.
///
/// # Errors
/// As for [`check`](super::check).
pub fn push(
    request: &Request,
    remote: &str,
    updates: &[Update],
    cancel: &CancelToken,
    on: &mut dyn FnMut(Event),
) -> Result<Vec<Pushed>, Vec<UserError>> {
    let one = |error: UserError| vec![error];
    let work_tree = WorkTree::find(&request.folder, &request.variables).map_err(one)?;
    let mut seen = Vec::new();
    let mut pushed = Vec::new();
    for update in updates {
        let Some(commit) = commit_of(&work_tree, update).map_err(one)? else { continue };
        let files = match base_of(&work_tree, remote, update, &commit).map_err(one)? {
            Base::Nothing => continue,
            Base::Commit(from) => Files::Between { from, to: commit.clone() },
            Base::Root => Files::All,
        };
        let work = (commit.clone(), files.clone());
        if seen.contains(&work) || cancel.is_cancelled() {
            continue;
        }
        seen.push(work);
        let request = Request {
            content: Content::Revision(commit),
            files,
            occasion: Occasion::Push,
            ..request.clone()
        };
        let checked = match run(&request, cancel, Instant::now(), on)? {
            None => Checked::Nothing,
            Some((outcome, _)) => {
                Checked::Run(Box::new(Report { outcome, mended: Vec::new(), suggests_fix: false }))
            }
        };
        pushed.push(Pushed { name: update.local_name.clone(), checked });
    }
    Ok(pushed)
}
