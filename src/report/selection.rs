//! Which findings a person is shown when there are thousands: [`Selection`].

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Limit;
use crate::finding::{Finding, Severity, ToolId};
use crate::paths::RelPath;

/// Up to this many findings are shown whole.
pub const READABLE_FINDINGS: usize = 100;
/// When there are more, each file shows this many.
pub const READABLE_PER_FILE: usize = 10;

/// The shown part of a list of findings and a count of the rest.
pub struct Selection<'a> {
    /// In the order of the report.
    pub shown: Vec<&'a Finding>,
    /// Number of findings left out, by file.
    pub left_out: BTreeMap<Option<&'a RelPath>, usize>,
    /// The same by tool and code, the most frequent first.
    pub codes: Vec<(&'a ToolId, Option<&'a str>, usize)>,
}

impl<'a> Selection<'a> {
    /// Errors are chosen before warnings and those before notes, so that thousands of findings
    /// about style do not hide the one test that failed.
    pub fn new(findings: &'a [Finding], limit: Limit) -> Self {
        let all = limit == Limit::None || findings.len() <= READABLE_FINDINGS;
        let chosen = if all { (0..findings.len()).collect() } else { choose(findings) };
        let mut left_out = BTreeMap::new();
        let mut codes = HashMap::new();
        let rest = findings.iter().enumerate().filter(|(index, _)| !chosen.contains(index));
        let rest: Vec<&Finding> = rest.map(|(_, finding)| finding).collect();
        // In the order of reports, those of a file stand together.
        for of_file in rest.chunk_by(|a, b| path(a) == path(b)) {
            *left_out.entry(path(of_file[0])).or_default() += of_file.len();
        }
        let code = |finding: &'a Finding| (&finding.tool, finding.code.as_deref());
        for alike in rest.chunk_by(|a, b| code(a) == code(b)) {
            *codes.entry(code(alike[0])).or_default() += alike.len();
        }
        let mut codes: Vec<_> =
            codes.into_iter().map(|((tool, code), count)| (tool, code, count)).collect();
        codes.sort_by_key(|&(tool, code, count)| (std::cmp::Reverse(count), tool, code));
        Self { shown: chosen.iter().map(|&index| &findings[index]).collect(), left_out, codes }
    }

    /// Number of findings left out.
    pub fn hidden(&self) -> usize {
        self.left_out.values().sum()
    }
}

fn path(finding: &Finding) -> Option<&RelPath> {
    finding.location.as_ref().map(|location| &location.path)
}

/// Indexes of the findings to show.
fn choose(findings: &[Finding]) -> BTreeSet<usize> {
    let mut chosen = BTreeSet::new();
    let mut per_file: BTreeMap<Option<&RelPath>, usize> = BTreeMap::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        for (index, finding) in findings.iter().enumerate().filter(|(_, f)| f.severity == severity)
        {
            if chosen.len() == READABLE_FINDINGS {
                return chosen;
            }
            let taken = per_file.entry(path(finding)).or_default();
            if *taken < READABLE_PER_FILE {
                *taken += 1;
                chosen.insert(index);
            }
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples;

    #[test]
    fn a_hundred_findings_are_shown_whole() {
        let findings: Vec<_> = (1..=100).map(|line| samples::style("a.py", line)).collect();
        let selection = Selection::new(&findings, Limit::Readable);
        assert_eq!((selection.shown.len(), selection.hidden()), (100, 0));
    }

    #[test]
    fn of_thousands_each_file_shows_a_few_and_errors_come_first() {
        let mut findings: Vec<_> =
            (0..3_000).map(|n| samples::style(&format!("f{:03}.py", n / 20), n % 20 + 1)).collect();
        let failed = samples::failed_test();
        findings.push(failed.clone());
        let selection = Selection::new(&findings, Limit::Readable);
        assert_eq!((selection.shown.len(), selection.hidden()), (100, 2_901));
        assert!(selection.shown.contains(&&failed));
        assert_eq!(selection.left_out[&Some(&"f000.py".into())], 10);
        assert_eq!(selection.codes, [(&ToolId::new("flake8"), Some("E501"), 2_901)]);
        assert_eq!(Selection::new(&findings, Limit::None).shown.len(), 3_001);
    }
}
