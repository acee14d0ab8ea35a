//! The page of `--timings FILE.html`, from `page.html`. It needs no network and no script; the
//! figures stand in it as JSON too, for programs.

use std::io::{self, Write};

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use serde::Serialize;
use serde_json::{Value, json};

use super::Timings;
use super::insight::{advice, critical_path, slowest_files, slowest_tests, sums};
use crate::event::Outcome;

const TEMPLATE: &str = include_str!("page.html");

/// Rows of a table of the slowest.
const ROWS: usize = 20;
/// Files of a batch that are named.
const NAMED_FILES: usize = 12;
/// Colours that the page has for tools.
const COLOURS: usize = 8;

pub(super) fn write(timings: &Timings, outcome: &Outcome, out: &mut dyn Write) -> io::Result<()> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("fixed", |value: f64, decimals: usize| format!("{value:.decimals$}"));
    let page = environment
        .template_from_str(TEMPLATE)
        .and_then(|template| template.render(Serde(Page::new(timings, outcome))))
        .map_err(io::Error::other)?;
    out.write_all(page.as_bytes())
}

#[derive(Serialize)]
struct Page {
    project: String,
    version: &'static str,
    status: String,
    wall: f64,
    running: f64,
    planned: f64,
    cores: usize,
    busy_share: f64,
    idle: f64,
    saved: f64,
    critical: Vec<Stretch>,
    critical_seconds: f64,
    /// From left to right.
    ticks: Vec<Tick>,
    lanes: Vec<Lane>,
    tools: Vec<Tool>,
    advice: Vec<String>,
    tests: Vec<Value>,
    files: Vec<Value>,
    data: Value,
}

#[derive(Serialize)]
struct Tick {
    /// Per cent of the width.
    left: f64,
    label: String,
}

#[derive(Serialize)]
struct Lane {
    name: String,
    bars: Vec<Bar>,
}

/// Batches of one tool that follow one another on the critical path.
#[derive(Debug, PartialEq, Serialize)]
struct Stretch {
    tool: String,
    count: usize,
    seconds: f64,
}

#[derive(Clone, Serialize)]
struct Bar {
    tool: String,
    /// Number of the tool's colour; `None`: pyqa itself.
    colour: Option<usize>,
    /// Per cent of the width.
    left: f64,
    width: f64,
    seconds: f64,
    start: f64,
    title: String,
    critical: bool,
}

#[derive(Serialize)]
struct Tool {
    name: String,
    version: String,
    colour: usize,
    run: usize,
    replayed: usize,
    /// Per cent.
    hits: f64,
    busy: f64,
    elapsed: f64,
    saved: f64,
    findings: usize,
    failed: bool,
}

fn stretches<'a>(bars: impl Iterator<Item = &'a Bar>) -> Vec<Stretch> {
    let mut path: Vec<Stretch> = Vec::new();
    for bar in bars {
        match path.last_mut().filter(|last| last.tool == bar.tool) {
            Some(last) => {
                last.count += 1;
                last.seconds += bar.seconds;
            }
            None => path.push(Stretch { tool: bar.tool.clone(), count: 1, seconds: bar.seconds }),
        }
    }
    path
}

impl Page {
    fn new(timings: &Timings, outcome: &Outcome) -> Self {
        let wall = outcome
            .elapsed
            .as_secs_f64()
            .max(timings.spans.iter().map(|span| timings.at(span.end)).fold(0.0, f64::max));
        let drawing = Drawing { timings, outcome, wall: wall.max(0.001) };
        let sums = sums(timings, outcome);
        let path = critical_path(&timings.spans);
        let bars: Vec<Bar> =
            (0..timings.spans.len()).map(|at| drawing.bar(at, path.contains(&at))).collect();
        let tests = slowest_tests(outcome, ROWS).into_iter();
        let files = slowest_files(outcome, ROWS).into_iter();
        let root = outcome.root.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let critical = stretches(path.iter().rev().map(|&at| &bars[at]));
        Self {
            project: root,
            version: env!("CARGO_PKG_VERSION"),
            status: status(outcome),
            wall,
            running: sums.running,
            planned: timings.planned.map_or(wall, |planned| timings.at(planned)),
            cores: timings.lanes(),
            busy_share: 100.0 * sums.busy / (sums.busy + sums.idle).max(0.001),
            idle: sums.idle,
            saved: sums.saved,
            critical_seconds: critical.iter().map(|part| part.seconds).sum(),
            critical,
            ticks: drawing.ticks(),
            lanes: drawing.lanes(&bars),
            tools: drawing.tools(),
            advice: advice(timings, outcome),
            tests: tests
                .map(|test| {
                    json!({
                        "id": test.id, "seconds": test.seconds, "outcome": test.outcome,
                    })
                })
                .collect(),
            files: files
                .map(|(file, seconds, tests)| {
                    json!({
                        "path": file, "seconds": seconds, "tests": tests,
                    })
                })
                .collect(),
            data: drawing.data(&path),
        }
    }
}

fn status(outcome: &Outcome) -> String {
    let findings: usize = outcome.tools.iter().map(|tool| tool.findings).sum();
    let failed = outcome.tools.iter().filter(|tool| !tool.failures.is_empty()).count();
    let findings = match findings {
        0 => "no findings".to_owned(),
        1 => "1 finding".to_owned(),
        more => format!("{more} findings"),
    };
    if failed == 0 { findings } else { format!("{findings}, {failed} of the tools failed") }
}

struct Drawing<'a> {
    timings: &'a Timings,
    outcome: &'a Outcome,
    /// Seconds that the width stands for.
    wall: f64,
}

