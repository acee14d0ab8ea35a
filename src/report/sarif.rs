//! SARIF 2.1.0 for code scanning: one run for each tool, with its rules, fingerprints that hold
//! between runs, and paths relative to the repository. Kept within the limits of GitHub.

use std::collections::BTreeMap;
use std::io::{self, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use serde_sarif::sarif::{
    self, ArtifactLocation, Invocation, Message, MultiformatMessageString, Notification,
    PhysicalLocation, ReportingDescriptor, ResultLevel, Run, ToolComponent,
};

use super::region::Region;
use super::style::plural;
use super::{Report, ReportContext, Rule, escape, failures};
use crate::event::{Notice, Outcome, ToolReport};
use crate::finding::{Finding, Location, Severity};
use crate::hash::Fingerprint;

/// Results of one run, and size of the file after gzip: what lies above is refused
/// (docs.github.com, "SARIF support for code scanning").
const RESULTS_PER_RUN: usize = 25_000;
const COMPRESSED_BYTES: usize = 10 * 1024 * 1024;
/// Characters of a message.
const MESSAGE_LIMIT: usize = 10_000;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
/// The symbol for the repository's root; by custom in percent signs.
const SOURCE_ROOT: &str = "%SRCROOT%";
const FINGERPRINT_NAME: &str = "pyqaFinding/v1";

/// `--output-format sarif`
pub struct Sarif;

impl Report for Sarif {
    fn write(
        &self,
        outcome: &Outcome,
        context: &ReportContext,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        out.write_all(&within_limits(outcome, context, COMPRESSED_BYTES)?)?;
        writeln!(out)
    }
}

/// What the limits keep out of the report, for the user to know.
pub fn left_out(outcome: &Outcome) -> Vec<Notice> {
    outcome.tools.iter().filter_map(|tool| cut_notice(tool, outcome, RESULTS_PER_RUN)).collect()
}

fn cut_notice(tool: &ToolReport, outcome: &Outcome, limit: usize) -> Option<Notice> {
    let results = outcome.findings.iter().filter(|f| f.tool == tool.tool).count();
    let rest = results.checked_sub(limit).filter(|&rest| rest > 0)?;
    let message = format!(
        "{} of {} left out, the least severe first: code scanning refuses larger reports",
        plural(rest, "finding"),
        tool.tool
    );
    Some(Notice::warning(message))
}

/// The document, with fewer results where it would be too large when compressed.
fn within_limits(
    outcome: &Outcome,
    context: &ReportContext,
    limit: usize,
) -> serde_json::Result<Vec<u8>> {
    let fingerprints = context.fingerprints(&outcome.findings);
    let mut results = RESULTS_PER_RUN;
    loop {
        let log = log(outcome, &fingerprints, results, context);
        let bytes = serde_json::to_vec(&log)?;
        if bytes.len() <= limit || compressed(&bytes) <= limit || results <= 1 {
            return Ok(bytes);
        }
        let largest = outcome.tools.iter().map(|tool| of_tool(tool, outcome).count()).max();
        results = results.min(largest.unwrap_or(0)) / 2;
    }
}

/// Size after gzip, as the upload action does it.
fn compressed(bytes: &[u8]) -> usize {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.map_or(usize::MAX, |bytes| bytes.len())
}

fn of_tool<'a>(
    tool: &'a ToolReport,
    outcome: &'a Outcome,
) -> impl Iterator<Item = (usize, &'a Finding)> {
    outcome.findings.iter().enumerate().filter(|(_, finding)| finding.tool == tool.tool)
}

fn log(
    outcome: &Outcome,
    fingerprints: &[Fingerprint],
    limit: usize,
    context: &ReportContext,
) -> sarif::Sarif {
    let runs: Vec<Run> =
        outcome.tools.iter().map(|tool| run(tool, outcome, fingerprints, limit, context)).collect();
    sarif::Sarif::builder().schema(SCHEMA).version(json!("2.1.0")).runs(runs).build()
}

