//! The beginning of the conversation: what the client can do, and what the server answers.

use std::collections::BTreeSet;

use gen_lsp_types::{
    ChangeNotifications, CodeActionKind, CodeActionOptions, CodeActionProvider, DiagnosticOptions,
    DiagnosticProvider, DidChangeWatchedFilesRegistrationOptions, DocumentFormattingProvider,
    DocumentRangeFormattingProvider, FileSystemWatcher, GlobPattern, InitializeParams,
    InitializeResult, PositionEncodingKind, Registration, RegistrationParams, Save, SaveOptions,
    ServerCapabilities, ServerInfo, TextDocumentSync, TextDocumentSyncKind,
    TextDocumentSyncOptions, Uri, WorkspaceFoldersServerCapabilities, WorkspaceOptions,
};
use lsp_server::{Connection, ErrorCode};
use serde_json::Value;

use super::messages::{answer, failed};
use super::options::{Client, Delivery, Options};
use super::text::Encoding;
use super::uri;
use crate::tools::registry;

/// What is known after the first message.
pub(super) struct Started {
    pub(super) client: Client,
    pub(super) options: Options,
    pub(super) folders: Vec<Uri>,
}

/// Waits for the client's first request and answers it; `None` where it goes away before.
pub(super) fn greet(connection: &Connection) -> Option<Started> {
    loop {
        let (id, params) = connection.initialize_start().ok()?;
        let params: InitializeParams = match serde_json::from_value(params) {
            Ok(params) => params,
            Err(error) => {
                let refusal = failed(id, ErrorCode::InvalidParams, error.to_string());
                connection.sender.send(refusal.into()).ok()?;
                continue;
            }
        };
        let client = Client::new(&params.capabilities);
        let options = options(params.initialization_options.as_ref()).unwrap_or_default();
        let result = InitializeResult {
            capabilities: capabilities(client, &options),
            server_info: Some(ServerInfo {
                name: "pyqa".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
        };
        connection.sender.send(answer(id, &result).into()).ok()?;
        return Some(Started { client, options, folders: folders(params) });
    }
}

/// The user's settings; `None` where they cannot be read.
pub(super) fn options(given: Option<&Value>) -> Option<Options> {
    let given = given.filter(|value| value.is_object())?;
    let own = given.get("pyqa").filter(|own| own.is_object()).unwrap_or(given);
    serde_json::from_value(own.clone())
        .map_err(|error| log::warn!("the editor's settings for pyqa: {error}"))
        .ok()
}

/// The folders that the editor has open, told in one of three ways that came one after the other.
#[expect(deprecated, reason = "older clients know nothing newer")]
fn folders(params: InitializeParams) -> Vec<Uri> {
    let folders = params.workspace_folders_initialize_params.workspace_folders;
    if let Some(gen_lsp_types::WorkspaceFolders::WorkspaceFolderList(folders)) = folders {
        return folders.into_iter().map(|folder| folder.uri).collect();
    }
    params.root_uri.into_iter().collect()
}

fn capabilities(client: Client, options: &Options) -> ServerCapabilities {
    let pull = DiagnosticOptions {
        identifier: Some("pyqa".to_owned()),
        inter_file_dependencies: true,
        workspace_diagnostics: true,
        ..DiagnosticOptions::default()
    };
    ServerCapabilities {
        position_encoding: Some(match client.encoding {
            Encoding::Utf8 => PositionEncodingKind::UTF8,
            Encoding::Utf16 => PositionEncodingKind::UTF16,
            Encoding::Utf32 => PositionEncodingKind::UTF32,
        }),
        text_document_sync: Some(TextDocumentSync::Options(TextDocumentSyncOptions {
            open_close: Some(true),
            change: Some(TextDocumentSyncKind::Incremental),
            will_save_wait_until: options.format_on_save.then_some(true),
            save: Some(Save::SaveOptions(SaveOptions { include_text: Some(false) })),
            ..TextDocumentSyncOptions::default()
        })),
        document_formatting_provider: Some(DocumentFormattingProvider::Bool(true)),
        document_range_formatting_provider: Some(DocumentRangeFormattingProvider::Bool(true)),
        code_action_provider: Some(CodeActionProvider::CodeActionOptions(CodeActionOptions {
            code_action_kinds: Some(vec![
                CodeActionKind::QuickFix,
                CodeActionKind::SourceFixAll,
                CodeActionKind::SourceOrganizeImports,
            ]),
            ..CodeActionOptions::default()
        })),
        diagnostic_provider: (options.diagnostics == Delivery::Pull)
            .then_some(DiagnosticProvider::DiagnosticOptions(pull)),
        workspace: Some(WorkspaceOptions {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(ChangeNotifications::Bool(true)),
            }),
            ..WorkspaceOptions::default()
        }),
        ..ServerCapabilities::default()
    }
}

/// Names of files that hold settings of pyqa or of a tool, or say which files are the project's.
pub(super) fn settings_files() -> BTreeSet<String> {
    let of_tools = registry::builtin().into_iter().flat_map(|spec| spec.config.files);
    let names = of_tools.map(|file| file.name);
    let more = ["pyproject.toml", "tox.ini", "setup.cfg", ".gitignore"];
    names.chain(more.map(str::to_owned)).collect()
}

/// Asks the client to tell of changes to files that are not open.
pub(super) fn watchers() -> RegistrationParams {
    let names = settings_files().into_iter().map(|name| format!("**/{name}"));
    let sources = ["**/*.py", "**/*.pyi"].map(str::to_owned);
    let watchers = names.chain(sources).map(|pattern| FileSystemWatcher {
        glob_pattern: GlobPattern::Pattern(pattern),
        kind: None,
    });
    let options = DidChangeWatchedFilesRegistrationOptions { watchers: watchers.collect() };
    RegistrationParams {
        registrations: vec![Registration {
            id: "pyqa-files".to_owned(),
            method: "workspace/didChangeWatchedFiles".to_owned(),
            register_options: serde_json::to_value(options).ok(),
        }],
    }
}

/// Whether a change of this file changes how others are checked.
pub(super) fn is_settings_file(uri: &Uri) -> bool {
    let name = uri::to_path(uri).and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
    name.is_some_and(|name| settings_files().contains(&name))
}
