//! Which lines of a file are new: [`ChangedLines`].

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::source::SourceFile;
use crate::finding::Location;

/// How a file differs from what it held before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChangedLines {
    /// First and last line of each changed part, counted from 1.
    parts: Vec<(u32, u32)>,
}

impl ChangedLines {
    /// The lines of `new` that are added or changed, and those next to lines that were removed.
    /// How lines end makes no difference.
    pub fn between(old: &[u8], new: &[u8]) -> Self {
        if old == new {
            return Self::default();
        }
        let (old, new) = (SourceFile::decode(old), SourceFile::decode(new));
        let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
        let last = number(new.len()).max(1);
        let part = |op: DiffOp| match op {
            DiffOp::Equal { .. } => None,
            DiffOp::Delete { new_index, .. } => {
                Some((number(new_index).clamp(1, last), number(new_index + 1).min(last)))
            }
            DiffOp::Insert { new_index, new_len, .. }
            | DiffOp::Replace { new_index, new_len, .. } => {
                Some((number(new_index + 1), number(new_index + new_len)))
            }
        };
        let ops = capture_diff_slices(Algorithm::Patience, &old, &new);
        Self { parts: ops.into_iter().filter_map(part).collect() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Whether a place is among them. The file as a whole is, when anything is.
    pub fn touch(&self, location: &Location) -> bool {
        let Some(first) = location.line else { return !self.is_empty() };
        let last = location.end_line.unwrap_or(first).max(first);
        self.parts.iter().any(|&(from, to)| from <= last && first <= to)
    }
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(old: &str, new: &str) -> Vec<u32> {
        let lines = ChangedLines::between(old.as_bytes(), new.as_bytes());
        let at = |line| Location { line: Some(line), ..Location::file("a.py".into()) };
        (1..=9).filter(|&line| lines.touch(&at(line))).collect()
    }

    #[test]
    fn added_and_changed_lines_are_new() {
        assert_eq!(changed("a\nb\nc\n", "a\nx\ny\nb\nc\n"), [2, 3]);
        assert_eq!(changed("a\nb\nc\n", "a\nB\nc\n"), [2]);
        assert_eq!(changed("", "a\nb\n"), [1, 2]);
        assert_eq!(changed("a\n", "a\n"), [0; 0]);
    }

    #[test]
    fn the_neighbours_of_removed_lines_are_touched() {
        assert_eq!(changed("a\nb\nc\nd\n", "a\nd\n"), [1, 2]);
        assert_eq!(changed("a\nb\n", "b\n"), [1]);
        assert_eq!(changed("a\nb\n", "a\n"), [1]);
    }

    #[test]
    fn line_ends_make_no_difference() {
        assert_eq!(changed("a\r\nb\r\n", "a\nb\n"), [0; 0]);
    }

    #[test]
    fn a_range_is_touched_by_any_of_its_lines_and_a_file_by_any_change() {
        let lines = ChangedLines::between(b"a\nb\nc\n", b"a\nb\nX\n");
        let file = Location::file("a.py".into());
        let range = Location { line: Some(1), end_line: Some(3), ..file.clone() };
        assert!(lines.touch(&range) && lines.touch(&file));
        assert!(!lines.touch(&Location { end_line: Some(2), ..range }));
        assert!(!ChangedLines::default().touch(&file));
    }
}
