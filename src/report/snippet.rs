//! The excerpt under a finding: its line of source and a mark below the place, drawn by
//! annotate-snippets. Lines longer than the terminal are cut around the mark.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::escape;
use super::style::Color;
use crate::finding::{Location, Severity};

/// What to mark on a line, in characters counted from 1; the end is the one after the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    pub line: u32,
    pub column: Option<u32>,
    /// `None`: one character, or the rest of the line where the range goes on below.
    pub end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Unknown,
    Column(u32),
    /// The range ends on a later line.
    LineEnd,
}

impl Mark {
    /// `None` for a finding about the file as a whole.
    pub fn of(location: &Location) -> Option<Self> {
        let line = location.line?;
        let end = match (location.end_line, location.end_column) {
            (Some(end_line), _) if end_line > line => End::LineEnd,
            (_, Some(column)) => End::Column(column),
            _ => End::Unknown,
        };
        Some(Self { line, column: location.column, end })
    }
}

/// The excerpt, with a line break at its end, at most `width` columns wide.
pub fn excerpt(text: &str, mark: Mark, severity: Severity, color: Color, width: usize) -> String {
    let chars: Vec<char> = text.chars().map(visible).collect();
    let (start, end) = span(mark, chars.len());
    let gutter = mark.line.to_string().len() + 3;
    // One column stays free for a mark after the end of the line.
    let part = window(&chars, start, width.saturating_sub(gutter + 1).max(10));
    let mut shown = String::new();
    let mut marked = 0..0;
    if part.start > 0 {
        shown.push('…');
    }
    for (index, c) in chars.iter().enumerate().take(part.end).skip(part.start) {
        if index == start {
            marked.start = shown.len();
        }
        if index == end {
            marked.end = shown.len();
        }
        shown.push(*c);
    }
    if start >= part.end {
        marked.start = shown.len();
    }
    if end >= part.end {
        marked.end = shown.len();
    }
    if part.end < chars.len() {
        shown.push('…');
    }
    draw(&shown, mark, marked, severity, color)
}

fn draw(text: &str, mark: Mark, marked: Range<usize>, severity: Severity, color: Color) -> String {
    let annotation = match mark.column {
        Some(_) => AnnotationKind::Primary.span(marked),
        None => AnnotationKind::Visible.span(0..text.len()),
    };
    let line = usize::try_from(mark.line).unwrap_or(usize::MAX);
    let snippet = Snippet::source(text).line_start(line).fold(false).annotation(annotation);
    let level = match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let renderer = match color {
        Color::Always => Renderer::styled().hyperlink(false),
        Color::Never => Renderer::plain(),
    };
    // The cutting is done: the renderer must not cut again by its own rules.
    let drawn =
        renderer.term_width(usize::MAX / 2).render(&[Group::with_level(level).element(snippet)]);
    // The first line is an empty one of the gutter; so is the last when nothing is marked.
    let lines = drawn.lines().skip(1).take(if mark.column.is_some() { 2 } else { 1 });
    lines.fold(String::new(), |text, line| text + line + "\n")
}

/// The marked characters as indexes, within the line.
fn span(mark: Mark, length: usize) -> (usize, usize) {
    let index = |column: u32| usize::try_from(column.saturating_sub(1)).unwrap_or(usize::MAX);
    let start = mark.column.map_or(0, index).min(length);
    let end = match mark.end {
        End::Unknown => start + 1,
        End::Column(column) => index(column).max(start + 1),
        End::LineEnd => length,
    };
    (start, end.min(length).max(start))
}

/// What annotate-snippets would pass on to the terminal although it is not shown as a character.
/// (ASCII controls it replaces by itself.)
fn visible(c: char) -> char {
    let mut buffer = [0; 4];
    let harmless = c.is_ascii() || escape::one_line(c.encode_utf8(&mut buffer)).starts_with(c);
    if harmless { c } else { '\u{fffd}' }
}

