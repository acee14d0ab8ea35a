//! git: what is tracked, and what became of it.

pub mod program;
pub mod renames;
pub mod tracked;

#[cfg(test)]
mod testing;
