//! How text looks: whether there is colour ([`ColorInputs::decide`]), which colour means what
//! ([`Palette`]), how wide a line is, and how numbers and times are written.

use std::ffi::OsString;
use std::fmt;
use std::time::Duration;

use console::Style;

/// `--color`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// Coloured on a terminal, unless the environment says otherwise
    #[default]
    Auto,
    Always,
    Never,
}

/// The decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Color {
    Always,
    Never,
}

/// Whether a stream is read by a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    Terminal,
    /// A file, a pipe, nothing.
    Other,
}

impl From<bool> for Stream {
    /// From the answer of `is_terminal`.
    fn from(is_terminal: bool) -> Self {
        if is_terminal { Self::Terminal } else { Self::Other }
    }
}

/// All that decides on colour for one stream.
#[derive(Clone, Debug)]
pub struct ColorInputs {
    pub choice: ColorChoice,
    pub stream: Stream,
    pub no_color: Option<OsString>,
    pub force_color: Option<OsString>,
    pub clicolor_force: Option<OsString>,
    pub clicolor: Option<OsString>,
    pub term: Option<OsString>,
}

impl ColorInputs {
    /// With the variables that `read` gives (`std::env::var_os` but in tests).
    pub fn new(
        choice: ColorChoice,
        stream: Stream,
        read: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        Self {
            choice,
            stream,
            no_color: read("NO_COLOR"),
            force_color: read("FORCE_COLOR"),
            clicolor_force: read("CLICOLOR_FORCE"),
            clicolor: read("CLICOLOR"),
            term: read("TERM"),
        }
    }

    /// The first of these that speaks: `--color`, `NO_COLOR` (not empty), `FORCE_COLOR` or
    /// `CLICOLOR_FORCE` (`0` and `false` switch off and do not force), `CLICOLOR=0`, `TERM=dumb`,
    /// and at last whether the stream is a terminal.
    ///
    /// `CI` says nothing here: a CI system that shows colours offers a terminal or sets
    /// `FORCE_COLOR`. It matters for [`ProgressMode`](super::progress::ProgressMode).
    pub fn decide(&self) -> Color {
        match self.choice {
            ColorChoice::Always => return Color::Always,
            ColorChoice::Never => return Color::Never,
            ColorChoice::Auto => {}
        }
        if self.no_color.as_ref().is_some_and(|value| !value.is_empty()) {
            return Color::Never;
        }
        match self.force_color.as_deref().map(std::ffi::OsStr::as_encoded_bytes) {
            None | Some(b"") => {}
            Some(b"0" | b"false") => return Color::Never,
            Some(_) => return Color::Always,
        }
        if self.clicolor_force.as_ref().is_some_and(|v| !v.is_empty() && v != "0") {
            return Color::Always;
        }
        let off = self.clicolor.as_ref().is_some_and(|v| v == "0");
        let dumb = self.term.as_ref().is_some_and(|v| v == "dumb");
        if off || dumb || self.stream == Stream::Other { Color::Never } else { Color::Always }
    }
}

/// The meaning of each style; the same in every output for people.
#[derive(Clone, Debug)]
pub struct Palette {
    /// Errors, failures, removed lines.
    pub error: Style,
    /// Warnings.
    pub warning: Style,
    /// Success, added lines.
    pub good: Style,
    /// Hints, hunk headers.
    pub hint: Style,
    /// Codes and names that the eye looks for.
    pub strong: Style,
    /// Paths.
    pub path: Style,
    /// What may be skipped: tool names, separators.
    pub faint: Style,
}

impl Palette {
    pub fn new(color: Color) -> Self {
        let base = Style::new().force_styling(color == Color::Always);
        Self {
            error: base.clone().red().bold(),
            warning: base.clone().yellow(),
            good: base.clone().green(),
            hint: base.clone().cyan(),
            strong: base.clone().bold(),
            path: base.clone().bold(),
            faint: base.dim(),
        }
    }
}

/// Width used where there is no terminal.
const DEFAULT_WIDTH: usize = 100;

/// Columns to write within: `COLUMNS` where it is a sensible number, else what the terminal says.
pub fn terminal_width(columns: Option<&str>, measured: Option<u16>) -> usize {
    columns
        .and_then(|text| text.trim().parse().ok())
        .or(measured.map(usize::from))
        .filter(|&width| width > 0)
        .unwrap_or(DEFAULT_WIDTH)
        .clamp(40, 400)
}

