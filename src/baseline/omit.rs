//! Taking findings out of an outcome, so that every report, the counts and the exit code agree.

use std::collections::HashSet;

use crate::error::ExitStatus;
use crate::event::{LeftOut, Outcome};
use crate::finding::{Finding, Severity, TestOutcome};

/// Why a finding is not reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Omission {
    /// The baseline accepts it.
    Known,
    /// It stands where nothing was changed.
    Unchanged,
}

/// Takes out the findings for which `reasons`, one for each finding, has a reason. A run that
/// failed for another cause has still failed.
pub fn leave_out(outcome: &mut Outcome, reasons: &[Option<Omission>]) {
    let mut kept = Vec::new();
    let mut known_tests = HashSet::new();
    for (finding, reason) in std::mem::take(&mut outcome.findings).into_iter().zip(reasons) {
        let Some(reason) = reason else {
            kept.push(finding);
            continue;
        };
        count(outcome, &finding, *reason);
        if *reason == Omission::Known {
            known_tests.extend(finding.test.map(|test| (finding.tool, test)));
        }
    }
    // A test whose tear-down failed too has two findings: one of them may be new.
    for finding in &kept {
        if let Some(test) = &finding.test {
            known_tests.remove(&(finding.tool.clone(), test.clone()));
        }
    }
    for tool in &mut outcome.tools {
        for test in &mut tool.tests {
            if known_tests.contains(&(tool.tool.clone(), test.id.clone())) {
                test.outcome = TestOutcome::Known;
            }
        }
    }
    outcome.findings = kept;
    let fails = outcome.findings.iter().any(|finding| finding.severity != Severity::Note);
    if outcome.status == ExitStatus::Findings && !fails {
        outcome.status = ExitStatus::Clean;
    }
}

fn count(outcome: &mut Outcome, finding: &Finding, reason: Omission) {
    if finding.severity == Severity::Note {
        return;
    }
    let tool = outcome.tools.iter_mut().find(|tool| tool.tool == finding.tool);
    if let Some(tool) = tool {
        tool.findings = tool.findings.saturating_sub(1);
        let LeftOut { known, unchanged } = &mut tool.left_out;
        match reason {
            Omission::Known => *known += 1,
            Omission::Unchanged => *unchanged += 1,
        }
    }
}
