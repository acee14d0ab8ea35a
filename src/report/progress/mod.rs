//! What is shown while a run goes on: [`Progress`] takes each [`Event`] as it comes. On a terminal
//! there is a live line for each tool, elsewhere a plain line at its start and its end. Everything
//! goes to standard error, and the live lines are gone when [`Progress`] is dropped.

mod live;
mod plain;

use std::ffi::OsStr;
use std::io::{self, Write};

use indicatif::ProgressDrawTarget;

use self::live::Live;
use self::plain::Plain;
use super::Verbosity;
use super::errors;
use super::failures;
use super::style::{Color, Human, Stream, plural};
use crate::event::{Event, Notice, NoticeLevel, ToolReport};

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgressMode {
    /// Lines that change in place.
    Live,
    /// Lines that stay.
    Plain,
    /// Warnings only.
    Silent,
}

impl ProgressMode {
    /// Live on a terminal that can move its cursor, and not under `CI`: its terminals are read
    /// later, as a log.
    pub fn decide(
        verbosity: Verbosity,
        stream: Stream,
        term: Option<&OsStr>,
        ci: Option<&OsStr>,
    ) -> Self {
        let in_ci = ci.is_some_and(|value| !["", "0", "false"].iter().any(|off| value == *off));
        match (verbosity, stream) {
            (Verbosity::Quiet, _) => Self::Silent,
            (_, Stream::Terminal) if !in_ci && term.is_none_or(|t| t != "dumb") => Self::Live,
            _ => Self::Plain,
        }
    }
}

/// Draws events.
pub struct Progress {
    shown: Shown,
    color: Color,
    out: Box<dyn Write + Send>,
}

enum Shown {
    Live(Live),
    Plain(Plain),
    Silent,
}

impl Progress {
    /// Progress on standard error.
    pub fn stderr(mode: ProgressMode, color: Color) -> Self {
        Self::new(mode, color, Box::new(io::stderr()), ProgressDrawTarget::stderr())
    }

    fn new(
        mode: ProgressMode,
        color: Color,
        out: Box<dyn Write + Send>,
        target: ProgressDrawTarget,
    ) -> Self {
        let shown = match mode {
            ProgressMode::Live => Shown::Live(Live::new(target, color)),
            ProgressMode::Plain => Shown::Plain(Plain::default()),
            ProgressMode::Silent => Shown::Silent,
        };
        Self { shown, color, out }
    }

    /// Shows what an event tells.
    ///
    /// # Errors
    /// Those of writing to standard error. A run can go on without.
    pub fn event(&mut self, event: &Event) -> io::Result<()> {
        match (event, &mut self.shown) {
            (Event::Notice(notice), _) => self.notice(notice),
            (event, Shown::Live(live)) => {
                live.event(event);
                Ok(())
            }
            (event, Shown::Plain(plain)) => plain.event(event, &mut self.out),
            (_, Shown::Silent) => Ok(()),
        }
    }

    /// Takes the live lines away. To be called before anything else is written to the terminal.
    pub fn finish(&mut self) {
        if let Shown::Live(live) = &mut self.shown {
            live.clear();
        }
    }

