//! What systems do differently with processes.

#[cfg(unix)]
mod unix;
#[cfg(not(unix))]
mod windows;

#[cfg(unix)]
pub(super) use unix::{Group, end_of, own_group};
#[cfg(not(unix))]
pub(super) use windows::{Group, end_of, own_group};
