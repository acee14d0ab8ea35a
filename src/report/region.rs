//! A finding's place in the form that report formats for machines want: [`Region`]. Tools name
//! impossible places at times (line 0, an end before its start), which validators refuse.

use crate::finding::Location;

/// A part of a file whose numbers are sound: all at least 1, the end not before the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    pub line: u32,
    /// In characters, or what the tool takes for them.
    pub column: Option<u32>,
    /// Equal to `line` where the tool names no end.
    pub end_line: u32,
    /// The column after the last character; only with a `column`.
    pub end_column: Option<u32>,
}

impl Region {
    /// `None` where the file as a whole is meant.
    pub fn of(location: &Location) -> Option<Self> {
        // Columns of that size come from arithmetic gone wrong; readers keep them in 32 bits.
        let sound =
            |number: Option<u32>| number.filter(|n| (1..=i32::MAX.unsigned_abs()).contains(n));
        let line = sound(location.line)?;
        let column = sound(location.column);
        let end_line = sound(location.end_line).filter(|&end| end >= line);
        let end_column = sound(location.end_column)
            .filter(|&end| column.is_some_and(|c| end_line.is_some_and(|l| l > line) || end >= c));
        Some(Self { line, column, end_line: end_line.unwrap_or(line), end_column })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn region(numbers: [Option<u32>; 4]) -> Option<Region> {
        let [line, column, end_line, end_column] = numbers;
        let file = Location::file("a.py".into());
        Region::of(&Location { line, column, end_line, end_column, ..file })
    }

    #[test]
    fn sound_numbers_are_kept() {
        assert_eq!(
            region([Some(2), Some(5), Some(3), Some(1)]),
            Some(Region { line: 2, column: Some(5), end_line: 3, end_column: Some(1) })
        );
        assert_eq!(
            region([Some(2), Some(5), None, Some(9)]),
            Some(Region { line: 2, column: Some(5), end_line: 2, end_column: Some(9) })
        );
    }

    #[test]
    fn impossible_numbers_are_left_out() {
        assert_eq!(region([Some(0), Some(5), None, None]), None);
        assert_eq!(region([None, Some(5), None, None]), None);
        let line_only = Some(Region { line: 4, column: None, end_line: 4, end_column: None });
        assert_eq!(region([Some(4), Some(0), Some(2), Some(7)]), line_only);
        assert_eq!(region([Some(4), Some(u32::MAX), None, None]), line_only);
        assert_eq!(
            region([Some(4), Some(5), Some(4), Some(2)]),
            Some(Region { line: 4, column: Some(5), end_line: 4, end_column: None })
        );
    }
}
