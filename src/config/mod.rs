//! Where settings come from.

pub mod model;
pub mod source;
