//! Reading and making messages of the protocol.

use gen_lsp_types::{MessageType, ShowMessageParams};
use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The parameters of a request.
///
/// # Errors
/// The answer to a client that sent something else.
pub(super) fn parameters<T: DeserializeOwned>(request: &Request) -> Result<T, Box<Response>> {
    serde_json::from_value(request.params.clone()).map_err(|error| {
        let what = format!("{}: {error}", request.method);
        Box::new(failed(request.id.clone(), ErrorCode::InvalidParams, what))
    })
}

/// The parameters of a notification, to which there is no answer.
pub(super) fn told<T: DeserializeOwned>(notification: &Notification) -> Option<T> {
    serde_json::from_value(notification.params.clone())
        .map_err(|error| log::warn!("{}: {error}", notification.method))
        .ok()
}

pub(super) fn answer(id: RequestId, result: &impl Serialize) -> Response {
    Response::new_ok(id, value(result))
}

pub(super) fn failed(id: RequestId, code: ErrorCode, what: impl Into<String>) -> Response {
    Response::new_err(id, code as i32, what.into())
}

pub(super) fn notification(method: &str, params: &impl Serialize) -> Message {
    Notification { method: method.to_owned(), params: value(params) }.into()
}

pub(super) fn request(id: i32, method: &str, params: &impl Serialize) -> Message {
    Request { id: id.into(), method: method.to_owned(), params: value(params) }.into()
}

/// A line that the editor shows to its user.
pub(super) fn show(kind: MessageType, message: String) -> Message {
    notification("window/showMessage", &ShowMessageParams { kind, message })
}

/// The types of the protocol are plain data.
fn value(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}
