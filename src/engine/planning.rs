//! Makes the plan of each tool: its files, its command line, its key, its units.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::loaded::loads_code;
use super::named::{named_on_disk, patterns};
use super::options::possible_files;
use super::request::Request;
use super::split::Split;
use super::toolset::ActiveTool;
use super::workspace::{Workspace, resolved};
use crate::config::model::Parallel;
use crate::error::UserError;
use crate::exec::driver::Support;
use crate::hash::{ContentHash, FileStates};
use crate::paths::{RelPath, write_atomic};
use crate::plan::command::{Arguments, Place};
use crate::plan::key::CommonKey;
use crate::plan::parts::{Installed, Parts, common_key};
use crate::plan::unit::{Scope, ToolPlan, units};
use crate::project::files::ProjectFile;
use crate::tools::select::select;
use crate::tools::spec::{Granularity, OutputFormat};

/// What the plans of all tools are made with.
pub struct Planner<'a> {
    workspace: &'a Workspace,
    support: &'a Support,
    /// Files and folders that were asked for, from the root; empty: all.
    paths: Vec<RelPath>,
    /// The part of the work that is to be done here.
    split: Option<&'a Split>,
}

impl<'a> Planner<'a> {
    /// # Errors
    /// Paths of the request that do not exist or lie outside of the project.
    pub fn new(
        workspace: &'a Workspace,
        support: &'a Support,
        request: &Request,
    ) -> Result<Self, Vec<UserError>> {
        let mut paths = Vec::new();
        let mut errors = Vec::new();
        for path in &request.paths {
            match within_project(path, request, workspace) {
                Ok(path) => paths.push(path),
                Err(error) => errors.push(error),
            }
        }
        if errors.is_empty() {
            Ok(Self { workspace, support, paths, split: None })
        } else {
            Err(errors)
        }
    }

    /// Plans this machine's part of the work only.
    #[must_use]
    pub fn sharing(self, split: Option<&'a Split>) -> Self {
        Self { split, ..self }
    }

    /// What pytest's plugin is told of this shard; `None`: all tests run here.
    pub fn rule(&self) -> Option<Vec<u8>> {
        self.split.map(Split::rule)
    }

    /// The plan of one tool.
    ///
    /// # Errors
    /// Settings that cannot be used: a pattern that is none, a file for the key that is missing.
    pub fn plan(&self, tool: &ActiveTool) -> Result<ToolPlan, UserError> {
        let workspace = self.workspace;
        let arguments = self.arguments(tool, &tool.spec.command.args)?;
        let scope = scope_of(tool);
        let mut files = match tool.spec.granularity {
            Granularity::File => self.files(tool)?,
            Granularity::Project => Vec::new(),
        };
        if let (Some(split), Scope::File) = (self.split, scope) {
            files.retain(|&index| split.takes_file(&workspace.files.files[index].path));
        }
        let inputs = match scope {
            Scope::File => Vec::new(),
            Scope::Project | Scope::AllFiles => self.inputs(tool),
        };
        let common = self.common_with(tool, &arguments)?;
        let pack = common.fingerprint();
        let mut units = units(&tool.spec, scope, &pack, &files, &inputs, workspace.contents());
        if scope == Scope::AllFiles && !tool.answers_whole {
            units.clear();
        }
        let tool = tool.spec.name.clone();
        Ok(ToolPlan { tool, scope, common, pack, arguments, files, inputs, units })
    }

    /// The part of the key that all units of the tool share.
    ///
    /// # Errors
    /// As for [`Self::plan`].
    pub fn common(&self, tool: &ActiveTool) -> Result<CommonKey, UserError> {
        self.common_with(tool, &self.arguments(tool, &tool.spec.command.args)?)
    }

    fn common_with(
        &self,
        tool: &ActiveTool,
        arguments: &Arguments,
    ) -> Result<CommonKey, UserError> {
        let workspace = self.workspace;
        let imports = tool.imports();
        let further = self.further_files(tool)?;
        let parts = Parts {
            spec: &tool.spec,
            installed: Installed {
                version: &tool.resolved.version,
                plugins: &tool.resolved.plugins,
                requirements: &tool.resolved.requirements,
                files: tool.resolved.installed.as_ref(),
                python: &tool.resolved.environment.interpreter.describe(),
                startup: &tool.resolved.environment.startup,
                environment: (tool.spec.key.environment || reads_around(tool)).then_some(&imports),
                code: tool.resolved.code.as_ref(),
            },
            config: &tool.config,
            named: &tool.named,
            settings: &tool.settings,
            arguments,
            files: &further,
            root: &workspace.root,
            home: &workspace.site.home,
        };
        let variables = workspace.variables.iter().map(|(n, v)| (n.clone(), v.clone()));
        let mut common = common_key(&parts, variables);
        if parallel(tool).is_some() {
            common.add("parallel", "yes");
        }
        if let Some(split) = self.split.filter(|_| runs_tests(tool)) {
            common.add("shard", split.shard.to_string());
            common.add("tests of the shard", split.fingerprint().to_string());
        }
        Ok(common)
    }

