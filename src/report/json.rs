//! The JSON document of a run, [`Document`]: what `--output-format json` prints and what
//! docs/report-schema.json describes. Members are only ever added within one version.

use std::io::{self, Write};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Report, ReportContext, escape};
use crate::error::{ExitStatus, UserError};
use crate::event::{Failure, LeftOut, Notice, Outcome, ToolReport, UnitReason};
use crate::finding::{Finding, Location, Severity, TestCase, ToolId};
use crate::paths::RelPath;
use crate::shard::ShardMark;

/// Version of the document, raised when a reader of the former one would go wrong.
pub const VERSION: u32 = 1;

/// `--output-format json`
pub struct Json;

impl Report for Json {
    fn write(
        &self,
        outcome: &Outcome,
        _context: &ReportContext,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, &Document::from(outcome))?;
        writeln!(out)
    }
}

impl Document {
    /// Reads a report.
    ///
    /// # Errors
    /// A text that is no report, or one of another version.
    pub fn parse(text: &[u8]) -> Result<Self, UserError> {
        let no_report = |error: serde_json::Error| {
            UserError::new(format!("this is no report of pyqa: {error}"))
                .hint("write it with `pyqa check --report json=FILE`")
        };
        let value: serde_json::Value = serde_json::from_slice(text).map_err(no_report)?;
        match value.get("version").and_then(serde_json::Value::as_u64) {
            Some(version) if version != u64::from(VERSION) => {
                let what = format!("the report has version {version}, and {VERSION} is known");
                Err(UserError::new(what).hint("use the same version of pyqa everywhere"))
            }
            _ => serde_json::from_value(value).map_err(no_report),
        }
    }
}

/// The whole document. Holds all of an [`Outcome`], so that reports of several runs can be joined.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Document {
    pub version: u32,
    pub findings: Vec<JsonFinding>,
    pub tools: Vec<JsonTool>,
    pub notices: Vec<Notice>,
    pub summary: JsonSummary,
    /// Where this is the report of a part of a run.
    #[serde(default)]
    pub shard: Option<ShardMark>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JsonFinding {
    pub tool: ToolId,
    pub code: Option<String>,
    pub severity: Severity,
    pub message: String,
    /// For showing where `path_bytes` is present, else exact.
    pub path: Option<String>,
    /// The path with `%XX` for each unusual byte, for a name that is no UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_bytes: Option<String>,
    pub line: Option<u32>,
    pub column: Option<u32>,
    pub end_line: Option<u32>,
    pub end_column: Option<u32>,
    pub details: Vec<String>,
    pub diff: Option<String>,
    pub url: Option<String>,
    pub test: Option<String>,
    /// Outside of the changed lines, and caused by the change (`--new-since`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub caused: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JsonTool {
    pub tool: ToolId,
    pub version: Option<String>,
    pub findings: usize,
    pub units_run: usize,
    pub units_replayed: usize,
    pub per_file: bool,
    pub seconds: f64,
    pub saved_seconds: f64,
    pub failures: Vec<Failure>,
    pub reasons: Vec<UnitReason>,
    pub tests: Vec<TestCase>,
    #[serde(default)]
    pub left_out: LeftOut,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JsonSummary {
    pub status: Status,
    pub exit_code: u8,
    /// Number of findings other than notes.
    pub findings: usize,
    /// Number of project files looked at.
    pub files: usize,
    pub units_run: usize,
    pub units_replayed: usize,
    pub seconds: f64,
    pub saved_seconds: f64,
    /// Tools that could not answer.
    pub failed_tools: Vec<ToolId>,
    /// Of all tools together.
    #[serde(default)]
    pub left_out: LeftOut,
}

/// [`ExitStatus`] by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    Clean,
    Findings,
    Failure,
    Interrupted,
}

impl From<ExitStatus> for Status {
    fn from(status: ExitStatus) -> Self {
        match status {
            ExitStatus::Clean => Self::Clean,
            ExitStatus::Findings => Self::Findings,
            ExitStatus::Failure => Self::Failure,
            ExitStatus::Interrupted | ExitStatus::Abandoned => Self::Interrupted,
        }
    }
}

