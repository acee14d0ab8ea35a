//! Errors that a user reads, and the exit codes of the program.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How a run ended, as the exit code tells it.
///
/// | code | meaning |
/// |---|---|
/// | 0 | no findings, all tests passed |
/// | 1 | findings or failing tests; `pyqa lsp`: the client went away without a word |
/// | 2 | wrong usage or settings; a tool is missing, crashed or ran out of time |
/// | 130 | interrupted |
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExitStatus {
    Clean,
    Findings,
    Failure,
    Interrupted,
    /// The client of the language server went away without a word.
    Abandoned,
}

impl ExitStatus {
    pub fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Findings | Self::Abandoned => 1,
            Self::Failure => 2,
            Self::Interrupted => 130,
        }
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

/// A place in a settings file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    pub file: PathBuf,
    /// Counts from 1; `None` where the file as a whole is meant.
    pub line: Option<usize>,
}

impl Source {
    pub fn file(file: &Path) -> Self {
        Self { file: file.to_owned(), line: None }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        match self.line {
            Some(line) => write!(f, ":{line}"),
            None => Ok(()),
        }
    }
}

/// A mistake that the user can mend: what happened, where, and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", .place.as_ref().map(|p| format!("{p}: ")).unwrap_or_default())]
pub struct UserError {
    pub what: String,
    pub place: Option<Source>,
    /// One sentence that tells what to do.
    pub hint: Option<String>,
}

impl UserError {
    pub fn new(what: impl Into<String>) -> Self {
        Self { what: what.into(), place: None, hint: None }
    }

    #[must_use]
    pub fn at(mut self, place: Source) -> Self {
        self.place = Some(place);
        self
    }

    /// A hint for a name that nobody knows: the nearest known one, else all of them.
    #[must_use]
    pub fn suggest(self, name: &str, known: &[&str]) -> Self {
        match nearest(name, known.iter().copied()) {
            Some(near) => self.hint(format!("did you mean `{near}`?")),
            None => self.hint(format!("known are {}", known.join(", "))),
        }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// The name among `known` that a misspelt `name` most likely means.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len().min(name.len()) / 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_its_neighbour_and_a_strange_one_does_not() {
        assert_eq!(nearest("tmeout", ["timeout", "jobs"]), Some("timeout"));
        assert_eq!(nearest("colour", ["timeout", "jobs"]), None);
    }
}
