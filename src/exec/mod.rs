//! Processes and workers.

pub mod job;
