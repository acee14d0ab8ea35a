//! What a run finds in place: root, settings, files and their content, the project's environment,
//! the cache. Files are listed and hashed while settings are read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use super::request::{CacheUse, Content, Overlay, Request};
use super::site::Site;
use crate::cache::folder::CacheFolder;
use crate::cache::inputs::LastInputs;
use crate::cache::states::{Observed, States};
use crate::cache::store::Store;
use crate::config::documents::Documents;
use crate::config::lookup::Places;
use crate::config::model::Settings;
use crate::config::toml::Table;
use crate::config::{preset, pyqa};
use crate::error::{Source, UserError};
use crate::event::Notice;
use crate::finding::ToolId;
use crate::hash::{ContentHash, FileStates};
use crate::paths::RelPath;
use crate::plan::unit::Contents;
use crate::project::environment::Environment;
use crate::project::files::{FileSet, ProjectFile, look_at};
use crate::project::interpreter::Interpreter;
use crate::project::membership::is_walked;
use crate::project::python::{self, Origin};
use crate::project::stat::FileStat;
use crate::project::variables::Variables;

/// The project as a run finds it.
pub struct Workspace {
    pub site: Site,
    /// Where content is read and tools run.
    pub root: PathBuf,
    pub settings: Settings,
    /// Tables of the preset that the settings name.
    pub preset: Option<Table>,
    pub documents: Documents,
    pub files: FileSet,
    /// Per file; `None` where it cannot be read.
    pub hashes: Vec<Option<ContentHash>>,
    /// Texts that stand in the place of what is on disk; `files` and `hashes` tell of them.
    pub overlaid: BTreeMap<RelPath, Arc<[u8]>>,
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
    /// Mistakes in settings; a repository that cannot be read.
    pub fn open(request: &Request, known: &[ToolId], site: Site) -> Result<Self, Vec<UserError>> {
        let one = |error: UserError| vec![error];
        let root = site.root.clone();
        let cache = CacheFolder::locate(|name| request.variables.get(name).map(ToOwned::to_owned));
        let mut notices = Vec::new();
        let cache_use = prepare_cache(&cache, request.cache, &mut notices);
        let states = cache.states(&root);
        let documents = Documents::default();
        let settle = || settle(&site, request, known, &documents, &states);
        let (listed, settled) = if matches!(request.content, Content::Buffer(_)) {
            // One file is sooner looked at than a thread is started.
            (Ok(list(request, &site, &states)), settle())
        } else {
            thread::scope(|scope| {
                let listing = scope.spawn(|| list(request, &site, &states));
                let settled = settle();
                (listing.join(), settled)
            })
        };
        let told = |errors: Vec<UserError>| {
            errors.into_iter().map(|error| site.told_error(error)).collect::<Vec<_>>()
        };
        let (settings, preset, environment, told) = settled.map_err(told)?;
        notices.extend(told);
        let (files, hashes) = listed
            .map_err(|_| one(UserError::new("listing the project's files failed")))?
            .map_err(one)?;
        Ok(Self {
            store: cache.store(),
            last_inputs: cache.last_inputs(&root),
            site,
            root,
            settings,
            preset,
            documents,
            files,
            hashes,
            overlaid: BTreeMap::new(),
            environment,
            cache,
            states,
            variables: request.variables.clone(),
            cache_use,
            notices,
        })
    }

    /// The errors, told about the files of the user's work tree.
    pub fn told(&self, errors: Vec<UserError>) -> Vec<UserError> {
        errors.into_iter().map(|error| self.site.told_error(error)).collect()
    }

