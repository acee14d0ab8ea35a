//! Clients that ask for diagnostics instead of being told: [`Pulls`].

use std::collections::BTreeMap;
use std::time::Duration;

use gen_lsp_types::{
    Diagnostic, DocumentDiagnosticParams, DocumentDiagnosticReport, FullDocumentDiagnosticReport,
    RelatedFullDocumentDiagnosticReport, RelatedUnchangedDocumentDiagnosticReport,
    UnchangedDocumentDiagnosticReport, Uri, WorkspaceDiagnosticParams, WorkspaceDiagnosticReport,
    WorkspaceDocumentDiagnosticReport, WorkspaceFullDocumentDiagnosticReport,
};
use lsp_server::{ErrorCode, Request, RequestId, Response};
use serde_json::json;

use super::messages::{answer, failed, parameters};
use super::results::result_id;
use super::server::Server;

/// A client that waits for the check of a document.
struct Waiting {
    id: RequestId,
    uri: Uri,
    /// Names what the client has already.
    previous: Option<String>,
}

/// Questions that are not answered yet.
#[derive(Default)]
pub(super) struct Pulls(Vec<Waiting>);

impl Pulls {
    /// Forgets a question; false where there is none of this number.
    pub(super) fn remove(&mut self, id: &RequestId) -> bool {
        let before = self.0.len();
        self.0.retain(|waiting| waiting.id != *id);
        self.0.len() < before
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    fn take(&mut self, uri: &Uri) -> Vec<Waiting> {
        let (taken, left) = std::mem::take(&mut self.0).into_iter().partition(|w| w.uri == *uri);
        self.0 = left;
        taken
    }
}

impl Server<'_> {
    /// Answers at once where the text is checked already, else when it is.
    pub(super) fn pull(&mut self, request: &Request) -> Result<(), Box<Response>> {
        let params: DocumentDiagnosticParams = parameters(request)?;
        let uri = params.text_document.uri;
        let waiting = Waiting {
            id: request.id.clone(),
            uri: uri.clone(),
            previous: params.previous_result_id,
        };
        let document = self.document(&uri).filter(|document| document.python().is_some());
        let Some((version, checked)) = document.map(|d| (d.version, d.checked)) else {
            self.answer_pull(&waiting);
            return Ok(());
        };
        if checked == Some(version) {
            self.answer_pull(&waiting);
            return Ok(());
        }
        if !self.checks.is_due_or_runs(&uri, version) {
            self.check_soon(&uri, Duration::ZERO);
        }
        self.pulls.0.push(waiting);
        Ok(())
    }

    /// The text moved on: the client is to ask once more.
    pub(super) fn give_up_pulls(&mut self, uri: &Uri) {
        for waiting in self.pulls.take(uri) {
            let mut refusal =
                failed(waiting.id, ErrorCode::ServerCancelled, "the text changed meanwhile");
            if let Err(error) = &mut refusal.response_result {
                error.data = Some(json!({ "retriggerRequest": true }));
            }
            self.send(refusal);
        }
    }

    pub(super) fn answer_pulls(&mut self, uri: &Uri) {
        for waiting in self.pulls.take(uri) {
            self.answer_pull(&waiting);
        }
    }

    fn answer_pull(&mut self, waiting: &Waiting) {
        let items = self.results.diagnostics(&waiting.uri);
        let id = result_id(&items);
        let report = if waiting.previous.as_ref() == Some(&id) {
            DocumentDiagnosticReport::RelatedUnchangedDocumentDiagnosticReport(
                RelatedUnchangedDocumentDiagnosticReport {
                    unchanged_document_diagnostic_report: UnchangedDocumentDiagnosticReport {
                        result_id: id,
                    },
                    ..Default::default()
                },
            )
        } else {
            DocumentDiagnosticReport::RelatedFullDocumentDiagnosticReport(
                RelatedFullDocumentDiagnosticReport {
                    full_document_diagnostic_report: full(items, id),
                    ..Default::default()
                },
            )
        };
        self.send(answer(waiting.id.clone(), &report));
    }

    /// Checks all that is open and on disk, and answers then.
    pub(super) fn pull_all(&mut self, request: &Request) -> Result<(), Box<Response>> {
        let _: WorkspaceDiagnosticParams = parameters(request)?;
        match self.projects.folders().first().cloned() {
            Some(folder) => self.check_everything(&folder, request.id.clone()),
            None => self.send(answer(request.id.clone(), &WorkspaceDiagnosticReport::default())),
        }
        Ok(())
    }

    pub(super) fn answer_all(&mut self, id: RequestId, found: BTreeMap<String, Vec<Diagnostic>>) {
        let items = found.into_iter().map(|(uri, items)| {
            let uri = Uri(uri);
            // An open text is not what is on disk; of it the client asks by itself.
            let document = self.document(&uri);
            let items = match document {
                Some(_) => self.results.diagnostics(&uri),
                None => items,
            };
            let id = result_id(&items);
            WorkspaceDocumentDiagnosticReport::WorkspaceFullDocumentDiagnosticReport(
                WorkspaceFullDocumentDiagnosticReport {
                    version: document.map(|document| document.version),
                    uri,
                    full_document_diagnostic_report: full(items, id),
                },
            )
        });
        let report = WorkspaceDiagnosticReport { items: items.collect() };
        self.send(answer(id, &report));
    }
}

fn full(items: Vec<Diagnostic>, id: String) -> FullDocumentDiagnosticReport {
    FullDocumentDiagnosticReport { result_id: Some(id), items }
}
