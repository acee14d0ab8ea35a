//! `pyqa merge`

use std::fs;
use std::path::Path;

use super::Stop;
use super::args::{Global, MergeArgs};
use super::check::{Stage, current_folder, report};
use super::console::Console;
use crate::config::root::{find_repository, find_root};
use crate::error::{ExitStatus, Source, UserError};
use crate::event::Outcome;
use crate::project::variables::Variables;
use crate::report::json::Document;
use crate::report::merge::{Part, merge};

pub(super) fn run(
    args: &MergeArgs,
    global: &Global,
    console: &Console,
    variables: &Variables,
) -> Result<ExitStatus, Stop> {
    let mut parts = Vec::new();
    let mut errors = Vec::new();
    for file in &args.reports {
        match read(file) {
            Ok(document) => parts.push(Part { name: file.display().to_string(), document }),
            Err(error) => errors.push(error.at(Source::file(file))),
        }
    }
    if !errors.is_empty() {
        return Err(errors.into());
    }
    let folder = current_folder()?;
    let repository = find_repository(&folder);
    let root = match &global.root {
        Some(root) => folder.join(root),
        None => find_root(&folder, repository.as_deref()),
    };
    let merged = merge(parts)?;
    let repository = repository.unwrap_or_else(|| root.clone());
    let outcome = Outcome { repository, content: root.clone(), root, ..merged };
    report(&args.output, Stage::Merge, console, variables, &outcome)
}

fn read(file: &Path) -> Result<Document, UserError> {
    let text = fs::read(file).map_err(|error| {
        UserError::new(format!("the report cannot be read: {error}"))
            .hint("name a file that `--report json=FILE` wrote")
    })?;
    Document::parse(&text)
}
