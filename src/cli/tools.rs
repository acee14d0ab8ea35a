//! `pyqa tools`

use std::io::{self, Write};

use super::Stop;
use super::args::Global;
use super::check::current_folder;
use crate::engine;
use crate::engine::request::{Network, Request};
use crate::engine::toolset::{Toolset, all_specs};
use crate::error::ExitStatus;
use crate::project::variables::Variables;

/// A line for each tool that pyqa or the project declares.
pub(super) fn run(global: &Global, variables: &Variables) -> Result<ExitStatus, Stop> {
    let request = Request {
        folder: current_folder()?,
        root: global.root.clone(),
        variables: variables.clone(),
        network: Network::Offline,
        ..Request::default()
    };
    let workspace = engine::open(&request)?;
    let toolset = Toolset::gather(&workspace, &request, &mut |_| {})?;
    let mut text = Vec::new();
    for spec in all_specs(&workspace)? {
        let active = toolset.active.iter().find(|tool| tool.spec.name == spec.name);
        let missing = toolset.missing.iter().find(|missing| missing.tool == spec.name);
        let state = match (active, missing) {
            (Some(tool), _) => {
                let resolved = &tool.resolved;
                format!("on, {}: {} from {}", tool.why.as_str(), resolved.version, resolved.origin)
            }
            (None, Some(_)) => "on, not installed yet".to_owned(),
            (None, None) => "off".to_owned(),
        };
        writeln!(text, "{:<12} {:<40} {state}", spec.name, spec.summary)?;
    }
    io::stdout().write_all(&text)?;
    Ok(ExitStatus::Clean)
}
