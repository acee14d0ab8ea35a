//! Findings that are known and accepted.

pub mod fingerprint;
