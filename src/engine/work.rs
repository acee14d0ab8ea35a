//! The work of one tool while a run lasts: which units are answered, which batches are out, and
//! what came back. Knows nothing of processes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::cache::entry::{Entry, ExtraInput};
use crate::event::{Failure, LeftOut, ToolReport, UnitReason};
use crate::finding::{Finding, Severity, TestCase, ToolId};
use crate::paths::RelPath;
use crate::plan::unit::{Scope, ToolPlan, Unit};
use crate::project::files::FileSet;

use super::lookup::seconds_now;

/// What a process said about the units of its batch.
pub struct Answer {
    pub findings: Vec<Finding>,
    pub tests: Vec<TestCase>,
    pub inputs: Vec<ExtraInput>,
    pub cost: Duration,
}

/// One tool's units and their results.
pub struct Work {
    pub plan: ToolPlan,
    /// Per unit: replayed from the store.
    pub replayed: Vec<Option<Entry>>,
    /// Per unit: from this run.
    fresh: Vec<Option<Entry>>,
    /// Findings that belong to none of the units; shown, never stored.
    stray: Vec<Finding>,
    pub failures: Vec<Failure>,
    pub reasons: Vec<UnitReason>,
    /// Batches that are not back yet.
    pub outstanding: usize,
    /// An answer is not one to rely on later: nothing of this run is stored.
    unstable: bool,
    started: Option<Instant>,
    ended: Option<Instant>,
}

impl Work {
    pub fn new(plan: ToolPlan, replayed: Vec<Option<Entry>>) -> Self {
        let fresh = plan.units.iter().map(|_| None).collect();
        Self {
            plan,
            replayed,
            fresh,
            stray: Vec::new(),
            failures: Vec::new(),
            reasons: Vec::new(),
            outstanding: 0,
            unstable: false,
            started: None,
            ended: None,
        }
    }

    pub fn tool(&self) -> &ToolId {
        &self.plan.tool
    }

    /// Indexes of the units that have to run.
    pub fn missing(&self) -> Vec<usize> {
        (0..self.plan.units.len()).filter(|&unit| self.replayed[unit].is_none()).collect()
    }

    pub fn begin(&mut self) {
        self.started.get_or_insert_with(Instant::now);
    }

    /// Takes what a process said about `units`. A unit that is the project gathers the answers of
    /// all its batches.
    pub fn answer(&mut self, units: &[usize], answer: Answer, files: &FileSet) {
        self.ended = Some(Instant::now());
        match self.plan.scope {
            Scope::File => self.answer_files(units, answer, files),
            Scope::Project | Scope::AllFiles => {
                let entry = self.fresh[0].get_or_insert_with(|| empty_entry(Duration::ZERO));
                entry.findings.extend(answer.findings);
                sort(&mut entry.findings);
                entry.tests.extend(answer.tests);
                entry.tests.sort_by(|a, b| a.id.cmp(&b.id));
                entry.inputs.extend(answer.inputs);
                entry.cost += answer.cost;
            }
        }
    }

    fn answer_files(&mut self, units: &[usize], answer: Answer, files: &FileSet) {
        let bytes_of = |unit: usize| {
            self.plan.units[unit].file.map_or(0, |index| files.files[index].stat.size) + 1
        };
        let all: u64 = units.iter().map(|&unit| bytes_of(unit)).sum();
        let mut by_path: BTreeMap<&RelPath, usize> = BTreeMap::new();
        for &unit in units {
            // Each file bears its share of the batch by size.
            #[expect(clippy::cast_precision_loss, reason = "an estimate")]
            let share = bytes_of(unit) as f64 / all.max(1) as f64;
            self.fresh[unit] = Some(empty_entry(answer.cost.mul_f64(share)));
            if let Some(index) = self.plan.units[unit].file {
                by_path.insert(&files.files[index].path, unit);
            }
        }
        for finding in answer.findings {
            let unit = finding.location.as_ref().and_then(|place| by_path.get(&place.path));
            match unit.and_then(|&unit| self.fresh[unit].as_mut()) {
                Some(entry) => entry.findings.push(finding),
                None => self.stray.push(finding),
            }
        }
        for &unit in units {
            if let Some(entry) = &mut self.fresh[unit] {
                sort(&mut entry.findings);
            }
        }
    }

    /// Notes that a process failed; what it was to answer stays unanswered.
    pub fn fail(&mut self, failure: Failure) {
        self.ended = Some(Instant::now());
        self.failures.push(failure);
    }

    /// Keeps this run's answers from being stored.
    pub fn distrust(&mut self) {
        self.unstable = true;
    }

    /// Whether this run's answers may be stored.
    pub fn is_trusted(&self) -> bool {
        !self.unstable
    }

