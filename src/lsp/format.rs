//! Formatting, whole or in part, and what is done when a file is about to be saved.

use std::num::NonZeroU32;
use std::sync::Arc;

use gen_lsp_types::{
    CodeAction, CodeActionKind, CodeActionResponse, DocumentFormattingParams,
    DocumentRangeFormattingParams, Range, TextEdit, Uri, WillSaveTextDocumentParams,
};
use lsp_server::{ErrorCode, Request, RequestId, Response};
use serde_json::Value;
use similar::{DiffTag, TextDiff};

use super::checks::Purpose;
use super::document::Document;
use super::lane::Work;
use super::messages::{answer, failed, parameters};
use super::server::Server;
use super::text::{Encoding, Text};
use crate::engine::format::{Formatted, LineRange};
use crate::engine::request::{Buffer, Content, Reach};
use crate::error::UserError;
use crate::finding::ToolId;

/// What the formatted text is for.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    /// Edits, as the answer to a request for formatting.
    Edits,
    /// An action of this kind that holds them.
    Action(CodeActionKind),
}

impl Server<'_> {
    pub(super) fn format(&mut self, request: &Request) -> Result<(), Box<Response>> {
        let params: DocumentFormattingParams = parameters(request)?;
        let uri = params.text_document.uri;
        self.start_format(request.id.clone(), &uri, Vec::new(), Wish::Edits, None);
        Ok(())
    }

    pub(super) fn format_range(&mut self, request: &Request) -> Result<(), Box<Response>> {
        let params: DocumentRangeFormattingParams = parameters(request)?;
        let uri = params.text_document.uri;
        let last = self.document(&uri).map_or(1, |document| document.text.line_count());
        let ranges = vec![lines_of(params.range, last)];
        self.start_format(request.id.clone(), &uri, ranges, Wish::Edits, None);
        Ok(())
    }

    pub(super) fn before_save(&mut self, request: &Request) -> Result<(), Box<Response>> {
        let params: WillSaveTextDocumentParams = parameters(request)?;
        if self.options.format_on_save {
            let uri = params.text_document.uri;
            self.start_format(request.id.clone(), &uri, Vec::new(), Wish::Edits, None);
        } else {
            self.send(answer(request.id.clone(), &Value::Null));
        }
        Ok(())
    }

    /// Sends the document's text through the formatters, or through one of them.
    pub(super) fn start_format(
        &mut self,
        id: RequestId,
        uri: &Uri,
        ranges: Vec<LineRange>,
        wish: Wish,
        only: Option<ToolId>,
    ) {
        let document = self.document(uri);
        let found = document.and_then(|document| {
            let path = document.python()?.to_owned();
            Some((document.version, document.text.clone(), path))
        });
        let folder = found.as_ref().and_then(|(_, _, path)| self.projects.folder_of(path));
        let (Some((version, text, path)), Some(folder)) = (found, folder) else {
            return self.send(answer(id, &Value::Null));
        };
        let mut request = self.engine_request(&folder, Reach::All);
        // What an editor leaves out of its checks may still be what formats.
        request.only = only.map(|tool| vec![tool]);
        request.skip = Vec::new();
        let content = text.as_str().as_bytes().to_vec();
        request.content = Content::Buffer(Arc::new(Buffer { path, content }));
        let purpose = Purpose::Format { request: id, uri: uri.clone(), version, wish };
        self.start_in(&folder, purpose, request, Work::Format(ranges));
    }

    pub(super) fn formatted(
        &mut self,
        id: RequestId,
        uri: &Uri,
        version: i32,
        wish: &Wish,
        result: Result<Formatted, Vec<UserError>>,
    ) {
        let Some(document) = self.document(uri).filter(|document| document.version == version)
        else {
            let what = "the text changed meanwhile";
            return self.send(failed(id, ErrorCode::ContentModified, what));
        };
        let edits = match result {
            Ok(Formatted::Same) => Vec::new(),
            Ok(Formatted::Changed(bytes)) => {
                let new = String::from_utf8_lossy(&bytes);
                edits(&document.text, &new, self.client.encoding)
            }
            Ok(Formatted::Invalid(findings)) => {
                // The text is left alone while it is half typed; what is wrong is shown already.
                log::info!("{} cannot be formatted: {findings:?}", uri.0);
                Vec::new()
            }
            Ok(Formatted::Failed(failure)) => {
                return self.send(failed(id, ErrorCode::RequestFailed, failure.message));
            }
            Err(errors) => {
                let what: Vec<String> = errors.iter().map(ToString::to_string).collect();
                return self.send(failed(id, ErrorCode::RequestFailed, what.join("\n")));
            }
        };
        let reply = match wish {
            Wish::Edits => answer(id, &edits),
            Wish::Action(_) if edits.is_empty() => answer(id, &Vec::<CodeAction>::new()),
            Wish::Action(kind) => answer(id, &[self.whole_action(document, kind, edits)]),
        };
        self.send(reply);
    }

    fn whole_action(
        &self,
        document: &Document,
        kind: &CodeActionKind,
        edits: Vec<TextEdit>,
    ) -> CodeActionResponse {
        let imports = *kind == CodeActionKind::SourceOrganizeImports;
        CodeActionResponse::CodeAction(CodeAction {
            title: if imports { "Order imports" } else { "Apply all formatters" }.to_owned(),
            kind: Some(kind.clone()),
            edit: Some(self.workspace_edit(document, edits)),
            ..CodeAction::default()
        })
    }
}

