//! Puts the script into place and takes it away again. A hook that was there before is kept
//! beside it, and is back with its bytes and its mode when pyqa's is gone.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::place::{Place, Scope};
use super::script::{self, Script};
use super::{HookName, os, record};
use crate::error::UserError;

/// What to do where installing takes more than one repository, or something is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Obstacles {
    Refuse,
    /// `--force`
    Overcome,
}

/// What there was to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    Installed,
    /// pyqa's script was there, of another version or for another program.
    Renewed,
    Nothing,
}

/// A hook that is pyqa's from now on.
#[derive(Debug)]
pub struct Installed {
    pub done: Done,
    pub file: PathBuf,
    /// The hook that is run first.
    pub kept: Option<PathBuf>,
}

/// A hook that is pyqa's no more.
#[derive(Debug)]
pub struct Removed {
    pub file: PathBuf,
    pub restored: Restored,
}

/// What stands where pyqa's hook was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restored {
    Former,
    Nothing,
}

/// What lies where a hook would be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HookFile {
    Absent,
    Own(Script),
    Foreign,
}

impl HookFile {
    /// Looks at `path`. A link is not pyqa's, whatever it leads to.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn look(path: &Path) -> Result<Self, UserError> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::Absent),
            Err(error) => Err(failed(path, "cannot be looked at", &error)),
            Ok(meta) if !meta.is_file() => Ok(Self::Foreign),
            Ok(_) => {
                let text =
                    fs::read(path).map_err(|error| failed(path, "cannot be read", &error))?;
                Ok(script::read(&text).map_or(Self::Foreign, Self::Own))
            }
        }
    }
}

/// Makes pyqa the `hook` of the repository, started as `binary`.
///
/// # Errors
/// A folder of hooks that other repositories use too, or a second hook to keep, without force;
/// folders and files that cannot be written.
pub fn install(
    place: &Place,
    hook: HookName,
    binary: &Path,
    obstacles: Obstacles,
) -> Result<Installed, UserError> {
    refuse_foreign_scope(place, obstacles)?;
    let folder = &place.folder;
    let unusable = |error| {
        let error = failed(folder, "cannot be used as the folder of hooks", &error);
        match place.set_in {
            Some(scope) => error.hint(format!(
                "core.hooksPath in {} names it; remove the setting, or name a folder",
                scope.describe()
            )),
            None => error,
        }
    };
    os::create_folder(folder, place.sharing).map_err(unusable)?;
    let file = folder.join(hook.as_str());
    let legacy = folder.join(hook.legacy());
    let text = script::text(hook, binary);
    let found = HookFile::look(&file)?;
    let done = match found {
        HookFile::Own(_) if is_up_to_date(&file, &text) => Done::Nothing,
        HookFile::Own(_) => Done::Renewed,
        HookFile::Absent => Done::Installed,
        HookFile::Foreign => {
            keep(&file, &legacy, obstacles)?;
            Done::Installed
        }
    };
    if done != Done::Nothing {
        write(&file, &text, place).map_err(|error| failed(&file, "cannot be written", &error))?;
    }
    remember(place, &mut |folders| {
        if !folders.contains(folder) {
            folders.push(folder.clone());
        }
    })?;
    let kept = fs::symlink_metadata(&legacy).is_ok().then_some(legacy);
    Ok(Installed { done, file, kept })
}

/// Takes pyqa's `hook` away, from wherever it was put, and puts back what was there before.
///
/// # Errors
/// Files that cannot be changed.
pub fn uninstall(place: &Place, hook: HookName) -> Result<Vec<Removed>, UserError> {
    let mut removed = Vec::new();
    for folder in record::folders(place) {
        let file = folder.join(hook.as_str());
        let legacy = folder.join(hook.legacy());
        // Another program that kept pyqa's script as a hook of before goes on without it.
        for own in [&file, &legacy] {
            if !matches!(HookFile::look(own)?, HookFile::Own(_)) {
                continue;
            }
            let has_former = own == &file && HookFile::look(&legacy)? == HookFile::Foreign;
            let (outcome, restored) = if has_former {
                (fs::rename(&legacy, &file), Restored::Former)
            } else {
                (fs::remove_file(own), Restored::Nothing)
            };
            outcome.map_err(|error| failed(own, "cannot be removed", &error))?;
            removed.push(Removed { file: own.clone(), restored });
        }
    }
    remember(place, &mut |folders| {
        let holds_one = |folder: &PathBuf| {
            HookName::ALL.iter().any(|hook| {
                let file = folder.join(hook.as_str());
                matches!(HookFile::look(&file), Ok(HookFile::Own(_)))
            })
        };
        folders.retain(holds_one);
    })?;
    Ok(removed)
}

