//! Tests with the real binary, the real tools and real git. One file per area.

#![allow(clippy::unwrap_used, reason = "a test that fails here says where")]

mod architecture;
mod baseline;
#[cfg(unix)]
mod black_proven;
mod cache;
#[cfg(unix)]
mod cache_environment;
#[cfg(unix)]
mod cache_inputs;
#[cfg(unix)]
mod cache_permissions;
#[cfg(unix)]
mod cache_place;
#[cfg(unix)]
mod cache_reads;
#[cfg(unix)]
mod cache_snapshots;
mod check;
mod ci;
mod differential;
mod editors;
mod exec;
#[cfg(unix)]
mod format;
mod fuzz;
#[cfg(unix)]
mod git_cases;
#[cfg(unix)]
mod hook;
#[cfg(unix)]
mod install;
#[cfg(target_os = "linux")]
mod killed;
mod lsp;
mod lsp_stress;
mod mypy_daemon;
mod provision;
#[cfg(target_os = "linux")]
mod ready;
#[cfg(unix)]
mod release;
mod reports;
mod rules;
mod settings;
mod shard;
mod support;
mod timings;
mod upkeep;
#[cfg(target_os = "linux")]
mod warm_mypy;
#[cfg(target_os = "linux")]
mod warm_tools;
#[cfg(unix)]
mod watch;
#[cfg(target_os = "linux")]
mod worker_access;
#[cfg(target_os = "linux")]
mod worker_spares;
mod workers;
