//! What lanes tell becomes what editors show: each tool's word as soon as it is there, in one list
//! with what the other tools say of the same text.

use std::collections::BTreeMap;
use std::path::PathBuf;

use gen_lsp_types::{MessageType, PublishDiagnosticsParams, Uri};
use lsp_server::ErrorCode;

use super::checks::Purpose;
use super::convert;
use super::document::Document;
use super::lane::{JobId, Report, ToolAnswer};
use super::messages::{failed, notification};
use super::options::Delivery;
use super::results::{Basis, Shown};
use super::server::Server;
use super::text::Text;
use super::uri;
use crate::engine::format::Formatted;
use crate::error::UserError;
use crate::event::NoticeLevel;
use crate::finding::{Finding, ToolId};
use crate::tools::spec::ColumnUnit;

impl Server<'_> {
    pub(super) fn report(&mut self, report: Report) {
        match report {
            Report::Tool { job, answer } => self.tool_answered(job, answer),
            Report::Tools { folder, tools } => self.projects.set_tools(&folder, tools),
            Report::Missing { tool, failure } => {
                let hint = failure.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                let message = failure.message;
                log::warn!("{tool}: {message}");
                self.show(MessageType::Warning, format!("{message}{hint}"));
            }
            Report::Notice(notice) => {
                let hint = notice.hint.map(|hint| format!("; {hint}")).unwrap_or_default();
                let message = format!("{}{hint}", notice.message);
                match notice.level {
                    NoticeLevel::Info => log::info!("{message}"),
                    NoticeLevel::Warning => self.show(MessageType::Warning, message),
                    NoticeLevel::Error => self.show(MessageType::Error, message),
                }
            }
            Report::Formatted { job, formatted } => self.format_done(job, Ok(formatted)),
            Report::Wrong { job, errors } => self.went_wrong(job, errors),
            Report::Done { job } => self.job_done(job),
        }
    }

    fn tool_answered(&mut self, job: JobId, answer: ToolAnswer) {
        let Some(running) = self.checks.jobs.get(&job) else { return };
        match &running.purpose {
            Purpose::File { uri, version } => {
                let (uri, version) = (uri.clone(), *version);
                self.file_answered(&uri, version, &answer);
            }
            Purpose::Whole { .. } => self.whole_answered(answer),
            // Formatters answer with a text.
            Purpose::Format { .. } => {}
            Purpose::Everything { .. } => {
                let tool = answer.tool.clone();
                let shown = self.by_file(answer);
                if let Some(running) = self.checks.jobs.get_mut(&job)
                    && let Purpose::Everything { found, .. } = &mut running.purpose
                {
                    log::debug!("{tool}: {} files", shown.len());
                    for (uri, shown) in shown {
                        let shown = shown.into_iter().map(|shown| shown.diagnostic);
                        found.entry(uri).or_default().extend(shown);
                    }
                }
            }
        }
    }

    /// A tool is done with one version of a document.
    fn file_answered(&mut self, uri: &Uri, version: i32, answer: &ToolAnswer) {
        let encoding = self.client.encoding;
        let Some(document) = self.document(uri).filter(|d| d.version == version) else { return };
        let own = |finding: &Finding| {
            let place = finding.location.as_ref();
            place.is_some_and(|p| Some(p.path.below(&answer.root)) == document.path)
        };
        let show = |(finding, unit): &(Finding, ColumnUnit)| {
            let mut finding = finding.clone();
            if !own(&finding) {
                finding.location = None;
            }
            let diagnostic = convert::diagnostic(&finding, &document.text, *unit, encoding);
            Shown { finding: Some(finding), diagnostic }
        };
        let mut shown: Vec<Shown> = answer.findings.iter().map(show).collect();
        shown.extend(answer.failures.iter().map(|failure| {
            let diagnostic = convert::failure(answer.tool.as_str(), failure);
            Shown { finding: None, diagnostic }
        }));
        self.results.put(uri, &answer.tool, Basis::Version, shown);
        self.publish(uri);
    }

    /// A tool for the project as a whole is done with what is on disk.
    fn whole_answered(&mut self, answer: ToolAnswer) {
        let tool = answer.tool.clone();
        if let Some(failure) = answer.failures.first() {
            // What it said before may be wrong by now, but nothing is not better.
            self.show(MessageType::Warning, failure.message.clone());
            return;
        }
        let mut shown = self.by_file(answer);
        for uri in self.results.files_of(&tool, Basis::Disk) {
            shown.entry(uri.0).or_default();
        }
        for (uri, shown) in shown {
            let uri = Uri(uri);
            if shown.is_empty() {
                self.results.remove(&uri, &tool);
            } else {
                self.results.put(&uri, &tool, Basis::Disk, shown);
            }
            self.publish(&uri);
        }
    }

    /// Findings by the URI of their file, shown as they stand in the text that is on disk and
    /// then moved along to the text that is open.
    fn by_file(&self, answer: ToolAnswer) -> BTreeMap<String, Vec<Shown>> {
        let mut files: BTreeMap<PathBuf, Vec<(Finding, ColumnUnit)>> = BTreeMap::new();
        for (finding, unit) in answer.findings {
            let place = finding.location.as_ref().map(|place| place.path.below(&answer.root));
            // What is about the project as a whole has no file; the root stands for it.
            files
                .entry(place.unwrap_or_else(|| answer.root.clone()))
                .or_default()
                .push((finding, unit));
        }
        let encoding = self.client.encoding;
        let mut by_uri = BTreeMap::new();
        for (path, findings) in files {
            let document = self.documents.values().find(|d| d.path.as_deref() == Some(&path));
            let text = match document {
                Some(document) => document.saved.clone(),
                None => on_disk(&path),
            };
            let shown = findings.into_iter().filter_map(|(finding, unit)| {
                let mut diagnostic = convert::diagnostic(&finding, &text, unit, encoding);
                let moved = |d: &Document| d.since_saved.iter().all(|m| m.carry(&mut diagnostic));
                let stays = document.is_none_or(moved);
                stays.then_some(Shown { finding: Some(finding), diagnostic })
            });
            let uri = document.map_or_else(|| uri::from_path(&path), |d| d.uri.clone());
            by_uri.insert(uri.0, shown.collect());
        }
        by_uri
    }

    /// Nothing could be checked: mostly a mistake in the settings.
    fn went_wrong(&mut self, job: JobId, errors: Vec<UserError>) {
        let purpose = self.checks.jobs.get(&job).map(|running| &running.purpose);
        if matches!(purpose, Some(Purpose::Format { .. })) {
            return self.format_done(job, Err(errors));
        }
        for error in &errors {
            let hint = error.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
            self.show(MessageType::Error, format!("{error}{hint}"));
        }
        let Some(running) = self.checks.jobs.get(&job) else { return };
        let Purpose::File { uri, version } = &running.purpose else { return };
        let (uri, version) = (uri.clone(), *version);
        if self.document(&uri).is_some_and(|document| document.version == version) {
            let shown = errors.iter().map(|error| Shown {
                finding: None,
                diagnostic: convert::unchecked(&format!("this file was not checked: {error}")),
            });
            self.results.put(&uri, &ToolId::new("pyqa"), Basis::Version, shown.collect());
            self.publish(&uri);
        }
    }

    /// A formatter's word is the answer to a request; there is nothing more to come.
    fn format_done(&mut self, job: JobId, result: Result<Formatted, Vec<UserError>>) {
        let Some(running) = self.checks.jobs.remove(&job) else { return };
        if let Purpose::Format { request, uri, version, wish } = running.purpose {
            self.formatted(request, &uri, version, &wish, result);
        }
    }

    fn job_done(&mut self, job: JobId) {
        let Some(running) = self.checks.jobs.remove(&job) else { return };
        let cancelled = running.is_cancelled();
        match running.purpose {
            Purpose::File { uri, version } if !cancelled => self.file_done(&uri, version),
            Purpose::Whole { .. } if self.options.diagnostics == Delivery::Pull => {
                if self.client.refreshes_diagnostics && !cancelled {
                    self.ask("workspace/diagnostic/refresh", &());
                }
            }
            Purpose::File { .. } | Purpose::Whole { .. } => {}
            // One that is still here has no answer: it was cancelled, or a tool was.
            Purpose::Format { request, .. } => {
                self.send(failed(request, ErrorCode::RequestCanceled, "cancelled"));
            }
            Purpose::Everything { request, .. } if cancelled => {
                self.send(failed(request, ErrorCode::RequestCanceled, "cancelled"));
            }
            Purpose::Everything { request, found } => self.answer_all(request, found),
        }
    }

    /// All that can be said of this version of a document is said.
    pub(super) fn file_done(&mut self, uri: &Uri, version: i32) {
        if let Some(document) = self.documents.get_mut(&uri.0).filter(|d| d.version == version) {
            document.checked = Some(version);
            self.answer_pulls(uri);
        }
    }

    /// Shows everything that is known of a file.
    pub(super) fn publish(&mut self, uri: &Uri) {
        if self.options.diagnostics == Delivery::Pull {
            return;
        }
        let params = PublishDiagnosticsParams {
            uri: uri.clone(),
            version: self.document(uri).map(|document| document.version),
            diagnostics: self.results.diagnostics(uri),
        };
        self.send(notification("textDocument/publishDiagnostics", &params));
    }
}

/// The text of a file that is not open. What is no UTF-8 is shown as well as may be.
fn on_disk(path: &std::path::Path) -> Text {
    let bytes = std::fs::read(path).unwrap_or_default();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    Text::new(String::from_utf8_lossy(bytes))
}
