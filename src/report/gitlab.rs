//! GitLab's Code Quality report: a JSON array with a member for each finding, as its merge request
//! widget reads it (<https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format>). What
//! GitLab leaves out of Code Climate's format is there too, for other readers of that
//! (<https://github.com/codeclimate/platform/blob/master/spec/analyzers/SPEC.md#issues>).

use std::io::{self, Write};

use serde::Serialize;

use super::region::Region;
use super::{Report, ReportContext, escape};
use crate::event::Outcome;
use crate::finding::{Category, Finding, Severity};
use crate::hash::Fingerprint;

/// Characters of a description.
const DESCRIPTION_LIMIT: usize = 2_000;

/// `--output-format gitlab`
pub struct GitLab;

#[derive(Serialize)]
struct Issue {
    r#type: &'static str,
    categories: [Category; 1],
    description: String,
    check_name: String,
    /// By it GitLab knows which findings a branch adds and which it resolves.
    fingerprint: String,
    severity: &'static str,
    location: Place,
}

#[derive(Serialize)]
struct Place {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
    end: u32,
}

impl Report for GitLab {
    fn write(
        &self,
        outcome: &Outcome,
        context: &ReportContext,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let fingerprints = context.fingerprints(&outcome.findings);
        let pairs = outcome.findings.iter().zip(&fingerprints);
        let issues: Vec<Issue> = pairs.map(|(f, print)| issue(f, print, context)).collect();
        serde_json::to_writer_pretty(&mut *out, &issues)?;
        writeln!(out)
    }
}

fn issue(finding: &Finding, fingerprint: &Fingerprint, context: &ReportContext) -> Issue {
    let location = finding.location.as_ref();
    let code = finding.code.as_deref().unwrap_or("finding");
    let (begin, end) = location.and_then(Region::of).map_or((1, 1), |r| (r.line, r.end_line));
    Issue {
        r#type: "issue",
        categories: [context.catalogue.category(&finding.tool)],
        description: escape::cut(&finding.message, DESCRIPTION_LIMIT).into_owned(),
        check_name: format!("{}: {code}", finding.tool),
        fingerprint: fingerprint.to_string(),
        severity: match finding.severity {
            Severity::Error => "major",
            Severity::Warning => "minor",
            Severity::Note => "info",
        },
        location: Place {
            // GitLab wants a path; `.` is the project.
            path: location.map_or_else(
                || ".".to_owned(),
                |l| context.platform_path(&l.path).to_text().into_owned(),
            ),
            lines: Lines { begin, end },
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::Value;

    use super::*;
    use crate::report::samples;

    fn written(outcome: &Outcome) -> Vec<Value> {
        let mut out = Vec::new();
        GitLab.write(outcome, &samples::context(&samples::source), &mut out).unwrap();
        serde_json::from_slice(&out).unwrap()
    }

    #[test]
    fn a_finding_has_what_gitlab_reads() {
        insta::assert_snapshot!(written(&samples::outcome())[1], @r#"{"type":"issue","categories":["Bug Risk"],"description":"'os' imported but unused","check_name":"flake8: F401","fingerprint":"419e4829c698d3679bc4e899b83ead544657981144664d37bbc42e2130c6ac2f","severity":"major","location":{"path":"src/a.py","lines":{"begin":1,"end":1}}}"#);
    }

    #[test]
    fn fingerprints_differ_within_a_report_and_agree_between_runs() {
        let mut outcome = samples::hostile();
        outcome.findings.extend(samples::hostile().findings);
        outcome.findings.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        let prints = |issues: Vec<Value>| -> Vec<String> {
            issues.iter().map(|i| i["fingerprint"].as_str().unwrap().to_owned()).collect()
        };
        let first = prints(written(&outcome));
        assert_eq!(first, prints(written(&outcome)));
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), outcome.findings.len());
    }

    #[test]
    fn a_finding_about_the_project_still_has_a_place() {
        let issues = written(&samples::outcome());
        assert_eq!(issues[5]["location"]["path"], ".");
        assert_eq!(issues[5]["location"]["lines"]["begin"], 1);
    }
}
