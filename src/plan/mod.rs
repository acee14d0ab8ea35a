//! Which work follows from files, settings and tools, and the key of each piece.

pub mod batch;
pub mod command;
pub mod key;
pub mod parts;
pub mod unit;
