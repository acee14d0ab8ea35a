//! Python's regular expressions in the words of `fancy_regex`. The two agree on nearly all that
//! settings contain; this module rewrites what they read differently.

use fancy_regex::Regex;

/// Compiles `pattern` as Python's `re` reads it, with `re.VERBOSE` where `mode` says so.
///
/// # Errors
/// What neither reads.
pub(super) fn compile(pattern: &str, mode: Mode) -> Result<Regex, Box<fancy_regex::Error>> {
    let (pattern, mode) = match pattern.strip_prefix("(?x)") {
        Some(rest) => (rest, Mode::Verbose),
        None => (pattern, mode),
    };
    Regex::new(&translate(pattern, mode)).map_err(Box::new)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Plain,
    /// White space and comments count for nothing, but in a class and after a backslash.
    Verbose,
}

fn translate(pattern: &str, mode: Mode) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next() {
                // The very end, in Python.
                Some('Z') => out.push_str(r"\z"),
                Some(escaped) => {
                    // In verbose mode a space can be escaped; elsewhere it need not be.
                    if escaped != ' ' {
                        out.push('\\');
                    }
                    out.push(escaped);
                }
                None => out.push('\\'),
            },
            '[' => class(&mut rest, &mut out),
            '#' if mode == Mode::Verbose => while rest.next_if(|&c| c != '\n').is_some() {},
            space if mode == Mode::Verbose && space.is_ascii_whitespace() => {}
            '{' if !is_repetition(rest.clone()) => out.push_str(r"\{"),
            other => out.push(other),
        }
    }
    out
}

/// The rest of a class. Python knows no classes within classes and no operators on them.
fn class(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    out.push('[');
    if rest.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    if rest.next_if_eq(&']').is_some() {
        out.push_str(r"\]");
    }
    while let Some(character) = rest.next() {
        match character {
            ']' => {
                out.push(']');
                return;
            }
            '\\' => {
                out.push('\\');
                out.extend(rest.next());
            }
            '[' | '&' | '~' => {
                out.push('\\');
                out.push(character);
            }
            '-' if rest.peek() == Some(&'-') => out.push_str(r"\-"),
            other => out.push(other),
        }
    }
}

/// Whether what follows a `{` makes it a repetition: `2}`, `2,}`, `,3}`, `2,3}`.
fn is_repetition(rest: impl Iterator<Item = char>) -> bool {
    let mut digits = false;
    let mut commas = 0;
    for character in rest {
        match character {
            '0'..='9' => digits = true,
            ',' if commas == 0 => commas = 1,
            '}' => return digits || commas == 1,
            _ => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As CPython 3.11's `re.search` answered.
    #[test]
    fn expressions_are_read_as_python_reads_them() {
        let verbose = "(?x)  # a comment with [ and (\n ( /foo\\ bar/ | [ #]x )  \n";
        let cases = [
            (verbose, "/foo bar/", true),
            (verbose, " x", true),
            (verbose, "#x", true),
            (verbose, "/foobar/", false),
            (r"a\Z", "ba", true),
            (r"a\Z", "ab", false),
            (r"[[]", "[", true),
            (r"[a&&b]", "&", true),
            (r"[^]a]", "]", false),
            (r"x{", "x{", true),
            (r"x{1,2}$", "xx", true),
            (r"^/(?!src/).*\.py$", "/tests/a.py", true),
            (r"^/(?!src/).*\.py$", "/src/a.py", false),
            (r"\/gen\/", "/gen/", true),
            (r"(?i)GEN", "gen", true),
            (r"(?P<q>['/])x(?P=q)", "/x/", true),
            (r"[\w\-.]+", "-", true),
            (r"\_pb2\.py", "_pb2.py", true),
            (r"a\-b", "a-b", true),
        ];
        for (pattern, text, expected) in cases {
            let regex = compile(pattern, Mode::Plain).unwrap();
            assert_eq!(regex.is_match(text).unwrap(), expected, "{pattern} {text}");
        }
    }
}
