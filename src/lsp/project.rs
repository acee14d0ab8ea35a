//! The projects that are open: [`Project`], with a thread for the tools that look at one file, one
//! for those that look at everything, and one for formatters, so that none keeps another waiting.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crossbeam_channel::Sender;

use super::lane::{Lane, Report};
use super::uri;
use crate::config::root::{find_repository, find_root};
use crate::finding::ToolId;
use crate::tools::registry;
use crate::tools::spec::{FixStage, ToolSpec};
use gen_lsp_types::{Uri, WorkspaceFolder};

pub(super) struct Project {
    pub(super) files: Lane,
    pub(super) whole: Lane,
    pub(super) format: Lane,
    /// Those that are on.
    tools: Vec<ToolId>,
}

/// Projects by the folder from which each is seen, and the folders that the editor has open.
pub(super) struct Projects {
    pub(super) open: BTreeMap<PathBuf, Project>,
    folders: Vec<PathBuf>,
    /// Tools that order imports.
    sorters: Vec<ToolId>,
    reports: Sender<Report>,
}

impl Projects {
    pub(super) fn new(reports: Sender<Report>) -> Self {
        let sorts =
            |spec: &ToolSpec| spec.fix.as_ref().is_some_and(|fix| fix.stage == FixStage::Imports);
        let sorters = registry::builtin().into_iter().filter(sorts).map(|spec| spec.name);
        Self { open: BTreeMap::new(), folders: Vec::new(), sorters: sorters.collect(), reports }
    }

    pub(super) fn add_folder(&mut self, uri: &Uri) {
        if let Some(folder) = uri::to_path(uri).and_then(|path| dunce::canonicalize(path).ok())
            && !self.folders.contains(&folder)
        {
            self.folders.push(folder);
        }
    }

    pub(super) fn add_folders(&mut self, folders: &[WorkspaceFolder]) {
        for folder in folders {
            self.add_folder(&folder.uri);
        }
    }

    pub(super) fn remove_folder(&mut self, uri: &Uri) {
        let Some(path) = uri::to_path(uri) else { return };
        let folder = dunce::canonicalize(&path).unwrap_or(path);
        self.folders.retain(|known| *known != folder);
        self.open.remove(&folder);
    }

    pub(super) fn folders(&self) -> &[PathBuf] {
        &self.folders
    }

    /// The folder from which the project of a file is seen: the editor's innermost folder that
    /// holds it, as if pyqa were started there; for a file in none of them, its own project.
    pub(super) fn folder_of(&self, file: &Path) -> Option<PathBuf> {
        let holding = self.folders.iter().filter(|folder| file.starts_with(folder));
        if let Some(folder) = holding.max_by_key(|folder| folder.as_os_str().len()) {
            return Some(folder.clone());
        }
        let folder = file.parent().filter(|folder| folder.is_dir())?;
        Some(find_root(folder, find_repository(folder).as_deref()))
    }

    pub(super) fn set_tools(&mut self, folder: &Path, tools: Vec<ToolId>) {
        if let Some(project) = self.open.get_mut(folder) {
            project.tools = tools;
        }
    }

    /// The tool that orders imports, where one is on.
    pub(super) fn import_sorter(&self, folder: &Path) -> Option<ToolId> {
        let tools = &self.open.get(folder)?.tools;
        tools.iter().find(|tool| self.sorters.contains(tool)).cloned()
    }

    /// The project seen from `folder`.
    ///
    /// # Errors
    /// Where the system gives no thread.
    pub(super) fn get(&mut self, folder: &Path) -> io::Result<&Project> {
        if !self.open.contains_key(folder) {
            let project = Project {
                files: Lane::start("files", self.reports.clone())?,
                whole: Lane::start("project", self.reports.clone())?,
                format: Lane::start("format", self.reports.clone())?,
                tools: Vec::new(),
            };
            self.open.insert(folder.to_owned(), project);
        }
        Ok(&self.open[folder])
    }
}