    /// The tool's command line, beginning with `leading`. File names may follow.
    ///
    /// # Errors
    /// Generated settings that cannot be written.
    pub fn arguments(&self, tool: &ActiveTool, leading: &[String]) -> Result<Arguments, UserError> {
        let mut arguments = self.options(tool, leading)?;
        arguments.add_targets(&tool.spec, &tool.config);
        Ok(arguments)
    }

    /// As [`Planner::arguments`], for a tool that is given a text instead of files.
    ///
    /// # Errors
    /// As there.
    pub fn options(&self, tool: &ActiveTool, leading: &[String]) -> Result<Arguments, UserError> {
        let failed = |error: std::io::Error| {
            UserError::new(format!(
                "the settings for {} cannot be written: {error}",
                tool.spec.name
            ))
            .hint("see that the cache folder can be written, or name another with PYQA_CACHE_DIR")
        };
        let generated = match &tool.config.generated {
            Some(text) => Some(self.generated(text).map_err(failed)?),
            None => None,
        };
        let place = Place {
            root: &self.workspace.root,
            generated: generated.as_deref(),
            empty: &self.support.empty_file().map_err(failed)?,
        };
        let mut arguments =
            Arguments::new(&tool.spec, leading, &tool.config, &tool.settings, &place);
        if self.workspace.site.is_elsewhere() {
            arguments.elsewhere(&tool.spec, &tool.config, &place);
        }
        if let Some((_, looking)) = &tool.resolved.looks_into {
            arguments.local(looking);
        }
        Ok(arguments)
    }

    /// Settings are written under a name that stands for their content.
    fn generated(&self, text: &str) -> std::io::Result<PathBuf> {
        let name = format!("{}.toml", &ContentHash::of(text.as_bytes()).to_string()[..16]);
        let file = self.support.folder().join("settings").join(name);
        if std::fs::read(&file).ok().as_deref() != Some(text.as_bytes()) {
            write_atomic(&file, text.as_bytes())?;
        }
        Ok(file)
    }

    /// The files that a per-file tool is given; of those that another one may be given one by one.
    ///
    /// # Errors
    /// A pattern that is none.
    pub fn files(&self, tool: &ActiveTool) -> Result<Vec<usize>, UserError> {
        let workspace = self.workspace;
        let all = &workspace.files.files;
        let wanted = |file: &ProjectFile| {
            self.paths.is_empty()
                || self.paths.iter().any(|path| file.path.is_within(path.as_bytes()))
        };
        let mut files = select(&tool.spec, &tool.config, all, &wanted, &workspace.root)?;
        let excludes = [&workspace.settings.exclude[..], &tool.settings.exclude[..]].concat();
        if !excludes.is_empty() {
            let excludes = patterns(&excludes, &workspace.root)?;
            files.retain(|&index| {
                let path = all[index].path.to_path();
                !excludes.matched_path_or_any_parents(&path, false).is_ignore()
            });
        }
        if let Some(selected) = &workspace.site.selected {
            files.retain(|&index| selected.binary_search(&all[index].path).is_ok());
        }
        Ok(files)
    }

    /// The files that a unit for the project depends on.
    fn inputs(&self, tool: &ActiveTool) -> Vec<usize> {
        let wanted: Vec<&str> = tool.spec.key.extensions.iter().map(String::as_str).collect();
        let all = &self.workspace.files.files;
        let reads_around = reads_around(tool);
        let counts = |index: &usize| {
            wanted.is_empty() || reads_around || all[*index].path.has_extension(&wanted)
        };
        (0..all.len()).filter(counts).collect()
    }

    /// Files that the declaration or the settings name, and that belong to the key of every unit.
    fn further_files(&self, tool: &ActiveTool) -> Result<Vec<(RelPath, ContentHash)>, UserError> {
        let workspace = self.workspace;
        let mut found = Vec::new();
        let globs = [&tool.spec.key.files[..], &tool.settings.inputs[..]].concat();
        if !globs.is_empty() {
            let globs = patterns(&globs, &workspace.root)?;
            for (file, hash) in workspace.files.files.iter().zip(&workspace.hashes) {
                let path = file.path.to_path();
                if let Some(hash) = hash
                    && globs.matched_path_or_any_parents(&path, false).is_ignore()
                {
                    found.push((file.path.clone(), *hash));
                }
            }
        }
        let hashed = |name: RelPath, root: &Path| {
            let hash = workspace.states.content_hash(&name.below(root)).ok()?;
            Some((name, hash))
        };
        // Git may ignore what is named, or it lies elsewhere: a snapshot does not have it.
        let home = &workspace.site.home;
        for pattern in &tool.settings.inputs {
            let named = named_on_disk(pattern, home)?.into_iter();
            let further = named.filter(|name| workspace.files.find(name).is_none());
            found.extend(further.filter_map(|name| hashed(name, home)));
        }
        for name in self.named_by_settings(tool) {
            if name.contains(['*', '?', '[']) {
                let is_elsewhere = Path::new(&name).is_absolute();
                let root = if is_elsewhere { Path::new("/") } else { &workspace.root };
                let named = named_on_disk(&name, root)?.into_iter();
                found.extend(named.filter_map(|name| hashed(name, root)));
                continue;
            }
            let hash = workspace.states.content_hash(&workspace.root.join(&name));
            let hash = hash.unwrap_or_else(|_| ContentHash::of(b"absent"));
            found.push((RelPath::from(name.as_str()), hash));
        }
        for wanted in &tool.spec.key.files_with {
            if !tool.has_on(&wanted.setting, &workspace.root) {
                continue;
            }
            for pattern in &wanted.files {
                let named = named_on_disk(pattern, &workspace.root)?.into_iter();
                found.extend(named.filter_map(|name| hashed(name, &workspace.root)));
            }
            found.extend(self.files_above(&wanted.files));
        }
        found.extend(self.files_of_arguments(tool));
        found.extend(self.files_above(&tool.spec.key.files_above));
        Ok(found)
    }