fn run(
    tool: &ToolReport,
    outcome: &Outcome,
    fingerprints: &[Fingerprint],
    limit: usize,
    context: &ReportContext,
) -> Run {
    let mut findings: Vec<(usize, &Finding)> = of_tool(tool, outcome).collect();
    // Stable, so that equal ones keep the order of the report.
    findings.sort_by_key(|(_, finding)| finding.severity);
    findings.truncate(limit);
    findings.sort_by_key(|(index, _)| *index);
    let mut rules = Rules::default();
    let results: Vec<sarif::Result> = findings
        .iter()
        .map(|(index, finding)| result(finding, &fingerprints[*index], &mut rules, context))
        .collect();
    let mut root = escape::percent_encode(context.repository.as_os_str().as_encoded_bytes());
    root.insert_str(0, "file://");
    if !root.ends_with('/') {
        root.push('/');
    }
    let bases = [(SOURCE_ROOT.to_owned(), ArtifactLocation::builder().uri(root).build())];
    Run::builder()
        .tool(driver(tool, rules, context))
        .invocations(vec![invocation(tool, outcome, limit)])
        .original_uri_base_ids(BTreeMap::from(bases))
        .column_kind(json!("unicodeCodePoints"))
        .results(results)
        .build()
}

fn driver(tool: &ToolReport, rules: Rules, context: &ReportContext) -> ToolComponent {
    let mut driver =
        ToolComponent::builder().name(tool.tool.as_str()).rules(rules.descriptors).build();
    driver.version.clone_from(&tool.version);
    driver.information_uri =
        context.catalogue.homepage(&tool.tool).filter(|url| is_web_address(url));
    driver
}

/// Whether the tool could answer, and what was left out.
fn invocation(tool: &ToolReport, outcome: &Outcome, limit: usize) -> Invocation {
    let notification = |level: &str, text: String| {
        Notification::builder().level(json!(level)).message(message(&text)).build()
    };
    let failed = tool.failures.iter().map(|failure| {
        let text = format!("{} {}: {}", tool.tool, failures::verb(failure.kind), failure.message);
        notification("error", text)
    });
    let cut = cut_notice(tool, outcome, limit);
    let cut = cut.map(|notice| notification("warning", notice.message));
    let mut invocation =
        Invocation::builder().execution_successful(tool.failures.is_empty()).build();
    let notifications: Vec<Notification> = failed.chain(cut).collect();
    if !notifications.is_empty() {
        invocation.tool_execution_notifications = Some(notifications);
    }
    invocation
}

/// The rules of a run, each once, in the order in which results name them.
#[derive(Default)]
struct Rules {
    descriptors: Vec<ReportingDescriptor>,
    index: BTreeMap<String, i64>,
}

impl Rules {
    fn index(&mut self, finding: &Finding, context: &ReportContext) -> (String, i64) {
        let id = finding.code.clone().unwrap_or_else(|| finding.tool.to_string());
        if let Some(&index) = self.index.get(&id) {
            return (id, index);
        }
        let index = i64::try_from(self.descriptors.len()).unwrap_or(i64::MAX);
        self.descriptors.push(descriptor(&id, finding, context));
        self.index.insert(id.clone(), index);
        (id, index)
    }
}

fn descriptor(id: &str, finding: &Finding, context: &ReportContext) -> ReportingDescriptor {
    let known =
        finding.code.as_deref().and_then(|code| context.catalogue.rule(&finding.tool, code));
    let Rule { summary, url } = known
        .unwrap_or_else(|| Rule { summary: format!("{} reports {id}", finding.tool), url: None });
    // The tool's own word is that of the version that ran.
    let url = finding.url.clone().or(url).filter(|url| is_web_address(url));
    let (text, markdown) = match &url {
        Some(url) => (
            format!("{summary}\nDocumentation: {url}"),
            format!("{summary}\n\n[Documentation of {}]({url})", finding.tool),
        ),
        None => (summary.clone(), summary.clone()),
    };
    let help = MultiformatMessageString::builder().text(text).markdown(markdown).build();
    let mut descriptor = ReportingDescriptor::builder()
        .id(id)
        .short_description(MultiformatMessageString::from(&summary))
        .help(help)
        .build();
    descriptor.help_uri = url;
    descriptor
}

/// Whether a text may stand where the schema wants a URI.
fn is_web_address(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        !rest.is_empty()
            && rest.bytes().all(|b| b.is_ascii_graphic() && !b"\"<>\\^`{|}()".contains(&b))
    })
}

