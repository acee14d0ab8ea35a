//! Which part of a run's work is this machine's: [`Shard`], `--shard 2/3`. Where a piece of work
//! belongs follows from its own name and from the durations that all shards are given, never from
//! what else a shard has found: shards that see different tests still share them without a gap.

pub mod durations;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::UserError;
use crate::finding::ToolId;
use durations::Durations;

/// One of several parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shard {
    /// Counts from 1.
    index: u32,
    count: u32,
}

impl Shard {
    /// Most parts of a run.
    const MOST: u32 = 1000;

    /// Counts from 1.
    pub fn index(self) -> u32 {
        self.index
    }

    pub fn count(self) -> u32 {
        self.count
    }

    /// Whether what bears this name belongs here. pyqa's pytest plugin reckons the same for a test
    /// without a known duration.
    pub fn has_named(self, name: &[u8]) -> bool {
        let digest = Sha256::digest(name);
        let number = digest.iter().take(8).fold(0_u64, |sum, &byte| (sum << 8) | u64::from(byte));
        number % u64::from(self.count) + 1 == u64::from(self.index)
    }

    /// Whether the `position`-th piece of a list that all shards have belongs here.
    pub fn has_position(self, position: usize) -> bool {
        position as u64 % u64::from(self.count) + 1 == u64::from(self.index)
    }

    /// The shard of each test whose duration is known: the longest first to the shard that has
    /// least, so that all take about the same time.
    pub fn of_tests(self, durations: &Durations) -> BTreeMap<&str, u32> {
        let mut tests: Vec<(&str, u64)> = durations.milliseconds().collect();
        tests.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
        let mut loads: Vec<(u64, u32)> = (1..=self.count).map(|shard| (0, shard)).collect();
        let mut shards = BTreeMap::new();
        for (test, milliseconds) in tests {
            if let Some(least) = loads.iter_mut().min() {
                // Even a test that takes no time costs something.
                least.0 += milliseconds.max(1);
                shards.insert(test, least.1);
            }
        }
        shards
    }
}

impl FromStr for Shard {
    type Err = UserError;

    fn from_str(text: &str) -> Result<Self, UserError> {
        let numbers = text.split_once('/').and_then(|(index, count)| {
            Some(Self { index: index.parse().ok()?, count: count.parse().ok()? })
        });
        let fits =
            |shard: &Self| (1..=shard.count).contains(&shard.index) && shard.count <= Self::MOST;
        numbers.filter(fits).ok_or_else(|| {
            UserError::new(format!("`{text}` names no part of a run")).hint(format!(
                "write 2/3 for the second of three parts; there can be {} of them",
                Self::MOST
            ))
        })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

/// What the report of a shard says of itself, so that reports which do not belong together are
/// not joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardMark {
    /// Counts from 1.
    pub index: u32,
    pub count: u32,
    /// Version of pyqa.
    pub pyqa: String,
    /// Stands for all that the split depends on: Python files, durations, what was asked for.
    pub split: String,
    /// The tools of all shards together, in the order of reports.
    pub tools: Vec<ToolId>,
    /// Tools of this shard that the project evidently does without.
    pub absent: Vec<ToolId>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shards(count: u32) -> impl Iterator<Item = Shard> {
        (1..=count).map(move |index| Shard { index, count })
    }

    #[test]
    fn a_shard_is_typed_as_part_of_a_whole() {
        let shard: Shard = "2/3".parse().unwrap();
        assert_eq!((shard.index(), shard.count(), shard.to_string().as_str()), (2, 3, "2/3"));
        for wrong in ["0/3", "4/3", "3", "a/b", "-1/3", "1/0", "1/1001", ""] {
            assert!(wrong.parse::<Shard>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn known_tests_are_spread_by_their_time() {
        let text = r#"{"version":1,"tests":{"a":9.0,"b":4.0,"c":4.0,"d":1.0,"e":0}}"#;
        let durations = Durations::parse(text.as_bytes()).unwrap();
        let split = Shard { index: 1, count: 2 }.of_tests(&durations);
        let expected = [("a", 1), ("b", 2), ("c", 2), ("d", 2), ("e", 1)];
        assert_eq!(split, BTreeMap::from(expected));
    }

    proptest! {
        #[test]
        fn every_name_and_position_belongs_to_exactly_one_shard(
            name in ".*", position in 0_usize..99, count in 1_u32..20,
        ) {
            let named = shards(count).filter(|shard| shard.has_named(name.as_bytes())).count();
            let placed = shards(count).filter(|shard| shard.has_position(position)).count();
            prop_assert_eq!((named, placed), (1, 1));
        }
    }
}
