//! How a tool's files are cut into processes: [`cut`] makes long batches and ever shorter ones, to keep
//! every core busy to the end with few starts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Longest command line that is given to a process, in bytes of file names. Linux takes 2 MiB
/// together with the environment, macOS 1 MiB, Windows 32 KiB of characters.
const MOST_NAME_BYTES: usize = if cfg!(windows) { 24 * 1024 } else { 256 * 1024 };

/// What a tool's work costs, learnt from earlier runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// Seconds until the tool has started and reads its first file.
    pub start: f64,
    /// Seconds for 1,000 bytes of source; for a tool over the whole project, of all its files.
    pub per_kilobyte: f64,
}

impl Default for Rate {
    /// Between those of flake8, black and bandit on ordinary code.
    fn default() -> Self {
        Self { start: 0.3, per_kilobyte: 0.006 }
    }
}

impl Rate {
    pub fn expected(&self, bytes: u64) -> Duration {
        Duration::from_secs_f64(self.start + self.work(bytes))
    }

    /// The rate after a batch of `bytes` took `elapsed`: the newer counts for half.
    #[must_use]
    pub fn learn(self, bytes: u64, elapsed: Duration) -> Self {
        self.learn_warm(bytes, elapsed.saturating_sub(Duration::from_secs_f64(self.start)))
    }

    /// The same for a batch that did not have to start the tool.
    #[must_use]
    pub fn learn_warm(self, bytes: u64, elapsed: Duration) -> Self {
        if bytes == 0 {
            return self;
        }
        let seen = elapsed.as_secs_f64() / kilobytes(bytes);
        Self { per_kilobyte: f64::midpoint(self.per_kilobyte, seen), ..self }
    }

