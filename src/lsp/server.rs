//! The state of the server and the loop that owns it: [`Server`].

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use crossbeam_channel::{Receiver, at, never, select, unbounded};
use gen_lsp_types::{MessageType, Uri};
use lsp_server::{Connection, ErrorCode, Message, Notification, Request, RequestId, Response};

use super::checks::Checks;
use super::document::Document;
use super::lane::Report;
use super::messages::{failed, show};
use super::options::{Client, Options};
use super::project::Projects;
use super::pulls::Pulls;
use super::remedy::Remedies;
use super::results::Results;
use super::start;
use crate::error::ExitStatus;
use crate::project::variables::Variables;

/// Everything that the server knows, owned by the thread of its loop.
pub(super) struct Server<'a> {
    connection: &'a Connection,
    pub(super) client: Client,
    pub(super) options: Options,
    pub(super) variables: Variables,
    /// By URI, as the client writes it.
    pub(super) documents: BTreeMap<String, Document>,
    pub(super) projects: Projects,
    pub(super) results: Results,
    pub(super) checks: Checks,
    pub(super) pulls: Pulls,
    pub(super) remedies: Remedies,
    reports: Receiver<Report>,
    /// What was shown to the user already.
    shown: BTreeSet<String>,
    next_request: i32,
    stage: Stage,
}

/// How far the conversation has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Open,
    /// The client has said goodbye, and only waits for the process to end.
    ShutDown,
    Over(ExitStatus),
}

impl<'a> Server<'a> {
    /// Talks with the client until the end.
    pub(super) fn run(
        connection: &'a Connection,
        interrupts: &Receiver<()>,
        variables: Variables,
    ) -> ExitStatus {
        let Some(started) = start::greet(connection) else { return ExitStatus::Abandoned };
        let (sender, reports) = unbounded();
        let mut projects = Projects::new(sender);
        for folder in &started.folders {
            projects.add_folder(folder);
        }
        let mut server = Self {
            connection,
            client: started.client,
            options: started.options,
            variables,
            documents: BTreeMap::new(),
            projects,
            results: Results::default(),
            checks: Checks::default(),
            pulls: Pulls::default(),
            remedies: Remedies::builtin(),
            reports,
            shown: BTreeSet::new(),
            next_request: 0,
            stage: Stage::Open,
        };
        let status = server.talk(interrupts);
        server.checks.cancel_all();
        status
    }

    fn talk(&mut self, interrupts: &Receiver<()>) -> ExitStatus {
        loop {
            let due = self.checks.next_due().map_or_else(never, at);
            let connection = self.connection;
            select! {
                recv(connection.receiver) -> message => match message {
                    Ok(message) => self.guarded(message),
                    Err(_) => self.end(),
                },
                recv(self.reports) -> report => {
                    if let Ok(report) = report {
                        self.report(report);
                    }
                }
                recv(due) -> _ => {}
                recv(interrupts) -> _ => self.stage = Stage::Over(ExitStatus::Interrupted),
            }
            self.start_due();
            if let Stage::Over(status) = self.stage {
                return status;
            }
        }
    }

    /// The client is gone, or asked for the end.
    fn end(&mut self) {
        let status = match self.stage {
            Stage::ShutDown => ExitStatus::Clean,
            Stage::Open => ExitStatus::Abandoned,
            Stage::Over(status) => status,
        };
        self.stage = Stage::Over(status);
    }

    /// A mistake in the handling of one message must not end the conversation.
    fn guarded(&mut self, message: Message) {
        let id = match &message {
            Message::Request(request) => Some(request.id.clone()),
            _ => None,
        };
        if catch_unwind(AssertUnwindSafe(|| self.message(message))).is_err() {
            let what = "pyqa failed inside; please report this";
            match id {
                Some(id) => self.send(failed(id, ErrorCode::InternalError, what)),
                None => self.show(MessageType::Error, what.to_owned()),
            }
        }
    }

    fn message(&mut self, message: Message) {
        match message {
            Message::Request(request) => self.request(request),
            Message::Notification(notification) => self.notification(&notification),
            Message::Response(response) => {
                if let Err(error) = response.response_result {
                    log::info!("the client refused: {}", error.message);
                }
            }
        }
    }

    fn request(&mut self, request: Request) {
        if self.stage != Stage::Open {
            let what = "the server was shut down";
            return self.send(failed(request.id, ErrorCode::InvalidRequest, what));
        }
        let done = match request.method.as_str() {
            "shutdown" => {
                self.stage = Stage::ShutDown;
                self.checks.cancel_all();
                self.pulls.clear();
                self.send(Response::new_ok(request.id, ()));
                Ok(())
            }
            "textDocument/diagnostic" => self.pull(&request),
            "workspace/diagnostic" => self.pull_all(&request),
            "textDocument/formatting" => self.format(&request),
            "textDocument/rangeFormatting" => self.format_range(&request),
            "textDocument/willSaveWaitUntil" => self.before_save(&request),
            "textDocument/codeAction" => self.actions(&request),
            other => {
                let what = format!("pyqa does not know {other}");
                Err(Box::new(failed(request.id, ErrorCode::MethodNotFound, what)))
            }
        };
        if let Err(refusal) = done {
            self.send(*refusal);
        }
    }

    fn notification(&mut self, notification: &Notification) {
        match notification.method.as_str() {
            "exit" => self.end(),
            _ if self.stage != Stage::Open => {}
            "initialized" => self.watch_files(),
            "$/cancelRequest" => self.cancel(notification),
            "textDocument/didOpen" => self.opened(notification),
            "textDocument/didChange" => self.changed(notification),
            "textDocument/didSave" => self.saved(notification),
            "textDocument/didClose" => self.closed(notification),
            "workspace/didChangeWatchedFiles" => self.files_changed(notification),
            "workspace/didChangeWorkspaceFolders" => self.folders_changed(notification),
            "workspace/didChangeConfiguration" => self.configured(notification),
            other => log::debug!("{other} is passed over"),
        }
    }

    fn watch_files(&mut self) {
        if self.client.registers_watchers {
            self.ask("client/registerCapability", &start::watchers());
        }
    }

    fn cancel(&mut self, notification: &Notification) {
        let id = &notification.params["id"];
        let number = id.as_i64().and_then(|number| i32::try_from(number).ok());
        let id: RequestId = match (number, id.as_str()) {
            (Some(number), _) => number.into(),
            (None, Some(text)) => text.to_owned().into(),
            (None, None) => return,
        };
        self.checks.cancel_request(&id);
        if self.pulls.remove(&id) {
            self.send(failed(id, ErrorCode::RequestCanceled, "cancelled"));
        }
    }

    /// The document as it is now.
    pub(super) fn document(&self, uri: &Uri) -> Option<&Document> {
        self.documents.get(&uri.0)
    }

    pub(super) fn send(&mut self, message: impl Into<Message>) {
        if self.connection.sender.send(message.into()).is_err() {
            self.end();
        }
    }

    /// Asks the client for something whose answer decides nothing.
    pub(super) fn ask(&mut self, method: &str, params: &impl serde::Serialize) {
        self.next_request += 1;
        self.send(super::messages::request(self.next_request, method, params));
    }

    /// Shows a line to the user, each once.
    pub(super) fn show(&mut self, kind: MessageType, message: String) {
        if self.shown.insert(message.clone()) {
            self.send(show(kind, message));
        }
    }

    pub(super) fn debounce(&self) -> Duration {
        self.options.debounce()
    }
}
