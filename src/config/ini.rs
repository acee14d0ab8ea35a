//! Ini files by the rules of Python's `configparser` (`RawConfigParser`, the dialect of flake8,
//! mypy, bandit and tox), with line numbers.

use std::path::Path;

use crate::error::{Source, UserError};

/// Keys of this section stand in all others.
const DEFAULT: &str = "DEFAULT";

/// An ini file as read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ini {
    sections: Vec<Section>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    pub name: String,
    pub line: usize,
    pub options: Vec<Opt>,
}

/// One option.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opt {
    /// As written; configparser compares it in lower case.
    pub name: String,
    /// Lines are joined by `\n`, each without the space around it.
    pub value: String,
    pub line: usize,
}

impl Ini {
    /// Reads `text`.
    ///
    /// # Errors
    /// What configparser refuses: a line before the first section, a line that is neither an
    /// option nor a section, a section or option given twice.
    pub fn parse(text: &str, file: &Path) -> Result<Self, UserError> {
        let mut reader = Reader { ini: Self::default(), file, section: 0, indent: 0, open: false };
        // Python's text mode ends a line at each of the three.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        for (at, line) in text.lines().enumerate() {
            reader.line(line, at + 1)?;
        }
        let mut ini = reader.ini;
        for option in ini.sections.iter_mut().flat_map(|section| &mut section.options) {
            option.value.truncate(option.value.trim_end_matches(is_space).len());
        }
        Ok(ini)
    }

    /// Names of the sections, in the file's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().map(|section| section.name.as_str()).filter(|name| *name != DEFAULT)
    }

    pub fn section(&self, name: &str) -> Option<&Section> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The options of a section, those of `[DEFAULT]` that it does not set included.
    pub fn options(&self, name: &str) -> Vec<&Opt> {
        let Some(section) = self.section(name) else { return Vec::new() };
        let is_own = |option: &Opt| section.options.iter().any(|own| same_name(own, &option.name));
        let defaults = self.section(DEFAULT).map_or(&[][..], |section| &section.options);
        section.options.iter().chain(defaults.iter().filter(|option| !is_own(option))).collect()
    }
}

/// White space as Python's `str.isspace` has it: Unicode's, and the separators of ASCII.
fn is_space(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{1c}'..='\u{1f}')
}

fn same_name(option: &Opt, name: &str) -> bool {
    option.name.to_lowercase() == name.to_lowercase()
}

struct Reader<'a> {
    ini: Ini,
    file: &'a Path,
    /// The section that options go to.
    section: usize,
    /// Indentation of the last line that was no continuation.
    indent: usize,
    /// The last option may go on.
    open: bool,
}

impl Reader<'_> {
    fn line(&mut self, line: &str, number: usize) -> Result<(), UserError> {
        let value = line.trim_matches(is_space);
        let is_comment = value.starts_with(['#', ';']);
        if value.is_empty() || is_comment {
            if !is_comment && let Some(option) = self.open_option() {
                option.value.push('\n');
            }
            return Ok(());
        }
        let indent = line.chars().take_while(|c| is_space(*c)).count();
        if indent > self.indent
            && let Some(option) = self.open_option()
        {
            option.value.push('\n');
            option.value.push_str(value);
            return Ok(());
        }
        self.indent = indent;
        match header(value) {
            Some(name) => self.begin_section(name, number),
            None => self.begin_option(value, number),
        }
    }

    fn open_option(&mut self) -> Option<&mut Opt> {
        if !self.open {
            return None;
        }
        self.ini.sections.get_mut(self.section)?.options.last_mut()
    }

    fn begin_section(&mut self, name: &str, line: usize) -> Result<(), UserError> {
        let known = self.ini.sections.iter().position(|section| section.name == name);
        // `[DEFAULT]` alone may be given twice.
        if known.is_some() && name != DEFAULT {
            return Err(self.error(format!("the section [{name}] is given twice"), line));
        }
        self.open = false;
        self.section = known.unwrap_or(self.ini.sections.len());
        if known.is_none() {
            self.ini.sections.push(Section { name: name.to_owned(), line, options: Vec::new() });
        }
        Ok(())
    }

    fn begin_option(&mut self, text: &str, line: usize) -> Result<(), UserError> {
        let Some(at) = text.find(['=', ':']).filter(|at| *at > 0) else {
            let what = match self.ini.sections.last() {
                None => "this line stands before the first section",
                Some(_) => "this line is neither an option (`name = value`) nor a section",
            };
            return Err(self.error(what.to_owned(), line));
        };
        let Some(section) = self.ini.sections.get_mut(self.section) else {
            return Err(self.error("this line stands before the first section".to_owned(), line));
        };
        let name = text[..at].trim_end_matches(is_space).to_owned();
        if section.options.iter().any(|option| same_name(option, &name)) {
            let what = format!("`{name}` is given twice in [{}]", section.name);
            return Err(self.error(what, line));
        }
        let value = text[at + 1..].trim_matches(is_space).to_owned();
        section.options.push(Opt { name, value, line });
        self.open = true;
        Ok(())
    }

    fn error(&self, what: String, line: usize) -> UserError {
        UserError::new(what).at(Source { file: self.file.to_owned(), line: Some(line) })
    }
}