    /// What the answer for the whole project was seen to stand on beside the key's files.
    pub fn beside(&self) -> &[ExtraInput] {
        match (self.plan.scope, self.fresh.first()) {
            (Scope::Project | Scope::AllFiles, Some(Some(entry))) => &entry.inputs,
            _ => &[],
        }
    }

    /// Adds to it. What is there already stays.
    pub fn stands_on(&mut self, inputs: impl Iterator<Item = ExtraInput>) {
        if self.plan.scope == Scope::File {
            return;
        }
        if let Some(Some(entry)) = self.fresh.first_mut() {
            entry.inputs.extend(inputs);
            entry.inputs.sort();
            entry.inputs.dedup_by(|a, b| a.path == b.path);
        }
    }

    /// Whether every unit is answered and nothing went wrong.
    fn is_whole(&self) -> bool {
        self.failures.is_empty() && self.outstanding == 0
    }

    /// Results of this run that may be stored: of units that are answered in full.
    pub fn to_store(&self) -> Vec<(&Unit, &Entry)> {
        let whole = self.plan.scope == Scope::File || self.is_whole();
        self.plan
            .units
            .iter()
            .zip(&self.fresh)
            .filter(|_| whole && self.stray.is_empty() && !self.unstable)
            .filter_map(|(unit, entry)| Some((unit, entry.as_ref()?)))
            .collect()
    }

    /// The findings of this tool, replayed and new.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        let entries = self.replayed.iter().zip(&self.fresh).filter_map(|(old, new)| {
            // A replayed unit that ran again, to verify it, speaks with the new answer.
            new.as_ref().or(old.as_ref())
        });
        entries.flat_map(|entry| &entry.findings).chain(&self.stray)
    }

    /// The same, at the end of the run, in lists: one for each unit.
    pub fn into_findings(self) -> impl Iterator<Item = Vec<Finding>> {
        let entries = self.replayed.into_iter().zip(self.fresh);
        let lists = entries.filter_map(|(old, new)| new.or(old)).map(|entry| entry.findings);
        lists.chain([self.stray])
    }

    /// Units whose replayed findings differ from those of this run.
    pub fn disagreements(&self) -> Vec<&Unit> {
        let same = |old: &Entry, new: &Entry| {
            let sorted = |entry: &Entry| {
                let mut findings = entry.findings.clone();
                sort(&mut findings);
                findings
            };
            sorted(old) == sorted(new)
        };
        let pairs = self.replayed.iter().zip(&self.fresh).zip(&self.plan.units);
        pairs
            .filter_map(|((old, new), unit)| {
                let (old, new) = (old.as_ref()?, new.as_ref()?);
                (!same(old, new)).then_some(unit)
            })
            .collect()
    }

    /// Its tests, in order. They are handed out once: a project has thousands.
    pub fn take_tests(&mut self) -> Vec<TestCase> {
        let entries = self.replayed.iter_mut().zip(&mut self.fresh);
        let mut tests: Vec<TestCase> = entries
            .filter_map(|(old, new)| new.as_mut().or(old.as_mut()))
            .flat_map(|entry| std::mem::take(&mut entry.tests))
            .collect();
        tests.sort_by(|a, b| a.id.cmp(&b.id));
        tests
    }

    /// What became of the tool, without its tests.
    pub fn report(&self, version: Option<String>) -> ToolReport {
        let replayed = |unit: &usize| self.replayed[*unit].is_some() && self.fresh[*unit].is_none();
        let all = 0..self.plan.units.len();
        ToolReport {
            tool: self.plan.tool.clone(),
            version,
            findings: self.findings().filter(|f| f.severity != Severity::Note).count(),
            units_run: self.fresh.iter().flatten().count(),
            units_replayed: all.clone().filter(replayed).count(),
            per_file: self.plan.scope == Scope::File,
            elapsed: match (self.started, self.ended) {
                (Some(start), Some(end)) => end.saturating_duration_since(start),
                _ => Duration::ZERO,
            },
            saved: all
                .filter(replayed)
                .filter_map(|unit| self.replayed[unit].as_ref())
                .map(|entry| entry.cost)
                .sum(),
            failures: self.failures.clone(),
            reasons: self.reasons.clone(),
            tests: Vec::new(),
            left_out: LeftOut::default(),
        }
    }
}

/// Brings findings into the order of reports. Those that are replayed are in it already, which
/// makes the order of all cheap.
fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
}

fn empty_entry(cost: Duration) -> Entry {
    Entry {
        findings: Vec::new(),
        tests: Vec::new(),
        cost,
        stored: seconds_now(),
        inputs: Vec::new(),
    }
}
