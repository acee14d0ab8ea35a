//! What a snapshot's folder holds, on disk: [`Record`].

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::entries::Entry;
use crate::hash::{ContentHash, Fingerprint};
use crate::paths::{RelPath, write_atomic};
use crate::project::stat::FileStat;

/// Changes with the form of the record.
const FORM: u32 = 2;

/// A file as it was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Held {
    mode: u32,
    blob: String,
    pub(super) stat: FileStat,
}

impl Held {
    pub(super) fn new(entry: &Entry, stat: FileStat) -> Self {
        Self { mode: entry.mode, blob: entry.blob.clone(), stat }
    }

    pub(super) fn is(&self, entry: &Entry) -> bool {
        self.mode == entry.mode && self.blob == entry.blob
    }
}

/// Files that are in the folder for certain.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Record {
    form: u32,
    /// Name of the folder.
    name: Vec<u8>,
    /// How git wrote them.
    pub(super) filters: Option<Fingerprint>,
    pub(super) files: BTreeMap<RelPath, Held>,
    /// Other files may be there as well.
    pub(super) untidy: bool,
}

impl Record {
    /// The record in `file`; one that knows nothing where it is missing, damaged, of another form
    /// or about a folder of another name.
    pub(super) fn read(file: &Path, name: &[u8]) -> Self {
        let read = || -> Option<Self> {
            let bytes = fs::read(file).ok()?;
            let (sum, payload) = bytes.split_at_checked(32)?;
            if ContentHash::of(payload).0 != sum {
                return None;
            }
            postcard::from_bytes(payload).ok()
        };
        read().filter(|record| record.form == FORM && record.name == name).unwrap_or_else(|| Self {
            form: FORM,
            name: name.to_vec(),
            filters: None,
            files: BTreeMap::new(),
            untidy: true,
        })
    }

    /// # Errors
    /// Those of writing.
    pub(super) fn write(&self, file: &Path) -> io::Result<()> {
        let payload = postcard::to_stdvec(self).map_err(io::Error::other)?;
        write_atomic(file, &[&ContentHash::of(&payload).0[..], &payload].concat())
    }

    /// Whether a file lies below `folder`.
    pub(super) fn has_below(&self, folder: &RelPath) -> bool {
        let first = RelPath::from_bytes([folder.as_bytes(), b"/"].concat());
        self.files.range(first..).next().is_some_and(|(path, _)| path.is_within(folder.as_bytes()))
    }
}
