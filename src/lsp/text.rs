//! A document's text at one moment, [`Text`], and the ways in which a place in it is named: by an
//! editor ([`Position`], in the encoding agreed upon) and by a tool (a line and a column).

use std::sync::Arc;

use gen_lsp_types::{Position, Range};

use crate::tools::spec::ColumnUnit;

/// What a position's `character` counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    #[default]
    Utf16,
    Utf32,
}

/// A text that never changes.
#[derive(Clone, Debug)]
pub(super) struct Text {
    text: Arc<str>,
    /// Where each line begins; the first is 0.
    starts: Arc<[usize]>,
}

impl Text {
    pub(super) fn new(text: impl Into<Arc<str>>) -> Self {
        let text = text.into();
        let bytes = text.as_bytes();
        let ends_line = |&(at, &byte): &(usize, &u8)| {
            byte == b'\n' || (byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'))
        };
        let ends = bytes.iter().enumerate().filter(ends_line).map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(ends).collect();
        Self { text, starts }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Lines, the one after the last line end included.
    pub(super) fn line_count(&self) -> usize {
        self.starts.len()
    }

    /// Begin and end of a line's content, its line end left out. A line after the last is empty.
    pub(super) fn line_span(&self, line: usize) -> (usize, usize) {
        let Some(&start) = self.starts.get(line) else { return (self.text.len(), self.text.len()) };
        let end = self.starts.get(line + 1).copied().unwrap_or(self.text.len());
        let content = self.text[start..end].trim_end_matches(['\r', '\n']);
        (start, start + content.len())
    }

    #[cfg(test)]
    pub(super) fn line(&self, line: usize) -> &str {
        let (start, end) = self.line_span(line);
        &self.text[start..end]
    }

    /// Where the line begins; the end of the text for a line after the last.
    pub(super) fn line_start(&self, line: usize) -> usize {
        self.starts.get(line).copied().unwrap_or(self.text.len())
    }

    /// How lines end here: as the first one does.
    pub(super) fn line_end(&self) -> &'static str {
        match self.starts.get(1) {
            Some(&next) if self.text[..next].ends_with("\r\n") => "\r\n",
            Some(&next) if self.text[..next].ends_with('\r') => "\r",
            _ => "\n",
        }
    }

    /// The offset of a position; one outside of the text or a line is moved to its end.
    pub(super) fn offset(&self, position: Position, encoding: Encoding) -> usize {
        let (start, end) = self.line_span(position.line as usize);
        let wanted = position.character as usize;
        start + within(&self.text[start..end], wanted, |c| width(c, encoding))
    }

    pub(super) fn position(&self, offset: usize, encoding: Encoding) -> Position {
        let line = self.starts.partition_point(|&start| start <= offset) - 1;
        let before = &self.text[self.starts[line]..offset];
        let character = before.chars().map(|c| width(c, encoding)).sum();
        Position { line: number(line), character: number(character) }
    }

    pub(super) fn range(&self, start: usize, end: usize, encoding: Encoding) -> Range {
        Range { start: self.position(start, encoding), end: self.position(end, encoding) }
    }

    /// The offset of a tool's column, which counts from 1. `None` where it cannot be told.
    pub(super) fn column(&self, line: usize, column: u32, unit: ColumnUnit) -> Option<usize> {
        let (start, end) = self.line_span(line);
        let text = &self.text[start..end];
        let wanted = column.saturating_sub(1) as usize;
        let within = match unit {
            ColumnUnit::AsciiOnly if !text.is_ascii() => return None,
            ColumnUnit::Characters | ColumnUnit::AsciiOnly => within(text, wanted, |_| 1),
            ColumnUnit::Bytes => within(text, wanted, char::len_utf8),
            ColumnUnit::Utf16 => within(text, wanted, char::len_utf16),
        };
        Some(start + within)
    }

    /// The text with what lies between two offsets replaced.
    pub(super) fn replaced(&self, start: usize, end: usize, by: &str) -> Self {
        let (start, end) = (start.min(end), start.max(end));
        Self::new([&self.text[..start], by, &self.text[end..]].concat())
    }
}

/// Bytes of `text` before the character that begins at or after `wanted`.
fn within(text: &str, wanted: usize, width: impl Fn(char) -> usize) -> usize {
    let mut passed = 0;
    for (at, c) in text.char_indices() {
        if passed >= wanted {
            return at;
        }
        passed += width(c);
    }
    text.len()
}

fn width(c: char, encoding: Encoding) -> usize {
    match encoding {
        Encoding::Utf8 => c.len_utf8(),
        Encoding::Utf16 => c.len_utf16(),
        Encoding::Utf32 => 1,
    }
}

fn number(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn a_position_is_the_same_place_in_every_encoding() {
        let text = Text::new("x\né日😀z\r\nend");
        let z = text.as_str().find('z').unwrap();
        for (encoding, character) in
            [(Encoding::Utf8, 9), (Encoding::Utf16, 4), (Encoding::Utf32, 3)]
        {
            assert_eq!(text.position(z, encoding), at(1, character));
            assert_eq!(text.offset(at(1, character), encoding), z);
        }
    }

    #[test]
    fn positions_outside_of_the_text_are_moved_into_it() {
        let text = Text::new("ab\r\ncd");
        assert_eq!(text.offset(at(0, 99), Encoding::Utf16), 2);
        assert_eq!(text.offset(at(9, 9), Encoding::Utf16), 6);
        // Within a character that two units make.
        assert_eq!(Text::new("😀b").offset(at(0, 1), Encoding::Utf16), 4);
    }

    #[test]
    fn lines_end_as_in_python() {
        let text = Text::new("a\rb\r\nc\nd");
        let lines: Vec<&str> = (0..text.line_count()).map(|line| text.line(line)).collect();
        assert_eq!(lines, ["a", "b", "c", "d"]);
        assert_eq!(text.line_end(), "\r");
    }

    #[test]
    fn columns_are_read_in_the_unit_of_their_tool() {
        let text = Text::new("é日😀z");
        for (unit, column) in
            [(ColumnUnit::Characters, 4), (ColumnUnit::Bytes, 10), (ColumnUnit::Utf16, 5)]
        {
            assert_eq!(text.column(0, column, unit), Some(9), "{unit:?}");
        }
        assert_eq!(text.column(0, 2, ColumnUnit::AsciiOnly), None);
        assert_eq!(Text::new("abc").column(0, 2, ColumnUnit::AsciiOnly), Some(1));
    }
}
