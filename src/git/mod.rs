//! git: what is tracked.

pub mod tracked;
