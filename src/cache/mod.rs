//! What is kept between runs: file states and results. Nothing here can make a run fail: what is
//! missing, damaged or unwritable costs time only.

mod clock;
pub mod collect;
pub mod entry;
pub mod folder;
mod frame;
pub mod inputs;
pub mod listing;
mod newcomers;
mod records;
mod search;
pub mod states;
pub mod store;
pub mod tool_state;
pub mod unwalked;
pub mod usage;
pub mod verify;
