//! What is known of each file, tool by tool: [`Results`]. What editors are shown is made from it
//! alone.

use std::collections::BTreeMap;

use gen_lsp_types::{Diagnostic, Uri};

use super::shift::LineChange;
use crate::finding::{Finding, ToolId};
use crate::hash::ContentHash;

/// A finding and how it is shown.
#[derive(Clone, Debug)]
pub(super) struct Shown {
    /// `None` for a failure of the tool.
    pub(super) finding: Option<Finding>,
    pub(super) diagnostic: Diagnostic,
}

/// Whose word it is, and how long it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Basis {
    /// Of the text of one version: gone with the next change.
    Version,
    /// Of what is on disk: moves along with its lines until the tool has its say again.
    Disk,
}

#[derive(Debug)]
struct Answer {
    basis: Basis,
    shown: Vec<Shown>,
}

/// What all tools found in all files.
#[derive(Debug, Default)]
pub(super) struct Results(BTreeMap<String, BTreeMap<ToolId, Answer>>);

impl Results {
    /// Puts a tool's answer for a file in the place of its last.
    pub(super) fn put(&mut self, uri: &Uri, tool: &ToolId, basis: Basis, shown: Vec<Shown>) {
        let tools = self.0.entry(uri.0.clone()).or_default();
        tools.insert(tool.clone(), Answer { basis, shown });
    }

    /// Forgets what a tool said of a file; false where it had said nothing.
    pub(super) fn remove(&mut self, uri: &Uri, tool: &ToolId) -> bool {
        let Some(tools) = self.0.get_mut(&uri.0) else { return false };
        let was_there = tools.remove(tool).is_some();
        if tools.is_empty() {
            self.0.remove(&uri.0);
        }
        was_there
    }

    /// The file's text changed.
    pub(super) fn change(&mut self, uri: &Uri, moved: &[LineChange]) {
        let Some(tools) = self.0.get_mut(&uri.0) else { return };
        tools.retain(|_, answer| answer.basis == Basis::Disk);
        for answer in tools.values_mut() {
            answer.shown.retain_mut(|shown| moved.iter().all(|m| m.carry(&mut shown.diagnostic)));
        }
        if tools.is_empty() {
            self.0.remove(&uri.0);
        }
    }

    /// The file is not open any more: what is on disk counts.
    pub(super) fn close(&mut self, uri: &Uri) {
        self.change(uri, &[]);
    }

    /// Everything that is known of a file, in the order of its lines.
    pub(super) fn of(&self, uri: &Uri) -> Vec<&Shown> {
        let tools = self.0.get(&uri.0).into_iter().flatten();
        let mut all: Vec<&Shown> = tools.flat_map(|(_, answer)| &answer.shown).collect();
        all.sort_by_key(|shown| {
            let range = &shown.diagnostic.range;
            (range.start.line, range.start.character, range.end.line, range.end.character)
        });
        all
    }

    pub(super) fn diagnostics(&self, uri: &Uri) -> Vec<Diagnostic> {
        self.of(uri).into_iter().map(|shown| shown.diagnostic.clone()).collect()
    }

    /// Files of which a tool has said something on this basis.
    pub(super) fn files_of(&self, tool: &ToolId, basis: Basis) -> Vec<Uri> {
        let says = |tools: &BTreeMap<ToolId, Answer>| {
            tools.get(tool).is_some_and(|answer| answer.basis == basis)
        };
        self.0.iter().filter(|(_, tools)| says(tools)).map(|(uri, _)| Uri(uri.clone())).collect()
    }

    pub(super) fn files(&self) -> Vec<Uri> {
        self.0.keys().cloned().map(Uri).collect()
    }

    /// Forgets a file.
    pub(super) fn forget(&mut self, uri: &Uri) {
        self.0.remove(&uri.0);
    }
}

/// Names a list of diagnostics, so that the same list need not be sent again.
pub(super) fn result_id(diagnostics: &[Diagnostic]) -> String {
    let bytes = serde_json::to_vec(diagnostics).unwrap_or_default();
    ContentHash::of(&bytes).to_string()[..16].to_owned()
}
