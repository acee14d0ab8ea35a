//! How long the stores take.

use std::io::Write;
use std::time::Instant;

use pyqa::hash::Fingerprint;

use crate::stores::{Kind, Outcome};
use crate::{entries, key};

const LOOKED_UP: u64 = 3_000;
/// In a store that other projects share.
const MANY: u64 = 30_000;
/// What further runs have added one by one.
const FURTHER: u64 = 4;
const ROUNDS: u64 = 31;

/// Milliseconds by round.
type Times = Vec<f64>;

/// Medians, and the medians of each round's ratio to pyqa's store.
pub fn table(out: &mut impl Write) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let at = |kind: Kind, name: &str| folder.path().join(format!("{} {name}", kind.name()));
    for kind in Kind::ALL {
        for (name, count) in [("own", LOOKED_UP), ("shared", MANY)] {
            std::fs::create_dir_all(at(kind, name))?;
            kind.put(&at(kind, name), &entries(0..count))?;
        }
        for n in MANY..MANY + FURTHER {
            kind.put(&at(kind, "own"), &entries(n..n + 1))?;
        }
    }
    let wanted: Vec<Fingerprint> = (0..LOOKED_UP).map(key).collect();
    let look_up = |name: &'static str| {
        let (at, wanted) = (&at, &wanted);
        move |kind: Kind, _| match kind.look_up(&at(kind, name), wanted)? {
            found if found == wanted.len() => Ok(()),
            _ => Err("a result is missing".into()),
        }
    };
    let add = |kind: Kind, round| {
        let first = 2 * MANY + round;
        kind.put(&at(kind, "own"), &entries(first..first + 1))
    };
    let measured = [in_turn(look_up("own"))?, in_turn(look_up("shared"))?, in_turn(add)?];

    writeln!(out, "| store | 3,000 of 3,000 | 3,000 of 30,000 | adding one |\n|---|---|---|---|")?;
    for (at, kind) in Kind::ALL.into_iter().enumerate() {
        write!(out, "| {}", kind.name())?;
        for all in &measured {
            let ratios = all[at].iter().zip(&all[0]).map(|(own, pyqa)| own / pyqa);
            let (own, ratio) = (median(all[at].clone()), median(ratios.collect()));
            write!(out, " | {own:.2} ms, {ratio:.1} ×")?;
        }
        writeln!(out, " |")?;
    }
    Ok(())
}

/// All stores in every round, since the speed of a machine changes.
fn in_turn(work: impl Fn(Kind, u64) -> Outcome<()>) -> Outcome<Vec<Times>> {
    let mut all = vec![Vec::new(); Kind::ALL.len()];
    for round in 0..ROUNDS {
        for (times, kind) in all.iter_mut().zip(Kind::ALL) {
            let begun = Instant::now();
            work(kind, round)?;
            times.push(begun.elapsed().as_secs_f64() * 1000.0);
        }
    }
    Ok(all)
}

fn median(mut numbers: Times) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
