//! What is stored of a unit of work: [`Entry`], everything needed to replay it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, TestCase};
use crate::hash::{ContentHash, Fingerprint};

/// The stored result of one unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub findings: Vec<Finding>,
    pub tests: Vec<TestCase>,
    /// What the run had cost.
    pub cost: Duration,
    /// Seconds since 1970 when it was stored.
    pub stored: u64,
    /// Things read while recording that the key does not cover; they must be as they were.
    pub inputs: Vec<ExtraInput>,
}

/// Something outside of the project's files that a run was seen to read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExtraInput {
    /// Relative to the root where it lies within, else absolute; encoded bytes.
    pub path: Vec<u8>,
    pub state: InputState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum InputState {
    File(ContentHash),
    /// The names in a folder.
    Folder(Fingerprint),
    Absent,
    /// The names in a folder that may be modules: of Python files and of folders.
    Modules(Fingerprint),
}

impl Entry {
    pub(super) fn encode(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("plain data always encodes")
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}
