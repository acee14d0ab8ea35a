//! Where settings come from: files, their syntax, who reads them, and what pyqa makes of them.

pub mod dependencies;
pub mod documents;
pub mod handover;
pub mod ini;
pub mod lookup;
pub mod model;
pub mod preset;
pub mod pyqa;
pub mod root;
pub mod source;
pub mod toml;
