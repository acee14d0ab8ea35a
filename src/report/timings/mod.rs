//! Where a run's time went: `--timings FILE.html` and `--timings FILE.json`. [`Timings`] gathers
//! what the engine tells; [`page`] and [`trace`] draw it.

mod insight;
mod page;
mod trace;

use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Instant;

use crate::error::UserError;
use crate::event::{Event, Outcome, Span};

/// `--timings FILE`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimingsTarget {
    pub file: PathBuf,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A page for a browser.
    Page,
    /// Chrome's trace event format, which Perfetto and `about:tracing` show.
    Trace,
}

impl FromStr for TimingsTarget {
    type Err = UserError;

    fn from_str(text: &str) -> Result<Self, UserError> {
        let file = PathBuf::from(text);
        let extension = file.extension().map(std::ffi::OsStr::to_ascii_lowercase);
        let form = match extension.as_ref().and_then(|extension| extension.to_str()) {
            Some("html" | "htm") => Form::Page,
            Some("json") => Form::Trace,
            _ => {
                let what = format!("`{text}` is neither a page nor a trace");
                let hint = "name a file that ends in .html, or in .json for Chrome's trace format";
                return Err(UserError::new(what).hint(hint));
            }
        };
        Ok(Self { file, form })
    }
}

impl TimingsTarget {
    /// # Errors
    /// Those of `out`.
    pub fn write(
        &self,
        timings: &Timings,
        outcome: &Outcome,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        match self.form {
            Form::Page => page::write(timings, outcome, out),
            Form::Trace => trace::write(timings, outcome, out),
        }
    }
}

/// What happened when.
#[derive(Clone, Debug)]
pub struct Timings {
    begun: Instant,
    /// When settings were read, files listed, tools found and the cache asked.
    planned: Option<Instant>,
    /// Processes that may run at once.
    slots: usize,
    /// In the order of their ends.
    spans: Vec<Span>,
}

impl Timings {
    pub fn begin() -> Self {
        Self { begun: Instant::now(), planned: None, slots: 1, spans: Vec::new() }
    }

    pub fn event(&mut self, event: &Event) {
        match event {
            Event::Planned { slots, .. } => {
                self.planned = Some(Instant::now());
                self.slots = *slots;
            }
            Event::Ran(span) => self.spans.push(Span::clone(span)),
            _ => {}
        }
    }

    /// Seconds from the beginning.
    fn at(&self, moment: Instant) -> f64 {
        moment.saturating_duration_since(self.begun).as_secs_f64()
    }

    /// Lanes in which something ran or could have run.
    fn lanes(&self) -> usize {
        let used = self.spans.iter().flat_map(|span| &span.lanes).map(|lane| lane + 1).max();
        self.slots.max(used.unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::finding::ToolId;

    /// Two lanes: mypy and then black in the first, pytest alone in the second, half a second of
    /// planning before.
    pub(super) fn sample() -> Timings {
        let begun = Instant::now();
        let at = |milliseconds| begun + Duration::from_millis(milliseconds);
        let span = |tool: &str, lane, from, to| Span {
            tool: ToolId::new(tool),
            files: vec!["src/</script>.py".into()],
            lanes: vec![lane],
            start: at(from),
            end: at(to),
        };
        Timings {
            begun,
            planned: Some(at(500)),
            slots: 2,
            spans: vec![
                span("mypy", 0, 500, 1500),
                span("black", 0, 1500, 2000),
                span("pytest", 1, 500, 4500),
            ],
        }
    }

    #[test]
    fn the_name_of_the_file_decides_the_form() {
        for (name, form) in [("a.html", Form::Page), ("a.HTM", Form::Page), ("x.json", Form::Trace)]
        {
            assert_eq!(name.parse::<TimingsTarget>().unwrap().form, form);
        }
        assert!("a.txt".parse::<TimingsTarget>().is_err());
    }
}
