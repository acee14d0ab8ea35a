//! Hooks as settings of git, `hook.NAME.command`: nothing is put into the folder of hooks, and
//! hooks of several programs live side by side. git runs them from version 2.54 on.

use std::path::{Path, PathBuf};

use super::HookName;
use super::install::Done;
use super::place::{Place, config, git, refused};
use super::script::{for_shell, quoted, unquoted};
use crate::error::UserError;
use crate::paths::RelPath;

/// The first version of git that runs such hooks.
pub const FIRST: GitVersion = GitVersion(2, 54);

/// Major and minor version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GitVersion(pub u32, pub u32);

impl GitVersion {
    /// The version of the git on PATH.
    ///
    /// # Errors
    /// Without git, or where its answer is not understood.
    pub fn ask(folder: &Path) -> Result<Self, UserError> {
        let output = git(folder, &["--version"])?;
        let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Self::parse(&text).ok_or_else(|| {
            UserError::new(format!("`git --version` says `{text}`, which is no version"))
                .hint("see which program is the first `git` on PATH")
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.strip_prefix("git version ")?.split('.');
        Some(Self(numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
    }
}

impl std::fmt::Display for GitVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

/// A hook of pyqa's in the repository's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configured {
    /// The program that it starts; `None` where the command is not as pyqa writes it.
    pub binary: Option<PathBuf>,
    /// `hook.NAME.enabled`
    pub is_enabled: bool,
}

/// The keys and values of `hook` in git's settings. git adds the hook's arguments to the command.
fn lines(hook: HookName, binary: &Path) -> [(String, Vec<u8>); 2] {
    let mut command = quoted(&for_shell(binary));
    command.extend(format!(" hook {hook} --").into_bytes());
    [(key(hook, "command"), command), (key(hook, "event"), hook.as_str().as_bytes().to_vec())]
}

fn section(hook: HookName) -> String {
    format!("hook.pyqa-{hook}")
}

fn key(hook: HookName, name: &str) -> String {
    format!("{}.{name}", section(hook))
}

/// Makes pyqa the `hook` by settings of the repository.
///
/// # Errors
/// A git that would not run it; settings that cannot be written.
pub fn install(place: &Place, hook: HookName, binary: &Path) -> Result<Done, UserError> {
    let version = GitVersion::ask(&place.top)?;
    if version < FIRST {
        let what = format!("git {version} runs no hooks that stand in its settings");
        return Err(UserError::new(what)
            .hint(format!("install git {FIRST} or newer, or install without `--config-hook`")));
    }
    let mut done = Done::Nothing;
    for (key, value) in lines(hook, binary) {
        let known = config(&place.top, &["--local", "--get-all", &key])?;
        if known.as_ref() == Some(&value) {
            continue;
        }
        let value = RelPath::from_bytes(value).to_path();
        let mut arguments: Vec<&std::ffi::OsStr> = Vec::new();
        for word in ["config", "--local", "--replace-all", &key] {
            arguments.push(word.as_ref());
        }
        arguments.push(value.as_os_str());
        run(place, &arguments)?;
        done = if known.is_some() && done != Done::Installed {
            Done::Renewed
        } else {
            Done::Installed
        };
    }
    Ok(done)
}

/// Takes the settings of `hook` away. Whether there were any.
///
/// # Errors
/// Settings that cannot be read or written.
pub fn uninstall(place: &Place, hook: HookName) -> Result<bool, UserError> {
    let pattern = format!("^hook\\.pyqa-{hook}\\.");
    if config(&place.top, &["--local", "--get-regexp", &pattern])?.is_none() {
        return Ok(false);
    }
    run(place, &["config", "--local", "--remove-section", &section(hook)])?;
    Ok(true)
}

/// What the repository's settings say of `hook`.
///
/// # Errors
/// Settings that cannot be read.
pub fn look(place: &Place, hook: HookName) -> Result<Option<Configured>, UserError> {
    let Some(command) = config(&place.top, &["--get", &key(hook, "command")])? else {
        return Ok(None);
    };
    let enabled = config(&place.top, &["--type=bool", "--get", &key(hook, "enabled")])?;
    Ok(Some(Configured {
        binary: unquoted(&command).map(|(path, _)| RelPath::from_bytes(path).to_path()),
        is_enabled: enabled.as_deref() != Some(b"false"),
    }))
}

fn run<S: AsRef<std::ffi::OsStr>>(place: &Place, arguments: &[S]) -> Result<(), UserError> {
    let output = git(&place.top, arguments)?;
    if output.status.success() { Ok(()) } else { Err(refused(&place.top, &output)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_is_two_lines_of_settings() {
        let lines = lines(HookName::PrePush, Path::new("/a b/pyqa"));
        let lines = lines.map(|(key, value)| format!("{key}={}", String::from_utf8_lossy(&value)));
        assert_eq!(
            lines,
            [
                "hook.pyqa-pre-push.command='/a b/pyqa' hook pre-push --",
                "hook.pyqa-pre-push.event=pre-push",
            ]
        );
    }

    #[test]
    fn versions_are_compared_by_number() {
        let parse = |text| GitVersion::parse(text).unwrap();
        assert!(parse("git version 2.47.3") < FIRST);
        assert!(parse("git version 2.54.0.windows.1") >= FIRST);
        assert!(parse("git version 2.100.1 (Apple Git-1)") >= FIRST);
        assert_eq!(GitVersion::parse("not git"), None);
    }
}
