//! `pyqa check --list-units`: each piece of work, a line each, or as JSON.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::Stop;
use crate::engine::request::Request;
use crate::engine::units::{ListedUnit, Piece, list};
use crate::error::{ExitStatus, UserError};
use crate::exec::cancel::CancelToken;
use crate::exec::signals::cancel_on_signals;
use crate::report::OutputFormat;
use crate::report::escape::percent_encode;

pub(super) fn run(request: &Request, format: OutputFormat) -> Result<ExitStatus, Stop> {
    let write: fn(&[ListedUnit], &mut Vec<u8>) -> io::Result<()> = match format {
        OutputFormat::Full | OutputFormat::Concise => write_lines,
        OutputFormat::Json => write_json,
        other => {
            let what = format!("units cannot be listed as {}", other.name());
            return Err(UserError::new(what).hint("leave it out, or use json").into());
        }
    };
    let cancel = CancelToken::new();
    cancel_on_signals(&cancel)?;
    let units = list(request, &cancel)?;
    let mut text = Vec::new();
    write(&units, &mut text)?;
    io::stdout().write_all(&text)?;
    Ok(if cancel.is_cancelled() { ExitStatus::Interrupted } else { ExitStatus::Clean })
}

/// `tool<TAB>path`, `tool<TAB>test`, or `tool<TAB>.` for the project.
fn write_lines(units: &[ListedUnit], text: &mut Vec<u8>) -> io::Result<()> {
    for unit in units {
        write!(text, "{}\t", unit.tool)?;
        text.extend_from_slice(match &unit.piece {
            Piece::Project => b".",
            Piece::File(path) => path.as_bytes(),
            Piece::Test(id) => id.as_bytes(),
        });
        text.push(b'\n');
    }
    Ok(())
}

fn write_json(units: &[ListedUnit], text: &mut Vec<u8>) -> io::Result<()> {
    let units: Vec<Value> = units.iter().map(as_json).collect();
    serde_json::to_writer_pretty(&mut *text, &units)?;
    writeln!(text)
}

/// Members are named as in a report's findings.
fn as_json(unit: &ListedUnit) -> Value {
    let mut value = json!({ "tool": unit.tool, "path": null, "test": null });
    match &unit.piece {
        Piece::Project => {}
        Piece::Test(id) => value["test"] = json!(id),
        Piece::File(path) => {
            value["path"] = json!(path.to_text());
            if std::str::from_utf8(path.as_bytes()).is_err() {
                value["path_bytes"] = json!(percent_encode(path.as_bytes()));
            }
        }
    }
    value
}