    fn notice(&mut self, notice: &Notice) -> io::Result<()> {
        let mut text = Vec::new();
        errors::write_notice(notice, self.color, &mut text)?;
        match &self.shown {
            Shown::Live(live) => live.print(String::from_utf8_lossy(&text).trim_end()),
            Shown::Silent if notice.level == NoticeLevel::Info => Ok(()),
            Shown::Plain(_) | Shown::Silent => self.out.write_all(&text),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

/// "3 findings in 1.2 s", "crashed".
fn result(report: &ToolReport) -> String {
    match report.failures.first() {
        Some(failure) => failures::verb(failure.kind).to_owned(),
        None if report.findings == 0 => format!("clean in {}", Human(report.elapsed)),
        None => format!("{} in {}", plural(report.findings, "finding"), Human(report.elapsed)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use indicatif::InMemoryTerm;
    use insta::assert_snapshot;

    use super::*;
    use crate::event::PlannedTool;
    use crate::finding::ToolId;
    use crate::report::samples;

    /// A place to write to that can be looked at.
    #[derive(Clone, Default)]
    struct Shared(Arc<Mutex<Vec<u8>>>);

    impl Write for Shared {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Shared {
        fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn events() -> Vec<Event> {
        let planned = |tool: &str, to_run, replayed| PlannedTool {
            tool: ToolId::new(tool),
            to_run,
            replayed,
        };
        let tool = |name: &str| ToolId::new(name);
        let elapsed = Duration::from_millis(300);
        let [black, mypy, ..] = <[_; 5]>::try_from(samples::outcome().tools).unwrap();
        let [crashed, ..] = <[_; 3]>::try_from(samples::crashed().tools).unwrap();
        vec![
            Event::Notice(Notice::info("ruff takes the place of flake8")),
            Event::Provisioning { what: "black 26.10.1".to_owned(), done: 0, total: 2 },
            Event::Provisioning { what: "black 26.10.1".to_owned(), done: 1, total: 2 },
            Event::Provisioning { what: "black 26.10.1".to_owned(), done: 2, total: 2 },
            Event::Planned {
                slots: 2,
                tools: vec![
                    planned("black", 79, 0),
                    planned("mypy", 1, 0),
                    planned("bandit", 0, 79),
                ],
            },
            Event::Started { tool: tool("black"), units: 40 },
            Event::Started { tool: tool("mypy"), units: 1 },
            Event::Finished { tool: tool("black"), units: 40, elapsed },
            Event::Started { tool: tool("black"), units: 39 },
            Event::Notice(Notice::warning("the cache cannot be written")),
            Event::Finished { tool: tool("black"), units: 39, elapsed },
            Event::ToolDone(Box::new(black)),
            Event::Finished { tool: tool("mypy"), units: 1, elapsed },
            Event::ToolDone(Box::new(ToolReport { failures: crashed.failures, ..mypy })),
        ]
    }

    fn lines(mode: ProgressMode) -> String {
        let out = Shared::default();
        let target = ProgressDrawTarget::hidden();
        let mut progress = Progress::new(mode, Color::Never, Box::new(out.clone()), target);
        for event in events() {
            progress.event(&event).unwrap();
        }
        out.text()
    }

    #[test]
    fn plain_lines_tell_start_and_end_of_each_tool_that_runs() {
        assert_snapshot!(lines(ProgressMode::Plain), @r"
        note: ruff takes the place of flake8
        installing black 26.10.1
        black: started on 79 files
        mypy: started
        warning: the cache cannot be written
        black: 1 finding in 420 ms
        mypy: crashed
        ");
    }

    #[test]
    fn silence_is_broken_by_warnings_only() {
        assert_eq!(lines(ProgressMode::Silent), "warning: the cache cannot be written\n");
    }

    #[test]
    fn live_lines_show_each_tool_and_leave_the_terminal_clean() {
        let screen = InMemoryTerm::new(12, 80);
        let target = ProgressDrawTarget::term_like(Box::new(screen.clone()));
        let out = Box::new(io::sink());
        let mut progress = Progress::new(ProgressMode::Live, Color::Never, out, target);
        for event in &events()[..10] {
            progress.event(event).unwrap();
        }
        let Shown::Live(live) = &progress.shown else { unreachable!("the mode is live") };
        live.draw();
        let shown = screen.contents();
        assert!(shown.contains("black   ━━━━━━━━━━╸─────────  40/79"), "{shown}");
        assert!(shown.contains("mypy    running"), "{shown}");
        assert!(!shown.contains("bandit"), "{shown}");
        for event in &events()[10..] {
            progress.event(event).unwrap();
        }
        let Shown::Live(live) = &progress.shown else { unreachable!("the mode is live") };
        live.draw();
        let shown = screen.contents();
        assert!(shown.contains("black   1 finding in 420 ms"), "{shown}");
        assert!(shown.contains("mypy    crashed"), "{shown}");
        drop(progress);
        assert_snapshot!(screen.contents(), @r"
        note: ruff takes the place of flake8
        warning: the cache cannot be written
        ");
    }

    #[test]
    fn live_lines_need_a_terminal_that_a_person_looks_at() {
        use ProgressMode::{Live, Plain, Silent};
        use Verbosity::{Normal, Quiet};
        let terminal = Stream::Terminal;
        let decide = |verbosity, stream, term: &str, ci: Option<&str>| {
            ProgressMode::decide(verbosity, stream, Some(term.as_ref()), ci.map(AsRef::as_ref))
        };
        assert_eq!(decide(Normal, terminal, "xterm", None), Live);
        assert_eq!(decide(Normal, terminal, "xterm", Some("false")), Live);
        assert_eq!(decide(Normal, terminal, "xterm", Some("true")), Plain);
        assert_eq!(decide(Normal, terminal, "dumb", None), Plain);
        assert_eq!(decide(Normal, Stream::Other, "xterm", None), Plain);
        assert_eq!(decide(Quiet, terminal, "xterm", None), Silent);
    }
}
