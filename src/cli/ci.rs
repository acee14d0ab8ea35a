//! `pyqa install --ci PLATFORM`

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::Stop;
use super::check::current_folder;
use crate::ci::Platform;
use crate::config::root::{find_repository, find_root};
use crate::error::{ExitStatus, Source, UserError};

/// What is done with a file that says something else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Existing {
    Kept,
    Overwritten,
}

impl Existing {
    /// `--force`
    pub(super) fn of(force: bool) -> Self {
        if force { Self::Overwritten } else { Self::Kept }
    }
}

pub(super) fn install(platform: Platform, existing: Existing) -> Result<ExitStatus, Stop> {
    let folder = current_folder()?;
    let repository = find_repository(&folder);
    let root = find_root(&folder, repository.as_deref());
    let top = repository.unwrap_or_else(|| root.clone());
    if root != top {
        let what = format!("the project {} is a folder of the repository", root.display());
        return Err(UserError::new(what)
            .hint("write its workflow by hand: docs/ci.md shows the commands")
            .into());
    }
    let text = platform.workflow(&root)?;
    let file = top.join(platform.file());
    let said = match fs::read(&file) {
        Ok(there) if there == text.as_bytes() => "already installed",
        Ok(_) if existing == Existing::Kept => {
            let error = UserError::new("this file is there and says something else");
            return Err(error
                .at(Source::file(&file))
                .hint("overwrite it with `--force`, or move it away and compare")
                .into());
        }
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(cannot(&error, &file).into());
        }
        _ => {
            write(&file, &text).map_err(|error| cannot(&error, &file))?;
            "installed"
        }
    };
    writeln!(io::stdout(), "{said}: {}", file.display())?;
    Ok(ExitStatus::Clean)
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(file, text)
}

fn cannot(error: &io::Error, file: &Path) -> UserError {
    UserError::new(format!("the workflow cannot be written: {error}"))
        .at(Source::file(file))
        .hint("see that the folder can be written")
}