fn result(
    finding: &Finding,
    fingerprint: &Fingerprint,
    rules: &mut Rules,
    context: &ReportContext,
) -> sarif::Result {
    let (id, index) = rules.index(finding, context);
    let level = match finding.severity {
        Severity::Error => ResultLevel::Error,
        Severity::Warning => ResultLevel::Warning,
        Severity::Note => ResultLevel::Note,
    };
    let mut text = finding.message.clone();
    for line in &finding.details {
        text.push('\n');
        text.push_str(line);
    }
    let prints = [(FINGERPRINT_NAME.to_owned(), fingerprint.to_string())];
    sarif::Result::builder()
        .rule_id(id)
        .rule_index(index)
        .level(level)
        .message(message(&text))
        .locations(vec![location(finding.location.as_ref(), context)])
        .partial_fingerprints(BTreeMap::from(prints))
        .build()
}

fn message(text: &str) -> Message {
    let text = console::strip_ansi_codes(text);
    // A message without text is refused.
    let text = if text.trim().is_empty() { "(no message)".into() } else { text };
    Message::builder().text(escape::cut(&text, MESSAGE_LIMIT)).build()
}

/// Code scanning refuses results without a place: those about the project get its root, and those
/// about a file as a whole its first line.
fn location(location: Option<&Location>, context: &ReportContext) -> sarif::Location {
    let uri = location.map_or_else(
        || ".".to_owned(),
        |location| escape::percent_encode(context.platform_path(&location.path).as_bytes()),
    );
    let artifact = ArtifactLocation::builder().uri(uri).uri_base_id(SOURCE_ROOT).build();
    let mut physical = PhysicalLocation::builder().artifact_location(artifact).build();
    let start = || sarif::Region::builder().start_line(1).build();
    physical.region = Some(location.and_then(Region::of).map_or_else(start, region));
    sarif::Location::builder().physical_location(physical).build()
}

