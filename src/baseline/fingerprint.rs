//! What makes two findings of different runs the same one: [`fingerprints`]. Line numbers do not
//! count, so that a finding stays known when code above it grows.

use std::collections::HashMap;

use crate::finding::Finding;
use crate::hash::{Digest, Fingerprint};
use crate::paths::RelPath;

/// The fingerprint of each finding, in their order.
///
/// Hashed are tool and code, and what is flagged: the test's node id for a finding of pytest; else
/// the path and
/// - nothing more, where the tool would rewrite the file as a whole (a formatter's diff),
/// - the text of the line without the white space around it,
/// - the message, where no line is named or none can be read.
///
/// Findings that agree in all that are numbered in the order in which they come, so that a copied
/// line is a new finding and all fingerprints of one call differ. `line` gives the text of a line,
/// counted from 1.
pub fn fingerprints(
    findings: &[Finding],
    mut line: impl FnMut(&RelPath, u32) -> Option<String>,
) -> Vec<Fingerprint> {
    let mut seen: HashMap<Fingerprint, u32> = HashMap::new();
    findings
        .iter()
        .map(|finding| {
            let mut digest = identity(finding, &mut line);
            let ordinal = seen.entry(digest.finish()).or_default();
            *ordinal += 1;
            digest.field("ordinal", ordinal.to_le_bytes()).finish()
        })
        .collect()
}

fn identity(finding: &Finding, line: &mut impl FnMut(&RelPath, u32) -> Option<String>) -> Digest {
    let location = finding.location.as_ref();
    let mut digest = Digest::new("pyqa finding, version 1");
    digest.field("tool", finding.tool.as_str());
    digest.field("code", finding.code.as_deref().unwrap_or_default());
    if let Some(test) = &finding.test {
        // Where an assertion stands that failed says little of the test.
        digest.field("test", test);
        return digest;
    }
    digest.field("path", location.map_or(&b""[..], |l| l.path.as_bytes()));
    if finding.diff.is_some() {
        digest.field("whole", "");
        return digest;
    }
    match location.and_then(|l| line(&l.path, l.line?)) {
        Some(line) => digest.field("line", line.trim()),
        None => digest.field("message", &finding.message),
    };
    digest
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::finding::{Location, Severity};

    fn finding(line: u32) -> Finding {
        Finding {
            code: Some("E501".to_owned()),
            location: Some(Location { line: Some(line), ..Location::file("a.py".into()) }),
            ..Finding::new(&"flake8".into(), Severity::Warning, "line too long (88 > 79)")
        }
    }

    fn of(findings: &[Finding], text: &str) -> Vec<Fingerprint> {
        fingerprints(findings, |_, number| text.lines().nth(number as usize - 1).map(str::to_owned))
    }

    #[test]
    fn a_moved_or_indented_line_stays_known() {
        let before = of(&[finding(1)], "x = 1\n");
        assert_eq!(before, of(&[finding(3)], "\n\n    x = 1  \n"));
    }

    #[test]
    fn a_copied_line_is_new_and_the_first_stays_known() {
        let before = of(&[finding(1)], "x = 1\n");
        let after = of(&[finding(1), finding(2)], "x = 1\nx = 1\n");
        assert_eq!(before[0], after[0]);
        assert_ne!(after[0], after[1]);
    }

    #[test]
    fn tool_code_path_and_text_tell_findings_apart() {
        let base = finding(1);
        let location = Location { path: "b.py".into(), ..base.location.clone().unwrap() };
        let all = [
            base.clone(),
            Finding { tool: "ruff".into(), ..base.clone() },
            Finding { code: Some("E502".to_owned()), ..base.clone() },
            Finding { code: None, ..base.clone() },
            Finding { location: Some(location), ..base.clone() },
            Finding { test: Some("x = 1".to_owned()), ..base.clone() },
            Finding { location: None, message: "x = 1".to_owned(), ..base.clone() },
            finding(2),
        ];
        let distinct: HashSet<_> = of(&all, "x = 1\nx = 2\n").into_iter().collect();
        assert_eq!(distinct.len(), all.len());
    }

    #[test]
    fn a_changed_message_is_the_same_finding_while_its_line_can_be_read() {
        let other = Finding { message: "line too long (90 > 79)".to_owned(), ..finding(1) };
        assert_eq!(of(&[finding(1)], "x"), of(std::slice::from_ref(&other), "x"));
        assert_ne!(of(&[finding(1)], ""), of(&[other], ""));
    }

    #[test]
    fn fingerprints_do_not_change_between_versions() {
        insta::assert_snapshot!(of(&[finding(1)], "x = 1\n")[0], @"df62eeeb825e4531a6ecd6511d138a3805e9f64b672bc96ec8062bb9c8af81a9");
    }
}
