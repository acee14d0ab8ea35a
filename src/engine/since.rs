//! `--new-since`: what stands on changed lines, and what the change has caused elsewhere.
//!
//! A finding outside of the changed lines is caused by the change when the tool does not have it
//! for the content of the merge base. Tools that take the project as a whole are asked about all
//! of it. Those that go by files are asked about the files that were changed: the others are the
//! same text as before.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::baseline::changed::ChangedLines;
use crate::baseline::file::{Baseline, Entry};
use crate::baseline::omit::{Omission, leave_out};
use crate::baseline::recognise::{Renames, marks, recognise};
use crate::error::UserError;
use crate::event::{Notice, Outcome};
use crate::finding::{Finding, ToolId};
use crate::git::since::MergeBase;
use crate::paths::RelPath;

/// A run on the content of the merge base.
#[derive(Clone, Debug)]
pub struct BaseRun {
    pub commit: String,
    pub tools: Vec<ToolId>,
    /// For the tools that go by files. Absolute, as in the work tree.
    pub files: Vec<PathBuf>,
}

/// Makes such a run.
pub type CheckBase<'a> = dyn FnMut(&BaseRun) -> Result<Outcome, Vec<UserError>> + 'a;

/// Leaves out what neither stands where something has changed since HEAD left `reference`
/// (committed or not) nor was caused by that. Tests are not judged: they fail for what they run.
///
/// # Errors
/// A merge base that cannot be told; then nothing is left out.
pub fn leave_out_unchanged(
    outcome: &mut Outcome,
    reference: &str,
    check_base: &mut CheckBase<'_>,
) -> Result<Vec<Notice>, UserError> {
    let top = outcome.repository.clone();
    if !top.join(".git").exists() {
        let what = "`--new-since` compares with a commit, and this is no git repository";
        return Err(UserError::new(what).hint("run `git init`, or leave `--new-since` out"));
    }
    let base = MergeBase::find(&top, reference)?;
    let before = Before::of(&base, outcome)?;
    let mut judged: Vec<Judgement> =
        outcome.findings.iter().map(|finding| before.judge(finding, outcome)).collect();
    let mut notices = Vec::new();
    if judged.contains(&Judgement::Asked) {
        match ask(outcome, &judged, &base, &before, check_base) {
            Ok(answers) => judged = answers,
            Err(notice) => {
                notices.push(notice);
                replace(&mut judged, Judgement::Caused);
            }
        }
    }
    let reasons: Vec<Option<Omission>> = judged
        .iter()
        .map(|judged| (*judged == Judgement::Unchanged).then_some(Omission::Unchanged))
        .collect();
    let kept = judged.iter().filter(|judged| **judged != Judgement::Unchanged);
    let caused = kept.enumerate().filter(|(_, judged)| **judged == Judgement::Caused);
    outcome.caused = caused.map(|(index, _)| index).collect();
    leave_out(outcome, &reasons);
    Ok(notices)
}

/// What becomes of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judgement {
    /// It stands on a changed line, or is judged by nothing else than being there.
    New,
    Unchanged,
    /// Whether it was there before, its tool has to say.
    Asked,
    Caused,
}

fn replace(judged: &mut [Judgement], by: Judgement) {
    judged.iter_mut().filter(|judged| **judged == Judgement::Asked).for_each(|j| *j = by);
}

/// The files that findings stand in, as they were. Names count from the project's root.
struct Before {
    /// Name now → name then, content then, what changed since. Without files that are new.
    files: BTreeMap<RelPath, (RelPath, Vec<u8>, ChangedLines)>,
}