fn remember(place: &Place, change: &mut dyn FnMut(&mut Vec<PathBuf>)) -> Result<(), UserError> {
    let mut folders = record::read(place);
    change(&mut folders);
    record::write(place, &folders)
        .map_err(|error| failed(&place.common, "cannot be written to", &error))
}

fn refuse_foreign_scope(place: &Place, obstacles: Obstacles) -> Result<(), UserError> {
    match place.set_in {
        None | Some(Scope::Repository) => Ok(()),
        Some(_) if obstacles == Obstacles::Overcome => Ok(()),
        Some(scope) => {
            let what = format!(
                "the hooks of this repository lie in {}, which core.hooksPath in {} names for \
                 other repositories too",
                place.folder.display(),
                scope.describe()
            );
            Err(UserError::new(what).hint(
                "give this repository a folder of its own with `git config core.hooksPath \
                 FOLDER`, or install for all of them with `--force`",
            ))
        }
    }
}

/// Makes `legacy` a second name of the hook at `file`, whose own name is about to be taken.
fn keep(file: &Path, legacy: &Path, obstacles: Obstacles) -> Result<(), UserError> {
    let cannot = |error: io::Error| failed(file, "cannot be kept as the hook of before", &error);
    if file.is_dir() && !file.is_symlink() {
        return Err(UserError::new(format!("{} is a folder", file.display()))
            .hint("move it away: a hook is a file"));
    }
    match HookFile::look(legacy)? {
        HookFile::Absent => {}
        // What an interrupted installation leaves, or another program that kept pyqa's script.
        HookFile::Own(_) => fs::remove_file(legacy).map_err(cannot)?,
        HookFile::Foreign if is_same(file, legacy) => fs::remove_file(legacy).map_err(cannot)?,
        HookFile::Foreign if obstacles == Obstacles::Overcome => {
            let free = (1..1000)
                .map(|number| legacy.with_extension(format!("legacy.{number}")))
                .find(|path| fs::symlink_metadata(path).is_err());
            let free = free.ok_or_else(|| cannot(io::Error::other("too many are kept")))?;
            fs::rename(legacy, free).map_err(cannot)?;
        }
        HookFile::Foreign => {
            let what = format!(
                "both {} and {} are hooks that were here before",
                file.display(),
                legacy.display()
            );
            return Err(UserError::new(what)
                .hint("remove one of them, or let `--force` move the older one aside"));
        }
    }
    // With a second name there is no moment without a hook.
    fs::hard_link(file, legacy).or_else(|_| fs::rename(file, legacy)).map_err(cannot)
}

fn is_same(file: &Path, legacy: &Path) -> bool {
    match (fs::read_link(file), fs::read_link(legacy)) {
        (Ok(one), Ok(other)) => one == other,
        (Err(_), Err(_)) => match (fs::read(file), fs::read(legacy)) {
            (Ok(one), Ok(other)) => one == other,
            _ => false,
        },
        _ => false,
    }
}

fn is_up_to_date(file: &Path, text: &[u8]) -> bool {
    os::is_runnable(file) && fs::read(file).is_ok_and(|known| known == text)
}

fn write(file: &Path, text: &[u8], place: &Place) -> io::Result<()> {
    let mut new = os::new_hook(&place.folder, place.sharing)?;
    new.write_all(text)?;
    new.persist(file)?;
    Ok(())
}

fn failed(path: &Path, what: &str, error: &io::Error) -> UserError {
    UserError::new(format!("{} {what}: {error}", path.display()))
        .hint("see who may write there, and run the command again")
}
