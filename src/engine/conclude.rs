//! What the answers of all tools say together, once they have come: the exit status, stored results
//! that a tool does not confirm.

use super::execute::Task;
use super::workspace::Workspace;
use crate::error::ExitStatus;
use crate::event::{Failure, FailureKind, ToolReport};
use crate::exec::cancel::CancelToken;
use crate::finding::{Finding, Severity};

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
