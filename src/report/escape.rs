//! Text from outside made safe for where it is shown: file names and messages may hold line
//! breaks, terminal codes and bytes that are no UTF-8. Nothing here is specific to one format.

use std::borrow::Cow;
use std::fmt::Write;

pub use crate::paths::{percent_decode, percent_encode};

/// Characters that change how a terminal shows what follows: controls and those that turn the
/// direction of writing (CVE-2021-42574).
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        || matches!(c, '\u{2028}' | '\u{2029}')
}

fn escaped(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(|c| misleads(c) && !keep(c)) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            c if !misleads(c) || keep(c) => shown.push(c),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if c.is_ascii() => {
                let _ = write!(shown, "\\x{:02x}", u32::from(c));
            }
            c => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(c));
            }
        }
    }
    Cow::Owned(shown)
}

/// `text` on one line, with escapes for line breaks and everything that misleads.
pub fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// One line out of a longer text: tabs are kept, other controls are escaped.
pub fn terminal_line(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\t')
}

/// `text` with what XML 1.0 cannot hold replaced by U+FFFD.
///
/// The allowed characters are those of <https://www.w3.org/TR/xml/#charsets>.
pub fn xml_text(text: &str) -> Cow<'_, str> {
    let allowed =
        |c: char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{fffd}' | '\u{10000}'..='\u{10ffff}');
    if text.chars().all(allowed) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if allowed(c) { c } else { '\u{fffd}' }).collect())
}

/// The first `limit` characters, with a sign where something was cut.
pub fn cut(text: &str, limit: usize) -> Cow<'_, str> {
    match text.char_indices().nth(limit) {
        None => Cow::Borrowed(text),
        Some((at, _)) => Cow::Owned(format!("{}…", &text[..at])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_a_line_and_cannot_drive_the_terminal() {
        assert_eq!(one_line("a\nb\r\tc"), "a\\nb\\r\\tc");
        assert_eq!(one_line("\x1b[31mred\x07"), "\\x1b[31mred\\x07");
        assert_eq!(one_line("x\u{85}\u{2028}\u{202e}y"), "x\\u{85}\\u{2028}\\u{202e}y");
        assert_eq!(one_line("naïve – ok"), "naïve – ok");
        assert_eq!(terminal_line("\tindented\x1b"), "\tindented\\x1b");
    }

    #[test]
    fn xml_gets_only_characters_that_it_may_hold() {
        assert_eq!(
            xml_text("a\0\x1b\u{fffe}\u{ffff}\tb\n"),
            "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}\tb\n"
        );
        assert_eq!(xml_text("plain"), "plain");
    }

    #[test]
    fn cutting_counts_characters() {
        assert_eq!(cut("äöü", 2), "äö…");
        assert_eq!(cut("äö", 2), "äö");
    }
}
