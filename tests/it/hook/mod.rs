//! The git hook: real git, the real binary, the real tools.

mod editable;
mod fixes;
mod push;
mod staged;
mod support;
