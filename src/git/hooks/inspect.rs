//! Whether git will run what was installed: [`inspect`] finds each hook's state and what is wrong.

use std::path::{Path, PathBuf};

use super::config::{self, Configured, FIRST, GitVersion};
use super::install::HookFile;
use super::place::Place;
use super::script::{self, Script};
use super::{HookName, os, record};
use crate::error::UserError;

/// One hook as git would find it.
#[derive(Debug)]
pub struct Inspected {
    pub hook: HookName,
    /// The file that git runs.
    pub file: PathBuf,
    pub found: HookFile,
    /// A hook that stands in git's settings.
    pub configured: Option<Configured>,
    /// The hook that pyqa's script runs first.
    pub former: Option<PathBuf>,
    /// Reasons why pyqa is not run as it was installed.
    pub problems: Vec<UserError>,
}

/// Looks at all hooks that pyqa can be. `on_path` is the pyqa that scripts fall back on.
///
/// # Errors
/// Files and settings that cannot be read.
pub fn inspect(place: &Place, on_path: Option<&Path>) -> Result<Vec<Inspected>, UserError> {
    HookName::ALL.into_iter().map(|hook| one(place, hook, on_path)).collect()
}

fn one(place: &Place, hook: HookName, on_path: Option<&Path>) -> Result<Inspected, UserError> {
    let file = place.folder.join(hook.as_str());
    let found = HookFile::look(&file)?;
    let former = place.folder.join(hook.legacy());
    let beside = HookFile::look(&former)?;
    let mut problems = Vec::new();
    let again = format!("run `pyqa install --hook {hook}`");
    match &found {
        HookFile::Own(script) => problems.extend(of_script(&file, script, on_path, &again)),
        // Another program that runs what it found here before: pyqa is run by it.
        _ if matches!(beside, HookFile::Own(_)) && found == HookFile::Foreign => {}
        _ => problems.extend(not_run(place, hook, &file, &found, &again)),
    }
    let configured = config::look(place, hook)?;
    if let Some(configured) = &configured {
        problems.extend(of_settings(place, hook, configured)?);
        if matches!(found, HookFile::Own(_)) {
            let what = format!("{hook} is installed twice, as a file and in git's settings");
            problems.push(UserError::new(what).hint(format!(
                "run `pyqa uninstall --hook {hook}` and install it again in one way"
            )));
        }
    }
    let former =
        (beside == HookFile::Foreign && matches!(found, HookFile::Own(_))).then_some(former);
    Ok(Inspected { hook, file, found, configured, former, problems })
}

fn of_script(file: &Path, script: &Script, on_path: Option<&Path>, again: &str) -> Vec<UserError> {
    let shown = file.display();
    let mut problems = Vec::new();
    if !os::is_runnable(file) {
        let what = format!("{shown} is not executable, and git leaves it out");
        problems.push(UserError::new(what).hint(again));
    }
    if script.version != script::VERSION {
        let what = format!(
            "{shown} is version {} of pyqa's script, and this pyqa writes version {}",
            script.version,
            script::VERSION
        );
        problems.push(UserError::new(what).hint(again));
    }
    if !os::is_runnable(&script.binary) {
        let instead = match on_path {
            Some(path) => format!("{} is run instead", path.display()),
            None => "every commit fails".to_owned(),
        };
        let gone = script.binary.display();
        let what = format!("{shown} starts {gone}, which is not there any more; {instead}");
        problems.push(UserError::new(what).hint(again));
    }
    problems
}

/// pyqa's script lies where git does not look.
fn not_run(
    place: &Place,
    hook: HookName,
    file: &Path,
    found: &HookFile,
    again: &str,
) -> Option<UserError> {
    let elsewhere = record::folders(place)
        .into_iter()
        .skip(1)
        .map(|folder| folder.join(hook.as_str()))
        .find(|file| matches!(HookFile::look(file), Ok(HookFile::Own(_))));
    if let Some(own) = elsewhere {
        let why = match place.set_in {
            Some(scope) => format!("core.hooksPath in {} names", scope.describe()),
            None => "core.hooksPath is not set any more, and git's own folder is".to_owned(),
        };
        let what = format!("{} is never run: {why} {}", own.display(), place.folder.display());
        return Some(UserError::new(what).hint(again));
    }
    let was_here = record::read(place).contains(&place.folder);
    if *found == HookFile::Foreign && was_here && !runs_pyqa(file) {
        let what = format!("{} was written by another program after pyqa", file.display());
        return Some(UserError::new(what).hint(format!("{again}; it is kept and run first")));
    }
    None
}

/// Whether a script of somebody else's calls pyqa.
fn runs_pyqa(file: &Path) -> bool {
    std::fs::read(file).is_ok_and(|text| memchr::memmem::find(&text, b"pyqa").is_some())
}

fn of_settings(
    place: &Place,
    hook: HookName,
    configured: &Configured,
) -> Result<Vec<UserError>, UserError> {
    let mut problems = Vec::new();
    let version = GitVersion::ask(&place.top)?;
    if version < FIRST {
        let what = format!("{hook} is a hook in git's settings, and git {version} runs none");
        problems.push(UserError::new(what).hint(format!("install git {FIRST} or newer")));
    }
    if !configured.is_enabled {
        let what = format!("{hook} is turned off by hook.pyqa-{hook}.enabled");
        problems.push(UserError::new(what).hint("remove that setting"));
    }
    let binary = configured.binary.as_deref();
    if !binary.is_some_and(os::is_runnable) {
        let what = format!("the command of {hook} in git's settings starts no program");
        problems.push(
            UserError::new(what).hint(format!("run `pyqa install --hook {hook} --config-hook`")),
        );
    }
    Ok(problems)
}
