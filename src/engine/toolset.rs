//! The tools that are on in this project: declared, chosen, found on this machine, and with the
//! settings that they will read.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::interpreters::interpreters;
use super::options::{all_arguments, option_values, possible_files};
use super::planning::parallel;
use super::request::{Network, Occasion, Request};
use super::workspace::{Workspace, load_environment};
use crate::config::dependencies::Dependencies;
use crate::config::lookup::Places;
use crate::config::model::{HookSettings, ToolSettings};
use crate::config::pyqa::unknown_tool;
use crate::config::source::ToolConfig;
use crate::config::{handover, lookup};
use crate::error::UserError;
use crate::event::{Event, Failure, FailureKind, Notice};
use crate::finding::ToolId;
use crate::hash::{Digest, Fingerprint};
use crate::project::environment::Environment;
use crate::project::expansion::expanded;
use crate::project::python;
use crate::project::variables::Variables;
use crate::tools::choose::{Choice, Chosen, Evidence, Tests, Why, choose};
use crate::tools::provision::Maker;
use crate::tools::registry;
use crate::tools::resolve::{Resolved, needs_project, requirements};
use crate::tools::spec::{Granularity, OutputFormat, ToolSpec};

/// A tool that is on and can run.
pub struct ActiveTool {
    pub spec: Arc<ToolSpec>,
    pub config: ToolConfig,
    /// Settings in files that its arguments name.
    pub named: Vec<ToolConfig>,
    pub settings: ToolSettings,
    pub resolved: Resolved,
    /// What is installed for interpreters that its settings or arguments name.
    pub further: Vec<Arc<Environment>>,
    pub why: Why,
    /// Whether the tool's answer for the project as a whole is this shard's to give.
    pub answers_whole: bool,
}

impl ActiveTool {
    /// All settings that it may go by.
    pub fn configs(&self) -> impl Iterator<Item = &ToolConfig> {
        [&self.config].into_iter().chain(&self.named)
    }

    /// The items of its lists under one of `keys`, each with the settings in which it stands.
    pub(super) fn items<'a>(
        &'a self,
        keys: &'a [String],
    ) -> impl Iterator<Item = (String, &'a ToolConfig)> {
        self.configs().flat_map(move |config| {
            let lists = keys.iter().filter_map(|key| config.list(key));
            lists.flatten().map(move |item| (item, config))
        })
    }

    /// Whether a setting or an argument says yes to what `setting` stands for.
    pub(super) fn has_on(&self, setting: &str, root: &Path) -> bool {
        let is_no = |value: &serde_json::Value| match value {
            serde_json::Value::String(text) => {
                ["0", "no", "false", "off"].contains(&text.trim().to_ascii_lowercase().as_str())
            }
            other => *other == serde_json::Value::Bool(false),
        };
        let inverted = format!("no_{setting}");
        let arguments = all_arguments(&self.settings.args, root);
        self.configs().any(|config| {
            config.get(setting).is_some_and(|value| !is_no(value))
                || config.get(&inverted).is_some_and(is_no)
        }) || option_values(&arguments, setting).next().is_some()
    }

    /// A path in `config`, one of its settings, as it is for the tool.
    pub(super) fn expanded(
        &self,
        path: &str,
        config: &ToolConfig,
        variables: &Variables,
    ) -> String {
        let folder = config.file.as_deref().and_then(Path::parent).and_then(Path::to_str);
        let own = self.spec.config.folder_variable.as_deref().zip(folder);
        expanded(path, variables, own)
    }

    /// The environments in which it looks for code.
    pub fn environments(&self) -> impl Iterator<Item = &Arc<Environment>> {
        self.resolved.environments().chain(&self.further)
    }

    /// Stands for all that it can import beside the project.
    pub fn imports(&self) -> Fingerprint {
        let own = self.resolved.imports();
        if self.further.is_empty() {
            return own;
        }
        let mut digest = Digest::new("pyqa further environments");
        digest.field("own", own);
        for environment in &self.further {
            digest.field("further", environment.fingerprint);
        }
        digest.finish()
    }
}

