//! Where a run reads and works: [`Site`]. The work tree, if it holds the content that is asked
//! for; else a snapshot of that content. Names for people are those of the work tree in any case.

use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::buffer;
use super::request::{CacheUse, Content, Files, Place, Request};
use crate::cache::folder::CacheFolder;
use crate::cache::listing::Listing;
use crate::cache::unwalked::Unwalked;
use crate::config::root::{find_repository, find_root};
use crate::error::{Source, UserError};
use crate::git::agreement::agrees;
use crate::git::entries::{self, Entry};
use crate::git::restage::{Fix, Restaged, restage};
use crate::git::snapshot::{Origin, Snapshot};
use crate::git::tracked::tracked;
use crate::git::worktree::WorkTree;
use crate::git::{changes, ignored};
use crate::hash::{ContentHash, FileStates};
use crate::paths::RelPath;
use crate::project::files::{FileSet, ProjectFile, is_foreign_folder};
use crate::project::repository::index_file;

/// The places of a run.
pub struct Site {
    /// Where content is read and tools run.
    pub root: PathBuf,
    /// The top of the repository, or what stands for it.
    pub top: Option<PathBuf>,
    /// The user's root; the same as `root` unless this is a snapshot.
    pub home: PathBuf,
    /// The user's repository.
    pub repository: Option<PathBuf>,
    /// Its files, where finding the content has told them already.
    listed: Option<FileSet>,
    /// What earlier runs remember of the work tree's names; `None`: they are not asked.
    listing: Option<Listing>,
    /// The files that per-file tools are given, from the root, sorted; `None`: all.
    pub selected: Option<Vec<RelPath>>,
    snapshot: Option<Elsewhere>,
}

/// Content at another place than the work tree.
struct Elsewhere {
    work_tree: WorkTree,
    entries: Vec<Entry>,
    snapshot: Mutex<Snapshot>,
}

impl Site {
    /// Finds the content that `request` asks for.
    ///
    /// # Errors
    /// A root that is no folder; what git cannot read or write.
    pub fn find(request: &Request, is_cancelled: &dyn Fn() -> bool) -> Result<Self, UserError> {
        let folder = existing_folder(request)?;
        let repository = find_repository(&folder);
        let home = match &request.root {
            Some(_) => folder,
            None => find_root(&folder, repository.as_deref()),
        };
        let listing = listing(request, &home);
        let mut site = match &request.content {
            Content::WorkTree => Self {
                root: home.clone(),
                top: repository.clone(),
                home,
                repository,
                listed: None,
                listing,
                selected: None,
                snapshot: None,
            },
            Content::Buffer(buffer) => Self {
                listed: Some(buffer::list(buffer, &home, repository.as_deref())?),
                listing: None,
                root: home.clone(),
                top: repository.clone(),
                home,
                repository,
                selected: None,
                snapshot: None,
            },
            content => Self::of_content(request, content, &home, is_cancelled)?,
        };
        site.selected = match (&request.files, site.selected.take()) {
            (Files::All, _) => None,
            (Files::Listed(listed), _) => Some(site.listed(listed, &request.folder)?),
            (_, Some(selected)) => Some(selected),
            (files, None) => Some(site.changed(files, request)?),
        };
        Ok(site)
    }

