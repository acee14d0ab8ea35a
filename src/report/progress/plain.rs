//! Progress as lines that stay: for logs.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::super::escape;
use super::super::style::plural;
use super::result;
use crate::event::Event;
use crate::finding::ToolId;

#[derive(Default)]
pub(super) struct Plain {
    /// What is being installed.
    provisioning: Option<String>,
    /// Tools with work to do, and how much.
    to_run: BTreeMap<ToolId, usize>,
    started: Vec<ToolId>,
}

impl Plain {
    pub(super) fn event(&mut self, event: &Event, out: &mut dyn Write) -> io::Result<()> {
        match event {
            Event::Provisioning { what, .. } if self.provisioning.as_ref() != Some(what) => {
                self.provisioning = Some(what.clone());
                writeln!(out, "installing {}", escape::one_line(what))
            }
            Event::Planned { tools, .. } => {
                self.to_run = tools.iter().map(|t| (t.tool.clone(), t.to_run)).collect();
                Ok(())
            }
            Event::Started { tool, .. } if !self.started.contains(tool) => {
                self.started.push(tool.clone());
                match self.to_run.get(tool) {
                    Some(&units) if units > 1 => {
                        writeln!(out, "{tool}: started on {}", plural(units, "file"))
                    }
                    _ => writeln!(out, "{tool}: started"),
                }
            }
            // A tool whose results were all replayed is left to the summary.
            Event::ToolDone(report) if self.started.contains(&report.tool) => {
                writeln!(out, "{}: {}", report.tool, result(report))
            }
            _ => Ok(()),
        }
    }
}
