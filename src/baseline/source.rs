//! The text that findings point into: [`Sources`] hands out single lines of project files and
//! remembers the last file, since findings come sorted by path.

use crate::paths::RelPath;

/// The bytes of a project file as they were when the tools saw them; `None` where there are none.
pub type ReadSource<'a> = dyn Fn(&RelPath) -> Option<Vec<u8>> + 'a;

/// The lines of a file as Python counts them.
pub struct SourceFile {
    text: String,
    /// Where each line begins, in bytes.
    starts: Vec<usize>,
}

impl SourceFile {
    /// Bytes that are no UTF-8 become U+FFFD; a byte order mark is not part of the first line.
    pub fn decode(bytes: &[u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        // Looking for what is no UTF-8 is slow, and nearly never needed.
        let text = str::from_utf8(bytes)
            .map_or_else(|_| String::from_utf8_lossy(bytes).into_owned(), str::to_owned);
        let mut starts = vec![0];
        let raw = text.as_bytes();
        for at in memchr::memchr2_iter(b'\n', b'\r', raw) {
            let ends_line = raw[at] == b'\n' || raw.get(at + 1) != Some(&b'\n');
            if ends_line && at + 1 < raw.len() {
                starts.push(at + 1);
            }
        }
        Self { text, starts }
    }

    /// All lines, without their ends.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        let ends = self.starts.iter().skip(1).copied().chain([self.text.len()]);
        let lines = self.starts.iter().zip(ends).map(|(&from, to)| &self.text[from..to]);
        let empty = self.text.is_empty();
        lines.filter(move |_| !empty).map(|line| line.trim_end_matches(['\n', '\r']))
    }

    /// The line of this number, counted from 1, without its end.
    pub fn line(&self, number: u32) -> Option<&str> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        let start = *self.starts.get(index)?;
        let end = self.starts.get(index + 1).copied().unwrap_or(self.text.len());
        Some(self.text[start..end].trim_end_matches(['\n', '\r']))
    }
}

/// Lines of project files.
pub struct Sources<'a> {
    read: &'a ReadSource<'a>,
    last: Option<(RelPath, Option<SourceFile>)>,
}

impl<'a> Sources<'a> {
    pub fn new(read: &'a ReadSource<'a>) -> Self {
        Self { read, last: None }
    }

    /// A line, counted from 1; `None` where the file cannot be read or has no such line.
    pub fn line(&mut self, path: &RelPath, number: u32) -> Option<&str> {
        if self.last.as_ref().is_none_or(|(known, _)| known != path) {
            let file = (self.read)(path).map(|bytes| SourceFile::decode(&bytes));
            self.last = Some((path.clone(), file));
        }
        self.last.as_ref()?.1.as_ref()?.line(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_in_python() {
        let file = SourceFile::decode(b"\xef\xbb\xbfa\r\nb\rc\n\nd");
        let lines: Vec<_> = (1..=6).map(|n| file.line(n)).collect();
        assert_eq!(lines, [Some("a"), Some("b"), Some("c"), Some(""), Some("d"), None]);
        assert_eq!(file.line(0), None);
        assert_eq!(SourceFile::decode(b"").line(1), Some(""));
        assert_eq!(SourceFile::decode(b"a\n").line(2), None);
    }

    #[test]
    fn a_file_is_read_once_for_all_its_findings() {
        let reads = std::cell::Cell::new(0);
        let read = |_: &RelPath| {
            reads.set(reads.get() + 1);
            Some(b"caf\xe9\nx\n".to_vec())
        };
        let mut sources = Sources::new(&read);
        assert_eq!(sources.line(&"a.py".into(), 1), Some("caf\u{fffd}"));
        assert_eq!(sources.line(&"a.py".into(), 2), Some("x"));
        assert_eq!(reads.get(), 1);
    }
}
