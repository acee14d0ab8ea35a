//! Output in JSON: a list of findings somewhere in a document, or one finding a line.

use regex::Regex;
use serde_json::Value;

use super::{ParseContext, Read, code_url, counted, in_one_line, severity};
use crate::finding::{Finding, Location, Severity};
use crate::tools::spec::{ErrorList, ToolSpec};

/// Python writes a byte 0x80–0xFF of a file name that is not UTF-8 as the lone surrogate
/// U+DC80–U+DCFF (PEP 383), which no JSON reader takes. Such a byte travels as this character
/// plus the byte, from a plane for private use.
const BYTE_BASE: u32 = 0x10_FE00;

pub(super) fn read(spec: &ToolSpec, bytes: &[u8], context: &ParseContext<'_>) -> Read {
    let document = match document(&without_lone_surrogates(bytes)) {
        Ok(document) => document,
        Err(error) => {
            let trouble = Some(format!("its output is not JSON ({error})"));
            return Read { trouble, ..Read::default() };
        }
    };
    let fields = &spec.output.fields;
    let items = fields.get("items").map_or("", String::as_str);
    let Some(items) = at(&document, items).and_then(Value::as_array) else {
        let trouble = Some(format!("its output has no list `{items}`"));
        return Read { trouble, ..Read::default() };
    };
    let findings = items.iter().map(|item| finding(spec, item, context)).collect();
    let mut read = Read { findings, ..Read::default() };
    if let Some(list) = &spec.output.errors {
        unchecked_files(spec, list, &document, context, &mut read);
    }
    read
}

/// The document, which may come after words of others: a plug-in of the tool, or npm when pyright
/// installs itself.
fn document(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text).or_else(|error| {
        let begins = text.match_indices('\n').map(|(at, _)| &text[at + 1..]);
        let mut from = begins.filter(|rest| rest.starts_with(['{', '[']));
        from.find_map(|rest| serde_json::from_str(rest).ok()).ok_or(error)
    })
}

pub(super) fn read_lines(spec: &ToolSpec, bytes: &[u8], context: &ParseContext<'_>) -> Read {
    let text = without_lone_surrogates(bytes);
    let mut read = Read::default();
    for line in text.lines().filter(|line| line.starts_with('{')) {
        match serde_json::from_str(line) {
            Ok(item) => read.findings.push(finding(spec, &item, context)),
            Err(error) => read.trouble = Some(format!("a line is not JSON ({error})")),
        }
    }
    read
}

fn finding(spec: &ToolSpec, item: &Value, context: &ParseContext<'_>) -> Finding {
    let decl = &spec.output;
    let value = |name: &str| decl.fields.get(name).and_then(|path| at(item, path));
    let text = |name: &str| value(name).and_then(as_text).map(|text| shown(&text));
    let number = |name: &str| value(name).and_then(as_number);
    let code = text("code").or_else(|| decl.code.clone());
    let weight = severity(decl, text("severity").as_deref(), code.as_deref());
    let (message, details) = in_one_line(&text("message").unwrap_or_default());
    let mut finding = Finding::new(&spec.name, weight, message);
    finding.details = details;
    finding.url = text("url").or_else(|| code_url(decl, code.as_deref()));
    finding.code = code;
    // A list of lines, as bandit gives it, ends with the last one.
    let last_line = || value("lines").and_then(|lines| as_number(lines.as_array()?.last()?));
    let end_line = number("end-line").or_else(last_line);
    let path = value("path").and_then(as_text);
    finding.location = path.map(|path| Location {
        path: context.path(&bytes_of(&path)),
        line: counted(number("line"), decl.line_offset),
        column: counted(number("column"), decl.column_offset),
        end_line: counted(end_line, decl.line_offset),
        end_column: counted(number("end-column"), decl.end_column_offset),
    });
    finding
}

/// Files that the tool could not check: a file that is to blame is a finding, any other reason is
/// a failure of the tool.
fn unchecked_files(
    spec: &ToolSpec,
    list: &ErrorList,
    document: &Value,
    context: &ParseContext<'_>,
    read: &mut Read,
) {
    let blame = Regex::new(&list.file_is_to_blame).ok();
    for error in at(document, &list.items).and_then(Value::as_array).into_iter().flatten() {
        let path = at(error, &list.path).and_then(as_text).unwrap_or_default();
        let reason = at(error, &list.reason).and_then(as_text).unwrap_or_default();
        let path = context.path(&bytes_of(&path));
        if blame.as_ref().is_some_and(|regex| regex.is_match(&reason)) {
            let mut finding = Finding::new(&spec.name, Severity::Error, shown(&reason));
            finding.code = Some("syntax-error".to_owned());
            finding.location = Some(Location::file(path));
            read.findings.push(finding);
        } else {
            read.trouble = Some(format!("{path}: {}", shown(&reason)));
        }
    }
}

/// The value at a dotted path; the document itself for an empty one.
fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    if path.is_empty() {
        return Some(value);
    }
    path.split('.').try_fold(value, |value, name| value.get(name)).filter(|v| !v.is_null())
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn as_number(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok()
}

/// The bytes of a path that went through [`without_lone_surrogates`].
pub(super) fn bytes_of(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u32::from(character).checked_sub(BYTE_BASE) {
            Some(byte @ 0x80..=0xFF) => bytes.push(byte.to_le_bytes()[0]),
            _ => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// Text for people: bytes that are no text look as they do elsewhere.
pub(super) fn shown(text: &str) -> String {
    let is_byte = |c: char| matches!(u32::from(c).checked_sub(BYTE_BASE), Some(0x80..=0xFF));
    text.replace(is_byte, "\u{FFFD}")
}

pub(super) fn without_lone_surrogates(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if !text.contains("\\ud") && !text.contains("\\uD") {
        return text.into_owned();
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.as_ref();
    while let Some(at) = rest.find('\\') {
        clean.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = match (escape(rest), escape(rest.get(6..).unwrap_or_default())) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(unit @ 0xDC80..=0xDCFF), _) => {
                clean.extend(char::from_u32(BYTE_BASE + (unit & 0xFF)));
                rest = &rest[6..];
                continue;
            }
            (Some(_), _) => 6,
            // The escaped character may be of any length.
            (None, _) => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        };
        clean.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    clean + rest
}

/// The code unit of an escape `\uXXXX` at the beginning of `text`.
fn escape(text: &str) -> Option<u32> {
    u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_lone_surrogates_that_stand_for_bytes_are_replaced() {
        let text = r#"["\ud83d\udca9", "a\udcffb", "\\udcff"]"#;
        let value: Vec<String> =
            serde_json::from_str(&without_lone_surrogates(text.as_bytes())).unwrap();
        assert_eq!(value[0], "💩");
        assert_eq!(bytes_of(&value[1]), b"a\xffb");
        assert_eq!(value[2], r"\udcff");
    }
}
