//! What a client can do and wants: its capabilities, and the settings that users give in their
//! editor ([`Options`]).

use std::time::Duration;

use gen_lsp_types::{ClientCapabilities, PositionEncodingKind};
use serde::Deserialize;

use super::text::Encoding;
use crate::finding::ToolId;

/// Settings of the editor, from `initializationOptions` or under `pyqa` in its configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Options {
    pub(super) diagnostics: Delivery,
    /// Milliseconds without a key before the text is checked.
    pub(super) debounce: u64,
    /// Format when the editor says that it is about to save. Most editors have a switch of their
    /// own for that.
    pub(super) format_on_save: bool,
    /// These tools and no others.
    pub(super) only: Option<Vec<String>>,
    /// Leave these tools out. Tests are run from an editor by other means.
    pub(super) skip: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            diagnostics: Delivery::Push,
            debounce: 150,
            format_on_save: false,
            only: None,
            skip: vec!["pytest".to_owned()],
        }
    }
}

/// How diagnostics come to the client. Pushed, each tool's are there as soon as the tool is done;
/// an answer to a client that asks has to wait for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Delivery {
    Push,
    Pull,
}

impl Options {
    pub(super) fn debounce(&self) -> Duration {
        Duration::from_millis(self.debounce)
    }

    pub(super) fn only(&self) -> Option<Vec<ToolId>> {
        self.only.as_ref().map(|names| names.iter().map(|name| ToolId::new(name)).collect())
    }

    pub(super) fn skip(&self) -> Vec<ToolId> {
        let only = self.only.iter().flatten();
        let wanted: Vec<&String> = only.collect();
        let skipped = self.skip.iter().filter(|name| !wanted.contains(name));
        skipped.map(|name| ToolId::new(name)).collect()
    }
}

/// What the client can do.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Client {
    pub(super) encoding: Encoding,
    pub(super) registers_watchers: bool,
    pub(super) refreshes_diagnostics: bool,
    pub(super) versions_edits: bool,
}

impl Client {
    pub(super) fn new(given: &ClientCapabilities) -> Self {
        let encodings = given.general.as_ref().and_then(|g| g.position_encodings.as_deref());
        let workspace = given.workspace.as_ref();
        let watches = workspace.and_then(|w| w.did_change_watched_files.as_ref());
        let refreshes = workspace.and_then(|w| w.diagnostics.as_ref());
        let edits = workspace.and_then(|w| w.workspace_edit.as_ref());
        Self {
            encoding: encoding(encodings.unwrap_or_default()),
            registers_watchers: watches.and_then(|w| w.dynamic_registration).unwrap_or_default(),
            refreshes_diagnostics: refreshes.and_then(|d| d.refresh_support).unwrap_or_default(),
            versions_edits: edits.and_then(|e| e.document_changes).unwrap_or_default(),
        }
    }
}

/// UTF-8 where the client knows it, since texts are kept so; UTF-16 is what every client knows.
fn encoding(offered: &[PositionEncodingKind]) -> Encoding {
    if offered.contains(&PositionEncodingKind::UTF8) {
        Encoding::Utf8
    } else if offered.contains(&PositionEncodingKind::UTF32)
        && !offered.contains(&PositionEncodingKind::UTF16)
    {
        Encoding::Utf32
    } else {
        Encoding::Utf16
    }
}
