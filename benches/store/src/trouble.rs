//! What becomes of results when several processes use a store at once, when one is killed, and
//! when the file system has no locks.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use pyqa::hash::Fingerprint;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, apply_filter,
};

use crate::stores::{Kind, Outcome};
use crate::{entries, key};

/// Of each of two writers.
const WRITES: u64 = 200;
/// Results that a reader asks for while they write.
const KNOWN: u64 = 100;
const KILLS: u64 = 40;

pub fn table(out: &mut impl Write) -> Outcome<()> {
    writeln!(
        out,
        "| store | two writers: time, refused, lost | read meanwhile: look-ups, refused, incomplete \
         | killed {KILLS} times: unusable, lost | without locks: refused, lost |\n|---|---|---|---|---|"
    )?;
    for kind in Kind::ALL {
        let met = two_writers(kind, true)?;
        let unlocked = two_writers(kind, false)?;
        let (unusable, lost) = killed_writers(kind)?;
        let Met { time, refused, lost: lost_then, reads, failed, incomplete } = met;
        writeln!(
            out,
            "| {} | {} ms, {refused}, {lost_then} | {reads}, {failed}, {incomplete} | {unusable}, \
             {lost} | {}, {} |",
            kind.name(),
            time.as_millis(),
            unlocked.refused,
            unlocked.lost,
        )?;
    }
    Ok(())
}

/// What two writers and a reader saw of each other.
struct Met {
    time: Duration,
    /// Results that could not be added.
    refused: u64,
    /// Results that were, and cannot be found afterwards.
    lost: u64,
    reads: u64,
    /// Look-ups that ended with an error.
    failed: u64,
    /// Look-ups that did not find all that was there before the writers began.
    incomplete: u64,
}

/// Two processes add results at once, one by one, while this one looks up others.
fn two_writers(kind: Kind, locks: bool) -> Outcome<Met> {
    let folder = tempfile::tempdir()?;
    let known = 10_000..10_000 + KNOWN;
    kind.put(folder.path(), &entries(known.clone()))?;
    let known: Vec<Fingerprint> = known.map(key).collect();
    let begun = Instant::now();
    let writers = [0, WRITES].map(|first| start(kind, folder.path(), first..first + WRITES, locks));
    let mut writers = writers.into_iter().collect::<Outcome<Vec<_>>>()?;
    let (mut reads, mut failed, mut incomplete) = (0, 0, 0);
    while running(&mut writers)? {
        reads += 1;
        match kind.look_up(folder.path(), &known) {
            Ok(found) => incomplete += u64::from(found < known.len()),
            Err(_) => failed += 1,
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let time = begun.elapsed();
    let mut written = Vec::new();
    for writer in writers {
        written.extend(told(writer)?);
    }
    let refused = 2 * WRITES - written.len() as u64;
    let lost = missing(kind, folder.path(), &written)?;
    Ok(Met { time, refused, lost, reads, failed, incomplete })
}

fn running(writers: &mut [Child]) -> io::Result<bool> {
    for writer in writers {
        if writer.try_wait()?.is_none() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A writer is killed again and again. How often the store could not be opened afterwards, and how
/// many results are gone that it had said were written.
fn killed_writers(kind: Kind) -> Outcome<(u64, u64)> {
    let folder = tempfile::tempdir()?;
    let (mut written, mut unusable, mut lost) = (Vec::new(), 0, 0);
    for kill in 0..KILLS {
        let mut writer =
            start(kind, folder.path(), kill * 1_000_000..(kill + 1) * 1_000_000, true)?;
        std::thread::sleep(Duration::from_millis(20 + kill * 7 % 50));
        writer.kill()?;
        written.extend(told(writer)?);
        match missing(kind, folder.path(), &written) {
            Ok(count) => lost = lost.max(count),
            Err(_) => unusable += 1,
        }
    }
    Ok((unusable, lost))
}

fn missing(kind: Kind, folder: &Path, written: &[u64]) -> Outcome<u64> {
    let keys: Vec<Fingerprint> = written.iter().copied().map(key).collect();
    Ok((keys.len() - kind.look_up(folder, &keys)?) as u64)
}

/// Starts this program once more, to add results. What it says fits into a pipe.
fn start(kind: Kind, folder: &Path, numbers: Range<u64>, locks: bool) -> Outcome<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["write", kind.name()]).arg(folder);
    command.args([numbers.start, numbers.end - numbers.start].map(|n| n.to_string()));
    Ok(command.arg(locks.to_string()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?)
}

/// The numbers that a writer has told. A killed one may not have come to the end of a line.
fn told(mut writer: Child) -> Outcome<Vec<u64>> {
    let mut said = String::new();
    writer.stdout.take().ok_or("no output")?.read_to_string(&mut said)?;
    writer.wait()?;
    let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
    Ok(whole.lines().map(str::parse).collect::<Result<_, _>>()?)
}

/// Adds results one by one and tells the number of each that is written.
pub fn write(kind: Kind, folder: &Path, numbers: Range<u64>, locks: bool) -> Outcome<()> {
    if !locks {
        refuse_locks()?;
    }
    let mut out = io::stdout();
    for n in numbers {
        if kind.put(folder, &entries(n..n + 1)).is_ok() {
            out.write_all(format!("{n}\n").as_bytes())?;
        }
    }
    Ok(())
}

/// From now on the system answers this process as a file system without locks does.
fn refuse_locks() -> Outcome<()> {
    let fcntl = [libc::F_SETLK, libc::F_SETLKW, libc::F_OFD_SETLK, libc::F_OFD_SETLKW]
        .into_iter()
        .map(|command| {
            let command = u64::from(command.unsigned_abs());
            let is = SeccompCmpOp::Eq;
            SeccompRule::new(vec![SeccompCondition::new(1, SeccompCmpArgLen::Dword, is, command)?])
        })
        .collect::<Result<Vec<_>, _>>()?;
    let rules = BTreeMap::from([(libc::SYS_flock, Vec::new()), (libc::SYS_fcntl, fcntl)]);
    let refused = SeccompAction::Errno(libc::ENOLCK.unsigned_abs());
    let arch = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, arch)?;
    apply_filter(&BpfProgram::try_from(filter)?)?;
    Ok(())
}
