//! Python's `fnmatch`, which flake8 and bandit use: `*` and `?` also match `/`, a bracket that is
//! never closed stands for itself, braces and backslashes are nothing special. Every text is a
//! pattern. Characters are those that Python sees: a byte that is not UTF-8 is one of its own.

use std::collections::HashSet;

/// Patterns that are asked together.
#[derive(Default)]
pub(super) struct Patterns {
    literals: HashSet<Box<[u8]>>,
    others: Vec<Pattern>,
}

impl Patterns {
    pub(super) fn new<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> Self {
        let mut set = Self::default();
        for pattern in patterns {
            match Pattern::new(pattern.as_ref()) {
                Pattern::Literal(text) => {
                    set.literals.insert(text);
                }
                other => set.others.push(other),
            }
        }
        set
    }

    /// Whether one of the patterns matches the whole text.
    pub(super) fn matches(&self, text: &[u8]) -> bool {
        self.literals.contains(text) || self.others.iter().any(|pattern| pattern.matches(text))
    }

    /// Whether none of the patterns could match an absolute path: all begin with a character that
    /// is not a slash.
    pub(super) fn match_names_only(&self) -> bool {
        self.literals.iter().all(|text| !text.starts_with(b"/"))
            && self.others.iter().all(Pattern::begins_without_slash)
    }
}

enum Pattern {
    Literal(Box<[u8]>),
    /// `*text`
    Suffix(Box<[u8]>),
    General(Vec<Token>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Star,
    Any,
    One(u32),
    /// `[a-z]` or `[!a-z]`: ranges, both ends included.
    Class {
        negated: bool,
        ranges: Vec<(u32, u32)>,
    },
}

impl Pattern {
    fn new(pattern: &str) -> Self {
        let tokens = tokens(pattern);
        let bytes = |tokens: &[Token]| -> Option<Box<[u8]>> {
            let text: Option<String> = tokens
                .iter()
                .map(|token| match token {
                    Token::One(character) => char::from_u32(*character),
                    _ => None,
                })
                .collect();
            text.map(|text| text.into_bytes().into_boxed_slice())
        };
        if let Some(text) = bytes(&tokens) {
            return Self::Literal(text);
        }
        match tokens.strip_prefix(&[Token::Star]).and_then(bytes) {
            Some(suffix) => Self::Suffix(suffix),
            None => Self::General(tokens),
        }
    }

    fn matches(&self, text: &[u8]) -> bool {
        match self {
            Self::Literal(literal) => text == &**literal,
            Self::Suffix(suffix) => text.ends_with(suffix),
            Self::General(tokens) => general(tokens, &characters(text)),
        }
    }

    fn begins_without_slash(&self) -> bool {
        match self {
            Self::Literal(text) => !text.starts_with(b"/"),
            Self::Suffix(_) => false,
            Self::General(tokens) => matches!(tokens[0], Token::One(c) if c != u32::from('/')),
        }
    }
}

fn tokens(pattern: &str) -> Vec<Token> {
    let pattern: Vec<u32> = pattern.chars().map(u32::from).collect();
    let is = |at: usize, character: char| pattern.get(at) == Some(&u32::from(character));
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < pattern.len() {
        if is(at, '*') {
            if tokens.last() != Some(&Token::Star) {
                tokens.push(Token::Star);
            }
        } else if is(at, '?') {
            tokens.push(Token::Any);
        } else if let Some(end) = is(at, '[').then(|| class_end(&pattern, at)).flatten() {
            tokens.push(class(&pattern[at + 1..end]));
            at = end;
        } else {
            tokens.push(Token::One(pattern[at]));
        }
        at += 1;
    }
    tokens
}

/// Where the bracket opened at `start` is closed; a `]` at its beginning belongs to the class.
fn class_end(pattern: &[u32], start: usize) -> Option<usize> {
    let mut from = start + 1;
    for first in ['!', ']'] {
        if pattern.get(from) == Some(&u32::from(first)) {
            from += 1;
        }
    }
    (from..pattern.len()).find(|&at| pattern[at] == u32::from(']'))
}

/// What stands between the brackets. A range whose ends are in the wrong order is empty.
fn class(inner: &[u32]) -> Token {
    let negated = inner.first() == Some(&u32::from('!'));
    let inner = &inner[usize::from(negated)..];
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < inner.len() {
        if at + 2 < inner.len() && inner[at + 1] == u32::from('-') {
            ranges.push((inner[at], inner[at + 2]));
            at += 3;
        } else {
            ranges.push((inner[at], inner[at]));
            at += 1;
        }
    }
    Token::Class { negated, ranges }
}

/// Characters as Python has them in a file name (PEP 383).
fn characters(text: &[u8]) -> Vec<u32> {
    let mut characters = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        characters.extend(chunk.valid().chars().map(u32::from));
        characters.extend(chunk.invalid().iter().map(|&byte| 0xDC00 + u32::from(byte)));
    }
    characters
}

/// Goes back to the last star only, which is enough: an earlier one could gain nothing.
fn general(tokens: &[Token], text: &[u32]) -> bool {
    let (mut token, mut at) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        let fits = match tokens.get(token) {
            Some(Token::Star) => {
                star = Some((token, at));
                token += 1;
                continue;
            }
            Some(Token::Any) => true,
            Some(Token::One(character)) => text[at] == *character,
            Some(Token::Class { negated, ranges }) => {
                let within = ranges.iter().any(|(low, high)| (*low..=*high).contains(&text[at]));
                within != *negated
            }
            None => false,
        };
        if fits {
            token += 1;
            at += 1;
        } else if let Some((star_token, star_at)) = &mut star {
            *star_at += 1;
            token = *star_token + 1;
            at = *star_at;
        } else {
            return false;
        }
    }
    tokens[token..].iter().all(|token| *token == Token::Star)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As CPython 3.11 answered for the same pairs.
    #[test]
    fn patterns_match_as_python_s_do() {
        let matching: [(&str, &[u8]); 13] = [
            ("*.py", b"a/b.py"),
            ("a?c", b"a/c"),
            ("a?c", "aéc".as_bytes()),
            ("a?c", b"a\xffc"),
            ("[!a]x", b"bx"),
            ("[]x]", b"]"),
            ("[a-c]*[0-9]", b"b/x7"),
            ("we[ird.py", b"we[ird.py"),
            ("{a,b}.py", b"{a,b}.py"),
            ("a**b", b"ab"),
            ("*a*b*", b"xxaxxbxx"),
            ("[a-]", b"-"),
            (r"a\b", br"a\b"),
        ];
        for (pattern, text) in matching {
            assert!(Patterns::new([pattern]).matches(text), "{pattern} {text:?}");
        }
        let others: [(&str, &[u8]); 7] = [
            ("*.py", b"a.pyi"),
            ("a?c", b"ac"),
            ("[z-a]", b"m"),
            ("[!]x]", b"]"),
            ("*a*b", b"ba"),
            ("A", b"a"),
            ("", b"a"),
        ];
        for (pattern, text) in others {
            assert!(!Patterns::new([pattern]).matches(text), "{pattern} {text:?}");
        }
    }
}
