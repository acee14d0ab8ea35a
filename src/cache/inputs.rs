//! What each tool was last given in a checkout, kept to explain why it runs again. Written when a
//! tool has run, read only when somebody asks.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::frame::{self, Kind};
use crate::finding::ToolId;
use crate::hash::{ContentHash, Fingerprint};
use crate::paths::RelPath;

/// One tool's last input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastInput {
    /// The parts of the common key.
    pub common: Vec<(String, String)>,
    /// Content of each file, sorted by path.
    pub files: Vec<(RelPath, ContentHash)>,
    /// What the last run was seen to read beside these files.
    pub beside: Vec<RelPath>,
}

impl LastInput {
    /// What the file held then.
    pub fn content(&self, path: &RelPath) -> Option<&ContentHash> {
        let at = self.files.binary_search_by(|(p, _)| p.cmp(path)).ok()?;
        Some(&self.files[at].1)
    }
}

/// The folder of last inputs of one checkout.
#[derive(Clone, Debug)]
pub struct LastInputs {
    folder: PathBuf,
}

impl LastInputs {
    pub fn new(folder: &Path, root: &Path) -> Self {
        let name = Fingerprint::of_path("pyqa checkout", root).to_string();
        Self { folder: folder.join(name) }
    }

    pub fn get(&self, tool: &ToolId) -> Option<LastInput> {
        let payload = frame::read(&self.path(tool), Kind::Inputs)?;
        postcard::from_bytes(&payload).ok()
    }

    /// # Errors
    /// Those of writing.
    pub fn put(&self, tool: &ToolId, input: &LastInput) -> io::Result<()> {
        let payload = postcard::to_stdvec(input).expect("plain data always encodes");
        frame::write(&self.path(tool), Kind::Inputs, &payload)
    }

    fn path(&self, tool: &ToolId) -> PathBuf {
        // A tool's name comes from settings and need not be a good file name.
        self.folder.join(Fingerprint::of_path("pyqa tool", Path::new(tool.as_str())).to_string())
    }
}
