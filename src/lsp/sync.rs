//! What the client tells of documents, files, folders and settings.

use std::time::Duration;

use gen_lsp_types::{
    DidChangeConfigurationParams, DidChangeTextDocumentParams, DidChangeWatchedFilesParams,
    DidChangeWorkspaceFoldersParams, DidCloseTextDocumentParams, DidOpenTextDocumentParams,
    DidSaveTextDocumentParams, Uri,
};
use lsp_server::Notification;

use super::document::Document;
use super::messages::told;
use super::server::Server;
use super::{start, uri};

/// Files change in bunches: another branch is checked out.
const BUNCH: Duration = Duration::from_millis(100);
/// An editor that saves all its files tells of them without a pause. One that comes later starts
/// the check anew.
const SAVED: Duration = Duration::from_millis(20);

impl Server<'_> {
    pub(super) fn opened(&mut self, notification: &Notification) {
        let Some(params) = told::<DidOpenTextDocumentParams>(notification) else { return };
        let item = params.text_document;
        let uri = item.uri.clone();
        self.close(&uri);
        let document = Document::open(item.uri, item.version, item.text);
        let folder = document.python().and_then(|path| self.projects.folder_of(path));
        self.documents.insert(uri.0.clone(), document);
        self.check_soon(&uri, Duration::ZERO);
        if let Some(folder) = folder
            && !self.projects.open.contains_key(&folder)
        {
            self.checks.whole_due(&folder, Duration::ZERO);
        }
    }

    pub(super) fn changed(&mut self, notification: &Notification) {
        let Some(params) = told::<DidChangeTextDocumentParams>(notification) else { return };
        let version = params.text_document.version;
        let uri = params.text_document.text_document_identifier.uri;
        let encoding = self.client.encoding;
        let Some(document) = self.documents.get_mut(&uri.0) else { return };
        let moved = document.change(version, params.content_changes, encoding);
        self.results.change(&uri, &moved);
        self.give_up_pulls(&uri);
        self.check_soon(&uri, self.debounce());
    }

    pub(super) fn saved(&mut self, notification: &Notification) {
        let Some(params) = told::<DidSaveTextDocumentParams>(notification) else { return };
        let uri = params.text_document.uri;
        let Some(document) = self.documents.get_mut(&uri.0) else { return };
        document.saved();
        let folder = document.path.as_deref().and_then(|path| self.projects.folder_of(path));
        if document.checked != Some(document.version) {
            self.check_soon(&uri, Duration::ZERO);
        }
        if let Some(folder) = folder {
            self.checks.whole_due(&folder, SAVED);
        }
        if start::is_settings_file(&uri) {
            self.check_all();
        }
    }

    pub(super) fn closed(&mut self, notification: &Notification) {
        let Some(params) = told::<DidCloseTextDocumentParams>(notification) else { return };
        let uri = params.text_document.uri;
        if self.close(&uri) {
            self.publish(&uri);
        }
    }

    /// Forgets the document; false where there was none.
    fn close(&mut self, uri: &Uri) -> bool {
        let Some(document) = self.documents.remove(&uri.0) else { return false };
        self.checks.forget_file(uri);
        self.give_up_pulls(uri);
        self.results.close(uri);
        // What moved with a text that was never saved stands elsewhere on disk.
        if !document.since_saved.is_empty()
            && let Some(path) = document.python()
            && let Some(folder) = self.projects.folder_of(path)
        {
            self.checks.whole_due(&folder, BUNCH);
        }
        true
    }

    pub(super) fn files_changed(&mut self, notification: &Notification) {
        let Some(params) = told::<DidChangeWatchedFilesParams>(notification) else { return };
        for change in params.changes {
            let settings = start::is_settings_file(&change.uri);
            // Of those that are open the client tells by itself.
            if !settings && self.documents.contains_key(&change.uri.0) {
                continue;
            }
            let path = uri::to_path(&change.uri);
            let folder = path.and_then(|path| self.projects.folder_of(&path));
            if let Some(folder) = folder.filter(|folder| self.projects.open.contains_key(folder)) {
                self.checks.whole_due(&folder, BUNCH);
            }
            if settings {
                self.check_all();
            }
        }
    }

    /// What was known of the open documents may not hold any more.
    fn check_all(&mut self) {
        let all: Vec<Uri> = self.documents.values().map(|document| document.uri.clone()).collect();
        for uri in all {
            if let Some(document) = self.documents.get_mut(&uri.0) {
                document.checked = None;
            }
            self.check_soon(&uri, BUNCH);
        }
    }

    pub(super) fn folders_changed(&mut self, notification: &Notification) {
        let Some(params) = told::<DidChangeWorkspaceFoldersParams>(notification) else { return };
        for folder in params.event.removed {
            if let Some(path) = uri::to_path(&folder.uri) {
                self.checks.forget_project(&dunce::canonicalize(&path).unwrap_or(path));
            }
            self.projects.remove_folder(&folder.uri);
            self.forget_below(&folder.uri);
        }
        self.projects.add_folders(&params.event.added);
        self.check_all();
        for folder in self.projects.folders().to_vec() {
            if self.projects.open.contains_key(&folder) {
                self.checks.whole_due(&folder, BUNCH);
            }
        }
    }

    /// Nothing is shown any more for files of a folder that was closed.
    fn forget_below(&mut self, folder: &Uri) {
        let prefix = format!("{}/", folder.0.trim_end_matches('/'));
        for uri in self.results.files() {
            if uri.0.starts_with(&prefix) {
                self.results.forget(&uri);
                self.publish(&uri);
            }
        }
    }

    pub(super) fn configured(&mut self, notification: &Notification) {
        let Some(params) = told::<DidChangeConfigurationParams>(notification) else { return };
        let Some(options) = start::options(Some(&params.settings)) else { return };
        if options == self.options {
            return;
        }
        // How diagnostics come was agreed upon at the beginning.
        let diagnostics = self.options.diagnostics;
        self.options = super::options::Options { diagnostics, ..options };
        self.check_all();
        for folder in self.projects.open.keys().cloned().collect::<Vec<_>>() {
            self.checks.whole_due(&folder, BUNCH);
        }
    }
}
