//! `.pyqa-baseline.json`: the accepted findings of a project, for people to read and for git to
//! merge: sorted, one line each.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Write};
use std::path::Path;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use chrono::{DateTime, NaiveDate};
use serde::{Deserialize, Serialize};

use crate::error::{Source, UserError};
use crate::finding::{Finding, ToolId};
use crate::hash::Fingerprint;
use crate::paths::{RelPath, percent_decode, percent_encode};

/// The file's name, at the project's root.
pub const FILE_NAME: &str = ".pyqa-baseline.json";
/// Version of the form, raised when a reader of the former one would go wrong.
pub const VERSION: u64 = 1;
/// Characters of a message: it is there for people, nothing is compared by it.
const MESSAGE_LIMIT: usize = 200;

/// The accepted findings, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline {
    pub entries: Vec<Entry>,
}

/// One accepted finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// `None` where the project as a whole is meant, and for a test.
    pub path: Option<RelPath>,
    /// Node id of an accepted test.
    pub test: Option<String>,
    pub tool: ToolId,
    pub code: Option<String>,
    /// In the tool's words, as it was when the entry was made.
    pub message: String,
    pub mark: Mark,
    /// Why it is accepted.
    pub reason: Option<String>,
    /// Last day on which it is.
    pub expires: Option<NaiveDate>,
}

/// The first half of a finding's [`Fingerprint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark([u8; 16]);

impl From<&Fingerprint> for Mark {
    fn from(fingerprint: &Fingerprint) -> Self {
        let mut half = [0; 16];
        half.copy_from_slice(&fingerprint.0[..16]);
        Self(half)
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Mark {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no fingerprint of 32 hexadecimal digits");
        if text.len() != 32 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        u128::from_str_radix(text, 16).map(|n| Self(n.to_be_bytes())).map_err(|_| wrong())
    }
}

impl Entry {
    pub fn new(finding: &Finding, mark: Mark) -> Self {
        let path = finding.location.as_ref().map(|location| location.path.clone());
        Self {
            path: path.filter(|_| finding.test.is_none()),
            test: finding.test.clone(),
            tool: finding.tool.clone(),
            code: finding.code.clone(),
            message: finding.message.chars().take(MESSAGE_LIMIT).collect(),
            mark,
            reason: None,
            expires: None,
        }
    }

    /// The file that the entry speaks of.
    pub fn file(&self) -> Option<RelPath> {
        let of_test = || self.test.as_deref().map(|id| file_of_test(id).into());
        self.path.clone().or_else(of_test)
    }

    pub fn has_expired(&self, today: NaiveDate) -> bool {
        self.expires.is_some_and(|last| last < today)
    }

    fn sort_key(&self) -> impl Ord + '_ {
        let place = self.path.as_ref().map(RelPath::as_bytes);
        let place = place.or(self.test.as_ref().map(String::as_bytes));
        (place.is_none(), place, &self.tool, self.code.as_deref(), self.mark)
    }
}

/// The file in a test's node id.
pub fn file_of_test(id: &str) -> &str {
    id.split_once("::").map_or(id, |(file, _)| file)
}

/// The day, the same for everybody: UTC's.
pub fn today() -> NaiveDate {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let now = DateTime::from_timestamp(i64::try_from(seconds).unwrap_or(i64::MAX), 0);
    now.unwrap_or_default().date_naive()
}

/// A line of the file. Unknown members are refused: a misspelt `expires` must not be overlooked.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// For a name that is no UTF-8, with `%XX` for each unusual byte.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    path_bytes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test: Option<String>,
    tool: ToolId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    message: String,
    fingerprint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<String>,
}

impl From<&Entry> for Line {
    fn from(entry: &Entry) -> Self {
        let bytes = entry.path.as_ref().map(RelPath::as_bytes);
        Self {
            path: entry.path.as_ref().map(|path| path.to_text().into_owned()),
            path_bytes: bytes
                .filter(|bytes| std::str::from_utf8(bytes).is_err())
                .map(percent_encode),
            test: entry.test.clone(),
            tool: entry.tool.clone(),
            code: entry.code.clone(),
            message: entry.message.clone(),
            fingerprint: entry.mark.to_string(),
            reason: entry.reason.clone(),
            expires: entry.expires.map(|day| day.to_string()),
        }
    }
}