    /// Files, and patterns of such, that the tool's settings name, from the root where they lie below it.
    fn named_by_settings(&self, tool: &ActiveTool) -> Vec<String> {
        let Workspace { root, variables, .. } = self.workspace;
        let named = tool.items(&tool.spec.key.files_from).map(|(name, config)| {
            let name = tool.expanded(&name, config, variables);
            let within = Path::new(&name).strip_prefix(root).ok().and_then(Path::to_str);
            within.map(str::to_owned).unwrap_or(name)
        });
        named.collect()
    }

    /// Files that the arguments in pyqa's settings name: `--config=other.toml`, `-c other.cfg`.
    fn files_of_arguments(&self, tool: &ActiveTool) -> Vec<(RelPath, ContentHash)> {
        let workspace = self.workspace;
        possible_files(&tool.settings.args)
            .filter_map(|value| {
                let hash = workspace.states.content_hash(&workspace.root.join(value)).ok()?;
                Some((RelPath::from(value), hash))
            })
            .collect()
    }

    /// Files of these names in the folders above the root: `../conftest.py`.
    fn files_above(&self, names: &[String]) -> Vec<(RelPath, ContentHash)> {
        let workspace = self.workspace;
        let mut found = Vec::new();
        // Above a snapshot, tools are told not to look.
        let end = workspace.site.snapshot_top().and_then(Path::parent);
        let above = workspace.root.ancestors().take_while(|folder| Some(*folder) != end);
        for (depth, folder) in above.enumerate().skip(1) {
            for name in names {
                if let Ok(hash) = workspace.states.content_hash(&folder.join(name)) {
                    let path = format!("{}{name}", "../".repeat(depth));
                    found.push((RelPath::from(path.as_str()), hash));
                }
            }
        }
        found
    }
}

/// A tool that loads code of the project, or has a plugin that may look beyond one file, is
/// answered for all files at once.
pub fn scope_of(tool: &ActiveTool) -> Scope {
    match Scope::of(&tool.spec, &tool.resolved.plugins) {
        Scope::File if loads_code(tool) => Scope::AllFiles,
        scope => scope,
    }
}

/// Whether every file of the project is an input of the tool, whatever it is.
pub fn reads_all(tool: &ActiveTool) -> bool {
    tool.spec.granularity == Granularity::Project && tool.spec.key.extensions.is_empty()
}

/// Whether code that the tool loads, because settings say so or as a plugin that is not known, may read
/// and import whatever it likes.
pub fn reads_around(tool: &ActiveTool) -> bool {
    loads_code(tool) || scope_of(tool) == Scope::AllFiles
}

fn within_project(
    path: &Path,
    request: &Request,
    workspace: &Workspace,
) -> Result<RelPath, UserError> {
    let root = &workspace.site.home;
    let full = resolved(&request.folder.join(path));
    let is_there = || full.symlink_metadata().is_ok() || request.overlay.contains_key(path);
    let found = RelPath::from_absolute(&full, root);
    if !is_there() {
        return Err(UserError::new(format!("there is no {}", path.display()))
            .hint("paths are seen from the folder in which you are"));
    }
    found.ok_or_else(|| {
        UserError::new(format!("{} is outside of the project {}", path.display(), root.display()))
            .hint("name the other project with `--root`")
    })
}

/// How the tool's tests are to run side by side, where pytest-xdist is installed for it.
pub fn parallel(tool: &ActiveTool) -> Option<Parallel> {
    let has_xdist = tool.resolved.environment.distribution("pytest-xdist").is_some();
    tool.settings.parallel.filter(|_| runs_tests(tool) && has_xdist)
}

/// Whether shards share the tool's work test by test.
pub fn runs_tests(tool: &ActiveTool) -> bool {
    tool.spec.output.format == OutputFormat::Pytest
}

/// The tool's file arguments: `-` at the beginning of a name must not make an option of it.
pub fn file_argument(prefix: &str, path: &RelPath) -> OsString {
    let prefix = if prefix.is_empty() && path.as_bytes().starts_with(b"-") { "./" } else { prefix };
    let mut argument = OsString::from(prefix);
    argument.push(path.to_path());
    argument
}
