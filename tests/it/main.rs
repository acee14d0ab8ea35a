//! Tests with the real binary, the real tools and real git. One file per area.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

mod architecture;
mod baseline;
mod cache;
mod check;
mod differential;
mod editors;
mod exec;
#[cfg(unix)]
mod format;
#[cfg(unix)]
mod hook;
mod lsp;
mod lsp_stress;
mod provision;
mod settings;
mod support;
mod workers;