    fn of_content(
        request: &Request,
        content: &Content,
        home: &Path,
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Self, UserError> {
        let work_tree = WorkTree::find(home, &request.variables)?;
        let prefix = work_tree.prefix(home);
        let (read, listed) = thread::scope(|scope| {
            let listing = listing(request, home);
            let listed = scope.spawn(move || walk(home, true, listing.as_ref()));
            (read(request, content, &work_tree), listed.join())
        });
        let (entries, changed) = read?;
        let mut files = listed.map_err(|_| UserError::new("listing the project's files failed"))?;
        files.add_tracked(&below(entries.iter().map(|entry| &entry.path), &prefix), home);
        let selected = changed.as_ref().map(|changed| below(changed.iter(), &prefix));
        let exact = changed.unwrap_or_default();
        let top = work_tree.top.clone();
        if request.place == Place::WhereItLies && agrees(&entries, &files, &top, &prefix, &exact) {
            return Ok(Self {
                root: home.to_owned(),
                top: Some(top.clone()),
                home: home.to_owned(),
                repository: Some(top),
                listed: Some(files),
                listing: None,
                selected,
                snapshot: None,
            });
        }
        let origin = match content {
            Content::Revision(revision) => Origin::Revision(revision),
            Content::Staged | Content::WorkTree | Content::Buffer(_) => Origin::Index,
        };
        let snapshot = Snapshot::take(&work_tree, origin, &entries, is_cancelled)?;
        let root = prefix.below(&snapshot.top);
        // A project of which nothing is left.
        std::fs::create_dir_all(&root)
            .map_err(|error| UserError::new(format!("{}: {error}", root.display())))?;
        let files = of_snapshot(&entries, &snapshot, &prefix, &files);
        Ok(Self {
            root,
            top: Some(snapshot.top.clone()),
            home: home.to_owned(),
            repository: Some(top),
            listed: Some(files),
            listing: None,
            selected,
            snapshot: Some(Elsewhere { work_tree, entries, snapshot: Mutex::new(snapshot) }),
        })
    }

    /// Whether the content lies at another place than the work tree.
    pub fn is_elsewhere(&self) -> bool {
        self.snapshot.is_some()
    }

    /// The top of the snapshot in which the content lies; `None`: it is the work tree's.
    pub fn snapshot_top(&self) -> Option<&Path> {
        self.top.as_deref().filter(|_| self.is_elsewhere())
    }

    fn changed(&self, files: &Files, request: &Request) -> Result<Vec<RelPath>, UserError> {
        let work_tree = WorkTree::find(&self.home, &request.variables)?;
        let changed = match files {
            Files::Since(reference) => changes::since(&work_tree, reference)?,
            files => {
                let entries = entries::staged(&work_tree)?;
                changes_of(files, &work_tree, &entries)?.unwrap_or_default()
            }
        };
        Ok(below(changed.iter(), &work_tree.prefix(&self.home)))
    }

    fn listed(&self, listed: &[PathBuf], folder: &Path) -> Result<Vec<RelPath>, UserError> {
        let mut paths = Vec::new();
        for path in listed {
            let full = folder.join(path);
            let parent = full.parent().and_then(|parent| dunce::canonicalize(parent).ok());
            let Some(found) = parent.and_then(|p| Some(p.join(full.file_name()?))) else {
                continue;
            };
            let inside = RelPath::from_absolute(&found, &self.home);
            paths.push(inside.ok_or_else(|| {
                let (path, root) = (path.display(), self.home.display());
                UserError::new(format!("{path} is outside of the project {root}"))
                    .hint("name the other project with `--root`")
            })?);
        }
        paths.sort_unstable();
        paths.dedup();
        Ok(paths)
    }

    /// The project's files.
    ///
    /// # Errors
    /// A repository that cannot be read.
    pub fn files(&self, states: &dyn FileStates) -> Result<FileSet, UserError> {
        if let Some(files) = &self.listed {
            return Ok(files.clone());
        }
        let walk = |in_repository| walk(&self.root, in_repository, self.listing.as_ref());
        let Some(top) = &self.repository else { return Ok(walk(false)) };
        let read = || tracked(&self.root, top);
        let unwalked =
            self.listing.as_ref().map(|_| Unwalked::look(&index_file(top), &self.root, states));
        let (names, mut files) = thread::scope(|scope| {
            let is_known = unwalked.as_ref().is_some_and(Unwalked::is_likely_known);
            let names = (!is_known).then(|| scope.spawn(read));
            let files = walk(true);
            (names.map(thread::ScopedJoinHandle::join), files)
        });
        let names = names.transpose().map_err(|_| UserError::new("reading git's index failed"))?;
        let read = || names.unwrap_or_else(read);
        let names = match unwalked {
            Some(unwalked) => unwalked.names(&files, read)?,
            None => read()?,
        };
        files.add_tracked(&names, &self.root);
        Ok(files)
    }

    /// The files as they are now. In a snapshot nobody but pyqa makes or removes one.
    pub fn list_again(&self, earlier: &FileSet) -> FileSet {
        if self.is_elsewhere() {
            return earlier.clone();
        }
        FileSet::list_again(earlier, &self.root, self.repository.is_some())
    }

    /// Makes a snapshot ready for programs that work in it: what git ignores is part of the
    /// surroundings, like the environment, and is linked into it.
    ///
    /// # Errors
    /// Those of writing.
    pub fn prepare_for_programs(&self) -> Result<(), UserError> {
        let Some(elsewhere) = &self.snapshot else { return Ok(()) };
        let mut snapshot = elsewhere.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        snapshot.will_be_used()?;
        for path in ignored::ignored(&elsewhere.work_tree)? {
            if path.as_bytes().split(|&byte| byte == b'/').any(is_foreign_folder) {
                continue;
            }
            let from = path.below(&elsewhere.work_tree.top);
            if from.join("pyvenv.cfg").exists() {
                continue;
            }
            let to = path.below(&snapshot.top);
            // Without its folder it has no place in the content; what is there stays.
            if to.parent().is_some_and(Path::is_dir)
                && to.symlink_metadata().is_err()
                && let Err(error) = os::link(&from, &to)
            {
                log::warn!("{} cannot be linked: {error}", to.display());
            }
        }
        Ok(())
    }

    /// `path`, seen from the top of the repository.
    pub fn from_top(&self, path: &RelPath) -> RelPath {
        match &self.repository {
            Some(top) => RelPath::from_absolute(&path.below(&self.home), top),
            None => None,
        }
        .unwrap_or_else(|| path.clone())
    }

    /// Stages what was mended in a snapshot of the index.
    ///
    /// # Errors
    /// What git says where it cannot write the index.
    pub fn restage(&self, fixes: Vec<Fix>) -> Result<Vec<Restaged>, UserError> {
        match &self.snapshot {
            Some(elsewhere) => restage(&elsewhere.work_tree, &elsewhere.entries, fixes),
            None => Ok(Vec::new()),
        }
    }

    /// Variables by which Python resolves imports of the project here and not in the work tree,
    /// and by which git finds no repository.
    pub fn variables(
        &self,
        support: &Path,
        python_path: Option<&std::ffi::OsStr>,
    ) -> Vec<(std::ffi::OsString, std::ffi::OsString)> {
        let (Some(top), Some(repository)) = (&self.top, &self.repository) else {
            return Vec::new();
        };
        if !self.is_elsewhere() {
            return Vec::new();
        }
        let earlier = python_path.into_iter().flat_map(std::env::split_paths);
        let path = std::env::join_paths([support.to_owned()].into_iter().chain(earlier));
        let above = top.parent().unwrap_or(top);
        vec![
            ("PYTHONPATH".into(), path.unwrap_or_else(|_| support.into())),
            ("PYQA_MOVED_FROM".into(), repository.into()),
            ("PYQA_MOVED_TO".into(), top.into()),
            ("GIT_CEILING_DIRECTORIES".into(), above.into()),
        ]
    }

    /// Text about files here, as it is told about those of the work tree.
    pub fn told(&self, text: &str) -> String {
        match (&self.top, &self.repository) {
            (Some(top), Some(repository)) if self.is_elsewhere() => {
                text.replace(&*top.to_string_lossy(), &repository.to_string_lossy())
            }
            _ => text.to_owned(),
        }
    }

    /// The place here that stands for `path` of the work tree.
    pub fn moved(&self, path: &Path) -> Option<PathBuf> {
        let inside = path.strip_prefix(self.repository.as_ref()?).ok()?;
        Some(self.top.as_ref()?.join(inside))
    }

    /// Where `input` lies, a path that a tool was seen to read: absolute, within `root`, or beside the
    /// user's root (`../other/file`). What lies beside it in the repository is part of the content.
    pub fn place_of(&self, input: &[u8], root: &Path) -> PathBuf {
        let input = RelPath::from_bytes(input);
        if !input.as_bytes().starts_with(b"../") {
            // An absolute path replaces the root.
            return input.below(root);
        }
        let place = input.below(&self.home);
        if !self.is_elsewhere() {
            return place;
        }
        let mut plain = PathBuf::new();
        for part in place.components() {
            match part {
                Component::ParentDir => {
                    plain.pop();
                }
                part => plain.push(part),
            }
        }
        self.moved(&plain).unwrap_or(plain)
    }

    /// The error, told about the files of the work tree.
    pub fn told_error(&self, error: UserError) -> UserError {
        let place = error.place.map(|place| Source {
            file: match (&self.top, &self.repository) {
                (Some(top), Some(repository)) => match place.file.strip_prefix(top) {
                    Ok(inside) => repository.join(inside),
                    Err(_) => place.file,
                },
                _ => place.file,
            },
            ..place
        });
        UserError { what: self.told(&error.what), hint: error.hint.map(|h| self.told(&h)), place }
    }
}

/// What earlier runs remember of the names below `root`, where the request lets them be asked.
fn listing(request: &Request, root: &Path) -> Option<Listing> {
    let variable = |name: &str| request.variables.get(name).map(ToOwned::to_owned);
    let cache = (request.cache == CacheUse::ReadWrite).then(|| CacheFolder::locate(variable));
    cache?.listing(root)
}

/// The files below `root` that are not ignored.
fn walk(root: &Path, in_repository: bool, listing: Option<&Listing>) -> FileSet {
    match listing {
        Some(listing) => listing.files(root, in_repository),
        None => FileSet::list(root, in_repository.then_some(&[])),
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

type Read = (Vec<Entry>, Option<Vec<RelPath>>);

/// The content, and which of it is of interest.
fn read(request: &Request, content: &Content, work_tree: &WorkTree) -> Result<Read, UserError> {
    let entries = match content {
        Content::Revision(revision) => {
            let mut entries = entries::of_revision(work_tree, revision)?;
            entries::recognise(&mut entries, work_tree);
            entries
        }
        Content::Staged | Content::WorkTree | Content::Buffer(_) => entries::staged(work_tree)?,
    };
    let changed = changes_of(&request.files, work_tree, &entries)?;
    Ok((entries, changed))
}

fn changes_of(
    files: &Files,
    work_tree: &WorkTree,
    entries: &[Entry],
) -> Result<Option<Vec<RelPath>>, UserError> {
    match files {
        Files::All | Files::Listed(_) => Ok(None),
        Files::Staged => changes::staged(work_tree, entries).map(Some),
        Files::Since(reference) => changes::since(work_tree, reference).map(Some),
        Files::Between { from, to } => changes::between(work_tree, from, to).map(Some),
    }
}

fn below<'a>(paths: impl Iterator<Item = &'a RelPath>, folder: &RelPath) -> Vec<RelPath> {
    paths
        .filter_map(|path| match folder.as_bytes() {
            b"" => Some(path.clone()),
            folder => {
                let inside = path.as_bytes().strip_prefix(folder)?.strip_prefix(b"/")?;
                Some(RelPath::from_bytes(inside))
            }
        })
        .collect()
}

/// The files of a snapshot. Which of them git would ignore is taken from the work tree's.
fn of_snapshot(
    entries: &[Entry],
    snapshot: &Snapshot,
    prefix: &RelPath,
    work_tree: &FileSet,
) -> FileSet {
    let mut files = Vec::new();
    for entry in entries {
        let Some(path) = below([&entry.path].into_iter(), prefix).pop() else { continue };
        let ignored = work_tree.find(&path).is_some_and(|at| work_tree.files[at].ignored);
        let full = entry.path.below(&snapshot.top);
        if !entry.is_link() {
            let Some(stat) = snapshot.stat(&entry.path) else { continue };
            files.push(ProjectFile { path, stat, link: None, ignored });
        } else if let (Ok(target), Ok(meta)) = (full.read_link(), full.metadata())
            && meta.is_file()
        {
            let link = Some(ContentHash::of(target.as_os_str().as_encoded_bytes()));
            files.push(ProjectFile { path, stat: (&meta).into(), link, ignored });
        }
    }
    FileSet { files, ..FileSet::default() }
}

#[cfg(unix)]
mod os {
    use std::io;
    use std::path::Path;

    pub(super) fn link(from: &Path, to: &Path) -> io::Result<()> {
        std::os::unix::fs::symlink(from, to)
    }
}

#[cfg(not(unix))]
mod os {
    use std::io;
    use std::path::Path;

    /// Links need a right that few users have there; files are copied, folders left out.
    pub(super) fn link(from: &Path, to: &Path) -> io::Result<()> {
        if from.is_file() { std::fs::copy(from, to).map(|_| ()) } else { Ok(()) }
    }
}
