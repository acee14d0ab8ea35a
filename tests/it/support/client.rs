//! A client of the language server, [`Client`]: it sends what a test says and waits for what the
//! server answers. Nothing here sleeps.

use std::collections::VecDeque;
use std::io::{BufReader, BufWriter};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use lsp_server::{Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};

use super::Project;

/// Longer than any check of a test takes.
const PATIENCE: Duration = Duration::from_mins(3);

pub(crate) struct Client {
    child: Child,
    to: Option<BufWriter<ChildStdin>>,
    from: Receiver<Message>,
    /// Messages that nobody asked for yet, in their order.
    kept: VecDeque<Message>,
    last_id: i32,
}

impl Client {
    /// Starts the server and nothing else.
    pub(crate) fn silent(project: &Project) -> Self {
        let mut child = project
            .command(env!("CARGO_BIN_EXE_pyqa"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let to = child.stdin.take().map(BufWriter::new);
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        let (sender, from) = channel();
        std::thread::spawn(move || {
            while let Ok(Some(message)) = Message::read(&mut reader) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self { child, to, from, kept: VecDeque::new(), last_id: 0 }
    }

    /// A client that has the project's root open.
    pub(crate) fn start(project: &Project, options: &Value) -> Self {
        Self::with(project, options, &json!({}), &[&project.root()]).0
    }

    /// A client with these capabilities and folders, and what the server said to that.
    pub(crate) fn with(
        project: &Project,
        options: &Value,
        capabilities: &Value,
        folders: &[&Path],
    ) -> (Self, Value) {
        let mut client = Self::silent(project);
        let folders: Vec<Value> =
            folders.iter().map(|folder| json!({ "uri": uri(folder), "name": "test" })).collect();
        let result = client.ask(
            "initialize",
            &json!({
                "processId": std::process::id(),
                "rootUri": null,
                "capabilities": capabilities,
                "initializationOptions": options,
                "workspaceFolders": folders,
            }),
        );
        client.tell("initialized", &json!({}));
        (client, result)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn tell(&mut self, method: &str, params: &Value) {
        self.send(&Notification { method: method.to_owned(), params: params.clone() }.into());
    }

    /// Sends a request and does not wait.
    pub(crate) fn post(&mut self, method: &str, params: &Value) -> RequestId {
        self.last_id += 1;
        let id = RequestId::from(self.last_id);
        let request = Request { id: id.clone(), method: method.to_owned(), params: params.clone() };
        self.send(&request.into());
        id
    }

    fn send(&mut self, message: &Message) {
        let to = self.to.as_mut().unwrap();
        message.clone().write(to).unwrap();
    }

    /// The result of a request.
    pub(crate) fn ask(&mut self, method: &str, params: &Value) -> Value {
        let id = self.post(method, params);
        match self.answer(&id).response_result {
            Ok(result) => result,
            Err(error) => panic!("{method}: {error:?}"),
        }
    }

    pub(crate) fn answer(&mut self, id: &RequestId) -> Response {
        let found = self.wait(|message| matches!(message, Message::Response(r) if r.id == *id));
        match found {
            Message::Response(response) => response,
            other => panic!("{other:?}"),
        }
    }

    /// The first message that fits; those before it are kept.
    pub(crate) fn wait(&mut self, fits: impl Fn(&Message) -> bool) -> Message {
        if let Some(at) = self.kept.iter().position(&fits) {
            return self.kept.remove(at).unwrap();
        }
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.from.recv_timeout(left) {
                Ok(message) if fits(&message) => return message,
                Ok(message) => self.kept.push_back(message),
                Err(error) => panic!("{error}; unexpected so far: {:#?}", self.kept),
            }
        }
    }

    /// Diagnostics that are published for a file, once they fit; those before are dropped.
    pub(crate) fn diagnostics(&mut self, path: &Path, fits: impl Fn(&Value) -> bool) -> Value {
        let uri = uri(path);
        loop {
            let found = self.wait(|message| {
                matches!(message, Message::Notification(n)
                    if n.method == "textDocument/publishDiagnostics" && n.params["uri"] == uri)
            });
            if let Message::Notification(found) = found
                && fits(&found.params)
            {
                return found.params;
            }
        }
    }

    /// Everything that was received and not waited for.
    pub(crate) fn kept(&self) -> impl Iterator<Item = &Message> {
        self.kept.iter()
    }

    pub(crate) fn open(&mut self, path: &Path, text: &str) {
        self.open_uri(&uri(path), text);
    }

    pub(crate) fn open_uri(&mut self, uri: &str, text: &str) {
        let document = json!({ "uri": uri, "languageId": "python", "version": 1, "text": text });
        self.tell("textDocument/didOpen", &json!({ "textDocument": document }));
    }

    /// Replaces the whole text.
    pub(crate) fn change(&mut self, path: &Path, version: i32, text: &str) {
        self.edit(path, version, &json!([{ "text": text }]));
    }

    pub(crate) fn edit(&mut self, path: &Path, version: i32, changes: &Value) {
        let document = json!({ "uri": uri(path), "version": version });
        let params = json!({ "textDocument": document, "contentChanges": changes });
        self.tell("textDocument/didChange", &params);
    }

    pub(crate) fn save(&mut self, path: &Path) {
        self.tell("textDocument/didSave", &json!({ "textDocument": { "uri": uri(path) } }));
    }

    pub(crate) fn close(&mut self, path: &Path) {
        self.tell("textDocument/didClose", &json!({ "textDocument": { "uri": uri(path) } }));
    }

    /// What a client is told that asks for the diagnostics of a file.
    pub(crate) fn pull(&mut self, path: &Path) -> Vec<Value> {
        let document = json!({ "textDocument": { "uri": uri(path) } });
        let report = self.ask("textDocument/diagnostic", &document);
        report["items"].as_array().unwrap().clone()
    }

    /// Says goodbye and returns the exit code.
    pub(crate) fn shut_down(mut self) -> i32 {
        self.ask("shutdown", &Value::Null);
        self.tell("exit", &Value::Null);
        self.exit_code()
    }

    /// Closes the server's standard input.
    pub(crate) fn hang_up(&mut self) {
        self.to = None;
    }

    pub(crate) fn exit_code(mut self) -> i32 {
        let status = self.child.wait().unwrap();
        status.code().unwrap_or(-1)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A test that failed half-way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `file:` and the path; the paths of tests need no encoding.
pub(crate) fn uri(path: &Path) -> String {
    format!("file://{}", path.to_str().unwrap())
}

/// `tool line code` of each diagnostic, lines counted from 1.
pub(crate) fn lines(diagnostics: &[Value]) -> Vec<String> {
    let mut lines: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| {
            let text = |name: &str| diagnostic[name].as_str().unwrap_or("-").to_owned();
            let line = diagnostic["range"]["start"]["line"].as_u64().unwrap() + 1;
            format!("{} {line} {}", text("source"), text("code"))
        })
        .collect();
    lines.sort();
    lines
}