    fn work(&self, bytes: u64) -> f64 {
        self.per_kilobyte * kilobytes(bytes)
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn kilobytes(bytes: u64) -> f64 {
    bytes as f64 / 1000.0
}

/// A file to be cut into batches.
#[derive(Clone, Copy, Debug)]
pub struct Item {
    pub bytes: u64,
    /// Length of its name.
    pub name: usize,
}

/// Cuts `items` into batches of their indexes, each in the given order.
///
/// `cores` is how many processes run at once. `start` is what one more process costs; it is the
/// tool's start-up time, or next to nothing where a preloaded interpreter forks.
pub fn cut(items: &[Item], rate: Rate, cores: usize, start: Duration) -> Vec<Vec<usize>> {
    if items.is_empty() {
        return Vec::new();
    }
    let total: f64 = items.iter().map(|item| rate.work(item.bytes)).sum();
    let names: usize = items.iter().map(|item| item.name + 1).sum();
    let mut shares = shares(total, start.as_secs_f64(), cores.max(1));
    let at_least = names.div_ceil(MOST_NAME_BYTES);
    shares.resize(shares.len().max(at_least).min(items.len()), shares[0]);
    fill(items, &shares)
}

/// The seconds of work that each batch shall have. The first have more than the last, as in
/// guided self-scheduling: what is left is shared out to all cores several times over, so that few
/// starts are paid for and the cores still end about together.
fn shares(work: f64, start: f64, cores: usize) -> Vec<f64> {
    const STARTS_PER_BATCH: f64 = 8.0;
    const SHORTEST: f64 = 0.15;
    // Findings, progress and stored results come batch by batch.
    const LONGEST: f64 = 3.0;
    let shortest = (STARTS_PER_BATCH * start).max(SHORTEST);
    // Half of a start's cost of work is enough to make use of a free core.
    let at_least = if work > start / 2.0 { cores } else { 1 };
    #[expect(clippy::cast_precision_loss, reason = "a number of cores")]
    let (rounds, even) = (2.0 * cores as f64, work / at_least as f64);
    let mut shares = Vec::new();
    let mut left = work;
    while left >= 1.5 * shortest {
        let share = (left / rounds).clamp(shortest, LONGEST.max(shortest));
        shares.push(share);
        left -= share;
    }
    if shares.len() < at_least {
        return vec![even; at_least];
    }
    if left > 0.0 {
        shares.push(left);
    }
    shares
}

/// Longest first into the batch that lacks most of its share.
fn fill(items: &[Item], shares: &[f64]) -> Vec<Vec<usize>> {
    // Even an empty file costs a tool something.
    let weight = |item: &Item| kilobytes(item.bytes + 200);
    let of_weight: f64 = items.iter().map(weight).sum();
    let of_shares: f64 = shares.iter().sum();
    let in_weight = |share: f64| if of_shares > 0.0 { share / of_shares * of_weight } else { 0.0 };
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by_key(|&index| std::cmp::Reverse(items[index].bytes));
    // What it lacks, bytes of names, members.
    let mut batches: Vec<(f64, usize, Vec<usize>)> =
        shares.iter().map(|&share| (in_weight(share), 0, Vec::new())).collect();
    for index in order {
        let item = items[index];
        let fits = |batch: &(f64, usize, Vec<usize>)| batch.1 + item.name < MOST_NAME_BYTES;
        let at = (0..batches.len())
            .filter(|&at| fits(&batches[at]))
            .max_by(|&a, &b| batches[a].0.total_cmp(&batches[b].0).then(b.cmp(&a)))
            .unwrap_or_else(|| {
                batches.push((0.0, 0, Vec::new()));
                batches.len() - 1
            });
        batches[at].0 -= weight(&item);
        batches[at].1 += item.name + 1;
        batches[at].2.push(index);
    }
    let mut batches: Vec<Vec<usize>> = batches.into_iter().map(|batch| batch.2).collect();
    batches.retain(|batch| !batch.is_empty());
    for batch in &mut batches {
        batch.sort_unstable();
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn items(sizes: &[u64]) -> Vec<Item> {
        sizes.iter().map(|&bytes| Item { bytes, name: 20 }).collect()
    }

    const START: Duration = Duration::from_millis(300);

    #[test]
    fn a_single_small_file_is_one_batch() {
        assert_eq!(cut(&items(&[500]), Rate::default(), 4, START), [[0]]);
    }

    #[test]
    fn work_worth_a_start_uses_every_core() {
        assert_eq!(cut(&items(&[40_000; 8]), Rate::default(), 2, START).len(), 2);
    }

    #[test]
    fn cheap_starts_make_more_batches() {
        let sizes = [40_000; 64];
        let dear = cut(&items(&sizes), Rate::default(), 2, START).len();
        let cheap = cut(&items(&sizes), Rate::default(), 2, Duration::from_millis(3)).len();
        assert!(cheap > dear, "{cheap} {dear}");
    }

    #[test]
    fn batches_become_shorter_and_end_about_together() {
        let batches = cut(&items(&[10_000; 400]), Rate::default(), 2, START / 100);
        let sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
        // 24 seconds of work in parts of 3 seconds at most.
        assert_eq!(sizes.iter().sum::<usize>(), 400);
        assert!((12..30).contains(&sizes.len()), "{sizes:?}");
        assert!(sizes[0] <= 50 && sizes.is_sorted_by(|a, b| a + 1 >= *b), "{sizes:?}");
        assert!(*sizes.last().unwrap() <= 5, "{sizes:?}");
    }

    #[test]
    fn no_command_line_is_too_long() {
        let long = vec![Item { bytes: 10, name: 4_000 }; 1_000];
        let batches = cut(&long, Rate::default(), 1, START);
        assert!(batches.iter().all(|b| b.len() * 4_001 <= MOST_NAME_BYTES + 4_001));
    }

    proptest! {
        #[test]
        fn every_file_is_in_exactly_one_batch(
            sizes in prop::collection::vec(0_u64..500_000, 0..200),
            cores in 1_usize..9,
        ) {
            let batches = cut(&items(&sizes), Rate::default(), cores, START);
            let mut all: Vec<usize> = batches.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..sizes.len()).collect::<Vec<_>>());
        }
    }
}