/// `[name]`, whatever follows; the name goes to the last bracket.
fn header(value: &str) -> Option<&str> {
    let inner = value.strip_prefix('[')?;
    inner.rfind(']').map(|end| &inner[..end]).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file and what is read of it.
    type Case = (&'static str, &'static [(&'static str, &'static str, &'static str)]);

    /// Section, option and value as `configparser.RawConfigParser().read_string` (CPython 3.11)
    /// gave them, or the name of its error.
    const RECORDED: &[Case] = &[
        ("[a]\nx = 1\n", &[("a", "x", "1")]),
        ("[a]\nx: 1\n", &[("a", "x", "1")]),
        ("[a]\nx=1=2:3\n", &[("a", "x", "1=2:3")]),
        ("[a]\nx = 1 # not a comment\n", &[("a", "x", "1 # not a comment")]),
        ("[a]\nx = 1 ; not a comment\n", &[("a", "x", "1 ; not a comment")]),
        ("[a]\nx =\n  1\n  2\n", &[("a", "x", "\n1\n2")]),
        ("[a]\nx = 1\n\n  2\n", &[("a", "x", "1\n\n2")]),
        ("[a]\nx = 1\n# c\n  2\n", &[("a", "x", "1\n2")]),
        ("[a]\nx = 1\n  # c\n  2\n", &[("a", "x", "1\n2")]),
        ("[a]\nx = 1\n\n\n[b]\ny = 2\n", &[("a", "x", "1"), ("b", "y", "2")]),
        ("[a]\n  x = 1\n  y = 2\n", &[("a", "x", "1"), ("a", "y", "2")]),
        ("[a]\n  x = 1\n    y = 2\n", &[("a", "x", "1\ny = 2")]),
        ("[a] trailing\nx = 1\n", &[("a", "x", "1")]),
        ("[a]b]\nx = 1\n", &[("a]b", "x", "1")]),
        ("[DEFAULT]\nx = 1\n[a]\ny = 2\n", &[("a", "y", "2"), ("a", "x", "1")]),
        ("[a]\r\nx = 1\r\n  2\r\n", &[("a", "x", "1\n2")]),
        ("[a]\nx =\n", &[("a", "x", "")]),
        ("[a]\nx = 1\n\t2\n", &[("a", "x", "1\n2")]),
        ("# c\n; c\n[a]\nx = 1\n", &[("a", "x", "1")]),
        ("[a]\nx y z = 1\n", &[("a", "x y z", "1")]),
        ("[a:b]\nx = 1\n", &[("a:b", "x", "1")]),
        ("[a]\r# c\rx = 1\r\ny = 2\n", &[("a", "x", "1"), ("a", "y", "2")]),
        ("[a]\nx = 1\r  2\r", &[("a", "x", "1\n2")]),
        ("[a]\nx = 1\r\r\n  2\n", &[("a", "x", "1\n\n2")]),
        ("[a]\nx = 1\u{b}2\n", &[("a", "x", "1\u{b}2")]),
        ("[a]\nx = 1\n\u{1c}2\n", &[("a", "x", "1\n2")]),
        ("\u{1c}[a]\nx\u{1f}=\u{1e}1\n", &[("a", "x", "1")]),
        ("[a]\nx = 1\n\u{85}y = 2\n", &[("a", "x", "1\ny = 2")]),
        (
            "[DEFAULT]\nx = 1\n[a]\ny = 2\n[DEFAULT]\nz = 3\n",
            &[("a", "y", "2"), ("a", "x", "1"), ("a", "z", "3")],
        ),
    ];

    #[test]
    fn files_are_read_as_configparser_reads_them() {
        for (text, expected) in RECORDED {
            let ini = Ini::parse(text, Path::new("x.cfg")).unwrap();
            let read: Vec<_> = ini
                .names()
                .flat_map(|name| ini.options(name).into_iter().map(move |o| (name, o)))
                .map(|(name, option)| (name, option.name.as_str(), option.value.as_str()))
                .collect();
            assert_eq!(&read, expected, "{text:?}");
        }
    }

    #[test]
    fn what_configparser_refuses_is_refused_with_its_line() {
        for (text, line) in [
            ("x = 1\n", 1),
            ("[a]\nx = 1\nX = 2\n", 3),
            ("[a]\n[b]\n[a]\n", 3),
            ("[a]\nno delimiter\n", 2),
            ("just text\n", 1),
            ("\u{feff}[a]\nx = 1\n", 1),
            ("[DEFAULT]\nx = 1\n[a]\n[DEFAULT]\nX = 2\n", 5),
        ] {
            let error = Ini::parse(text, Path::new("x.cfg")).unwrap_err();
            assert_eq!(error.place.unwrap().line, Some(line), "{text:?}");
        }
    }
}
