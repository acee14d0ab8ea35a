//! The git hook: real git, the real binary, the real tools.

mod staged;
mod support;