impl Before {
    fn of(base: &MergeBase, outcome: &Outcome) -> Result<Self, UserError> {
        let folder =
            RelPath::from_absolute(&outcome.root, &outcome.repository).unwrap_or_else(|| "".into());
        let named = outcome.findings.iter().filter_map(|finding| finding.location.as_ref());
        let paths: BTreeSet<RelPath> = named.map(|place| folder.join(&place.path)).collect();
        let within = |path: &RelPath| path.below_folder(folder.as_bytes()).map(RelPath::from_bytes);
        let mut files = BTreeMap::new();
        for (path, (old_name, old)) in base.contents(&paths)? {
            let Some(name) = within(&path) else { continue };
            let now = std::fs::read(name.below(&outcome.content)).unwrap_or_default();
            let lines = ChangedLines::between(&old, &now);
            files.insert(name, (within(&old_name).unwrap_or(old_name), old, lines));
        }
        Ok(Self { files })
    }

    fn judge(&self, finding: &Finding, outcome: &Outcome) -> Judgement {
        if finding.test.is_some() {
            return Judgement::New;
        }
        let Some(place) = &finding.location else { return Judgement::Asked };
        let Some((old_name, _, lines)) = self.files.get(&place.path) else { return Judgement::New };
        let whole = finding.diff.is_some();
        if if whole { !lines.is_empty() } else { lines.touch(place) } {
            return Judgement::New;
        }
        let per_file = outcome.tools.iter().any(|t| t.tool == finding.tool && t.per_file);
        let same_file = lines.is_empty() || *old_name != place.path;
        if per_file && same_file { Judgement::Unchanged } else { Judgement::Asked }
    }

    fn renames(&self) -> Renames {
        let renamed = self.files.iter().filter(|(name, (old_name, ..))| name != &old_name);
        renamed.map(|(name, (old_name, ..))| (name.clone(), old_name.clone())).collect()
    }
}

/// Asks the tools what they have for the merge base.
fn ask(
    outcome: &Outcome,
    judged: &[Judgement],
    base: &MergeBase,
    before: &Before,
    check_base: &mut CheckBase<'_>,
) -> Result<Vec<Judgement>, Notice> {
    let (indexes, asked): (Vec<usize>, Vec<Finding>) = outcome
        .findings
        .iter()
        .enumerate()
        .filter(|(index, _)| judged[*index] == Judgement::Asked)
        .map(|(index, finding)| (index, finding.clone()))
        .unzip();
    let tools: BTreeSet<ToolId> = asked.iter().map(|finding| finding.tool.clone()).collect();
    let changed = before.files.iter().filter(|(_, (_, _, lines))| !lines.is_empty());
    let run = BaseRun {
        commit: base.commit.clone(),
        tools: tools.iter().cloned().collect(),
        files: changed.map(|(name, _)| name.below(&outcome.root)).collect(),
    };
    let mut answers = judged.to_vec();
    let then = match check_base(&run) {
        Ok(then) => then,
        Err(errors) => {
            let why: Vec<String> = errors.iter().map(ToString::to_string).collect();
            return Err(unanswered("the tools", &why.join("; ")));
        }
    };
    let silent = then.tools.iter().find(|tool| !tool.failures.is_empty());
    if let Some(tool) = silent {
        return Err(unanswered(tool.tool.as_str(), &tool.failures[0].message));
    }
    let old = |path: &RelPath| {
        let mut files = before.files.values();
        files.find(|(old_name, ..)| old_name == path).map(|(_, content, _)| content.clone())
    };
    let entries = then.findings.iter().zip(marks(&then.findings, &old));
    let known = Baseline { entries: entries.map(|(f, mark)| Entry::new(f, mark)).collect() };
    let now = |path: &RelPath| std::fs::read(path.below(&outcome.content)).ok();
    let recognised = recognise(&asked, &known, &before.renames(), &now);
    for (index, recognised) in indexes.into_iter().zip(recognised) {
        let was_there = recognised.entry.is_some();
        answers[index] = if was_there { Judgement::Unchanged } else { Judgement::Caused };
    }
    Ok(answers)
}

fn unanswered(who: &str, why: &str) -> Notice {
    let message = format!(
        "{who} gave no answer for the merge base, so findings outside of the changed lines are \
         all shown: {why}"
    );
    Notice::warning(message)
}