impl From<Status> for ExitStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Clean => Self::Clean,
            Status::Findings => Self::Findings,
            Status::Failure => Self::Failure,
            Status::Interrupted => Self::Interrupted,
        }
    }
}

impl From<&Outcome> for Document {
    fn from(outcome: &Outcome) -> Self {
        Self {
            version: VERSION,
            findings: findings(outcome),
            tools: outcome.tools.iter().map(JsonTool::from).collect(),
            notices: outcome.notices.clone(),
            summary: JsonSummary::from(outcome),
            shard: outcome.shard.clone(),
        }
    }
}

fn findings(outcome: &Outcome) -> Vec<JsonFinding> {
    let all = outcome.findings.iter().enumerate();
    all.map(|(index, finding)| JsonFinding {
        caused: outcome.caused.contains(&index),
        ..JsonFinding::from(finding)
    })
    .collect()
}

impl From<Document> for Outcome {
    /// The outcome that was written, but for its times, which are rounded to what `f64` holds.
    fn from(document: Document) -> Self {
        let all = document.findings.iter().enumerate();
        Self {
            caused: all.filter(|(_, finding)| finding.caused).map(|(index, _)| index).collect(),
            root: std::path::PathBuf::new(),
            content: std::path::PathBuf::new(),
            repository: std::path::PathBuf::new(),
            findings: document.findings.into_iter().map(Finding::from).collect(),
            tools: document.tools.into_iter().map(ToolReport::from).collect(),
            notices: document.notices,
            files: document.summary.files,
            elapsed: duration(document.summary.seconds),
            status: document.summary.status.into(),
            shard: document.shard,
        }
    }
}

impl From<&Finding> for JsonFinding {
    fn from(finding: &Finding) -> Self {
        let location = finding.location.as_ref();
        let bytes = location.map(|l| l.path.as_bytes());
        Self {
            tool: finding.tool.clone(),
            code: finding.code.clone(),
            severity: finding.severity,
            message: finding.message.clone(),
            path: location.map(|l| l.path.to_text().into_owned()),
            path_bytes: bytes
                .filter(|bytes| std::str::from_utf8(bytes).is_err())
                .map(escape::percent_encode),
            line: location.and_then(|l| l.line),
            column: location.and_then(|l| l.column),
            end_line: location.and_then(|l| l.end_line),
            end_column: location.and_then(|l| l.end_column),
            details: finding.details.clone(),
            diff: finding.diff.clone(),
            url: finding.url.clone(),
            test: finding.test.clone(),
            caused: false,
        }
    }
}

impl From<JsonFinding> for Finding {
    fn from(finding: JsonFinding) -> Self {
        let path = match (finding.path_bytes, finding.path) {
            (Some(encoded), _) => Some(escape::percent_decode(&encoded)),
            (None, path) => path.map(String::into_bytes),
        };
        let location = path.map(|path| Location {
            path: RelPath::from_bytes(path),
            line: finding.line,
            column: finding.column,
            end_line: finding.end_line,
            end_column: finding.end_column,
        });
        Self {
            tool: finding.tool,
            code: finding.code,
            severity: finding.severity,
            message: finding.message,
            location,
            details: finding.details,
            diff: finding.diff,
            url: finding.url,
            test: finding.test,
        }
    }
}

impl From<&ToolReport> for JsonTool {
    fn from(tool: &ToolReport) -> Self {
        Self {
            tool: tool.tool.clone(),
            version: tool.version.clone(),
            findings: tool.findings,
            units_run: tool.units_run,
            units_replayed: tool.units_replayed,
            per_file: tool.per_file,
            seconds: tool.elapsed.as_secs_f64(),
            saved_seconds: tool.saved.as_secs_f64(),
            failures: tool.failures.clone(),
            reasons: tool.reasons.clone(),
            tests: tool.tests.clone(),
            left_out: tool.left_out,
        }
    }
}

impl From<JsonTool> for ToolReport {
    fn from(tool: JsonTool) -> Self {
        Self {
            tool: tool.tool,
            version: tool.version,
            findings: tool.findings,
            units_run: tool.units_run,
            units_replayed: tool.units_replayed,
            per_file: tool.per_file,
            elapsed: duration(tool.seconds),
            saved: duration(tool.saved_seconds),
            failures: tool.failures,
            reasons: tool.reasons,
            tests: tool.tests,
            left_out: tool.left_out,
        }
    }
}

