//! One JSON object a line: each finding as in [`json`](super::json) with `"type": "finding"`, then
//! one line with `"type": "summary"` that holds all the rest. For readers that work on streams.

use std::io::{self, Write};

use serde::Serialize;

use super::json::{Document, JsonFinding, JsonSummary, JsonTool};
use super::{Report, ReportContext};
use crate::event::{Notice, Outcome};

/// `--output-format jsonl`
pub struct JsonLines;

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Line<'a> {
    Finding(&'a JsonFinding),
    Summary { version: u32, tools: &'a [JsonTool], notices: &'a [Notice], summary: &'a JsonSummary },
}

impl Report for JsonLines {
    fn write(
        &self,
        outcome: &Outcome,
        _context: &ReportContext,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let Document { version, findings, tools, notices, summary, .. } = Document::from(outcome);
        let last = Line::Summary { version, tools: &tools, notices: &notices, summary: &summary };
        for line in findings.iter().map(Line::Finding).chain([last]) {
            serde_json::to_writer(&mut *out, &line)?;
            writeln!(out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::report::samples;

    #[test]
    fn each_line_is_a_finding_and_the_last_is_the_summary() {
        let outcome = samples::hostile();
        let mut out = Vec::new();
        JsonLines.write(&outcome, &samples::context(&|_| None), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        let lines: Vec<Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines.len(), outcome.findings.len() + 1);
        assert_eq!(lines[0]["type"], "finding");
        assert_eq!(lines[0]["message"], outcome.findings[0].message);
        assert_eq!(lines[lines.len() - 1]["type"], "summary");
        assert_eq!(lines[lines.len() - 1]["version"], 1);
        assert_eq!(lines[lines.len() - 1]["summary"]["findings"], outcome.findings.len());
    }
}