impl Drawing<'_> {
    fn percent(&self, seconds: f64) -> f64 {
        (100.0 * seconds / self.wall).clamp(0.0, 100.0)
    }

    fn colour(&self, tool: &crate::finding::ToolId) -> usize {
        let position = self.outcome.tools.iter().position(|report| report.tool == *tool);
        position.unwrap_or(0) % COLOURS
    }

    fn bar(&self, at: usize, critical: bool) -> Bar {
        let span = &self.timings.spans[at];
        let (start, end) = (self.timings.at(span.start), self.timings.at(span.end));
        let mut title = format!("{}, {:.2} s from {start:.2} s", span.tool, end - start);
        for file in span.files.iter().take(NAMED_FILES) {
            title.push('\n');
            title.push_str(&file.to_text());
        }
        if span.files.len() > NAMED_FILES {
            let more = span.files.len() - NAMED_FILES;
            title = format!("{title}\nand {more} more files");
        }
        Bar {
            tool: span.tool.to_string(),
            colour: Some(self.colour(&span.tool)),
            left: self.percent(start),
            width: self.percent(end - start),
            seconds: end - start,
            start,
            title,
            critical,
        }
    }

    fn lanes(&self, bars: &[Bar]) -> Vec<Lane> {
        let planned = self.timings.planned.map_or(self.wall, |planned| self.timings.at(planned));
        let own = Bar {
            tool: "plan".to_owned(),
            colour: None,
            left: 0.0,
            width: self.percent(planned),
            seconds: planned,
            start: 0.0,
            title: format!("settings, files, tools and cache: {planned:.2} s"),
            critical: false,
        };
        let mut lanes = vec![Lane { name: "pyqa".to_owned(), bars: vec![own] }];
        for lane in 0..self.timings.lanes() {
            let in_lane = self.timings.spans.iter().zip(bars);
            let bars = in_lane.filter(|(span, _)| span.lanes.contains(&lane));
            let bars = bars.map(|(_, bar)| bar.clone()).collect();
            lanes.push(Lane { name: format!("core {}", lane + 1), bars });
        }
        lanes
    }

    /// At most ten, at round times.
    fn ticks(&self) -> Vec<Tick> {
        let steps = (-2..6).flat_map(|power| [1.0, 2.0, 5.0].map(|n| n * 10_f64.powi(power)));
        let step = steps.into_iter().find(|step| self.wall / step <= 10.0).unwrap_or(self.wall);
        let decimals = if step < 0.1 { 2 } else { usize::from(step < 1.0) };
        let ticks = (0..=10).map(|n| f64::from(n) * step).filter(|at| *at <= self.wall);
        let tick = |at| Tick { left: self.percent(at), label: format!("{at:.decimals$} s") };
        ticks.map(tick).collect()
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers of units")]
    fn tools(&self) -> Vec<Tool> {
        let spans = &self.timings.spans;
        self.outcome
            .tools
            .iter()
            .map(|report| Tool {
                name: report.tool.to_string(),
                version: report.version.clone().unwrap_or_else(|| "missing".to_owned()),
                colour: self.colour(&report.tool),
                run: report.units_run,
                replayed: report.units_replayed,
                hits: 100.0 * report.units_replayed as f64
                    / (report.units_run + report.units_replayed).max(1) as f64,
                busy: spans
                    .iter()
                    .filter(|span| span.tool == report.tool)
                    .map(|span| {
                        let seconds = self.timings.at(span.end) - self.timings.at(span.start);
                        seconds * span.lanes.len() as f64
                    })
                    .sum(),
                elapsed: report.elapsed.as_secs_f64(),
                saved: report.saved.as_secs_f64(),
                findings: report.findings,
                failed: !report.failures.is_empty(),
            })
            .collect()
    }

    /// The figures of the page.
    fn data(&self, path: &[usize]) -> Value {
        let spans = self.timings.spans.iter().enumerate().map(|(at, span)| {
            let files: Vec<_> = span.files.iter().map(|file| file.to_text()).collect();
            json!({
                "tool": span.tool,
                "files": files,
                "lanes": span.lanes,
                "start": self.timings.at(span.start),
                "end": self.timings.at(span.end),
                "critical": path.contains(&at),
            })
        });
        json!({ "wall": self.wall, "spans": spans.collect::<Vec<_>>() })
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::sample;
    use super::*;
    use crate::report::samples;

    fn rendered() -> String {
        let mut out = Vec::new();
        write(&sample(), &samples::hostile(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_of_the_project_becomes_markup() {
        let page = rendered();
        assert_eq!(page.matches("</script").count(), 1, "only the page's own");
        assert!(page.contains("&lt;&#x2f;script"), "{page}");
        let data = page.split_once(r#"<script type="application/json" id="timings">"#).unwrap().1;
        let data: Value = serde_json::from_str(data.split_once("</script>").unwrap().0).unwrap();
        assert_eq!(data["spans"][0]["files"][0], "src/</script>.py");
        assert_eq!(data["spans"][2]["critical"], true);
    }

    #[test]
    fn batches_of_one_tool_in_a_row_are_one_part_of_the_path() {
        let bar = |tool: &str, seconds: f64| Bar {
            tool: tool.to_owned(),
            colour: None,
            left: 0.0,
            width: 0.0,
            seconds,
            start: 0.0,
            title: String::new(),
            critical: true,
        };
        let bars = [bar("black", 1.0), bar("black", 2.0), bar("mypy", 4.0), bar("black", 8.0)];
        let parts = stretches(bars.iter());
        let parts: Vec<_> = parts.iter().map(|p| (p.tool.as_str(), p.count, p.seconds)).collect();
        assert_eq!(parts, [("black", 2, 3.0), ("mypy", 1, 4.0), ("black", 1, 8.0)]);
    }

    #[test]
    fn the_page_stands_by_itself() {
        let page = rendered();
        for foreign in ["http:", "https:", "//", "@import", "url(", "src="] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }
}