/// The lines that a range touches, of a text with `count` of them. One that ends where a line begins does not touch that line.
fn lines_of(range: Range, count: usize) -> LineRange {
    let most = u32::try_from(count.saturating_sub(1)).unwrap_or(u32::MAX);
    let one_more = |line: u32| NonZeroU32::MIN.saturating_add(line.min(most));
    let before_last = range.end.character == 0 && range.end.line > range.start.line;
    let last = if before_last { range.end.line - 1 } else { range.end.line };
    LineRange { start: one_more(range.start.line), end: one_more(last.max(range.start.line)) }
}

/// The edits that make `new` of `old`, line by line, so that what stays keeps its marks and
/// cursors.
fn edits(old: &Text, new: &str, encoding: Encoding) -> Vec<TextEdit> {
    let diff = TextDiff::from_lines(old.as_str(), new);
    let lines: Vec<&str> = diff.iter_new_slices().collect();
    let changed = diff.ops().iter().filter(|op| op.tag() != DiffTag::Equal);
    changed
        .map(|op| {
            let start = old.line_start(op.old_range().start);
            let end = old.line_start(op.old_range().end);
            let new_text = lines[op.new_range()].concat();
            TextEdit { range: old.range(start, end, encoding), new_text }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use gen_lsp_types::Position;

    fn applied(old: &str, new: &str) -> String {
        let text = Text::new(old);
        let mut result = old.to_owned();
        for edit in edits(&text, new, Encoding::Utf16).into_iter().rev() {
            let offset = |at| text.offset(at, Encoding::Utf16);
            result.replace_range(offset(edit.range.start)..offset(edit.range.end), &edit.new_text);
        }
        result
    }

    #[test]
    fn edits_make_the_new_text_and_leave_equal_lines_alone() {
        for (old, new) in [
            ("a\nb\nc\n", "a\nB\nc\n"),
            ("a\nb", "a\nb\n"),
            ("", "x\n"),
            ("x = '日😀'\r\ny\r\n", "x = \"日😀\"\r\ny\r\n"),
            ("a\n\n\n\nb\n", "a\n\n\nb\nc\n"),
            ("a\n", ""),
        ] {
            assert_eq!(applied(old, new), new, "{old:?}");
        }
        let text = Text::new("a\nb\nc\n");
        let found = edits(&text, "a\nB\nc\n", Encoding::Utf16);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].range.start, Position { line: 1, character: 0 });
    }

    #[test]
    fn a_range_that_ends_at_the_beginning_of_a_line_leaves_it_out() {
        let range = |start, end: (u32, u32)| {
            let lines = lines_of(
                Range {
                    start: Position { line: start, character: 3 },
                    end: Position { line: end.0, character: end.1 },
                },
                9,
            );
            (lines.start.get(), lines.end.get())
        };
        assert_eq!(range(1, (3, 0)), (2, 3));
        assert_eq!(range(1, (3, 1)), (2, 4));
        assert_eq!(range(1, (1, 0)), (2, 2));
        assert_eq!(range(1, (99, 5)), (2, 9));
    }
}
