//! `pyqa cache`

use std::io::{self, Write};

use super::Stop;
use super::args::CacheCommand;
use crate::cache::folder::CacheFolder;
use crate::error::{ExitStatus, UserError};
use crate::project::variables::Variables;

pub(super) fn run(command: CacheCommand, variables: &Variables) -> Result<ExitStatus, Stop> {
    let cache = CacheFolder::locate(|name| variables.get(name).map(ToOwned::to_owned));
    match command {
        CacheCommand::Dir => writeln!(io::stdout(), "{}", cache.path().display())?,
        CacheCommand::Stats => stats(&cache, variables)?,
        CacheCommand::Clean { all } => {
            let mut folders = cache.kept();
            if all {
                folders.push(("environments", cache.environments(|name| variables.path(name))));
            }
            for (what, folder) in folders {
                match std::fs::remove_dir_all(&folder) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        let what =
                            format!("{what} in {} cannot be removed: {error}", folder.display());
                        return Err(UserError::new(what).hint("see who owns the folder").into());
                    }
                    _ => {}
                }
            }
        }
    }
    Ok(ExitStatus::Clean)
}

fn stats(cache: &CacheFolder, variables: &Variables) -> Result<(), Stop> {
    let mut text = Vec::new();
    writeln!(text, "{:<14} {}", "folder", cache.path().display())?;
    let mut folders = cache.kept();
    folders.push(("environments", cache.environments(|name| variables.path(name))));
    for (what, folder) in folders {
        let mut files = 0_usize;
        let mut bytes = 0;
        for entry in ignore::WalkBuilder::new(&folder).standard_filters(false).build().flatten() {
            if let Ok(meta) = entry.metadata()
                && meta.is_file()
            {
                files += 1;
                bytes += meta.len();
            }
        }
        let size = indicatif::HumanBytes(bytes);
        writeln!(text, "{what:<14} {files} files, {size}")?;
    }
    io::stdout().write_all(&text)?;
    Ok(())
}
