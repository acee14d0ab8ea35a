//! How long each test takes, as known from earlier runs: [`Durations`], a file that is handed to
//! all shards alike.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

/// The file that is read when none is named, in the project's root.
pub const FILE: &str = ".pyqa-durations.json";

const VERSION: u32 = 1;

/// Seconds of each test by its node id.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Durations {
    version: u32,
    tests: BTreeMap<String, f64>,
}

impl Durations {
    /// # Errors
    /// Says what is wrong with the text, for a message that names the file.
    pub fn parse(text: &[u8]) -> Result<Self, String> {
        let read: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if read.version != VERSION {
            return Err(format!("its version is {}, and {VERSION} is known", read.version));
        }
        let wrong = read.tests.iter().find(|(_, seconds)| !(0.0..1e9).contains(*seconds));
        match wrong {
            Some((name, seconds)) => Err(format!("{name} has {seconds} seconds")),
            None => Ok(read),
        }
    }

    pub fn new(tests: impl Iterator<Item = (String, f64)>) -> Self {
        Self { version: VERSION, tests: tests.collect() }
    }

    /// Sorted by test.
    pub fn milliseconds(&self) -> impl Iterator<Item = (&str, u64)> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked")]
        let round = |seconds: f64| (seconds * 1000.0).round() as u64;
        self.tests.iter().map(move |(test, &seconds)| (test.as_str(), round(seconds)))
    }

    /// Writes the file, a test a line, so that versions of it can be compared and merged.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{{\n  \"version\": {VERSION},\n  \"tests\": {{")?;
        for (at, (test, milliseconds)) in self.milliseconds().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            let test = serde_json::to_string(test)?;
            write!(out, "{comma}\n    {test}: {}.{:03}", milliseconds / 1000, milliseconds % 1000)?;
        }
        writeln!(out, "\n  }}\n}}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read() {
        let tests = [("a.py::test[\"\n]", 1.2345), ("b.py::test", 0.0)];
        let durations = Durations::new(tests.into_iter().map(|(t, s)| (t.to_owned(), s)));
        let mut text = Vec::new();
        durations.write(&mut text).unwrap();
        let read = Durations::parse(&text).unwrap();
        let times: Vec<_> = read.milliseconds().collect();
        assert_eq!(times, [("a.py::test[\"\n]", 1235), ("b.py::test", 0)]);
    }

    #[test]
    fn a_file_that_is_none_or_newer_is_refused() {
        for wrong in [
            "",
            "[]",
            r#"{"version":2,"tests":{}}"#,
            r#"{"version":1,"tests":{"a":-1}}"#,
            r#"{"version":1,"tests":{"a":1e300}}"#,
        ] {
            assert!(Durations::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
