//! Seconds of each test that ran, for splitting later runs evenly.

use std::io::{self, Write};

use super::{Report, ReportContext};
use crate::event::Outcome;
use crate::shard::durations::Durations as File;

/// `--output-format durations`
pub struct Durations;

impl Report for Durations {
    fn write(
        &self,
        outcome: &Outcome,
        _context: &ReportContext,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let tests = outcome.tools.iter().flat_map(|tool| &tool.tests);
        File::new(tests.map(|test| (test.id.clone(), test.seconds))).write(out)
    }
}
