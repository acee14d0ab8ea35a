//! Tests with the real binary, the real tools and real git. One file per area.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

mod architecture;
mod baseline;
mod cache;
#[cfg(unix)]
mod cache_inputs;
#[cfg(unix)]
mod cache_place;
mod check;
mod differential;
mod exec;
#[cfg(unix)]
mod format;
mod fuzz;
#[cfg(unix)]
mod hook;
mod provision;
mod settings;
mod support;
mod workers;
