//! `pyqa check --list-files` and `--show-settings`: what a run would do.

use std::io::{self, Write};

use super::Stop;
use crate::engine;
use crate::engine::planning::Planner;
use crate::engine::request::Request;
use crate::engine::toolset::{ActiveTool, Toolset};
use crate::engine::workspace::Workspace;
use crate::error::ExitStatus;
use crate::plan::unit::Scope;

/// `tool<TAB>path`, a line for each file of each per-file tool.
pub(super) fn files(request: &Request) -> Result<ExitStatus, Stop> {
    let workspace = engine::open(request)?;
    let toolset = Toolset::gather(&workspace, request, &mut |_| {})?;
    let support = engine::support(&workspace)?;
    let planner = Planner::new(&workspace, &support, request)?;
    let mut text = Vec::new();
    for tool in &toolset.active {
        let plan = planner.plan(tool)?;
        if plan.scope == Scope::Project {
            let targets = "(the project's own targets)";
            writeln!(text, "{}\t{targets}", plan.tool)?;
        }
        for index in plan.files {
            write!(text, "{}\t", plan.tool)?;
            text.extend_from_slice(workspace.files.files[index].path.as_bytes());
            text.push(b'\n');
        }
    }
    io::stdout().write_all(&text)?;
    for missing in &toolset.missing {
        writeln!(io::stderr(), "{}", missing.failure.message)?;
    }
    Ok(if toolset.missing.is_empty() { ExitStatus::Clean } else { ExitStatus::Failure })
}

/// Each value with the place where it stands.
pub(super) fn settings(request: &Request) -> Result<ExitStatus, Stop> {
    let workspace = engine::open(request)?;
    let toolset = Toolset::gather(&workspace, request, &mut |_| {})?;
    let mut text = Vec::new();
    of_project(&workspace, &mut text)?;
    for tool in &toolset.active {
        of_tool(&workspace, tool, &mut text)?;
    }
    for missing in &toolset.missing {
        writeln!(text, "\n{}\n  missing: {}", missing.tool, missing.failure.message)?;
    }
    io::stdout().write_all(&text)?;
    Ok(ExitStatus::Clean)
}

fn of_project(workspace: &Workspace, text: &mut Vec<u8>) -> io::Result<()> {
    let settings = &workspace.settings;
    let source = settings.source.as_ref().map_or("none".to_owned(), ToString::to_string);
    let environment = match &workspace.environment {
        Some(own) => {
            let interpreter = &own.environment.interpreter;
            format!(
                "{} ({}, from {})",
                interpreter.prefix.display(),
                interpreter.version,
                own.origin
            )
        }
        None => "none".to_owned(),
    };
    let lines = [
        ("root", workspace.root.display().to_string()),
        ("settings of pyqa", source),
        ("preset", settings.preset.clone().unwrap_or_else(|| "none".to_owned())),
        ("environment", environment),
        ("cache", workspace.cache.path().display().to_string()),
        ("files", workspace.files.len().to_string()),
    ];
    for (name, value) in lines {
        writeln!(text, "{name:<18}{value}")?;
    }
    Ok(())
}

fn of_tool(workspace: &Workspace, tool: &ActiveTool, text: &mut Vec<u8>) -> io::Result<()> {
    let resolved = &tool.resolved;
    writeln!(text, "\n{} {}", tool.spec.name, resolved.version)?;
    writeln!(text, "  on because it is {}", tool.why.as_str())?;
    writeln!(text, "  from {}", resolved.origin)?;
    for (name, version) in &resolved.plugins {
        writeln!(text, "  plugin {name} {version}")?;
    }
    for (section, values) in &tool.config.sections {
        writeln!(text, "  [{section}]")?;
        for (name, value) in values {
            let place = value.source.file.strip_prefix(&workspace.root);
            let file = place.unwrap_or(&value.source.file).display();
            let line = value.source.line.map(|line| format!(":{line}")).unwrap_or_default();
            writeln!(text, "    {name} = {}  ({file}{line})", value.value)?;
        }
    }
    Ok(())
}
