//! TOML with the line of every key: [`Table`].

use std::path::Path;

use serde_json::Value as Json;
use toml_edit::{Document, InlineTable, Item, TableLike, Value};

use crate::error::{Source, UserError};

/// A table of a TOML file, keys in the file's order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    pub entries: Vec<Entry>,
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub key: String,
    /// Of the key; counts from 1.
    pub line: usize,
    pub node: Node,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Table(Table),
    /// Anything but a table; dates as text.
    Plain(Json),
}

impl Table {
    /// Reads a TOML file as Python reads it.
    ///
    /// # Errors
    /// What is not TOML 1.0: Python's `tomllib` knows no later version, so that the tools would
    /// refuse the file.
    pub fn parse(text: &str, file: &Path) -> Result<Self, UserError> {
        let lines = Lines::new(text);
        let error = |what: String, offset: Option<usize>| {
            let line = offset.map(|offset| lines.at(offset));
            UserError::new(what).at(Source { file: file.to_owned(), line })
        };
        let document = Document::parse(text).map_err(|e| {
            let what = format!("not valid TOML: {}", e.message().replace('\n', ", "));
            error(what, e.span().map(|span| span.start))
        })?;
        let reader = Reader { text, lines: &lines };
        let table = reader.table(document.as_table());
        if let Some((what, offset)) = reader.later_than_1_0(document.as_table()) {
            return Err(error(format!("{what} is TOML 1.1, which Python's tools refuse"), offset)
                .hint("write it as TOML 1.0"));
        }
        Ok(table)
    }

    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The table at a dotted path, and the line of its last key.
    pub fn table(&self, path: &str) -> Option<(&Self, usize)> {
        let mut found = (self, 1);
        for key in path.split('.') {
            let entry = found.0.get(key)?;
            let Node::Table(table) = &entry.node else { return None };
            found = (table, entry.line);
        }
        Some(found)
    }

    /// The value at a dotted path.
    pub fn value(&self, path: &str) -> Option<&Json> {
        let (table, key) = match path.rsplit_once('.') {
            Some((folder, key)) => (self.table(folder)?.0, key),
            None => (self, path),
        };
        match &table.get(key)?.node {
            Node::Plain(value) => Some(value),
            Node::Table(_) => None,
        }
    }

    /// The table as one JSON value, keys in the file's order.
    pub fn to_json(&self) -> Json {
        self.entries.iter().map(|entry| (entry.key.clone(), entry.node.to_json())).collect()
    }
}

impl Node {
    pub fn to_json(&self) -> Json {
        match self {
            Self::Table(table) => table.to_json(),
            Self::Plain(value) => value.clone(),
        }
    }
}

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn new(text: &str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(at, _)| at + 1);
        Self(std::iter::once(0).chain(after_newlines).collect())
    }

    fn at(&self, offset: usize) -> usize {
        self.0.partition_point(|&start| start <= offset)
    }
}

struct Reader<'a> {
    text: &'a str,
    lines: &'a Lines,
}