    pub fn contents(&self) -> Contents<'_> {
        Contents { files: &self.files, hashes: &self.hashes }
    }

    /// Puts the texts of `overlay` in the place of what is on disk, and looks again at what an
    /// earlier overlay had replaced.
    pub fn lay_over(&mut self, overlay: &Overlay) {
        for path in std::mem::take(&mut self.overlaid).into_keys() {
            self.look_again(&path);
        }
        for (path, text) in overlay {
            let Some(path) = RelPath::from_absolute(&resolved(path), &self.root) else { continue };
            let on_disk = look_at(path.clone(), &self.root);
            let is_own = self.files.find(&path).is_some()
                || is_walked(&path, &self.root, self.site.top.as_deref());
            if !is_own {
                continue;
            }
            let mut file = on_disk.unwrap_or_else(|| unwritten(&path));
            file.stat.size = text.len() as u64;
            self.put(&path, Some((file, Some(ContentHash::of(text)))));
            self.overlaid.insert(path, Arc::clone(text));
        }
    }

    /// Looks at one file once more.
    pub fn look_again(&mut self, path: &RelPath) {
        let file = look_at(path.clone(), &self.root).map(|file| {
            let hash = self.states.content_hash(&path.below(&self.root)).ok();
            (file, hash)
        });
        self.put(path, file);
    }

    fn put(&mut self, path: &RelPath, file: Option<(ProjectFile, Option<ContentHash>)>) {
        let place = self.files.files.binary_search_by(|known| known.path.cmp(path));
        match (place, file) {
            (Ok(at), Some((file, hash))) => {
                let ignored = self.files.files[at].ignored;
                self.files.files[at] = ProjectFile { ignored, ..file };
                self.hashes[at] = hash;
            }
            (Ok(at), None) => {
                self.files.files.remove(at);
                self.hashes.remove(at);
            }
            (Err(at), Some((file, hash))) => {
                self.files.files.insert(at, file);
                self.hashes.insert(at, hash);
            }
            (Err(_), None) => {}
        }
    }

    /// Where something lies that a tool was seen to read beside the project's files.
    pub fn place_of(&self, path: &RelPath) -> PathBuf {
        self.site.place_of(path.as_bytes(), &self.root)
    }

    /// Whether the file still holds what its hash was made of.
    pub fn still_holds(&self, file: &ProjectFile, hash: &ContentHash) -> bool {
        self.overlaid.contains_key(&file.path) || self.states.still_holds(file, hash)
    }

    /// Whether what is installed beside the environment's interpreter is what it was.
    pub fn still_has(&self, environment: &Environment) -> bool {
        let now = self.environment_now(&environment.interpreter.executable);
        now.is_some_and(|now| {
            now.fingerprint == environment.fingerprint
                && now.startup == environment.startup
                && now.strays == environment.strays
        })
    }

    /// What is installed now beside the interpreter; `None` where it does not answer.
    pub fn environment_now(&self, interpreter: &Path) -> Option<Environment> {
        load_environment(interpreter, &self.site, &self.variables, &self.states).ok()
    }

    /// Where the settings of tools are looked for.
    pub fn places(&self) -> Places<'_> {
        Places {
            root: &self.root,
            repository: self.site.top.as_deref(),
            above: match &self.site.repository {
                Some(repository) if self.site.is_elsewhere() => repository.parent(),
                _ => None,
            },
            variables: &self.variables,
            documents: &self.documents,
        }
    }
}

/// The path with its folder resolved; the file itself is not: a link counts as what it is.
pub fn resolved(path: &Path) -> PathBuf {
    let found = match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => dunce::canonicalize(parent).map(|parent| parent.join(name)),
        _ => dunce::canonicalize(path),
    };
    found.unwrap_or_else(|_| path.to_owned())
}

/// A file that is not on disk yet.
fn unwritten(path: &RelPath) -> ProjectFile {
    let stat = FileStat { size: 0, mtime: 0, ctime: 0, inode: 0, device: 0, mode: 0o100_644 };
    ProjectFile { path: path.clone(), stat, link: None, ignored: false }
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

fn list(request: &Request, site: &Site, states: &States) -> Result<Listed, UserError> {
    let files = site.files(states)?;
    if let Content::Buffer(buffer) = &request.content {
        let hash = Some(ContentHash::of(&buffer.content));
        return Ok((files.clone(), files.files.iter().map(|_| hash).collect()));
    }
    let observed: Vec<Observed<'_>> =
        files.files.iter().map(|file| Observed { path: &file.path, stat: file.stat }).collect();
    let hashes = states.hash_all(&observed);
    Ok((files, hashes))
}

type Settled = (Settings, Option<Table>, Option<ProjectEnvironment>, Vec<Notice>);

fn settle(
    site: &Site,
    request: &Request,
    known: &[ToolId],
    documents: &Documents,
    states: &States,
) -> Result<Settled, Vec<UserError>> {
    let one = |error: UserError| vec![error];
    let root = &site.root;
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
    let search = python::find(&[&site.home], setting, &request.variables).map_err(one)?;
    notices.extend(search.notices);
    let mut environment = None;
    if let Some(found) = search.found {
        match load_environment(&found.interpreter, site, &request.variables, states) {
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
    site: &Site,
    variables: &Variables,
    states: &States,
) -> std::io::Result<Environment> {
    let begun = Instant::now();
    let interpreter = Interpreter::get(interpreter, &site.home, variables, states)?;
    // What is installed from the work tree is imported from the snapshot of it.
    let moved = |path: &Path| if site.is_elsewhere() { site.moved(path) } else { None };
    let environment = Environment::load(interpreter, &site.home, &moved, states);
    let place = environment.interpreter.prefix.display();
    log::debug!("{place}: looked at what is installed in {:.1?}", begun.elapsed());
    Ok(environment)
}
