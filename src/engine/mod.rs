//! One run from request to outcome: the sentence that every command is a variation of.
//!
//! settings → files → tools → plan → look-up → execute what is missing → store → sift → outcome

pub mod buffer;
pub mod execute;
pub mod fix;
pub mod format;
pub mod hook;
pub mod lookup;
pub mod planning;
pub mod reasons;
pub mod recording;
pub mod request;
pub mod run;
pub mod sift;
pub mod site;
pub mod steady;
pub mod toolset;
pub mod warm;
pub mod work;
pub mod workspace;

use std::time::Instant;

use crate::error::UserError;
use crate::event::{Event, Outcome};
use crate::exec::cancel::CancelToken;
use crate::exec::driver::Support;
use crate::exec::worker::Mode;
use crate::finding::ToolId;
use crate::tools::registry;
use planning::Planner;
use request::Request;
use run::Run;
use site::Site;
use toolset::Toolset;
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
    let workspace = open_until(request, cancel)?;
    check_in(&workspace, request, cancel, begun, on).map_err(|errors| workspace.told(errors))
}

fn check_in(
    workspace: &Workspace,
    request: &Request,
    cancel: &CancelToken,
    begun: Instant,
    on: &mut dyn FnMut(Event),
) -> Result<Outcome, Vec<UserError>> {
    let toolset = Toolset::gather(workspace, request, on)?;
    for notice in workspace.notices.iter().chain(&toolset.notices) {
        on(Event::Notice(notice.clone()));
    }
    let mode = Mode::of(&request.variables, workspace.settings.workers).map_err(|e| vec![e])?;
    let support = support(workspace)?;
    let planner = Planner::new(workspace, &support, request)?;
    let mut run = Run::new(request, workspace, &toolset, &support, &planner)?;
    run.execute(mode, cancel, on);
    run.store(on);
    let mut outcome = run.outcome(cancel, begun);
    for notice in sift::sift(&mut outcome, &request.sift) {
        on(Event::Notice(notice.clone()));
        outcome.notices.push(notice);
    }
    Ok(outcome)
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
