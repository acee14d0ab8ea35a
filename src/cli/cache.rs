//! `pyqa cache`

use std::fs;
use std::io::{self, Write};
use std::path::Path;

use super::Stop;
use super::args::CacheCommand;
use crate::cache::collect::{self, measure};
use crate::cache::folder::CacheFolder;
use crate::cache::usage::DAYS;
use crate::cache::verify::verify;
use crate::engine::upkeep::limits;
use crate::error::{ExitStatus, UserError};
use crate::project::variables::Variables;

pub(super) fn run(command: CacheCommand, variables: &Variables) -> Result<ExitStatus, Stop> {
    let cache = CacheFolder::locate(|name| variables.get(name).map(ToOwned::to_owned));
    let environments = cache.environments(|name| variables.path(name));
    let mut text = Vec::new();
    let mut status = ExitStatus::Clean;
    match command {
        CacheCommand::Dir => writeln!(text, "{}", cache.path().display())?,
        CacheCommand::Stats => stats(&cache, &environments, &mut text)?,
        CacheCommand::Clean { old: true, .. } => {
            let limits = limits(variables)?;
            let done = collect::collect(&cache, &environments, limits);
            let size = indicatif::HumanBytes(done.bytes);
            writeln!(text, "removed {} entries, {size}", done.entries)?;
        }
        CacheCommand::Clean { all, .. } => {
            for (what, folder) in cache.kept() {
                remove(what, &folder)?;
            }
            if all {
                remove("environments", &environments)?;
            }
        }
        CacheCommand::Verify => {
            let found = verify(&cache);
            for path in &found.damaged {
                writeln!(text, "damaged, removed: {}", path.display())?;
                fs::remove_file(path).map_err(|error| not_removed("it", path, &error))?;
                status = ExitStatus::Findings;
            }
            writeln!(text, "{} files read, {} damaged", found.files, found.damaged.len())?;
        }
    }
    io::stdout().write_all(&text)?;
    Ok(status)
}

fn remove(what: &str, folder: &Path) -> Result<(), UserError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(not_removed(what, folder, &error))
        }
        _ => Ok(()),
    }
}

fn not_removed(what: &str, path: &Path, error: &io::Error) -> UserError {
    UserError::new(format!("{what} in {} cannot be removed: {error}", path.display()))
        .hint("see who owns the folder")
}

fn stats(cache: &CacheFolder, environments: &Path, text: &mut Vec<u8>) -> io::Result<()> {
    writeln!(text, "{:<14} {}", "folder", cache.path().display())?;
    for (what, folder) in cache.kept() {
        let extent = measure(&folder);
        let size = indicatif::HumanBytes(extent.bytes);
        writeln!(text, "{what:<14} {size} in {} files", extent.files)?;
    }
    let results = cache.store().count();
    writeln!(
        text,
        "{:<14} {} of files, {} of projects",
        "entries", results.files, results.projects
    )?;
    let made = fs::read_dir(environments).into_iter().flatten().flatten();
    let made = made.filter(|item| item.path().is_dir()).count();
    let size = indicatif::HumanBytes(measure(environments).bytes);
    writeln!(text, "{:<14} {made}, {size}", "environments")?;
    let sums = cache.usage().sums();
    if sums.is_empty() {
        return Ok(());
    }
    writeln!(text, "\nThe last {DAYS} days:")?;
    writeln!(
        text,
        "{:<14} {:>8} {:>9} {:>9} {:>10}",
        "tool", "run", "replayed", "hit rate", "saved"
    )?;
    for (tool, sum) in &sums {
        let rate = sum.hit_rate().map_or("-".to_owned(), |rate| format!("{:.1} %", rate * 100.0));
        let saved = indicatif::HumanDuration(sum.saved).to_string();
        writeln!(text, "{tool:<14} {:>8} {:>9} {rate:>9} {saved:>10}", sum.run, sum.replayed)?;
    }
    Ok(())
}
