//! `pyqa install` and `pyqa uninstall`

use std::io::{self, Write};
use std::path::PathBuf;

use super::Stop;
use super::args::{InstallArgs, UninstallArgs};
use super::check::current_folder;
use super::editor::Delivery;
use super::{ci, editor};
use crate::error::{ExitStatus, UserError};
use crate::git::hooks::install::{Done, Obstacles, Restored};
use crate::git::hooks::place::Place;
use crate::git::hooks::{HookName, config, install};
use crate::project::variables::Variables;

pub(super) fn install(args: &InstallArgs, variables: &Variables) -> Result<ExitStatus, Stop> {
    if let Some(platform) = args.ci {
        return ci::install(platform, ci::Existing::of(args.force));
    }
    if let Some(editor) = args.editor {
        let delivery = if args.write { Delivery::Write } else { Delivery::Print };
        return editor::run(editor, delivery, variables);
    }
    let place = Place::find(&current_folder()?)?;
    let binary = this_program(variables)?;
    let obstacles = if args.force { Obstacles::Overcome } else { Obstacles::Refuse };
    let mut text = Vec::new();
    for hook in hooks_or(&args.hook, &[HookName::PreCommit]) {
        if args.config_hook {
            let done = config::install(&place, hook, &binary)?;
            writeln!(text, "{} in git's settings: {hook}", describe(done))?;
            continue;
        }
        let installed = install::install(&place, hook, &binary, obstacles)?;
        writeln!(text, "{}: {}", describe(installed.done), installed.file.display())?;
        if let Some(kept) = installed.kept {
            writeln!(text, "the hook that was there before is run first: {}", kept.display())?;
        }
    }
    io::stdout().write_all(&text)?;
    Ok(ExitStatus::Clean)
}

pub(super) fn uninstall(args: &UninstallArgs) -> Result<ExitStatus, Stop> {
    let place = Place::find(&current_folder()?)?;
    let mut text = Vec::new();
    for hook in hooks_or(&args.hook, &HookName::ALL) {
        for removed in install::uninstall(&place, hook)? {
            let file = removed.file.display();
            match removed.restored {
                Restored::Former => writeln!(text, "removed, the former hook is back: {file}")?,
                Restored::Nothing => writeln!(text, "removed: {file}")?,
            }
        }
        if config::uninstall(&place, hook)? {
            writeln!(text, "removed from git's settings: {hook}")?;
        }
    }
    if text.is_empty() {
        writeln!(text, "nothing to remove: no hook of pyqa's is installed")?;
    }
    io::stdout().write_all(&text)?;
    Ok(ExitStatus::Clean)
}

fn hooks_or(asked: &[HookName], default: &[HookName]) -> Vec<HookName> {
    let mut hooks = if asked.is_empty() { default.to_vec() } else { asked.to_vec() };
    hooks.sort_unstable();
    hooks.dedup();
    hooks
}

fn describe(done: Done) -> &'static str {
    match done {
        Done::Installed => "installed",
        Done::Renewed => "renewed",
        Done::Nothing => "already installed",
    }
}

/// The program that hooks start. A link on PATH that leads here outlives an update that puts the
/// program into another folder.
fn this_program(variables: &Variables) -> Result<PathBuf, UserError> {
    let own = std::env::current_exe().map_err(|error| {
        UserError::new(format!("the path of this program cannot be told: {error}"))
            .hint("start pyqa by its full path")
    })?;
    Ok(on_path(variables)
        .filter(|path| dunce::canonicalize(path).ok() == dunce::canonicalize(&own).ok())
        .unwrap_or(own))
}

/// The pyqa that a shell would start.
pub(super) fn on_path(variables: &Variables) -> Option<PathBuf> {
    let here = std::env::current_dir().ok()?;
    let path = which::which_in("pyqa", variables.get("PATH"), here).ok()?;
    std::path::absolute(path).ok()
}
