//! What editors have open: [`Document`].

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use gen_lsp_types::{TextDocumentContentChangeEvent, Uri};

use super::shift::LineChange;
use super::text::{Encoding, Text};
use super::uri;
use crate::engine::workspace::resolved;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An open document.
pub(super) struct Document {
    pub(super) uri: Uri,
    pub(super) version: i32,
    pub(super) text: Text,
    /// With its folder resolved; `None`: no file of this machine.
    pub(super) path: Option<PathBuf>,
    /// The text as it is on disk, so far as is known.
    pub(super) saved: Text,
    /// How lines have moved since.
    pub(super) since_saved: Vec<LineChange>,
    /// The version that was checked to the end.
    pub(super) checked: Option<i32>,
    /// The file begins with a byte order mark, which editors keep to themselves.
    has_mark: bool,
}

impl Document {
    pub(super) fn open(uri: Uri, version: i32, text: String) -> Self {
        let path = uri::to_path(&uri).map(|path| resolved(&path));
        let text = Text::new(text);
        let on_disk = path.as_deref().and_then(|path| fs::read(path).ok()).unwrap_or_default();
        Self {
            uri,
            version,
            saved: text.clone(),
            text,
            path,
            since_saved: Vec::new(),
            checked: None,
            has_mark: on_disk.starts_with(BYTE_ORDER_MARK),
        }
    }

    /// Applies the changes in their order, and tells how lines moved.
    pub(super) fn change(
        &mut self,
        version: i32,
        changes: Vec<TextDocumentContentChangeEvent>,
        encoding: Encoding,
    ) -> Vec<LineChange> {
        self.version = version;
        let mut moved = Vec::new();
        for change in changes {
            let (start, end, new) = match change {
                TextDocumentContentChangeEvent::TextDocumentContentChangePartial(change) => {
                    let start = self.text.offset(change.range.start, encoding);
                    let end = self.text.offset(change.range.end, encoding);
                    (start.min(end), start.max(end), change.text)
                }
                TextDocumentContentChangeEvent::TextDocumentContentChangeWholeDocument(change) => {
                    (0, self.text.as_str().len(), change.text)
                }
            };
            moved.push(LineChange::new(&self.text, start, end, &new));
            self.text = self.text.replaced(start, end, &new);
        }
        self.since_saved.extend(moved.iter().copied());
        moved
    }

    pub(super) fn saved(&mut self) {
        self.saved = self.text.clone();
        self.since_saved.clear();
    }

    /// The path of a file that the tools may look at.
    pub(super) fn python(&self) -> Option<&Path> {
        let path = self.path.as_deref()?;
        let known = ["py", "pyi", "pyw"];
        path.extension().is_some_and(|e| known.iter().any(|k| e == *k)).then_some(path)
    }

    /// The bytes to check in the place of what is on disk; `None` where they are the same.
    pub(super) fn overlay(&self) -> Option<Arc<[u8]>> {
        let path = self.path.as_deref()?;
        let on_disk = fs::read(path).ok();
        let text = self.text.as_str().as_bytes();
        let bytes = if self.has_mark { [BYTE_ORDER_MARK, text].concat() } else { text.to_vec() };
        let same = match &on_disk {
            Some(on_disk) if *on_disk == bytes => true,
            // In another encoding: bytes cannot be compared, but nothing was typed since.
            Some(on_disk) => self.since_saved.is_empty() && std::str::from_utf8(on_disk).is_err(),
            None => false,
        };
        (!same).then(|| bytes.into())
    }
}
