//! Quick fixes: what a tool would change, and comments that make it pass over a finding.

use std::collections::HashMap;

use gen_lsp_types::{
    CodeAction, CodeActionKind, CodeActionParams, CodeActionResponse, DocumentChange, Edit,
    OptionalVersionedTextDocumentIdentifier, Range, TextDocumentEdit, TextDocumentIdentifier,
    TextEdit, Uri, WorkspaceEdit,
};
use lsp_server::{Request, Response};

use super::document::Document;
use super::format::Wish;
use super::messages::{answer, parameters};
use super::results::Shown;
use super::server::Server;
use super::text::{Encoding, Text};
use crate::finding::ToolId;
use crate::report::edits::edits;

impl Server<'_> {
    pub(super) fn actions(&mut self, request: &Request) -> Result<(), Box<Response>> {
        let params: CodeActionParams = parameters(request)?;
        let mut actions = Vec::new();
        let uri = &params.text_document.uri;
        let wanted = params.context.only.as_deref();
        if let Some((kind, tool)) = self.whole_file(uri, wanted.unwrap_or_default()) {
            let wish = Wish::Action(kind);
            self.start_format(request.id.clone(), uri, Vec::new(), wish, tool);
            return Ok(());
        }
        let is_wanted = |kind: &CodeActionKind| {
            wanted.is_none_or(|wanted| wanted.iter().any(|wanted| includes(wanted, kind)))
        };
        if let Some(document) = self.document(uri)
            && is_wanted(&CodeActionKind::QuickFix)
        {
            let shown = self.results.of(&document.uri).into_iter();
            for shown in shown.filter(|shown| touches(&shown.diagnostic.range, &params.range)) {
                actions.extend(self.fix(document, shown));
                actions.extend(self.silence(document, shown));
            }
        }
        let actions: Vec<CodeActionResponse> =
            actions.into_iter().map(CodeActionResponse::CodeAction).collect();
        self.send(answer(request.id.clone(), &actions));
        Ok(())
    }

    /// An action on the file as a whole, for a client that asks for one of that kind and nothing
    /// else: it takes a formatter's time.
    fn whole_file(
        &self,
        uri: &Uri,
        wanted: &[CodeActionKind],
    ) -> Option<(CodeActionKind, Option<ToolId>)> {
        let [wanted] = wanted else { return None };
        let document = self.document(uri)?;
        let folder = self.projects.folder_of(document.python()?)?;
        let asks_for = |kind: CodeActionKind| includes(wanted, &kind);
        if asks_for(CodeActionKind::QuickFix) {
            return None;
        }
        if asks_for(CodeActionKind::SourceFixAll) {
            return Some((CodeActionKind::SourceFixAll, None));
        }
        let sorter = self.projects.import_sorter(&folder)?;
        asks_for(CodeActionKind::SourceOrganizeImports)
            .then_some((CodeActionKind::SourceOrganizeImports, Some(sorter)))
    }

    /// What the tool itself would make of the file.
    fn fix(&self, document: &Document, shown: &Shown) -> Option<CodeAction> {
        let finding = shown.finding.as_ref()?;
        // A tool that reads the disk spoke of the text that was saved.
        let fits = document.since_saved.is_empty() || document.checked.is_some();
        let changes = diff_edits(finding.diff.as_deref()?, &document.text, self.client.encoding);
        let changes = changes.filter(|_| fits)?;
        Some(CodeAction {
            title: format!("Apply all changes of {}", finding.tool),
            is_preferred: Some(true),
            ..self.action(document, shown, changes)
        })
    }

    /// A comment that makes the tool pass over the finding.
    fn silence(&self, document: &Document, shown: &Shown) -> Option<CodeAction> {
        let finding = shown.finding.as_ref()?;
        finding.location.as_ref()?.line?;
        let line = shown.diagnostic.range.start.line as usize;
        let (comment, change) = self.remedies.change(&document.text, line, finding)?;
        let range = document.text.range(change.start, change.end, self.client.encoding);
        let edit = TextEdit { range, new_text: change.text };
        let action = self.action(document, shown, vec![edit]);
        Some(CodeAction { title: format!("Silence with `{comment}`"), ..action })
    }

    fn action(&self, document: &Document, shown: &Shown, edits: Vec<TextEdit>) -> CodeAction {
        CodeAction {
            kind: Some(CodeActionKind::QuickFix),
            diagnostics: Some(vec![shown.diagnostic.clone()]),
            edit: Some(self.workspace_edit(document, edits)),
            ..CodeAction::default()
        }
    }

    /// The edits of one document, bound to its version where the client knows of versions.
    pub(super) fn workspace_edit(
        &self,
        document: &Document,
        edits: Vec<TextEdit>,
    ) -> WorkspaceEdit {
        let uri = document.uri.clone();
        if !self.client.versions_edits {
            return WorkspaceEdit {
                changes: Some(HashMap::from([(uri, edits)])),
                ..WorkspaceEdit::default()
            };
        }
        let change = TextDocumentEdit {
            text_document: OptionalVersionedTextDocumentIdentifier {
                version: Some(document.version),
                text_document_identifier: TextDocumentIdentifier { uri },
            },
            edits: edits.into_iter().map(Edit::TextEdit).collect(),
        };
        WorkspaceEdit {
            document_changes: Some(vec![DocumentChange::TextDocumentEdit(change)]),
            ..WorkspaceEdit::default()
        }
    }
}

/// Whether `kind` is `wanted` or a part of it: kinds are dotted names, the empty one is all.
pub(super) fn includes(wanted: &CodeActionKind, kind: &CodeActionKind) -> bool {
    let name = |kind: &CodeActionKind| {
        serde_json::to_value(kind)
            .ok()
            .and_then(|v| v.as_str().map(str::to_owned))
            .unwrap_or_default()
    };
    let (wanted, kind) = (name(wanted), name(kind));
    let rest = kind.strip_prefix(&wanted);
    rest.is_some_and(|rest| rest.is_empty() || wanted.is_empty() || rest.starts_with('.'))
}

/// Whether two ranges have a place in common; an empty one is a place.
fn touches(one: &Range, other: &Range) -> bool {
    let place = |range: &Range| {
        ((range.start.line, range.start.character), (range.end.line, range.end.character))
    };
    let ((start, end), (from, to)) = (place(one), place(other));
    start <= to && from <= end
}

/// The edits that a unified diff makes in the text.
fn diff_edits(diff: &str, text: &Text, encoding: Encoding) -> Option<Vec<TextEdit>> {
    let line_end = text.line_end();
    let found = edits(diff)?;
    let made = found.into_iter().map(|edit| {
        let start = text.line_start(edit.first.saturating_sub(1) as usize);
        let end = text.line_start(edit.last as usize);
        let mut new_text = edit.text.replace('\n', line_end);
        new_text.push_str(line_end);
        TextEdit { range: text.range(start, end, encoding), new_text }
    });
    Some(made.collect())
}
