//! What the cache was good for, [`Usage`]: a line for every run, summed up for `pyqa cache stats`.
//! A line is appended in one write, so that runs at the same time do not meet.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::store::today;
use crate::event::ToolReport;
use crate::finding::ToolId;
use crate::paths::write_atomic;

/// A longer log is summed up before it grows on.
const LONGEST_LOG: u64 = 256 << 10;
/// Days that are looked back upon.
pub const DAYS: u32 = 30;

/// The log of all runs of a user.
#[derive(Clone, Debug)]
pub struct Usage {
    file: PathBuf,
}

/// Units of one tool, summed up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    pub run: u64,
    pub replayed: u64,
    /// What the units that ran have cost.
    pub spent: Duration,
    /// What the replayed units had cost when they ran.
    pub saved: Duration,
}

impl Sum {
    /// The share of units that were replayed, from 0 to 1; `None` where there were none.
    #[expect(clippy::cast_precision_loss, reason = "a share for people")]
    pub fn hit_rate(&self) -> Option<f64> {
        let all = self.run + self.replayed;
        (all > 0).then(|| self.replayed as f64 / all as f64)
    }

    fn add(&mut self, other: &Self) {
        self.run += other.run;
        self.replayed += other.replayed;
        self.spent += other.spent;
        self.saved += other.saved;
    }
}

#[derive(Serialize, Deserialize)]
struct Line {
    day: u32,
    tools: BTreeMap<ToolId, Sum>,
}

impl Usage {
    pub fn new(file: &Path) -> Self {
        Self { file: file.to_owned() }
    }

    /// Adds a run. Failing loses a line of statistics only.
    pub fn note(&self, tools: &[ToolReport]) {
        if let Err(error) = self.append(tools) {
            log::info!("{}: {error}", self.file.display());
        }
    }

    fn append(&self, tools: &[ToolReport]) -> io::Result<()> {
        let count = |units: usize| u64::try_from(units).unwrap_or(u64::MAX);
        let sums = tools.iter().filter(|tool| tool.failures.is_empty()).map(|tool| {
            let sum = Sum {
                run: count(tool.units_run),
                replayed: count(tool.units_replayed),
                spent: tool.elapsed,
                saved: tool.saved,
            };
            (tool.tool.clone(), sum)
        });
        let line = line(&Line { day: today(), tools: sums.collect() })?;
        let mut file = fs::File::options().append(true).create(true).open(&self.file)?;
        if file.metadata()?.len() > LONGEST_LOG {
            let sum = Line { day: today(), tools: self.sums() };
            return write_atomic(&self.file, &[self::line(&sum)?, line].concat());
        }
        file.write_all(&line)
    }

    /// The last [`DAYS`] days, tool by tool. Lines that cannot be read count for nothing.
    pub fn sums(&self) -> BTreeMap<ToolId, Sum> {
        let text = fs::read(&self.file).unwrap_or_default();
        let first = today().saturating_sub(DAYS);
        let mut sums: BTreeMap<ToolId, Sum> = BTreeMap::new();
        for line in text.split(|&byte| byte == b'\n') {
            let Ok(line) = serde_json::from_slice::<Line>(line) else { continue };
            for (tool, sum) in line.tools.iter().filter(|_| line.day >= first) {
                sums.entry(tool.clone()).or_default().add(sum);
            }
        }
        sums
    }
}

fn line(line: &Line) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(line)?;
    bytes.push(b'\n');
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::LeftOut;

    fn report(run: usize, replayed: usize) -> ToolReport {
        ToolReport {
            tool: "flake8".into(),
            version: None,
            findings: 0,
            left_out: LeftOut::default(),
            units_run: run,
            units_replayed: replayed,
            per_file: true,
            elapsed: Duration::from_millis(10),
            saved: Duration::from_millis(20),
            failures: Vec::new(),
            reasons: Vec::new(),
            tests: Vec::new(),
        }
    }

    #[test]
    fn runs_add_up_also_when_the_log_is_summed_up_and_a_bad_line_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let usage = Usage::new(&folder.path().join("usage"));
        usage.note(&[report(1, 3)]);
        let mut file = fs::File::options().append(true).open(&usage.file).unwrap();
        file.write_all(&vec![b'x'; usize::try_from(LONGEST_LOG).unwrap()]).unwrap();
        file.write_all(b"\n").unwrap();
        usage.note(&[report(0, 4)]);
        assert!(fs::metadata(&usage.file).unwrap().len() < 1000);
        let sum = &usage.sums()[&"flake8".into()];
        assert_eq!((sum.run, sum.replayed), (1, 7));
        assert_eq!(sum.hit_rate(), Some(0.875));
        assert_eq!(sum.saved, Duration::from_millis(40));
    }
}
