//! A run for a git hook.

use std::time::Instant;

use super::request::Request;
use super::{check_in, open_until};
use crate::error::UserError;
use crate::event::{Event, Outcome};
use crate::exec::cancel::CancelToken;

/// What a hook found.
pub enum Checked {
    /// The change has no files, or only deleted ones.
    Nothing,
    Run(Box<Outcome>),
}

/// Checks what is to be committed or pushed, unless it changes no file.
///
/// # Errors
/// As for [`check`](super::check).
pub fn check(
    request: &Request,
    cancel: &CancelToken,
    on: &mut dyn FnMut(Event),
) -> Result<Checked, Vec<UserError>> {
    let begun = Instant::now();
    let workspace = open_until(request, cancel)?;
    if workspace.site.selected.as_ref().is_some_and(Vec::is_empty) {
        return Ok(Checked::Nothing);
    }
    let outcome = check_in(workspace, request, cancel, begun, on);
    Ok(Checked::Run(Box::new(outcome?)))
}
