//! Why a unit runs or is replayed, in words: what `--explain` tells.

use crate::cache::inputs::LastInput;
use crate::event::UnitReason;
use crate::paths::RelPath;
use crate::plan::key::CommonKey;
use crate::plan::unit::{Contents, ToolPlan, Unit};

/// Why a whole plan could not be replayed from the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circumstance {
    Usual,
    /// `--no-cache`, a cache that cannot be used, or `cache = false`.
    NoCache,
    /// `--verify-cache`
    Verifying,
    /// A result was there but is too old.
    Expired,
    /// Only successes are stored.
    SuccessesOnly,
}

/// One reason per unit. `replayed` tells which units have a stored result.
pub fn reasons(
    plan: &ToolPlan,
    replayed: &[bool],
    last: Option<&LastInput>,
    contents: Contents<'_>,
    circumstance: Circumstance,
) -> Vec<UnitReason> {
    let common =
        last.map(|last| plan.common.differences(&CommonKey::from_parts(last.common.clone())));
    plan.units
        .iter()
        .zip(replayed)
        .map(|(unit, &replayed)| UnitReason {
            unit: name(unit, contents),
            replayed: replayed && circumstance != Circumstance::Verifying,
            reason: match (replayed, circumstance) {
                (_, Circumstance::NoCache) => "the cache is not used".to_owned(),
                (true, Circumstance::Verifying) => "the stored result is verified".to_owned(),
                (true, _) => "nothing changed".to_owned(),
                (false, _) => why_run(plan, unit, last, common.as_deref(), contents, circumstance),
            },
        })
        .collect()
}

fn name(unit: &Unit, contents: Contents<'_>) -> String {
    match unit.file {
        Some(index) => contents.file(index).0.path.to_string(),
        None => ".".to_owned(),
    }
}

fn why_run(
    plan: &ToolPlan,
    unit: &Unit,
    last: Option<&LastInput>,
    common: Option<&[String]>,
    contents: Contents<'_>,
    circumstance: Circumstance,
) -> String {
    if unit.key.is_none() {
        return "a file cannot be read".to_owned();
    }
    let (Some(last), Some(common)) = (last, common) else {
        return "not run here before".to_owned();
    };
    if !common.is_empty() {
        return common.join(", ");
    }
    let changed = match unit.file {
        Some(index) => {
            let (file, content) = contents.file(index);
            match last.content(&file.path) {
                None => Some("new file".to_owned()),
                Some(before) if Some(before) != content => Some("content changed".to_owned()),
                Some(_) => None,
            }
        }
        None => changed_inputs(plan, last, contents),
    };
    changed.unwrap_or_else(|| match circumstance {
        Circumstance::Expired => "the stored result is too old".to_owned(),
        Circumstance::SuccessesOnly => {
            "a failure is not stored, or something read outside of the project's files changed"
                .to_owned()
        }
        _ => "no stored result".to_owned(),
    })
}

/// The first few of the files that changed since.
fn changed_inputs(plan: &ToolPlan, last: &LastInput, contents: Contents<'_>) -> Option<String> {
    const NAMED: usize = 3;
    let mut told = Vec::new();
    for &index in &plan.inputs {
        let (file, content) = contents.file(index);
        match last.content(&file.path) {
            None => told.push(format!("{} is new", file.path)),
            Some(before) if Some(before) != content => told.push(format!("{} changed", file.path)),
            Some(_) => {}
        }
    }
    let is_gone =
        |path: &RelPath| !plan.inputs.iter().any(|&index| contents.file(index).0.path == *path);
    if last.files.len() + told.len() > plan.inputs.len() {
        let gone = last.files.iter().filter(|(path, _)| is_gone(path));
        told.extend(gone.map(|(path, _)| format!("{path} is gone")));
    }
    let more = told.len().saturating_sub(NAMED);
    told.truncate(NAMED);
    if more > 0 {
        told.push(format!("{more} more"));
    }
    (!told.is_empty()).then(|| told.join(", "))
}