impl TryFrom<Line> for Entry {
    type Error = String;

    fn try_from(line: Line) -> Result<Self, String> {
        let path = match (line.path_bytes, line.path) {
            (Some(encoded), _) => Some(RelPath::from_bytes(percent_decode(&encoded))),
            (None, path) => path.map(|path| path.as_str().into()),
        };
        Ok(Self {
            path,
            test: line.test,
            tool: line.tool,
            code: line.code,
            message: line.message,
            mark: line.fingerprint.parse()?,
            reason: line.reason,
            expires: line.expires.as_deref().map(parse_day).transpose()?,
        })
    }
}

/// A day as `YYYY-MM-DD`.
///
/// # Errors
/// A text that is none.
pub fn parse_day(text: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map_err(|_| format!("`{text}` is no day of the form YYYY-MM-DD"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "version")]
    _version: u64,
    findings: Vec<Line>,
}

/// All that a reader of any version may rely on.
#[derive(Deserialize)]
struct Head {
    version: u64,
}

impl Baseline {
    /// The baseline of the project at `root`; `None` where it has none.
    ///
    /// # Errors
    /// A file that cannot be read, is damaged, or was written by a newer pyqa.
    pub fn read(root: &Path) -> Result<Option<Self>, UserError> {
        let path = root.join(FILE_NAME);
        match std::fs::read(&path) {
            Ok(bytes) => Self::parse(&bytes, &path).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(UserError::new(format!("the baseline cannot be read: {error}"))
                .at(Source::file(&path))
                .hint("see who may read the file, or leave it aside with `--no-baseline`")),
        }
    }

    fn parse(bytes: &[u8], path: &Path) -> Result<Self, UserError> {
        let damaged = |what: &dyn fmt::Display, line: Option<usize>| {
            UserError::new(format!("the baseline is damaged: {what}"))
                .at(Source { file: path.to_owned(), line })
                .hint(
                    "restore it with git, resolving conflicts by keeping the lines of both sides; \
                     or delete it and run `pyqa baseline write`",
                )
        };
        let not_json = |error: serde_json::Error| damaged(&error, Some(error.line()));
        let head: Head = serde_json::from_slice(bytes).map_err(not_json)?;
        if head.version > VERSION {
            let what = format!(
                "the baseline has version {}, and this pyqa knows version {VERSION}",
                head.version
            );
            return Err(UserError::new(what).at(Source::file(path)).hint("update pyqa"));
        }
        if head.version < 1 {
            return Err(damaged(&"there is no version 0", None));
        }
        let document: Document = serde_json::from_slice(bytes).map_err(not_json)?;
        let entries: Result<Vec<Entry>, String> =
            document.findings.into_iter().map(Entry::try_from).collect();
        Ok(Self { entries: entries.map_err(|error| damaged(&error, None))? })
    }

    /// The file's text: sorted, each entry once.
    pub fn to_text(&self) -> String {
        let mut sorted: Vec<&Entry> = self.entries.iter().collect();
        sorted.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
        let mut seen = BTreeSet::new();
        let lines: Vec<String> = sorted
            .into_iter()
            .filter(|entry| seen.insert(entry.mark))
            .filter_map(|entry| serde_json::to_string(&Line::from(entry)).ok())
            .map(|line| format!("\n    {line}"))
            .collect();
        let end = if lines.is_empty() { "" } else { "\n  " };
        format!("{{\n  \"version\": {VERSION},\n  \"findings\": [{}{end}]\n}}\n", lines.join(","))
    }

    /// Writes the file in one step.
    ///
    /// # Errors
    /// Those of writing, as the user is told them.
    pub fn write(&self, root: &Path) -> Result<(), UserError> {
        let path = root.join(FILE_NAME);
        let write = || -> io::Result<()> {
            let mut file = os::builder().prefix(FILE_NAME).tempfile_in(root)?;
            file.write_all(self.to_text().as_bytes())?;
            file.persist(&path)?;
            Ok(())
        };
        write().map_err(|error| {
            UserError::new(format!("the baseline cannot be written: {error}"))
                .at(Source::file(&path))
                .hint("see who may write to the folder")
        })
    }
}

