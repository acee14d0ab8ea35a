//! The settings files of a run, each read at most once: [`Documents`].

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ini::Ini;
use super::source::ConfigSyntax;
use super::toml::Table;
use crate::error::{Source, UserError};
use crate::hash::ContentHash;

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A settings file.
#[derive(Clone, Debug)]
pub enum Document {
    Ini(Arc<Ini>),
    Toml(Arc<Table>),
    /// A form that is not looked into: JSON, YAML.
    Opaque(Arc<str>),
}

/// Files read so far; absent ones too.
#[derive(Debug, Default)]
pub struct Documents(Mutex<BTreeMap<PathBuf, Known>>);

#[derive(Debug)]
struct Known {
    document: Option<Document>,
    /// It begins with a byte order mark.
    is_marked: bool,
    /// `None` where there is no file.
    content: Option<ContentHash>,
}

impl Documents {
    /// The file at `path`; `None` where there is none.
    ///
    /// # Errors
    /// A file that cannot be read, or is not what its syntax asks for.
    pub fn get(&self, path: &Path, syntax: ConfigSyntax) -> Result<Option<Document>, UserError> {
        if let Some(known) = self.known().get(path) {
            may_begin_so(known.is_marked, path, syntax)?;
            return Ok(known.document.clone());
        }
        let bytes = match fs::read(path) {
            Ok(bytes) => Some(bytes),
            Err(error) => unreadable(path, &error)?,
        };
        let content = bytes.as_deref().map(ContentHash::of);
        let is_marked = bytes.as_ref().is_some_and(|bytes| bytes.starts_with(BYTE_ORDER_MARK));
        may_begin_so(is_marked, path, syntax)?;
        let document = bytes.map(|bytes| parse(bytes, path, syntax)).transpose()?;
        let known = Known { document: document.clone(), is_marked, content };
        self.known().insert(path.to_owned(), known);
        Ok(document)
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Known>> {
        // Each file is put in whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether every file still holds what was read, and those that were absent still are.
    pub fn are_current(&self) -> bool {
        let now = |path: &Path| fs::read(path).ok().as_deref().map(ContentHash::of);
        self.known().iter().all(|(path, known)| now(path) == known.content)
    }

    /// As [`Documents::get`], for TOML.
    ///
    /// # Errors
    /// As there.
    pub fn toml(&self, path: &Path) -> Result<Option<Arc<Table>>, UserError> {
        Ok(match self.get(path, ConfigSyntax::Toml)? {
            Some(Document::Toml(table)) => Some(table),
            _ => None,
        })
    }

    /// As [`Documents::get`], for an ini file.
    ///
    /// # Errors
    /// As there.
    pub fn ini(&self, path: &Path) -> Result<Option<Arc<Ini>>, UserError> {
        Ok(match self.get(path, ConfigSyntax::Ini)? {
            Some(Document::Ini(ini)) => Some(ini),
            _ => None,
        })
    }
}

fn parse(bytes: Vec<u8>, path: &Path, syntax: ConfigSyntax) -> Result<Document, UserError> {
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].split(|&byte| byte == b'\n').count();
        UserError::new("this file is not UTF-8")
            .at(Source { file: path.to_owned(), line: Some(line) })
            .hint("save it as UTF-8; the tools read it so too")
    })?;
    Ok(match syntax {
        ConfigSyntax::Ini | ConfigSyntax::Iniconfig => {
            let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
            Document::Ini(Arc::new(Ini::parse(text, path)?))
        }
        ConfigSyntax::Toml => Document::Toml(Arc::new(Table::parse(&text, path)?)),
        ConfigSyntax::Json | ConfigSyntax::Yaml => Document::Opaque(text.into()),
    })
}

/// Neither `configparser` nor `tomllib` knows a byte order mark: flake8, mypy and bandit pass over
/// such a file, some without a word, and black fails.
fn may_begin_so(is_marked: bool, path: &Path, syntax: ConfigSyntax) -> Result<(), UserError> {
    if !is_marked || !matches!(syntax, ConfigSyntax::Ini | ConfigSyntax::Toml) {
        return Ok(());
    }
    Err(UserError::new(
        "this file begins with a byte order mark, for which Python's tools do not read it",
    )
    .at(Source { file: path.to_owned(), line: Some(1) })
    .hint("save it as UTF-8 without a byte order mark (BOM)"))
}

fn unreadable(path: &Path, error: &io::Error) -> Result<Option<Vec<u8>>, UserError> {
    use io::ErrorKind::{IsADirectory, NotADirectory, NotFound};
    if matches!(error.kind(), NotFound | IsADirectory | NotADirectory) {
        return Ok(None);
    }
    Err(UserError::new(format!("this file cannot be read: {error}"))
        .at(Source::file(path))
        .hint("make it readable, or remove it"))
}
