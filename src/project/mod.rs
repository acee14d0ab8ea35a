//! What is on disk.

pub mod bytecode;
pub mod files;
pub mod stat;
