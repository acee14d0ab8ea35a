//! Where the lines of a Python text have their comments, and which of them can have none:
//! [`lines`]. Strings and line continuations are followed, nothing else; half-typed code is no
//! mistake here.

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LineEnd {
    /// In code, or in the comment that begins at this offset of the text.
    Free { comment: Option<usize> },
    /// Within a string, or with a backslash that joins the next line.
    Bound,
}

/// How each line of `text` ends.
pub(super) fn lines(text: &str) -> Vec<LineEnd> {
    let mut scanner = Scanner { bytes: text.as_bytes(), at: 0, ends: Vec::new() };
    scanner.run();
    scanner.ends
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    ends: Vec<LineEnd>,
}

impl Scanner<'_> {
    fn run(&mut self) {
        let mut comment = None;
        while let Some(&byte) = self.bytes.get(self.at) {
            match byte {
                b'#' => {
                    comment = Some(self.at);
                    while self.line_end().is_none() && self.at < self.bytes.len() {
                        self.at += 1;
                    }
                }
                b'"' | b'\'' => self.string(byte),
                b'\\' => {
                    self.at += 1;
                    self.pass_line_end(LineEnd::Bound);
                }
                _ if self.pass_line_end(LineEnd::Free { comment }) => comment = None,
                _ => self.at += 1,
            }
        }
        self.ends.push(LineEnd::Free { comment });
    }

    /// Length of the line end that stands here.
    fn line_end(&self) -> Option<usize> {
        match self.bytes.get(self.at)? {
            b'\r' if self.bytes.get(self.at + 1) == Some(&b'\n') => Some(2),
            b'\r' | b'\n' => Some(1),
            _ => None,
        }
    }

    /// Goes past a line end, if one stands here.
    fn pass_line_end(&mut self, how: LineEnd) -> bool {
        let Some(length) = self.line_end() else { return false };
        self.at += length;
        self.ends.push(how);
        true
    }

    /// Goes past a string that begins with `quote`. One that is not closed ends with its line, or
    /// with the text if it may have many lines. A backslash hides a quote in raw strings too.
    fn string(&mut self, quote: u8) {
        let triple = [quote; 3];
        let is_long = self.bytes[self.at..].starts_with(&triple);
        self.at += if is_long { 3 } else { 1 };
        while let Some(&byte) = self.bytes.get(self.at) {
            if byte == b'\\' {
                self.at += 1;
                if !self.pass_line_end(LineEnd::Bound) {
                    self.at += 1;
                }
            } else if is_long && self.bytes[self.at..].starts_with(&triple) {
                self.at += 3;
                return;
            } else if !is_long && byte == quote {
                self.at += 1;
                return;
            } else if self.line_end().is_some() {
                if !is_long {
                    return;
                }
                self.pass_line_end(LineEnd::Bound);
            } else {
                self.at += 1;
            }
        }
        self.at = self.at.min(self.bytes.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        let show = |end: &LineEnd| match end {
            LineEnd::Free { comment: None } => '.',
            LineEnd::Free { comment: Some(_) } => '#',
            LineEnd::Bound => '|',
        };
        lines(text).iter().map(show).collect()
    }

    #[test]
    fn comments_are_told_from_signs_in_strings() {
        assert_eq!(shown("x = '#'  # one\ny = \"\\\"#\"\nz = r'\\'#'\n"), "#...");
        assert_eq!(lines("x = 1  # é\r\n")[0], LineEnd::Free { comment: Some(7) });
    }

    #[test]
    fn lines_within_strings_and_before_continuations_take_no_comment() {
        assert_eq!(shown("x = '''\n# no\n'''  # yes\n"), "||#.");
        assert_eq!(shown("x = 1 + \\\n    2\ny = 'a\\\nb'  # c\n"), "|.|#.");
    }

    #[test]
    fn half_typed_strings_end_with_their_line_or_with_the_text() {
        assert_eq!(shown("x = 'abc\ny = 1  # c\n"), ".#.");
        assert_eq!(shown("x = \"\"\"abc\ny\\"), "|.");
        assert_eq!(shown("'\\"), ".");
        assert_eq!(shown(""), ".");
    }

    #[test]
    fn there_are_as_many_as_lines() {
        for text in ["a\rb\r\nc\n", "'''\r\n\r'''\n", "\\\r\n", "# a\n#b"] {
            let count = super::super::text::Text::new(text).line_count();
            assert_eq!(lines(text).len(), count, "{text:?}");
        }
    }
}
