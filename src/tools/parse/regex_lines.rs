//! Output in which a regular expression finds one finding after the other.

use regex::bytes::{Captures, Regex};

use super::{ParseContext, Read, code_url, counted, in_one_line, literal, severity};
use crate::finding::{Finding, Location};
use crate::tools::spec::ToolSpec;

pub(super) fn read(spec: &ToolSpec, bytes: &[u8], context: &ParseContext<'_>) -> Read {
    let pattern = format!("(?m-u){}", spec.output.pattern.as_deref().unwrap_or_default());
    let Ok(regex) = Regex::new(&pattern) else {
        let trouble = Some("the pattern of its declaration is not a regular expression".to_owned());
        return Read { trouble, ..Read::default() };
    };
    let findings = regex.captures_iter(bytes).map(|found| finding(spec, &found, context)).collect();
    Read { findings, ..Read::default() }
}

fn finding(spec: &ToolSpec, found: &Captures<'_>, context: &ParseContext<'_>) -> Finding {
    let decl = &spec.output;
    let bytes = |name: &str| {
        let bytes = found.name(name).map(|m| m.as_bytes()).filter(|b| !b.is_empty())?;
        let is_literal = decl.literals.iter().any(|group| group == name);
        Some(if is_literal { literal::value(bytes) } else { bytes.to_vec() })
    };
    let text = |name: &str| bytes(name).map(|b| String::from_utf8_lossy(&b).trim().to_owned());
    let number = |name: &str| text(name).and_then(|text| text.parse().ok());
    let code = text("code").or_else(|| decl.code.clone());
    let weight = severity(decl, text("severity").as_deref(), code.as_deref());
    let (message, details) = in_one_line(&text("message").unwrap_or_default());
    let mut finding = Finding::new(&spec.name, weight, message);
    finding.details = details;
    finding.url = code_url(decl, code.as_deref());
    finding.code = code;
    finding.location = bytes("path").map(|path| Location {
        path: context.path(&path),
        line: counted(number("line"), decl.line_offset),
        column: counted(number("column"), decl.column_offset),
        end_line: counted(number("end_line"), decl.line_offset),
        end_column: counted(number("end_column"), decl.end_column_offset),
    });
    finding
}
