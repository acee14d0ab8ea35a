//! What can be learnt from a run's times: the critical path, idle cores, what would help.

use std::collections::BTreeMap;

use super::Timings;
use crate::event::{Outcome, Span};
use crate::finding::TestCase;

/// Indexes of the spans that decided when the run ended, the last first: each began when the one
/// after it in this list set a core free.
pub(super) fn critical_path(spans: &[Span]) -> Vec<usize> {
    let mut path = Vec::new();
    let mut next = (0..spans.len()).max_by_key(|&at| spans[at].end);
    while let Some(at) = next {
        path.push(at);
        let start = spans[at].start;
        next = (0..spans.len())
            .filter(|&other| spans[other].end <= start && !path.contains(&other))
            .max_by_key(|&other| spans[other].end);
    }
    path
}

/// Sums over the whole run, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Sums {
    /// From the first start of a process to the last end.
    pub(super) running: f64,
    /// Core seconds in which something ran.
    pub(super) busy: f64,
    pub(super) idle: f64,
    /// No order of the same batches ends sooner.
    pub(super) at_least: f64,
    /// What the replayed results had cost when they were made.
    pub(super) saved: f64,
}

#[expect(clippy::cast_precision_loss, reason = "small numbers of cores")]
pub(super) fn sums(timings: &Timings, outcome: &Outcome) -> Sums {
    let spans = &timings.spans;
    let seconds = |span: &Span| (timings.at(span.end) - timings.at(span.start)).max(0.0);
    let first = spans.iter().map(|span| span.start).min();
    let last = spans.iter().map(|span| span.end).max();
    let running = match (first, last) {
        (Some(first), Some(last)) => timings.at(last) - timings.at(first),
        _ => 0.0,
    };
    let busy: f64 = spans.iter().map(|span| seconds(span) * span.lanes.len() as f64).sum();
    let cores = timings.lanes() as f64;
    let longest = spans.iter().map(seconds).fold(0.0, f64::max);
    Sums {
        running,
        busy,
        idle: (running * cores - busy).max(0.0),
        at_least: longest.max(busy / cores),
        saved: outcome.tools.iter().map(|tool| tool.saved.as_secs_f64()).sum(),
    }
}

/// Advice, each with the figures that it follows from.
pub(super) fn advice(timings: &Timings, outcome: &Outcome) -> Vec<String> {
    let sums = sums(timings, outcome);
    let mut advice = Vec::new();
    if sums.saved > 0.0 {
        advice.push(format!(
            "Replayed results saved {:.1} s of work: that is what they had cost when they ran.",
            sums.saved
        ));
    }
    let longest = timings.spans.iter().max_by_key(|span| span.end.duration_since(span.start));
    if let Some(span) = longest
        && timings.lanes() > span.lanes.len()
    {
        let seconds = timings.at(span.end) - timings.at(span.start);
        if seconds > 1.0 && seconds > sums.running * 0.6 {
            let runs_tests =
                outcome.tools.iter().any(|tool| tool.tool == span.tool && !tool.tests.is_empty());
            let remedy = if runs_tests {
                "`parallel = true` in its settings (with pytest-xdist) or `--shard` divides it"
            } else {
                "it cannot be divided; a warm cache avoids it"
            };
            advice.push(format!(
                "{} took {seconds:.1} of the {:.1} s that processes ran, and no run can be \
                 shorter than its longest process: {remedy}.",
                span.tool, sums.running
            ));
        }
    }
    if sums.running - sums.at_least > 0.5 {
        advice.push(format!(
            "In the best order the same processes could have ended after {:.1} s instead of {:.1} \
             s: the next run knows their times better.",
            sums.at_least, sums.running
        ));
    }
    advice
}

/// The slowest tests, the slowest first.
pub(super) fn slowest_tests(outcome: &Outcome, most: usize) -> Vec<&TestCase> {
    let mut tests: Vec<&TestCase> = outcome.tools.iter().flat_map(|tool| &tool.tests).collect();
    tests.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    tests.truncate(most);
    tests
}

/// Test files with the seconds and the number of their tests, the slowest first.
pub(super) fn slowest_files(outcome: &Outcome, most: usize) -> Vec<(&str, f64, usize)> {
    let mut files: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    for test in outcome.tools.iter().flat_map(|tool| &tool.tests) {
        let file = test.id.split("::").next().unwrap_or_default();
        let entry = files.entry(file).or_default();
        entry.0 += test.seconds;
        entry.1 += 1;
    }
    let mut files: Vec<_> =
        files.into_iter().map(|(file, (seconds, tests))| (file, seconds, tests)).collect();
    files.sort_by(|a, b| b.1.total_cmp(&a.1));
    files.truncate(most);
    files
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;
    use crate::report::samples;

    #[test]
    fn the_critical_path_leads_back_from_the_last_end() {
        let mut timings = sample();
        assert_eq!(critical_path(&timings.spans), [2]);
        timings.spans.pop();
        assert_eq!(critical_path(&timings.spans), [1, 0]);
        assert_eq!(critical_path(&[]), [0_usize; 0]);
    }

    #[test]
    fn idle_cores_and_the_best_possible_end_are_reckoned() {
        let sums = sums(&sample(), &samples::outcome());
        let close = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(close(sums.running, 4.0) && close(sums.busy, 5.5), "{sums:?}");
        assert!(close(sums.idle, 2.5) && close(sums.at_least, 4.0), "{sums:?}");
        assert!(advice(&sample(), &samples::outcome()).iter().any(|a| a.contains("`--shard`")));
    }
}
