//! What a tool is, where it is installed, how its output is read.

pub mod choose;
mod installed;
pub mod parse;
pub mod provision;
pub mod registry;
pub mod resolve;
pub mod rules;
pub mod select;
pub mod spec;
