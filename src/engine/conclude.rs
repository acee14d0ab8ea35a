//! What the answers of all tools say together, once they have come: the order of findings, the
//! exit status, stored results that a tool does not confirm.

use super::execute::Task;
use super::workspace::Workspace;
use crate::error::ExitStatus;
use crate::event::{Failure, FailureKind, ToolReport};
use crate::exec::cancel::CancelToken;
use crate::finding::{Finding, Severity};

/// The findings of all lists in the order of reports.
///
/// A list mostly has those of one file, in order. So files are compared, not findings, and each
/// finding is moved once: there may be tens of thousands.
pub(super) fn ordered(lists: impl Iterator<Item = Vec<Finding>>) -> Vec<Finding> {
    let mut parts: Vec<Vec<Finding>> = lists.flat_map(by_place).collect();
    parts.sort_by(|a, b| a[0].place().cmp(&b[0].place()));
    let mut findings = Vec::with_capacity(parts.iter().map(Vec::len).sum());
    for of_place in parts.chunk_by_mut(|a, b| a[0].place() == b[0].place()) {
        let start = findings.len();
        for part in of_place {
            findings.append(part);
        }
        findings[start..].sort_by(|a, b| a.key_at_place().cmp(&b.key_at_place()));
    }
    findings
}

/// Cuts a list where the place changes. No part is empty.
fn by_place(list: Vec<Finding>) -> Vec<Vec<Finding>> {
    let lengths: Vec<usize> =
        list.chunk_by(|a, b| a.place() == b.place()).map(<[Finding]>::len).collect();
    if lengths.len() == 1 {
        return vec![list];
    }
    let mut rest = list.into_iter();
    lengths.into_iter().map(|length| rest.by_ref().take(length).collect()).collect()
}

/// What the findings and failures say together. A tool that was ended because another one found
/// something (`--fail-fast`) is no failure.
pub(super) fn status(
    findings: &[Finding],
    tools: &[ToolReport],
    cancel: &CancelToken,
) -> ExitStatus {
    let failed = tools
        .iter()
        .flat_map(|tool| &tool.failures)
        .any(|failure| failure.kind != FailureKind::Cancelled);
    if cancel.is_cancelled() {
        ExitStatus::Interrupted
    } else if failed {
        ExitStatus::Failure
    } else if findings.iter().any(|finding| finding.severity != Severity::Note) {
        ExitStatus::Findings
    } else {
        ExitStatus::Clean
    }
}

/// With `--verify-cache`: each stored result that the tool does not confirm is a failure.
pub(super) fn note_disagreements(task: &mut Task<'_>, workspace: &Workspace) {
    let units: Vec<String> = task
        .work
        .disagreements()
        .into_iter()
        .map(|unit| match unit.file {
            Some(index) => workspace.files.files[index].path.to_string(),
            None => "the project".to_owned(),
        })
        .collect();
    for unit in units {
        let tool = task.work.tool().clone();
        task.work.failures.push(Failure {
            kind: FailureKind::Disagreed,
            message: format!("the stored result of {tool} for {unit} is not what it says now"),
            output: String::new(),
            hint: Some("run `pyqa cache clean`, and report this as a bug of pyqa".to_owned()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Location;

    #[test]
    fn the_order_is_that_of_a_plain_sort() {
        let mut random = 7_u64;
        let mut below = |limit: u32| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            u32::try_from(random >> 33).unwrap() % limit
        };
        for _ in 0..200 {
            let lists: Vec<Vec<Finding>> = (0..below(6))
                .map(|_| {
                    (0..below(9))
                        .map(|_| Finding {
                            location: (below(5) > 0).then(|| Location {
                                line: Some(below(4)),
                                ..Location::file(["a", "a/b", "a.py"][below(3) as usize].into())
                            }),
                            ..Finding::new(&"a".into(), Severity::Error, below(3).to_string())
                        })
                        .collect()
                })
                .collect();
            let mut plain = lists.concat();
            plain.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
            assert_eq!(ordered(lists.into_iter()), plain);
        }
    }
}
