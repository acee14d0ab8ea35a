//! Compares pyqa's store of results with others, on what a run asks of one: looking up 3,000
//! results after opening it, adding one, writers and readers at once, a writer that is killed, and
//! a file system that has no locks, as NFS may be.
//!
//!     cargo run --release --locked --manifest-path benches/store/Cargo.toml
//!
//! Prints tables in Markdown; docs/performance.md holds the last ones.

mod speed;
mod stores;
mod trouble;

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use pyqa::cache::entry::Entry;
use pyqa::finding::{Finding, Severity, ToolId};
use pyqa::hash::{Digest, Fingerprint};
use stores::{Kind, Outcome};

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => compare(),
        ["write", kind, folder, first, count, locks] => {
            let (first, count): (u64, u64) = (first.parse()?, count.parse()?);
            let numbers = first..first + count;
            trouble::write(Kind::named(kind)?, Path::new(folder), numbers, locks.parse()?)
        }
        _ => Err("no arguments are needed".into()),
    }
}

fn compare() -> Outcome<()> {
    let mut out = io::stdout().lock();
    speed::table(&mut out)?;
    writeln!(out)?;
    trouble::table(&mut out)
}

fn key(n: u64) -> Fingerprint {
    Digest::new("store bench").field("number", n.to_le_bytes()).finish()
}

/// Results as flake8 has them: four files in five are clean, the fifth has three findings.
fn entries(numbers: std::ops::Range<u64>) -> Vec<(Fingerprint, Entry)> {
    let tool = ToolId::new("flake8");
    let finding = Finding {
        code: Some("E501".to_owned()),
        ..Finding::new(&tool, Severity::Warning, "line too long (93 > 79 characters)")
    };
    let entry = |n: u64| Entry {
        findings: vec![finding.clone(); if n % 5 == 0 { 3 } else { 0 }],
        tests: Vec::new(),
        cost: Duration::from_millis(40),
        stored: 1_800_000_000 + n,
        inputs: Vec::new(),
    };
    numbers.map(|n| (key(n), entry(n))).collect()
}
