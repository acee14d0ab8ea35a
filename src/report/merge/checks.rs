//! Whether reports are those of all shards of one run.

use std::collections::{BTreeMap, BTreeSet};

use super::{Part, is_missing};
use crate::error::UserError;
use crate::event::ToolReport;
use crate::finding::ToolId;
use crate::shard::ShardMark;

/// Checks everything, so that all that is wrong is told at once.
pub(super) fn check(parts: &[Part]) -> Result<(), Vec<UserError>> {
    let marked = marked(parts)?;
    let mut problems = belonging(&marked);
    if problems.is_empty() {
        problems = completeness(&marked);
    }
    if problems.is_empty() {
        problems.extend(tools(parts).iter().filter_map(|tool| sharing(tool, &marked)));
        problems.extend(repeated_tests(&marked));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// The tools of all shards, in the order of the plan.
pub(super) fn tools(parts: &[Part]) -> Vec<ToolId> {
    let mut tools = Vec::new();
    for tool in parts.iter().filter_map(|part| part.document.shard.as_ref()).flat_map(|m| &m.tools)
    {
        if !tools.contains(tool) {
            tools.push(tool.clone());
        }
    }
    tools
}

struct Marked<'a> {
    name: &'a str,
    mark: &'a ShardMark,
    tools: Vec<ToolReport>,
}

fn marked(parts: &[Part]) -> Result<Vec<Marked<'_>>, Vec<UserError>> {
    let mut marked = Vec::new();
    let mut errors = Vec::new();
    for Part { name, document } in parts {
        match &document.shard {
            Some(mark) => {
                let tools = document.tools.iter().cloned().map(ToolReport::from).collect();
                marked.push(Marked { name, mark, tools });
            }
            None => errors.push(
                UserError::new(format!("{name} is the report of a whole run, not of a shard"))
                    .hint("leave it out, or merge it alone"),
            ),
        }
    }
    if errors.is_empty() { Ok(marked) } else { Err(errors) }
}

/// Reports of one split by one version of pyqa.
fn belonging(marked: &[Marked<'_>]) -> Vec<UserError> {
    let Some(first) = marked.first() else { return Vec::new() };
    let differs = |other: &&Marked<'_>| {
        (other.mark.count, &other.mark.pyqa, &other.mark.split)
            != (first.mark.count, &first.mark.pyqa, &first.mark.split)
    };
    let tell = |other: &Marked<'_>| {
        let (a, b) = (first.mark, other.mark);
        let (what, hint) = if a.count != b.count {
            (
                format!("one is of {} shards, the other of {}", a.count, b.count),
                "give all jobs the same number of shards",
            )
        } else if a.pyqa != b.pyqa {
            (
                format!("one was written by pyqa {}, the other by {}", a.pyqa, b.pyqa),
                "install the same version in all jobs",
            )
        } else {
            (
                "their files, durations or arguments differ".to_owned(),
                "run all shards on the same commit, with the same durations and arguments",
            )
        };
        let names = format!("{} and {}", first.name, other.name);
        UserError::new(format!("{names} do not belong together: {what}")).hint(hint)
    };
    marked.iter().filter(differs).map(tell).collect()
}

/// Each shard once.
fn completeness(marked: &[Marked<'_>]) -> Vec<UserError> {
    let Some(count) = marked.first().map(|first| first.mark.count) else { return Vec::new() };
    let mut problems = Vec::new();
    for index in 1..=count {
        let there: Vec<&str> =
            marked.iter().filter(|part| part.mark.index == index).map(|part| part.name).collect();
        let problem = match there[..] {
            [_] => continue,
            [] => UserError::new(format!("the report of shard {index}/{count} is missing"))
                .hint("see whether its job failed before it wrote a report"),
            _ => UserError::new(format!("shard {index}/{count} is there {} times", there.len()))
                .hint(format!("keep one of {}", there.join(", "))),
        };
        problems.push(problem);
    }
    problems
}

/// A tool is either run by all shards or by one, and each answers for the same kind of unit.
fn sharing(tool: &ToolId, marked: &[Marked<'_>]) -> Option<UserError> {
    let absent = marked.iter().filter(|part| part.mark.absent.contains(tool)).count();
    let ran: Vec<(u32, &ToolReport)> = marked
        .iter()
        .filter_map(|part| {
            Some((part.mark.index, part.tools.iter().find(|report| report.tool == *tool)?))
        })
        .collect();
    let found: Vec<&ToolReport> =
        ran.iter().map(|(_, report)| *report).filter(|report| !is_missing(report)).collect();
    let shards = || {
        let shards: Vec<String> = ran.iter().map(|(index, _)| index.to_string()).collect();
        shards.join(", ")
    };
    let what = match (ran.len(), absent) {
        (0, 1..) => return None,
        (0, 0) => format!("no shard has run {tool}"),
        (_, 1..) => format!("{tool} is not installed for all shards, only for {}", shards()),
        (all, 0) if all == marked.len() => {
            let per_file = found.iter().filter(|report| report.per_file).count();
            let versions: BTreeSet<_> = found.iter().map(|report| &report.version).collect();
            if versions.len() > 1 {
                format!("{tool} has another version in one shard than in another")
            } else if per_file != 0 && per_file != found.len() {
                format!("{tool} checks file by file in one shard and all at once in another")
            } else {
                return None;
            }
        }
        (1, 0) if found.iter().all(|r| !r.per_file && r.tests.is_empty()) => return None,
        (_, 0) => format!("of {} shards, only {} ran {tool}", marked.len(), shards()),
    };
    Some(UserError::new(what).hint("install the same tools in all jobs"))
}

fn repeated_tests(marked: &[Marked<'_>]) -> Vec<UserError> {
    let mut by_test: BTreeMap<(&ToolId, &str), BTreeSet<u32>> = BTreeMap::new();
    for part in marked {
        for report in &part.tools {
            for test in &report.tests {
                let shards = by_test.entry((&report.tool, &test.id)).or_default();
                shards.insert(part.mark.index);
            }
        }
    }
    let repeated = by_test.into_iter().filter(|(_, shards)| shards.len() > 1);
    repeated
        .map(|((_, test), shards)| {
            let shards: Vec<String> = shards.iter().map(ToString::to_string).collect();
            UserError::new(format!("{test} was run by the shards {}", shards.join(", ")))
                .hint("this is a bug of pyqa: please report it")
        })
        .collect()
}