impl From<&Outcome> for JsonSummary {
    fn from(outcome: &Outcome) -> Self {
        let tools = &outcome.tools;
        Self {
            status: outcome.status.into(),
            exit_code: outcome.status.code(),
            findings: outcome.findings.iter().filter(|f| f.severity != Severity::Note).count(),
            files: outcome.files,
            units_run: tools.iter().map(|tool| tool.units_run).sum(),
            units_replayed: tools.iter().map(|tool| tool.units_replayed).sum(),
            seconds: outcome.elapsed.as_secs_f64(),
            saved_seconds: tools.iter().map(|tool| tool.saved.as_secs_f64()).sum(),
            failed_tools: tools
                .iter()
                .filter(|tool| !tool.failures.is_empty())
                .map(|tool| tool.tool.clone())
                .collect(),
            left_out: outcome.left_out(),
        }
    }
}

/// Never panics: a document may come from elsewhere.
fn duration(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::report::samples;

    fn written(outcome: &Outcome) -> Value {
        let mut out = Vec::new();
        Json.write(outcome, &samples::context(&|_| None), &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn a_finding_names_all_that_is_known() {
        insta::assert_snapshot!(
            serde_json::to_string(&written(&samples::outcome())["findings"][1]).unwrap(), @r#"{"tool":"flake8","code":"F401","severity":"error","message":"'os' imported but unused","path":"src/a.py","line":1,"column":8,"end_line":null,"end_column":null,"details":[],"diff":null,"url":null,"test":null}"#);
        insta::assert_snapshot!(
            serde_json::to_string(&written(&samples::outcome())["summary"]).unwrap(), @r#"{"status":"findings","exit_code":1,"findings":5,"files":79,"units_run":4,"units_replayed":235,"seconds":1.234,"saved_seconds":11.7,"failed_tools":[],"left_out":{"known":0,"unchanged":0}}"#);
    }

    #[test]
    fn only_a_path_that_is_no_utf8_has_its_bytes_beside_it() {
        let findings = written(&samples::hostile())["findings"].clone();
        let with_bytes: Vec<_> = findings
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|f| Some((f["path"].as_str()?, f.get("path_bytes")?.as_str()?)))
            .collect();
        assert_eq!(with_bytes, [("caf\u{fffd}.py", "caf%E9.py")]);
    }

    #[test]
    fn what_was_written_can_be_read_back_whole() {
        for outcome in [samples::outcome(), samples::hostile(), samples::crashed()] {
            let document: Document = serde_json::from_value(written(&outcome)).unwrap();
            let read = Outcome::from(document);
            assert_eq!(read.findings, outcome.findings);
            assert_eq!(read.tools, outcome.tools);
            assert_eq!(read.status, outcome.status);
        }
    }

    /// Every member that is written is described, every required one is written.
    #[test]
    fn the_schema_names_exactly_the_members() {
        let schema: Value =
            serde_json::from_str(include_str!("../../docs/report-schema.json")).unwrap();
        let mut document = written(&samples::outcome());
        document["findings"][0]["path_bytes"] = "a.py".into();
        document["findings"][0]["caused"] = true.into();
        for (at, sample) in [
            ("", document.clone()),
            ("finding", document["findings"][0].clone()),
            ("tool", document["tools"][0].clone()),
            ("failure", written(&samples::crashed())["tools"][0]["failures"][0].clone()),
            ("reason", document["tools"][0]["reasons"][0].clone()),
            ("test", document["tools"][2]["tests"][0].clone()),
            ("notice", document["notices"][0].clone()),
            ("summary", document["summary"].clone()),
            ("shard", serde_json::to_value(samples::mark()).unwrap()),
        ] {
            let described = if at.is_empty() { &schema } else { &schema["$defs"][at] };
            let names = |value: &Value| -> BTreeSet<String> {
                value.as_object().unwrap().keys().cloned().collect()
            };
            assert_eq!(names(&sample), names(&described["properties"]), "{at}");
            let required: BTreeSet<String> = described["required"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap().to_owned())
                .collect();
            let mut always = names(&sample);
            always.remove("path_bytes");
            always.remove("caused");
            assert_eq!(required, always, "{at}");
        }
    }
}