/// SARIF's end column too is the one after the last character.
fn region(region: Region) -> sarif::Region {
    let mut sarif = sarif::Region::builder().start_line(i64::from(region.line)).build();
    sarif.start_column = region.column.map(i64::from);
    sarif.end_column = region.end_column.map(i64::from);
    if region.end_line > region.line || region.end_column.is_some() {
        sarif.end_line = Some(i64::from(region.end_line));
    }
    sarif
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::Value;

    use super::*;
    use crate::finding::{Category, ToolId};
    use crate::report::{Catalogue, samples};

    fn written(outcome: &Outcome, context: &ReportContext) -> Value {
        let mut out = Vec::new();
        Sarif.write(outcome, context, &mut out).unwrap();
        // Into the types made from the official schema first, which know the required members.
        let log: sarif::Sarif = serde_json::from_slice(&out).unwrap();
        let read = serde_json::to_value(log).unwrap();
        assert_eq!(read, serde_json::from_slice::<Value>(&out).unwrap());
        read
    }

    #[test]
    fn each_tool_has_a_run_with_rules_and_results() {
        let log = written(&samples::outcome(), &samples::context(&samples::source));
        let names: Vec<_> = log["runs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|run| &run["tool"]["driver"]["name"])
            .collect();
        assert_eq!(names, ["black", "mypy", "pytest", "flake8", "bandit"]);
        insta::assert_snapshot!(
            serde_json::to_string_pretty(&log["runs"][1]["results"][0]).unwrap(), @r#"
        {
          "level": "error",
          "locations": [
            {
              "physicalLocation": {
                "artifactLocation": {
                  "uri": "src/a.py",
                  "uriBaseId": "%SRCROOT%"
                },
                "region": {
                  "endColumn": 10,
                  "endLine": 5,
                  "startColumn": 9,
                  "startLine": 5
                }
              }
            }
          ],
          "message": {
            "text": "Incompatible return value type (got \"int\", expected \"str\")\nSee the documentation for more"
          },
          "partialFingerprints": {
            "pyqaFinding/v1": "fa0c9d1cf28cbc164d5128ef6c417c22340ad32127b7c7b6999c6100ae790961"
          },
          "ruleId": "return-value",
          "ruleIndex": 0
        }
        "#);
        insta::assert_snapshot!(
            serde_json::to_string(&log["runs"][4]["tool"]["driver"]["rules"]).unwrap(), @r#"[{"help":{"markdown":"bandit reports B101\n\n[Documentation of bandit](https://bandit.readthedocs.io/en/1.9.4/b101.html)","text":"bandit reports B101\nDocumentation: https://bandit.readthedocs.io/en/1.9.4/b101.html"},"helpUri":"https://bandit.readthedocs.io/en/1.9.4/b101.html","id":"B101","shortDescription":{"text":"bandit reports B101"}}]"#);
        insta::assert_snapshot!(log["runs"][0]["originalUriBaseIds"], @r#"{"%SRCROOT%":{"uri":"file:///home/me/my%20project/"}}"#);
    }

    struct Known;

    impl Catalogue for Known {
        fn homepage(&self, tool: &ToolId) -> Option<String> {
            Some(format!("https://example.org/{tool}"))
        }

        fn category(&self, _tool: &ToolId) -> Category {
            Category::default()
        }

        fn rule(&self, _tool: &ToolId, code: &str) -> Option<Rule> {
            Some(Rule {
                summary: "Module imported but unused".to_owned(),
                url: Some(format!("https://example.org/{code}")),
            })
        }
    }

    #[test]
    fn rules_are_described_from_the_shipped_data() {
        let read = &samples::source;
        let context = ReportContext { catalogue: &Known, ..samples::context(read) };
        let log = written(&samples::outcome(), &context);
        let driver = &log["runs"][3]["tool"]["driver"];
        assert_eq!(driver["informationUri"], "https://example.org/flake8");
        let described = &driver["rules"][0];
        assert_eq!(described["helpUri"], "https://example.org/F401");
        assert_eq!(described["shortDescription"]["text"], "Module imported but unused");
    }

    #[test]
    fn a_tool_that_failed_did_not_execute_successfully() {
        let log = written(&samples::crashed(), &samples::context(&|_| None));
        let invocation = &log["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        assert_eq!(invocation["toolExecutionNotifications"][0]["level"], "error");
        assert_eq!(log["runs"][2]["invocations"][0]["executionSuccessful"], true);
    }

    #[test]
    fn paths_count_from_the_repository_and_keep_their_bytes() {
        let read = &samples::source;
        let context = ReportContext { repository: Path::new("/home/me"), ..samples::context(read) };
        let log = written(&samples::hostile(), &context);
        let results = log["runs"][0]["results"].as_array().unwrap();
        let uris: Vec<&str> = results
            .iter()
            .map(|r| {
                let physical = &r["locations"][0]["physicalLocation"];
                physical["artifactLocation"]["uri"].as_str().unwrap()
            })
            .collect();
        assert!(uris.contains(&"my%20project/caf%E9.py"), "{uris:?}");
        assert!(uris.iter().all(|uri| uri.bytes().all(|b| b.is_ascii_graphic())), "{uris:?}");
    }

    #[test]
    fn too_many_results_are_cut_by_severity_with_a_notice() {
        let mut outcome = samples::outcome();
        outcome.findings = (0..RESULTS_PER_RUN + 5)
            .map(|n| samples::style("a.py", u32::try_from(n).unwrap() + 1))
            .collect();
        let last = outcome.findings.len() - 1;
        outcome.findings[last].severity = Severity::Error;
        let log = written(&outcome, &samples::context(&|_| None));
        let run = &log["runs"][3];
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), RESULTS_PER_RUN);
        assert_eq!(results[RESULTS_PER_RUN - 1]["level"], "error");
        let notice = &run["invocations"][0]["toolExecutionNotifications"][0];
        assert_eq!(notice["message"]["text"], left_out(&outcome)[0].message);
        assert!(left_out(&outcome)[0].message.starts_with("5 findings of flake8 left out"));
        assert!(left_out(&samples::outcome()).is_empty());
    }

    #[test]
    fn a_report_that_is_too_large_is_cut_until_it_fits() {
        let outcome = samples::hostile();
        let context = samples::context(&samples::source);
        let limit = compressed(&within_limits(&outcome, &context, usize::MAX).unwrap()) - 1;
        let bytes = within_limits(&outcome, &context, limit).unwrap();
        assert!(compressed(&bytes) <= limit);
        let log: Value = serde_json::from_slice(&bytes).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap().len();
        assert!((1..outcome.findings.len()).contains(&results), "{results}");
    }
}
