//! How lines move when a text changes: [`LineChange`]. What was found in lines that nobody touched
//! is still there, further up or down.

use gen_lsp_types::{Diagnostic, Position};

use super::text::{Encoding, Text};

/// Lines from `first` on, before `after`, were touched; those from `after` on moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LineChange {
    first: u32,
    after: u32,
    moved: i64,
}

impl LineChange {
    /// The change that replaces what lies between two offsets of `old` by `new`.
    pub(super) fn new(old: &Text, start: usize, end: usize, new: &str) -> Self {
        let place = |offset| old.position(offset, Encoding::Utf8);
        let (begin, finish) = (place(start), place(end));
        let added = i64::try_from(Text::new(new).line_count() - 1).unwrap_or(i64::MAX);
        // Whole lines that come and go leave the next one alone.
        let is_whole = begin.character == 0
            && finish.character == 0
            && (new.is_empty() || new.ends_with(['\n', '\r']));
        let after = if is_whole { finish.line } else { finish.line + 1 };
        let moved = added - i64::from(finish.line - begin.line);
        Self { first: begin.line, after, moved }
    }

    /// Moves the diagnostic along; false where it stood in a line that was touched.
    pub(super) fn carry(&self, diagnostic: &mut Diagnostic) -> bool {
        let range = &mut diagnostic.range;
        if range.end.line < self.first {
            return true;
        }
        if range.start.line < self.after {
            return false;
        }
        let moved = |at: Position| {
            let line = u32::try_from(i64::from(at.line) + self.moved).unwrap_or(0);
            Position { line, ..at }
        };
        (range.start, range.end) = (moved(range.start), moved(range.end));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gen_lsp_types::Range;

    fn carried(old: &str, at: (usize, usize), new: &str, line: u32) -> Option<u32> {
        let change = LineChange::new(&Text::new(old), at.0, at.1, new);
        let place = Position { line, character: 1 };
        let mut diagnostic =
            Diagnostic { range: Range { start: place, end: place }, ..Diagnostic::default() };
        change.carry(&mut diagnostic).then_some(diagnostic.range.start.line)
    }

    #[test]
    fn lines_after_a_change_move_and_touched_ones_are_given_up() {
        let text = "aa\nbb\ncc\ndd\n";
        assert_eq!(carried(text, (3, 5), "x\ny", 0), Some(0));
        assert_eq!(carried(text, (3, 5), "x\ny", 1), None);
        assert_eq!(carried(text, (3, 5), "x\ny", 2), Some(3));
        assert_eq!(carried(text, (1, 7), "", 3), Some(1));
        assert_eq!(carried(text, (1, 7), "", 2), None);
    }

    #[test]
    fn whole_lines_that_come_and_go_leave_the_next_one_alone() {
        let text = "aa\nbb\ncc\n";
        assert_eq!(carried(text, (3, 3), "new\n", 1), Some(2));
        assert_eq!(carried(text, (3, 3), "new\n", 0), Some(0));
        assert_eq!(carried(text, (0, 3), "", 1), Some(0));
        assert_eq!(carried(text, (0, 3), "", 0), None);
    }
}
