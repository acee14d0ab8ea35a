//! What a run finds in place: root, settings, files and their content, the project's environment,
//! the cache. Files are listed and hashed while settings are read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use super::request::{CacheUse, Request};
use crate::cache::folder::CacheFolder;
use crate::cache::inputs::LastInputs;
use crate::cache::states::{Observed, States};
use crate::cache::store::Store;
use crate::config::documents::Documents;
use crate::config::lookup::Places;
use crate::config::model::Settings;
use crate::config::root::{find_repository, find_root};
use crate::config::toml::Table;
use crate::config::{preset, pyqa};
use crate::error::{Source, UserError};
use crate::event::Notice;
use crate::finding::ToolId;
use crate::git::tracked::tracked;
use crate::hash::ContentHash;
use crate::plan::unit::Contents;
use crate::project::environment::Environment;
use crate::project::files::FileSet;
use crate::project::interpreter::Interpreter;
use crate::project::python::{self, Origin};
use crate::project::variables::Variables;

/// The project as a run finds it.
pub struct Workspace {
    pub root: PathBuf,
    pub repository: Option<PathBuf>,
    pub settings: Settings,
    /// Tables of the preset that the settings name.
    pub preset: Option<Table>,
    pub documents: Documents,
    pub files: FileSet,
    /// Per file; `None` where it cannot be read.
    pub hashes: Vec<Option<ContentHash>>,
    pub environment: Option<ProjectEnvironment>,
    pub cache: CacheFolder,
    pub states: States,
    pub store: Store,
    pub last_inputs: LastInputs,
    pub variables: Variables,
    /// Whether the cache can be written.
    pub cache_use: CacheUse,
    pub notices: Vec<Notice>,
}

/// The environment that is the project's.
pub struct ProjectEnvironment {
    pub environment: Arc<Environment>,
    pub origin: Origin,
}

impl Workspace {
    /// Looks at everything that a run needs to know.
    ///
    /// # Errors
    /// A root that is no folder; mistakes in settings; a repository that cannot be read.
    pub fn open(request: &Request, known: &[ToolId]) -> Result<Self, Vec<UserError>> {
        let one = |error: UserError| vec![error];
        let folder = existing_folder(request).map_err(one)?;
        let repository = find_repository(&folder);
        let root = match &request.root {
            Some(_) => folder,
            None => find_root(&folder, repository.as_deref()),
        };
        let cache = CacheFolder::locate(|name| request.variables.get(name).map(ToOwned::to_owned));
        let mut notices = Vec::new();
        let cache_use = prepare_cache(&cache, request.cache, &mut notices);
        let states = cache.states(&root);
        let documents = Documents::default();
        let (listed, settled) = thread::scope(|scope| {
            let listing = scope.spawn(|| list(&root, repository.as_deref(), &states));
            let settled = settle(&root, request, known, &documents, &states);
            (listing.join(), settled)
        });
        let (settings, preset, environment, told) = settled?;
        notices.extend(told);
        let (files, hashes) = listed
            .map_err(|_| one(UserError::new("listing the project's files failed")))?
            .map_err(one)?;
        Ok(Self {
            store: cache.store(),
            last_inputs: cache.last_inputs(&root),
            root,
            repository,
            settings,
            preset,
            documents,
            files,
            hashes,
            environment,
            cache,
            states,
            variables: request.variables.clone(),
            cache_use,
            notices,
        })
    }

    pub fn contents(&self) -> Contents<'_> {
        Contents { files: &self.files, hashes: &self.hashes }
    }

    /// Where the settings of tools are looked for.
    pub fn places(&self) -> Places<'_> {
        Places {
            root: &self.root,
            repository: self.repository.as_deref(),
            variables: &self.variables,
            documents: &self.documents,
        }
    }
}

fn existing_folder(request: &Request) -> Result<PathBuf, UserError> {
    let folder = match &request.root {
        Some(root) => request.folder.join(root),
        None => request.folder.clone(),
    };
    let error = |what: String| UserError::new(format!("{}: {what}", folder.display()));
    let folder = dunce::canonicalize(&folder)
        .map_err(|e| error(e.to_string()).hint("name a folder that exists with `--root`"))?;
    if folder.is_dir() { Ok(folder) } else { Err(error("this is not a folder".to_owned())) }
}

/// A cache that cannot be used costs time, never a run.
fn prepare_cache(cache: &CacheFolder, wanted: CacheUse, notices: &mut Vec<Notice>) -> CacheUse {
    if wanted == CacheUse::Off {
        return wanted;
    }
    let Err(error) = cache.prepare() else { return wanted };
    let path = cache.path().display();
    notices.push(
        Notice::warning(format!("the cache folder {path} cannot be used: {error}"))
            .hint("results are not kept; name another folder with PYQA_CACHE_DIR"),
    );
    CacheUse::Off
}

type Listed = (FileSet, Vec<Option<ContentHash>>);

fn list(root: &Path, repository: Option<&Path>, states: &States) -> Result<Listed, UserError> {
    let tracked = repository.map(|top| tracked(root, top)).transpose()?;
    let files = FileSet::list(root, tracked.as_deref());
    let observed: Vec<Observed<'_>> =
        files.files.iter().map(|file| Observed { path: &file.path, stat: file.stat }).collect();
    let hashes = states.hash_all(&observed);
    Ok((files, hashes))
}

type Settled = (Settings, Option<Table>, Option<ProjectEnvironment>, Vec<Notice>);

fn settle(
    root: &Path,
    request: &Request,
    known: &[ToolId],
    documents: &Documents,
    states: &States,
) -> Result<Settled, Vec<UserError>> {
    let one = |error: UserError| vec![error];
    let mut read = pyqa::read(root, known, documents)?;
    let mut notices = read.notices;
    let preset = match &read.settings.preset {
        Some(name) => {
            let place = read.settings.source.clone();
            let table = preset::get(name);
            Some(table.map_err(|e| one(place.map_or(e.clone(), |place| e.at(place))))?)
        }
        None => None,
    };
    if let Some(preset) = &preset {
        pyqa::complete(&mut read.settings, preset, known)?;
    }
    let source = read.settings.source.clone().unwrap_or_else(|| Source::file(root));
    let setting = read.settings.python.as_deref().map(|python| (python, &source));
    let search = python::find(&[root], setting, &request.variables).map_err(one)?;
    notices.extend(search.notices);
    let mut environment = None;
    if let Some(found) = search.found {
        match load_environment(&found.interpreter, root, &request.variables, states) {
            Ok(loaded) => {
                environment = Some(ProjectEnvironment {
                    environment: Arc::new(loaded),
                    origin: found.origin,
                });
            }
            Err(error) => notices.push(
                Notice::warning(format!(
                    "the interpreter {} (from {}) does not answer: {error}",
                    found.interpreter.display(),
                    found.origin
                ))
                .hint("make the environment anew"),
            ),
        }
    }
    Ok((read.settings, preset, environment, notices))
}

/// What is installed beside an interpreter.
///
/// # Errors
/// Where the interpreter does not answer.
pub fn load_environment(
    interpreter: &Path,
    root: &Path,
    variables: &Variables,
    states: &States,
) -> std::io::Result<Environment> {
    let interpreter = Interpreter::get(interpreter, variables, states)?;
    Ok(Environment::load(interpreter, root, states))
}
