//! Joins the reports of all shards into the outcome that the whole run would have had, [`merge`].
//! Reports that do not belong together, or are not all there, are refused: what no shard looked
//! at must not pass for clean.

mod checks;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use super::json::Document;
use crate::error::{ExitStatus, UserError};
use crate::event::{FailureKind, Outcome, ToolReport};
use crate::finding::{Finding, Severity, ToolId};

/// A report and the name of its file.
pub struct Part {
    pub name: String,
    pub document: Document,
}

/// The whole outcome. A single report of a whole run is taken as it is.
///
/// # Errors
/// Reports of different runs; a shard that is missing or there twice, or a piece of work that is.
pub fn merge(mut parts: Vec<Part>) -> Result<Outcome, Vec<UserError>> {
    let is_whole = |part: &Part| part.document.shard.is_none();
    if parts.len() == 1
        && let Some(whole) = parts.pop_if(|part| is_whole(part))
    {
        return Ok(whole.document.into());
    }
    parts.sort_by_key(|part| part.document.shard.as_ref().map(|mark| mark.index));
    checks::check(&parts)?;
    let order = checks::tools(&parts);
    let outcomes: Vec<Outcome> = parts.into_iter().map(|part| part.document.into()).collect();
    Ok(join(outcomes, &order))
}

fn join(outcomes: Vec<Outcome>, order: &[ToolId]) -> Outcome {
    let mut merged = Outcome {
        root: PathBuf::new(),
        content: PathBuf::new(),
        repository: PathBuf::new(),
        findings: Vec::new(),
        caused: BTreeSet::new(),
        tools: Vec::new(),
        notices: Vec::new(),
        files: 0,
        elapsed: Duration::ZERO,
        status: ExitStatus::Clean,
        shard: None,
    };
    let tests: BTreeSet<String> = outcomes
        .iter()
        .flat_map(|outcome| &outcome.tools)
        .flat_map(|tool| tool.tests.iter().map(|test| test.id.clone()))
        .collect();
    let mut seen = BTreeMap::new();
    // Each with whether the change has caused it.
    let mut findings: Vec<(Finding, bool)> = Vec::new();
    let mut reports = Vec::new();
    for outcome in outcomes {
        let mut seen_here = BTreeMap::new();
        for (index, finding) in outcome.findings.into_iter().enumerate() {
            if is_new(&finding, &tests, &seen, &mut seen_here) {
                findings.push((finding, outcome.caused.contains(&index)));
            }
        }
        for (finding, count) in seen_here {
            let most = seen.entry(finding).or_insert(0);
            *most = count.max(*most);
        }
        for notice in outcome.notices {
            if !merged.notices.contains(&notice) {
                merged.notices.push(notice);
            }
        }
        reports.extend(outcome.tools);
        merged.files = merged.files.max(outcome.files);
        merged.elapsed = merged.elapsed.max(outcome.elapsed);
        merged.status = merged.status.max(outcome.status);
    }
    findings.sort_by(|(a, _), (b, _)| a.sort_key().cmp(&b.sort_key()));
    let caused = findings.iter().enumerate().filter(|(_, (_, caused))| *caused);
    merged.caused = caused.map(|(index, _)| index).collect();
    merged.findings = findings.into_iter().map(|(finding, _)| finding).collect();
    let mut tools: Vec<ToolReport> =
        order.iter().filter_map(|tool| join_tool(tool, &reports, &merged.findings)).collect();
    // Tools that nobody found come last, as in any report.
    tools.sort_by_key(|tool| tool.version.is_none());
    Outcome { tools, ..merged }
}

/// Whether no earlier shard has told this finding. Each shard collects all tests, so that all of
/// them find what cannot be collected.
fn is_new(
    finding: &Finding,
    tests: &BTreeSet<String>,
    before: &BTreeMap<String, usize>,
    here: &mut BTreeMap<String, usize>,
) -> bool {
    let collecting = finding.test.as_ref().filter(|test| !tests.contains(*test));
    let name = match collecting {
        Some(node) => format!("{} {:?} {node}", finding.tool, finding.code),
        None => format!("{finding:?}"),
    };
    let count = here.entry(name.clone()).or_insert(0);
    *count += 1;
    *count > before.get(&name).copied().unwrap_or(0)
}

/// The parts of a tool's report, put together; `None` where no shard ran the tool.
fn join_tool(tool: &ToolId, reports: &[ToolReport], findings: &[Finding]) -> Option<ToolReport> {
    let mut parts = reports.iter().filter(|report| report.tool == *tool);
    let mut joined = parts.next()?.clone();
    for part in parts {
        joined.version = joined.version.or_else(|| part.version.clone());
        joined.per_file |= part.per_file;
        joined.units_run += part.units_run;
        joined.units_replayed += part.units_replayed;
        joined.elapsed = joined.elapsed.max(part.elapsed);
        joined.saved += part.saved;
        joined.left_out.known += part.left_out.known;
        joined.left_out.unchanged += part.left_out.unchanged;
        joined.tests.extend(part.tests.iter().cloned());
        for failure in &part.failures {
            if !joined.failures.contains(failure) {
                joined.failures.push(failure.clone());
            }
        }
        for reason in &part.reasons {
            if !joined.reasons.contains(reason) {
                joined.reasons.push(reason.clone());
            }
        }
    }
    if !joined.per_file {
        // The project is one unit, whoever had a share in it.
        let ran = joined.units_run > 0;
        joined.units_run = usize::from(ran);
        joined.units_replayed = usize::from(!ran && joined.units_replayed > 0);
    }
    let is_counted = |f: &&Finding| f.tool == *tool && f.severity != Severity::Note;
    joined.findings = findings.iter().filter(is_counted).count();
    joined.tests.sort_by(|a, b| a.id.cmp(&b.id));
    joined.reasons.sort_by(|a, b| a.unit.cmp(&b.unit));
    Some(joined)
}

/// Whether the tool could not be had.
fn is_missing(report: &ToolReport) -> bool {
    report.failures.iter().any(|failure| failure.kind == FailureKind::Missing)
}