#[cfg(unix)]
mod os {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    /// A file of the project, readable as the user's other files are.
    pub(super) fn builder() -> tempfile::Builder<'static, 'static> {
        let mut builder = tempfile::Builder::new();
        builder.permissions(Permissions::from_mode(0o666));
        builder
    }
}

#[cfg(not(unix))]
mod os {
    pub(super) fn builder() -> tempfile::Builder<'static, 'static> {
        tempfile::Builder::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Location, Severity};

    fn entry(path: &str, byte: u8) -> Entry {
        let finding = Finding {
            code: Some("E501".to_owned()),
            location: Some(Location::file(path.into())),
            ..Finding::new(&"flake8".into(), Severity::Warning, "line too long")
        };
        Entry::new(&finding, Mark([byte; 16]))
    }

    fn parse(text: &str) -> Result<Baseline, UserError> {
        Baseline::parse(text.as_bytes(), Path::new(FILE_NAME))
    }

    #[test]
    fn the_file_has_one_sorted_line_an_entry() {
        let mut accepted = entry("b.py", 1);
        accepted.reason = Some("generated \"code\"".to_owned());
        accepted.expires = Some(parse_day("2027-01-31").unwrap());
        let baseline = Baseline {
            entries: vec![accepted, entry("a.py", 3), entry("a.py", 2), entry("a.py", 3)],
        };
        let text = baseline.to_text();
        insta::assert_snapshot!(text, @r#"
        {
          "version": 1,
          "findings": [
            {"path":"a.py","tool":"flake8","code":"E501","message":"line too long","fingerprint":"02020202020202020202020202020202"},
            {"path":"a.py","tool":"flake8","code":"E501","message":"line too long","fingerprint":"03030303030303030303030303030303"},
            {"path":"b.py","tool":"flake8","code":"E501","message":"line too long","fingerprint":"01010101010101010101010101010101","reason":"generated \"code\"","expires":"2027-01-31"}
          ]
        }
        "#);
        assert_eq!(parse(&text).unwrap().to_text(), text);
        let empty = Baseline::default().to_text();
        assert_eq!(parse(&empty).unwrap(), Baseline::default());
    }

    #[test]
    fn a_path_of_any_bytes_survives() {
        let mut odd = entry("x", 1);
        odd.path = Some(RelPath::from_bytes(*b"caf\xe9.py"));
        let baseline = Baseline { entries: vec![odd] };
        assert_eq!(parse(&baseline.to_text()).unwrap(), baseline);
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told_with_its_place() {
        let error = parse("{\n  \"version\": 1,\n<<<<<<< HEAD\n").unwrap_err();
        assert!(error.what.starts_with("the baseline is damaged: "), "{error}");
        assert_eq!(error.place.unwrap().line, Some(3));
        let error = parse("{\"version\": 2, \"anything\": []}").unwrap_err();
        assert_eq!(error.what, "the baseline has version 2, and this pyqa knows version 1");
        assert_eq!(error.hint.as_deref(), Some("update pyqa"));
        let line = |more: &str| {
            let text = format!(
                "{{\"version\":1,\"findings\":[{{\"tool\":\"t\",\"message\":\"m\"{more}}}]}}"
            );
            parse(&text).unwrap_err().what
        };
        assert!(line("").contains("fingerprint"));
        assert!(line(",\"fingerprint\":\"12\"").contains("32 hexadecimal digits"));
        let print = ",\"fingerprint\":\"00000000000000000000000000000000\"";
        assert!(line(&format!("{print},\"expire\":\"2027-01-01\"")).contains("expire"));
        assert!(line(&format!("{print},\"expires\":\"soon\"")).contains("YYYY-MM-DD"));
    }

    #[test]
    fn an_entry_counts_through_its_last_day() {
        let day = |text| parse_day(text).unwrap();
        let entry = Entry { expires: Some(day("2027-01-31")), ..entry("a.py", 1) };
        assert!(!entry.has_expired(day("2027-01-31")));
        assert!(entry.has_expired(day("2027-02-01")));
        assert!(today() > day("2026-01-01"));
    }
}
