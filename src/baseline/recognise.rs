//! Which findings the baseline knows: [`recognise`].

use std::collections::{BTreeMap, HashMap};

use super::file::{Baseline, Mark, file_of_test};
use super::fingerprint::fingerprints;
use super::source::{ReadSource, Sources};
use crate::finding::{Finding, Location};
use crate::paths::RelPath;

/// New name of each file → its name in the baseline.
pub type Renames = BTreeMap<RelPath, RelPath>;

/// What is known of one finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recognised {
    /// By which an entry made now would know it.
    pub mark: Mark,
    /// Index of the entry that knows it.
    pub entry: Option<usize>,
}

/// Looks for each finding in the baseline, under its file's name and under the one before it was
/// renamed. No entry is found twice.
pub fn recognise(
    findings: &[Finding],
    baseline: &Baseline,
    renames: &Renames,
    read: &ReadSource,
) -> Vec<Recognised> {
    let entries: HashMap<Mark, usize> =
        baseline.entries.iter().enumerate().map(|(index, entry)| (entry.mark, index)).collect();
    let mut known: Vec<Recognised> = marks(findings, read)
        .into_iter()
        .map(|mark| Recognised { mark, entry: entries.get(&mark).copied() })
        .collect();
    let moved: Vec<(usize, Finding)> = findings
        .iter()
        .enumerate()
        .filter_map(|(index, finding)| Some((index, under_old_name(finding, renames)?)))
        .collect();
    if moved.is_empty() {
        return known;
    }
    let new_names: BTreeMap<&RelPath, &RelPath> = renames.iter().map(|(n, o)| (o, n)).collect();
    let read_new = |path: &RelPath| read(new_names.get(path).copied().unwrap_or(path));
    let (indexes, moved): (Vec<usize>, Vec<Finding>) = moved.into_iter().unzip();
    for (index, mark) in indexes.into_iter().zip(marks(&moved, &read_new)) {
        let found = &mut known[index].entry;
        *found = found.or(entries.get(&mark).copied());
    }
    known
}

/// The mark of each finding, in their order.
pub fn marks(findings: &[Finding], read: &ReadSource) -> Vec<Mark> {
    let mut sources = Sources::new(read);
    let prints = fingerprints(findings, |path, line| sources.line(path, line).map(str::to_owned));
    prints.iter().map(Mark::from).collect()
}

/// The finding as it would be had its file kept its name; `None` where it has.
fn under_old_name(finding: &Finding, renames: &Renames) -> Option<Finding> {
    if let Some(id) = &finding.test {
        let file = file_of_test(id);
        let old = renames.get(&file.into())?;
        let test = format!("{}{}", old.to_text(), &id[file.len()..]);
        return Some(Finding { test: Some(test), ..finding.clone() });
    }
    let location = finding.location.as_ref()?;
    let path = renames.get(&location.path)?.clone();
    Some(Finding { location: Some(Location { path, ..location.clone() }), ..finding.clone() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::baseline::file::Entry;
    use crate::finding::Severity;

    fn finding(path: &str, line: u32) -> Finding {
        Finding {
            location: Some(Location { line: Some(line), ..Location::file(path.into()) }),
            ..Finding::new(&"flake8".into(), Severity::Warning, "line too long")
        }
    }

    fn failed(id: &str, path: &str) -> Finding {
        Finding { test: Some(id.to_owned()), ..finding(path, 1) }
    }

    fn read(path: &RelPath) -> Option<Vec<u8>> {
        path.has_extension(&["py"]).then(|| b"one\ntwo\none\n".to_vec())
    }

    fn accepting(findings: &[Finding]) -> Baseline {
        let entry = |(finding, mark)| Entry::new(finding, mark);
        Baseline { entries: findings.iter().zip(marks(findings, &read)).map(entry).collect() }
    }

    fn entries(findings: &[Finding], baseline: &Baseline, renames: &Renames) -> Vec<Option<usize>> {
        recognise(findings, baseline, renames, &read).into_iter().map(|r| r.entry).collect()
    }

    #[test]
    fn of_equal_lines_as_many_are_known_as_were_accepted() {
        let baseline = accepting(&[finding("a.py", 1)]);
        let now = [finding("a.py", 1), finding("a.py", 2), finding("a.py", 3)];
        assert_eq!(entries(&now, &baseline, &Renames::new()), [Some(0), None, None]);
    }

    #[test]
    fn a_renamed_file_s_findings_are_known_under_its_former_name() {
        let baseline = accepting(&[finding("old.py", 1), failed("old.py::test_x", "old.py")]);
        let now = [finding("new.py", 3), failed("new.py::test_x", "new.py"), finding("b.py", 1)];
        assert_eq!(entries(&now, &baseline, &Renames::new()), [None, None, None]);
        let renames = Renames::from([("new.py".into(), "old.py".into())]);
        assert_eq!(entries(&now, &baseline, &renames), [Some(0), Some(1), None]);
    }

    #[test]
    fn an_accepted_test_is_known_wherever_its_assertion_fails() {
        let baseline = accepting(&[failed("t.py::test_x", "t.py")]);
        let now = [failed("t.py::test_x", "src/helper.py")];
        assert_eq!(entries(&now, &baseline, &Renames::new()), [Some(0)]);
    }

    #[test]
    fn a_file_that_a_formatter_would_rewrite_is_one_finding_whatever_the_diff() {
        let black =
            |line, diff: &str| Finding { diff: Some(diff.to_owned()), ..finding("a.py", line) };
        let baseline = accepting(&[black(1, "-a\n+b\n")]);
        assert_eq!(entries(&[black(2, "-c\n")], &baseline, &Renames::new()), [Some(0)]);
    }
}
