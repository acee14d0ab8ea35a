//! When the state of a file proves its content. The rule for racy timestamps is git's
//! (`Documentation/technical/racy-git.txt`): what was touched about as late as it was looked at may
//! be written once more within the same tick of the clock and show the same state, so that its
//! state is not trusted.

use std::fs;
use std::io;
use std::path::Path;

use crate::project::stat::FileStat;

/// Longest time between two ticks of a clock that stamps files with nanoseconds: 10 ms on kernels
/// with 100 ticks a second, doubled.
const TICK: i64 = 20_000_000;
/// The same where times are whole seconds (FAT counts in steps of two).
const COARSE_TICK: i64 = 2_000_000_000;

/// The time that a file written now is stamped with. Asked of the file system of `folder`, whose
/// clock may differ from the system's; in the distant past (nothing is trusted) where it cannot be
/// asked.
pub(super) fn now(folder: Option<&Path>) -> i64 {
    let stamp = || -> io::Result<i64> {
        let folder = folder.unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let file = tempfile::tempfile_in(folder)?;
        Ok(FileStat::from(&file.metadata()?).mtime)
    };
    stamp().unwrap_or(i64::MIN)
}

/// Whether what is done from `now` on leaves another state than `stat`.
pub(super) fn is_settled(stat: &FileStat, now: i64) -> bool {
    let tick = if stat.mtime % 1_000_000_000 == 0 { COARSE_TICK } else { TICK };
    stat.last_touched().saturating_add(tick) < now
}
