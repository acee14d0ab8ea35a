//! `pyqa doctor`

use std::io::{self, Write};
use std::path::Path;

use super::Stop;
use super::args::Global;
use super::check::current_folder;
use super::console::Console;
use super::install::on_path;
use crate::engine;
use crate::engine::request::{CacheUse, Network, Request};
use crate::engine::toolset::{Toolset, all_specs};
use crate::engine::workspace::Workspace;
use crate::error::{ExitStatus, UserError};
use crate::git::hooks::config::GitVersion;
use crate::git::hooks::inspect::{Inspected, inspect};
use crate::git::hooks::install::HookFile;
use crate::git::hooks::place::Place;
use crate::project::variables::Variables;
use crate::report::errors::write_errors;

/// Shows what a run would stand on, and then what is wrong with it.
pub(super) fn run(
    global: &Global,
    console: &Console,
    variables: &Variables,
) -> Result<ExitStatus, Stop> {
    let request = Request {
        folder: current_folder()?,
        root: global.root.clone(),
        variables: variables.clone(),
        network: Network::Offline,
        ..Request::default()
    };
    let mut text = Vec::new();
    let mut problems = Vec::new();
    let own = std::env::current_exe()?;
    writeln!(text, "{:<12} {} at {}", "pyqa", env!("CARGO_PKG_VERSION"), own.display())?;
    match engine::open(&request) {
        Ok(workspace) => {
            if workspace.site.repository.is_some() {
                hooks(&workspace.site.home, variables, &mut text, &mut problems)?;
            } else {
                writeln!(text, "{:<12} no git repository", "hooks")?;
            }
            project(&workspace, &request, &mut text, &mut problems)?;
        }
        Err(errors) => problems.extend(errors),
    }
    if !problems.is_empty() {
        writeln!(text)?;
        write_errors(&problems, console.stdout, &mut text)?;
    }
    io::stdout().write_all(&text)?;
    Ok(if problems.is_empty() { ExitStatus::Clean } else { ExitStatus::Findings })
}

fn hooks(
    root: &Path,
    variables: &Variables,
    text: &mut Vec<u8>,
    problems: &mut Vec<UserError>,
) -> io::Result<()> {
    let inspected = || -> Result<_, UserError> {
        let place = Place::find(root)?;
        let version = GitVersion::ask(root)?;
        let hooks = inspect(&place, on_path(variables).as_deref())?;
        Ok((place, version, hooks))
    };
    let (place, version, hooks) = match inspected() {
        Ok(inspected) => inspected,
        Err(error) => {
            problems.push(error);
            return Ok(());
        }
    };
    writeln!(text, "{:<12} {version}", "git")?;
    let by = match place.set_in {
        Some(scope) => format!(" (core.hooksPath in {})", scope.describe()),
        None => String::new(),
    };
    writeln!(text, "{:<12} {}{by}", "hooks", place.folder.display())?;
    for hook in hooks {
        writeln!(text, "  {:<18} {}", hook.hook, state(&hook))?;
        problems.extend(hook.problems);
    }
    Ok(())
}

fn state(hook: &Inspected) -> String {
    let mut parts = match &hook.found {
        HookFile::Absent => Vec::new(),
        HookFile::Own(script) => vec![format!("starts {}", script.binary.display())],
        HookFile::Foreign => vec!["another program's".to_owned()],
    };
    if let Some(former) = &hook.former {
        parts.push(format!("runs {} first", former.display()));
    }
    if hook.configured.is_some() {
        parts.push("in git's settings".to_owned());
    }
    if parts.is_empty() { "not installed".to_owned() } else { parts.join(", ") }
}

fn project(
    workspace: &Workspace,
    request: &Request,
    text: &mut Vec<u8>,
    problems: &mut Vec<UserError>,
) -> io::Result<()> {
    writeln!(text, "{:<12} {}", "project", workspace.site.home.display())?;
    match &workspace.environment {
        Some(found) => {
            let interpreter = &found.environment.interpreter;
            let (version, path) = (interpreter.describe(), interpreter.executable.display());
            writeln!(text, "{:<12} {version} at {path} ({})", "environment", found.origin)?;
        }
        None => writeln!(text, "{:<12} none", "environment")?,
    }
    writeln!(text, "{:<12} {}", "cache", workspace.cache.path().display())?;
    if workspace.cache_use == CacheUse::Off {
        let what = format!("the cache folder {} cannot be used", workspace.cache.path().display());
        problems.push(UserError::new(what).hint("name another folder with PYQA_CACHE_DIR"));
    }
    writeln!(text, "tools")?;
    match Toolset::gather(workspace, request, &mut |_| {}) {
        Err(errors) => problems.extend(errors),
        Ok(toolset) => {
            for tool in &toolset.active {
                let resolved = &tool.resolved;
                let (version, origin) = (&resolved.version, &resolved.origin);
                writeln!(text, "  {:<18} {version} from {origin}", tool.spec.name)?;
            }
            let specs = all_specs(workspace).unwrap_or_default();
            for missing in toolset.missing {
                let tool = &missing.tool;
                let provided = specs.iter().any(|s| s.name == *tool && !s.provision.is_empty());
                if provided && !request.variables.is_set("PYQA_OFFLINE") {
                    writeln!(text, "  {tool:<18} not installed yet; the next run installs it")?;
                    continue;
                }
                writeln!(text, "  {tool:<18} not installed")?;
                let error = UserError::new(missing.failure.message);
                problems.push(match missing.failure.hint {
                    Some(hint) => error.hint(hint),
                    None => error,
                });
            }
        }
    }
    Ok(())
}