/// Columns that the renderer gives to a character.
fn columns(c: char) -> usize {
    match c {
        '\t' => 4,
        c if c.is_ascii() => 1,
        c => console::measure_text_width(c.encode_utf8(&mut [0; 4])),
    }
}

/// The part of a line that fits into `room` columns and holds the character at `start`, with
/// somewhat less before it than behind.
fn window(chars: &[char], start: usize, room: usize) -> Range<usize> {
    let total: usize = chars.iter().map(|&c| columns(c)).sum();
    if total <= room {
        return 0..chars.len();
    }
    // Two columns for the signs of cutting.
    let room = room - 2;
    let (mut from, mut to, mut used) = (start, start, 0);
    while from > 0 && used + columns(chars[from - 1]) <= room / 3 {
        from -= 1;
        used += columns(chars[from]);
    }
    while to < chars.len() && used + columns(chars[to]) <= room {
        used += columns(chars[to]);
        to += 1;
    }
    while from > 0 && used + columns(chars[from - 1]) <= room {
        from -= 1;
        used += columns(chars[from]);
    }
    from..to
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn plain(text: &str, column: Option<u32>, end: End) -> String {
        let mark = Mark { line: 7, column, end };
        excerpt(text, mark, Severity::Error, Color::Never, 40)
    }

    #[test]
    fn the_marked_range_is_underlined() {
        assert_snapshot!(plain("import os, sys", Some(8), End::Column(10)), @r"
        7 | import os, sys
          |        ^^
        ");
    }

    #[test]
    fn tabs_and_wide_characters_keep_the_mark_in_place() {
        assert_snapshot!(plain("\tx = '日本' + y", Some(13), End::Unknown), @r"
        7 |     x = '日本' + y
          |                  ^
        ");
    }

    #[test]
    fn a_range_over_lines_is_marked_to_the_end_of_its_first() {
        assert_snapshot!(plain("call(a,", Some(1), End::LineEnd), @r"
        7 | call(a,
          | ^^^^^^^
        ");
    }

    #[test]
    fn places_behind_the_line_and_empty_ranges_get_one_mark() {
        assert_snapshot!(plain("x", Some(400), End::Column(2)), @r"
        7 | x
          |  ^
        ");
        assert_snapshot!(plain("", Some(1), End::Column(1)), @r"
        7 |
          | ^
        ");
    }

    #[test]
    fn without_a_column_the_line_stands_alone() {
        assert_snapshot!(plain("x = 1", None, End::Unknown), @"7 | x = 1");
    }

    #[test]
    fn a_long_line_is_cut_around_the_mark() {
        let text = format!("{}FAULT{}", "a".repeat(500), "b".repeat(500));
        assert_snapshot!(plain(&text, Some(501), End::Column(506)), @r"
        7 | …aaaaaaaaaaaFAULTbbbbbbbbbbbbbbbbb…
          |             ^^^^^
        ");
    }

    #[test]
    fn terminal_codes_in_the_source_are_shown_not_sent() {
        let shown = plain("s = '\x1b[31m\u{9b}1m'", Some(1), End::Unknown);
        assert!(!shown.contains(['\x1b', '\u{9b}']), "{shown:?}");
    }

    proptest! {
        #[test]
        fn no_text_and_no_place_breaks_the_drawing(
            text in "\\PC{0,120}|[\\t\\x00-\\x20a]{0,120}",
            line in 1u32..=u32::MAX,
            column in proptest::option::of(0u32..200),
            end in prop_oneof![
                Just(End::Unknown), Just(End::LineEnd), (0u32..300).prop_map(End::Column)
            ],
        ) {
            let mark = Mark { line, column, end };
            let drawn = excerpt(&text, mark, Severity::Warning, Color::Never, 60);
            prop_assert_eq!(drawn.lines().count(), if column.is_some() { 2 } else { 1 });
            for line in drawn.lines() {
                prop_assert!(console::measure_text_width(line) <= 60, "{}", drawn);
            }
        }
    }
}
