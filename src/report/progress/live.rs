//! Progress as lines that change in place: one for each tool that has work to do, in the order of
//! the plan, and one on top while tools are being installed.

use std::io;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::super::escape;
use super::super::style::{Color, Palette};
use super::result;
use crate::event::{Event, PlannedTool};
use crate::finding::ToolId;

const TICK: Duration = Duration::from_millis(100);

pub(super) struct Live {
    lines: MultiProgress,
    palette: Palette,
    provisioning: Option<ProgressBar>,
    tools: Vec<ToolLine>,
}

struct ToolLine {
    tool: ToolId,
    bar: ProgressBar,
    running: bool,
}

impl Live {
    pub(super) fn new(target: ProgressDrawTarget, color: Color) -> Self {
        Self {
            lines: MultiProgress::with_draw_target(target),
            palette: Palette::new(color),
            provisioning: None,
            tools: Vec::new(),
        }
    }

    pub(super) fn event(&mut self, event: &Event) {
        match event {
            Event::Provisioning { what, done, total } => self.provisioning(what, *done, *total),
            Event::Planned { tools, .. } => self.planned(tools),
            Event::Started { tool, .. } => {
                if let Some(line) = self.tools.iter_mut().find(|line| line.tool == *tool) {
                    line.start();
                }
            }
            Event::Finished { tool, units, .. } => {
                if let Some(line) = self.line(tool) {
                    line.bar.inc(u64::try_from(*units).unwrap_or(u64::MAX));
                }
            }
            Event::ToolDone(report) => {
                let style = match (report.failures.is_empty(), report.findings) {
                    (true, 0) => &self.palette.good,
                    _ => &self.palette.error,
                };
                if let Some(line) = self.line(&report.tool) {
                    line.bar.set_style(template("  {prefix}  {msg}"));
                    line.bar.abandon_with_message(style.apply_to(result(report)).to_string());
                }
            }
            Event::Found { .. } | Event::Notice(_) | Event::Ran(_) => {}
        }
    }

    /// Prints lines that stay, above those that change.
    pub(super) fn print(&self, text: &str) -> io::Result<()> {
        self.lines.println(text)
    }

    /// Draws now and not at the next tick.
    #[cfg(test)]
    pub(super) fn draw(&self) {
        self.tools.iter().for_each(|line| line.bar.force_draw());
    }

    pub(super) fn clear(&mut self) {
        for bar in self.provisioning.take().iter().chain(self.tools.iter().map(|line| &line.bar)) {
            bar.finish_and_clear();
        }
        self.tools.clear();
        // An error here means that standard error is gone, and the lines with it.
        let _ = self.lines.clear();
    }

    fn line(&self, tool: &ToolId) -> Option<&ToolLine> {
        self.tools.iter().find(|line| line.tool == *tool)
    }

    fn provisioning(&mut self, what: &str, done: usize, total: usize) {
        if done >= total {
            if let Some(bar) = self.provisioning.take() {
                bar.finish_and_clear();
                self.lines.remove(&bar);
            }
            return;
        }
        let bar = self.provisioning.get_or_insert_with(|| {
            let bar = self.lines.insert(0, ProgressBar::new(0));
            bar.set_style(template("{spinner} installing {wide_msg} {bar:20} {pos}/{len}"));
            bar.enable_steady_tick(TICK);
            bar
        });
        bar.set_length(u64::try_from(total).unwrap_or(u64::MAX));
        bar.set_position(u64::try_from(done).unwrap_or(u64::MAX));
        bar.set_message(escape::one_line(what).into_owned());
    }

    fn planned(&mut self, tools: &[PlannedTool]) {
        let width = tools.iter().map(|t| t.tool.as_str().len()).max().unwrap_or(0);
        for planned in tools.iter().filter(|planned| planned.to_run > 0) {
            let length = u64::try_from(planned.to_run).unwrap_or(u64::MAX);
            let bar = self.lines.add(ProgressBar::new(length));
            bar.set_style(template("  {prefix}  {msg}"));
            let name = format!("{:width$}", planned.tool.as_str());
            bar.set_prefix(self.palette.strong.apply_to(name).to_string());
            bar.set_message(self.palette.faint.apply_to("waiting").to_string());
            self.tools.push(ToolLine { tool: planned.tool.clone(), bar, running: false });
        }
    }
}

impl ToolLine {
    fn start(&mut self) {
        if self.running {
            return;
        }
        self.running = true;
        let form = match self.bar.length() {
            Some(units) if units > 1 => "{spinner} {prefix}  {bar:20}  {pos}/{len}  {elapsed}",
            _ => "{spinner} {prefix}  running  {elapsed}",
        };
        self.bar.set_style(template(form));
        self.bar.reset_elapsed();
        self.bar.enable_steady_tick(TICK);
    }
}

/// Colours are put into the texts, not into the template: indicatif would decide on them by rules
/// of its own.
fn template(form: &str) -> ProgressStyle {
    ProgressStyle::with_template(form)
        .expect("the templates of this file are well formed")
        .progress_chars("━╸─")
}
