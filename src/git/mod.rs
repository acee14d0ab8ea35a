//! Index, staged snapshot, changed files, hooks.
