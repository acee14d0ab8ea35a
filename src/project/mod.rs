//! What is on disk.

pub mod files;
pub mod stat;