/// "1 file", "3,000 files".
pub fn plural(count: usize, noun: &str) -> String {
    let ending = match (count, noun) {
        (1, _) => "",
        (_, "process") => "es",
        (_, "entry") => return format!("{} entries", thousands(count)),
        _ => "s",
    };
    format!("{} {noun}{ending}", thousands(count))
}

/// A number with a comma before each third digit.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A length of time as a person says it: `4 ms`, `1.2 s`, `2 min 5 s`, `1 h 3 min`.
#[derive(Clone, Copy, Debug)]
pub struct Human(pub Duration);

impl fmt::Display for Human {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Rounded before the unit is chosen, so that 59.96 s is not shown as "60.0 s".
        let millis = self.0.as_millis();
        let tenths = (millis + 50) / 100;
        let seconds = (millis + 500) / 1000;
        let text = if millis < 1000 {
            format!("{millis} ms")
        } else if tenths < 600 {
            format!("{}.{} s", tenths / 10, tenths % 10)
        } else if seconds < 3600 {
            format!("{} min {} s", seconds / 60, seconds % 60)
        } else {
            format!("{} h {} min", seconds / 3600, seconds % 3600 / 60)
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(choice: ColorChoice, stream: Stream, variables: &[(&str, &str)]) -> Color {
        let read = |name: &str| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| OsString::from(value))
        };
        ColorInputs::new(choice, stream, read).decide()
    }

    #[test]
    fn without_variables_colour_follows_the_terminal() {
        assert_eq!(decide(ColorChoice::Auto, Stream::Terminal, &[]), Color::Always);
        assert_eq!(decide(ColorChoice::Auto, Stream::Other, &[]), Color::Never);
    }

    #[test]
    fn each_source_outranks_those_after_it() {
        let auto = ColorChoice::Auto;
        let all = [
            ("NO_COLOR", "1"),
            ("FORCE_COLOR", "1"),
            ("CLICOLOR_FORCE", "1"),
            ("CLICOLOR", "0"),
            ("TERM", "dumb"),
        ];
        assert_eq!(decide(ColorChoice::Always, Stream::Other, &all), Color::Always);
        assert_eq!(decide(auto, Stream::Terminal, &all), Color::Never);
        assert_eq!(decide(auto, Stream::Other, &all[1..]), Color::Always);
        assert_eq!(decide(auto, Stream::Other, &all[2..]), Color::Always);
        assert_eq!(decide(auto, Stream::Terminal, &all[3..]), Color::Never);
        assert_eq!(decide(auto, Stream::Terminal, &all[4..]), Color::Never);
        assert_eq!(decide(ColorChoice::Never, Stream::Terminal, &all[1..2]), Color::Never);
    }

    #[test]
    fn empty_and_zero_do_not_force() {
        let auto = ColorChoice::Auto;
        assert_eq!(decide(auto, Stream::Terminal, &[("NO_COLOR", "")]), Color::Always);
        assert_eq!(decide(auto, Stream::Other, &[("FORCE_COLOR", "")]), Color::Never);
        assert_eq!(decide(auto, Stream::Terminal, &[("FORCE_COLOR", "0")]), Color::Never);
        assert_eq!(decide(auto, Stream::Other, &[("CLICOLOR_FORCE", "0")]), Color::Never);
        assert_eq!(decide(auto, Stream::Other, &[("CLICOLOR", "1")]), Color::Never);
    }

    #[test]
    fn times_are_rounded_before_their_unit_is_chosen() {
        let shown = |millis| Human(Duration::from_millis(millis)).to_string();
        assert_eq!(shown(0), "0 ms");
        assert_eq!(shown(999), "999 ms");
        assert_eq!(shown(1_250), "1.3 s");
        assert_eq!(shown(59_960), "1 min 0 s");
        assert_eq!(shown(125_000), "2 min 5 s");
        assert_eq!(shown(3_599_600), "1 h 0 min");
    }

    #[test]
    fn numbers_are_grouped_and_nouns_follow_them() {
        assert_eq!(plural(1, "file"), "1 file");
        assert_eq!(plural(0, "file"), "0 files");
        assert_eq!(plural(1_234_567, "finding"), "1,234,567 findings");
        assert_eq!(plural(2, "process"), "2 processes");
    }

    #[test]
    fn width_is_kept_within_reason() {
        assert_eq!(terminal_width(None, None), 100);
        assert_eq!(terminal_width(Some("80"), Some(120)), 80);
        assert_eq!(terminal_width(Some("wide"), Some(120)), 120);
        assert_eq!(terminal_width(Some("0"), None), 100);
        assert_eq!(terminal_width(None, Some(3)), 40);
    }
}