/// A tool that is on and cannot run.
pub struct MissingTool {
    pub tool: ToolId,
    pub failure: Failure,
}

/// All tools that are on, in the order of reports.
#[derive(Default)]
pub struct Toolset {
    pub active: Vec<ActiveTool>,
    pub missing: Vec<MissingTool>,
    /// The tools of all shards together: those above, and those that other shards run.
    pub all: Vec<ToolId>,
    /// Tools that are not installed and that nobody asked for.
    pub absent: Vec<ToolId>,
    pub notices: Vec<Notice>,
}

/// All tools that this project may use: pyqa's, and those that it declares.
///
/// # Errors
/// Mistakes in declarations.
pub fn all_specs(workspace: &Workspace) -> Result<Vec<Arc<ToolSpec>>, Vec<UserError>> {
    let mut specs: Vec<Arc<ToolSpec>> = registry::builtin().into_iter().map(Arc::new).collect();
    let mut errors = Vec::new();
    for (name, declared) in &workspace.settings.declared {
        match registry::declared(name, declared) {
            Ok(spec) => {
                specs.retain(|known| known.name != *name);
                specs.push(Arc::new(spec));
            }
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(specs) } else { Err(errors) }
}

impl Toolset {
    /// Chooses the tools and finds them, installing what is missing.
    ///
    /// # Errors
    /// Mistakes in settings or in the request. A tool that cannot be had is part of the result.
    pub fn gather(
        workspace: &Workspace,
        request: &Request,
        on: &mut dyn FnMut(Event),
    ) -> Result<Self, Vec<UserError>> {
        Self::gather_some(workspace, request, &|_| true, on)
    }

    /// As [`Toolset::gather`], of the tools on which `wanted` agrees. The others are not looked
    /// for.
    ///
    /// # Errors
    /// As there.
    pub fn gather_some(
        workspace: &Workspace,
        request: &Request,
        wanted: &dyn Fn(&ToolSpec) -> bool,
        on: &mut dyn FnMut(Event),
    ) -> Result<Self, Vec<UserError>> {
        let specs = all_specs(workspace)?;
        let mut notices = Vec::new();
        let mut configs = configs(workspace, &specs, &mut notices)?;
        let mut chosen = chosen(workspace, &specs, &configs);
        notices.extend(chosen.notice.take());
        let on_here = for_occasion(chosen.on, request.occasion, &workspace.settings.hooks, &specs);
        let choices = requested(on_here, request, &specs).map_err(|error| vec![error])?;
        let mut finder = Finder::new(workspace, request.network, &specs);
        let mut toolset = Self { notices, ..Self::default() };
        for choice in choices {
            let at = specs.iter().position(|spec| spec.name == choice.tool);
            let Some((at, spec)) = at.map(|at| (at, &specs[at])) else { continue };
            let answers_whole = request.shard.is_none_or(|shard| shard.has_position(at));
            if !wanted(spec) {
                continue;
            }
            toolset.all.push(spec.name.clone());
            if !answers_whole && !is_shared(spec) {
                continue;
            }
            let settings = workspace.settings.per_tool.get(&spec.name).cloned().unwrap_or_default();
            match finder.find(spec, &settings, on) {
                Ok(resolved) => {
                    let mut tool = ActiveTool {
                        spec: Arc::clone(spec),
                        config: configs.remove(&spec.name).unwrap_or_default(),
                        named: named(spec, &settings, workspace),
                        settings,
                        resolved,
                        further: Vec::new(),
                        why: choice.why,
                        answers_whole,
                    };
                    tool.further = interpreters(&tool, workspace);
                    toolset.notices.extend(not_parallel(&tool));
                    toolset.active.push(tool);
                }
                // Nobody asked for it: its absence is no failure.
                Err(failure) if finder.is_unused(spec, choice.why) => {
                    toolset.absent.push(spec.name.clone());
                    let what = format!("{} is left out: {}", spec.name, failure.message);
                    let notice = Notice::info(what);
                    toolset.notices.push(match failure.hint {
                        Some(hint) => notice.hint(hint),
                        None => notice,
                    });
                }
                Err(failure) => {
                    toolset.missing.push(MissingTool { tool: spec.name.clone(), failure });
                }
            }
        }
        toolset.notices.extend(finder.notices);
        Ok(toolset)
    }
}

/// A notice where tests are asked to run side by side and cannot.
fn not_parallel(tool: &ActiveTool) -> Option<Notice> {
    (tool.settings.parallel.is_some() && parallel(tool).is_none()).then(|| {
        let what = format!("{} runs in one process: pytest-xdist is not installed", tool.spec.name);
        Notice::warning(what).hint("install pytest-xdist beside it, or take `parallel` out")
    })
}

/// Whether all shards take a part of the tool's work; else it belongs to one of them.
fn is_shared(spec: &ToolSpec) -> bool {
    spec.granularity == Granularity::File || spec.output.format == OutputFormat::Pytest
}

/// The settings that the tool will read, found in `places`.
///
/// # Errors
/// Mistakes in them.
pub(super) fn config(
    spec: &ToolSpec,
    workspace: &Workspace,
    places: &Places<'_>,
) -> Result<(ToolConfig, Option<Notice>), UserError> {
    let mut config = lookup::tool_config(&spec.config, places)?;
    let preset = workspace.preset.as_ref().and_then(|p| p.table(spec.name.as_str()));
    let preset = preset.map(|(table, _)| table);
    let notice = handover::complete(&spec.config, &mut config, preset, places)?;
    Ok((config, notice))
}

/// Settings in files that arguments name.
fn named(spec: &ToolSpec, settings: &ToolSettings, workspace: &Workspace) -> Vec<ToolConfig> {
    let places = workspace.places();
    let files = possible_files(&settings.args).map(|file| workspace.root.join(file));
    files.filter_map(|file| lookup::named_config(&spec.config, &file, &places)).collect()
}

fn configs(
    workspace: &Workspace,
    specs: &[Arc<ToolSpec>],
    notices: &mut Vec<Notice>,
) -> Result<BTreeMap<ToolId, ToolConfig>, Vec<UserError>> {
    let places = workspace.places();
    let mut configs = BTreeMap::new();
    let mut errors: Vec<UserError> = Vec::new();
    for spec in specs {
        match config(spec, workspace, &places) {
            Ok((config, notice)) => {
                notices.extend(notice);
                configs.insert(spec.name.clone(), config);
            }
            // One broken file is the trouble of many tools.
            Err(error) if errors.contains(&error) => {}
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() { Ok(configs) } else { Err(errors) }
}

fn chosen(
    workspace: &Workspace,
    specs: &[Arc<ToolSpec>],
    configs: &BTreeMap<ToolId, ToolConfig>,
) -> Chosen {
    let is_test = |name: &[u8]| {
        name.ends_with(b".py") && (name.starts_with(b"test_") || name.ends_with(b"_test.py"))
    };
    let has_tests = workspace.files.files.iter().any(|file| is_test(file.path.file_name()));
    let specs: Vec<&ToolSpec> = specs.iter().map(Arc::as_ref).collect();
    choose(
        &specs,
        &Evidence {
            settings: &workspace.settings,
            configs,
            dependencies: &Dependencies::read(&workspace.root, &workspace.documents),
            tests: if has_tests { Tests::Present } else { Tests::Absent },
        },
    )
}

/// The tools that a hook runs: those that the settings name for it, else those of the project,
/// before a commit without the tests.
fn for_occasion(
    chosen: Vec<Choice>,
    occasion: Occasion,
    hooks: &HookSettings,
    specs: &[Arc<ToolSpec>],
) -> Vec<Choice> {
    let named = match occasion {
        Occasion::ByHand => return chosen,
        Occasion::Commit => &hooks.pre_commit,
        Occasion::Push => &hooks.pre_push,
    };
    let runs_tests = |choice: &Choice| {
        let spec = specs.iter().find(|spec| spec.name == choice.tool);
        spec.is_some_and(|spec| spec.output.format == OutputFormat::Pytest)
    };
    match named {
        Some(named) => {
            named.iter().map(|tool| Choice { tool: tool.clone(), why: Why::Asked }).collect()
        }
        None if occasion == Occasion::Commit => {
            chosen.into_iter().filter(|choice| !runs_tests(choice)).collect()
        }
        None => chosen,
    }
}

/// What the command line makes of the choice.
fn requested(
    chosen: Vec<Choice>,
    request: &Request,
    specs: &[Arc<ToolSpec>],
) -> Result<Vec<Choice>, UserError> {
    let known: Vec<ToolId> = specs.iter().map(|spec| spec.name.clone()).collect();
    for name in request.only.iter().flatten().chain(&request.skip) {
        if !known.contains(name) {
            return Err(unknown_tool(name.as_str(), &known));
        }
    }
    let choices = match &request.only {
        Some(only) => {
            let asked = known.into_iter().filter(|tool| only.contains(tool));
            asked.map(|tool| Choice { tool, why: Why::Asked }).collect()
        }
        None => chosen,
    };
    let skipped =
        |tool: &ToolId| request.skip.contains(tool) || request.skip_if_known.contains(tool);
    Ok(choices.into_iter().filter(|choice| !skipped(&choice.tool)).collect())
}

/// Finds tools, remembering what was looked at.
struct Finder<'a> {
    workspace: &'a Workspace,
    network: Network,
    specs: &'a [Arc<ToolSpec>],
    /// The environment on `PATH`, which is the project's when it has none of its own and the
    /// tools that need one are installed there, as on a CI machine.
    on_path: OnceCell<Option<Arc<Environment>>>,
    made: BTreeMap<PathBuf, Arc<Environment>>,
    notices: Vec<Notice>,
}

impl<'a> Finder<'a> {
    fn new(workspace: &'a Workspace, network: Network, specs: &'a [Arc<ToolSpec>]) -> Self {
        Self {
            workspace,
            network,
            specs,
            on_path: OnceCell::new(),
            made: BTreeMap::new(),
            notices: Vec::new(),
        }
    }

    /// The project's environment and where it was found, for people.
    fn project(&self) -> Option<(Arc<Environment>, String)> {
        if let Some(own) = &self.workspace.environment {
            let place = own.environment.interpreter.prefix.display();
            return Some((Arc::clone(&own.environment), format!("{place} ({})", own.origin)));
        }
        let on_path = self.environment_on_path()?;
        let has = |spec: &Arc<ToolSpec>| {
            let package = spec.package.as_deref();
            needs_project(spec) && package.is_some_and(|p| on_path.distribution(p).is_some())
        };
        let place = on_path.interpreter.prefix.display().to_string();
        self.specs.iter().any(has).then_some((on_path, format!("{place} (PATH)")))
    }

    fn environment_on_path(&self) -> Option<Arc<Environment>> {
        let workspace = self.workspace;
        let load = || {
            let python = python::on_path(&workspace.root, &workspace.variables)?;
            load_environment(&python, &workspace.site, &workspace.variables, &workspace.states)
                .map_err(|error| log::warn!("{}: {error}", python.display()))
                .ok()
        };
        self.on_path.get_or_init(|| load().map(Arc::new)).clone()
    }

    fn find(
        &mut self,
        spec: &Arc<ToolSpec>,
        settings: &ToolSettings,
        on: &mut dyn FnMut(Event),
    ) -> Result<Resolved, Failure> {
        let states = &self.workspace.states;
        let project = self.project();
        if let Some((environment, origin)) = &project
            && let Some(found) = Resolved::in_environment(spec, environment, origin, states)
        {
            return Ok(found);
        }
        if spec.package.is_none() || spec.provision.is_empty() {
            return self.program(spec);
        }
        if let Some((_, origin)) = &project
            && needs_project(spec)
            && spec.command.outside_args.is_empty()
        {
            return Err(self.not_in_project(spec, origin));
        }
        let made = self.made_environment(spec, settings, on)?;
        let origin = format!("{} (made by pyqa)", made.interpreter.prefix.display());
        let found = Resolved::in_environment(spec, &made, &origin, states);
        let mut found =
            found.ok_or_else(|| missing(spec, "the environment made for it lacks it"))?;
        if needs_project(spec) {
            match project {
                Some((environment, _)) => found.look_into(spec, environment),
                None => self.without_dependencies(),
            }
        }
        Ok(found)
    }

    /// A tool that no Python package brings.
    fn program(&self, spec: &Arc<ToolSpec>) -> Result<Resolved, Failure> {
        let any = match self.project() {
            Some((environment, _)) => Some(environment),
            None => self.environment_on_path(),
        };
        let environment = any.ok_or_else(|| missing(spec, "there is no Python on this machine"))?;
        let path = self.workspace.variables.get("PATH").unwrap_or_default();
        let workspace = self.workspace;
        let program =
            Resolved::on_path(spec, path, &environment, &workspace.root, &workspace.states);
        program.ok_or_else(|| {
            let mut failure =
                missing(spec, &format!("there is no `{}` on PATH", spec.command.program));
            failure.hint = Some("install it, or leave it out with `--skip`".to_owned());
            failure
        })
    }

    fn made_environment(
        &mut self,
        spec: &Arc<ToolSpec>,
        settings: &ToolSettings,
        on: &mut dyn FnMut(Event),
    ) -> Result<Arc<Environment>, Failure> {
        // Tools that parse the project's code have to know its Python.
        let base = match self.project() {
            Some((environment, _)) => Some(environment),
            None => self.environment_on_path(),
        };
        let base = base.ok_or_else(|| missing(spec, "there is no Python on this machine"))?;
        let workspace = self.workspace;
        let folder = workspace.cache.environments(|name| workspace.variables.path(name));
        let requirements = requirements(spec, self.specs, &settings.requirements);
        let maker = Maker {
            folder: &folder,
            python: &base.interpreter.executable,
            python_version: &base.interpreter.describe(),
            network: self.network,
            variables: &workspace.variables,
        };
        let python = maker.provide(spec.name.as_str(), &requirements, &mut |done, total| {
            on(Event::Provisioning { what: requirements.join(" "), done, total });
        })?;
        if let Some(known) = self.made.get(&python) {
            return Ok(Arc::clone(known));
        }
        let loaded =
            load_environment(&python, &workspace.site, &workspace.variables, &workspace.states);
        let environment = Arc::new(loaded.map_err(|error| missing(spec, &error.to_string()))?);
        self.made.insert(python, Arc::clone(&environment));
        Ok(environment)
    }

    fn without_dependencies(&mut self) {
        let notice = Notice::warning(
            "the project has no Python environment: its dependencies are not installed where its types are checked and its tests run",
        )
        .hint("make one, for example with `python -m venv .venv`, and install the project in it");
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    fn not_in_project(&self, spec: &ToolSpec, origin: &str) -> Failure {
        let root = &self.workspace.root;
        let has = |name: &str| root.join(name).exists();
        let package = spec.package.as_deref().unwrap_or(spec.name.as_str());
        let command = if has("uv.lock") {
            format!("uv add --dev {package}")
        } else if has("poetry.lock") {
            format!("poetry add --group dev {package}")
        } else if has("pdm.lock") {
            format!("pdm add --dev {package}")
        } else if has("Pipfile") {
            format!("pipenv install --dev {package}")
        } else {
            format!("python -m pip install {package}")
        };
        let mut failure =
            missing(spec, &format!("it is not installed in the project's environment {origin}"));
        failure.hint = Some(format!(
            "install it with `{command}`, or leave it out with `--skip {}`",
            spec.name
        ));
        failure
    }

    /// On by default only, in a project that evidently does without it.
    fn is_unused(&self, spec: &ToolSpec, why: Why) -> bool {
        why == Why::Default && needs_project(spec) && self.workspace.environment.is_some()
    }
}

fn missing(spec: &ToolSpec, reason: &str) -> Failure {
    Failure {
        kind: FailureKind::Missing,
        message: format!("{}: {reason}", spec.name),
        output: String::new(),
        hint: None,
    }
}
