//! One run from request to outcome: the sentence that every command is a variation of.
//!
//! settings → files → tools → plan → look-up → execute what is missing → store → sift → outcome

pub mod buffer;
mod compiled;
mod conclude;
pub mod execute;
pub mod fix;
pub mod format;
pub mod hook;
mod interpreters;
pub mod loaded;
pub mod lookup;
pub mod mend;
mod named;
mod options;
pub mod planning;
pub mod reasons;
pub mod recording;
pub mod request;
pub mod run;
pub mod session;
mod shadow;
pub mod sift;
pub mod since;
pub mod site;
pub mod split;
pub mod steady;
pub mod toolset;
pub mod units;
pub mod upkeep;
pub mod warm;
pub mod watch;
pub mod work;
pub mod workspace;

use std::time::Instant;

use crate::error::UserError;
use crate::event::{Event, Outcome};
use crate::exec::cancel::CancelToken;
use crate::exec::driver::Support;
use crate::finding::ToolId;
use crate::tools::registry;
use request::{AfterFinding, BaselineUse, Content, Files, Reasons, Request, Sift};
use session::Session;
use since::BaseRun;
use site::Site;
use workspace::Workspace;

/// Checks what `request` asks for. `on` is told what happens meanwhile.
///
/// # Errors
/// Mistakes in settings or in the request, before any tool runs. What goes wrong with a tool is
/// part of the outcome.
pub fn check(
    request: &Request,
    cancel: &CancelToken,
    on: &mut dyn FnMut(Event),
) -> Result<Outcome, Vec<UserError>> {
    let begun = Instant::now();
    check_in(open_until(request, cancel)?, request, cancel, begun, on)
}

/// As [`check`], in an open workspace.
fn check_in(
    workspace: Workspace,
    request: &Request,
    cancel: &CancelToken,
    begun: Instant,
    on: &mut dyn FnMut(Event),
) -> Result<Outcome, Vec<UserError>> {
    let outcome = Session::of(workspace, request, on)?.check(request, cancel, on)?;
    Ok(Outcome { elapsed: begun.elapsed(), ..outcome })
}

/// The same tools on the content of another commit, with nothing left out. Not where the run under
/// way is on such content itself: it holds the one place that there is for it.
fn check_base(
    run: &BaseRun,
    request: &Request,
    cancel: &CancelToken,
) -> Result<Outcome, Vec<UserError>> {
    if matches!(request.content, Content::Revision(_)) {
        let what = "one commit's content is checked at a time";
        return Err(vec![UserError::new(what).hint("check the commit out first")]);
    }
    let base = Request {
        content: Content::Revision(run.commit.clone()),
        files: Files::Listed(run.files.clone()),
        paths: Vec::new(),
        only: Some(run.tools.clone()),
        skip: Vec::new(),
        after_finding: AfterFinding::GoOn,
        reasons: Reasons::Untold,
        sift: Sift { baseline: BaselineUse::Ignore, new_since: None },
        // A part of the answer would make the rest look new.
        shard: None,
        ..request.clone()
    };
    check(&base, cancel, &mut |_| {})
}

/// The project as `request` names it.
///
/// # Errors
/// As for [`check`].
pub fn open(request: &Request) -> Result<Workspace, Vec<UserError>> {
    open_until(request, &CancelToken::new())
}

/// As [`open`]; waiting for another process ends with `cancel`.
///
/// # Errors
/// As for [`check`].
pub fn open_until(request: &Request, cancel: &CancelToken) -> Result<Workspace, Vec<UserError>> {
    let known: Vec<ToolId> = registry::builtin().into_iter().map(|spec| spec.name).collect();
    let site = Site::find(request, &|| cancel.is_cancelled()).map_err(|error| vec![error])?;
    Workspace::open(request, &known, site)
}

/// pyqa's own Python files, in the cache, or where temporary files go when that cannot be written.
///
/// # Errors
/// Where neither can be written.
pub fn support(workspace: &Workspace) -> Result<Support, Vec<UserError>> {
    let elsewhere = std::env::temp_dir().join("pyqa-support");
    Support::install(&workspace.cache.support()).or_else(|_| Support::install(&elsewhere)).map_err(
        |error| {
            let what = format!("cannot write to {}: {error}", elsewhere.display());
            vec![UserError::new(what).hint("free some space, or set TMPDIR or PYQA_CACHE_DIR")]
        },
    )
}