impl Reader<'_> {
    fn table(&self, table: &dyn TableLike) -> Table {
        let entries = table
            .iter()
            .map(|(key, item)| {
                let span = table.key(key).and_then(toml_edit::Key::span).or_else(|| item.span());
                let line = span.map_or(1, |span| self.lines.at(span.start));
                Entry { key: key.to_owned(), line, node: self.node(item) }
            })
            .collect();
        Table { entries }
    }

    fn node(&self, item: &Item) -> Node {
        match item {
            Item::Table(table) => Node::Table(self.table(table)),
            Item::Value(Value::InlineTable(table)) => Node::Table(self.table(table)),
            Item::Value(value) => Node::Plain(self.json(value)),
            Item::ArrayOfTables(tables) => {
                Node::Plain(tables.iter().map(|table| self.table(table).to_json()).collect())
            }
            Item::None => Node::Plain(Json::Null),
        }
    }

    fn json(&self, value: &Value) -> Json {
        match value {
            Value::String(text) => Json::from(text.value().as_str()),
            Value::Integer(number) => Json::from(*number.value()),
            Value::Float(number) => Json::from(*number.value()),
            Value::Boolean(value) => Json::from(*value.value()),
            Value::Datetime(time) => Json::from(time.value().to_string()),
            Value::Array(array) => array.iter().map(|value| self.json(value)).collect(),
            Value::InlineTable(table) => self.table(table).to_json(),
        }
    }

    /// The first thing that only TOML 1.1 allows.
    fn later_than_1_0(&self, table: &dyn TableLike) -> Option<(&'static str, Option<usize>)> {
        table.iter().find_map(|(_, item)| match item {
            Item::Table(table) => self.later_than_1_0(table),
            Item::ArrayOfTables(tables) => tables.iter().find_map(|t| self.later_than_1_0(t)),
            Item::Value(value) => self.later_value(value),
            Item::None => None,
        })
    }

    fn later_value(&self, value: &Value) -> Option<(&'static str, Option<usize>)> {
        match value {
            Value::Array(array) => array.iter().find_map(|value| self.later_value(value)),
            Value::InlineTable(table) => self.later_inline(table),
            Value::String(text) => {
                let span = text.span()?;
                let raw = self.text.get(span.clone())?;
                (raw.starts_with('"') && has_later_escape(raw))
                    .then_some(("an escape `\\e` or `\\x`", Some(span.start)))
            }
            _ => None,
        }
    }

    fn later_inline(&self, table: &InlineTable) -> Option<(&'static str, Option<usize>)> {
        let start = table.span().map(|span| span.start);
        if table.trailing_comma() {
            return Some(("a comma at the end of an inline table", start));
        }
        let breaks = |raw: Option<&toml_edit::RawString>| {
            let text = raw.and_then(|raw| match raw.span() {
                Some(span) => self.text.get(span),
                None => raw.as_str(),
            });
            text.is_some_and(|text| text.contains('\n'))
        };
        let broken = table.iter().any(|(key, value)| {
            let key = table.key(key);
            let of_key = key.is_some_and(|key| {
                breaks(key.leaf_decor().prefix()) || breaks(key.leaf_decor().suffix())
            });
            of_key || breaks(value.decor().prefix()) || breaks(value.decor().suffix())
        });
        if broken {
            return Some(("a line break in an inline table", start));
        }
        table.iter().find_map(|(_, value)| self.later_value(value))
    }
}

fn has_later_escape(raw: &str) -> bool {
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        if character == '\\' && matches!(characters.next(), Some('e' | 'x')) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Table, UserError> {
        Table::parse(text, Path::new("pyproject.toml"))
    }

    #[test]
    fn every_key_knows_its_line() {
        let table = parse("[tool.black]\nline-length = 100\n\n[tool.pyqa]\njobs = 2\n").unwrap();
        let (black, line) = table.table("tool.black").unwrap();
        assert_eq!((line, black.entries[0].line), (1, 2));
        assert_eq!(table.table("tool.pyqa").unwrap().0.entries[0].line, 5);
        assert_eq!(table.value("tool.pyqa.jobs"), Some(&Json::from(2)));
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let error = parse("[a]\nx = \n").unwrap_err();
        assert_eq!(error.place.unwrap().line, Some(2));
    }

    #[test]
    fn what_python_refuses_is_refused() {
        for text in [
            "x = { a = 1, }",
            "x = { a = 1,\n b = 2 }",
            "x = {\n a = 1 }",
            "x = \"\\e[0m\"",
            "x = [{ a = \"\\x41\" }]",
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.what.contains("TOML 1.1"), "{text}: {error}");
        }
        for text in ["x = { a = [\n1,\n] }", "x = 'C:\\x'", "x = \"\\\\x\"", "x = {}", "x = { }"] {
            assert!(parse(text).is_ok(), "{text}");
        }
    }
}
