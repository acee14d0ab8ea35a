//! What systems do differently with processes.

#[cfg(unix)]
mod unix;
#[cfg(not(unix))]
mod windows;

#[cfg(unix)]
pub(super) use unix::{Group, Guard, end_of};
#[cfg(not(unix))]
pub(super) use windows::{Group, Guard, end_of};
