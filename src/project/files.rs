//! The project's files, [`FileSet`]: what git tracks, and what is neither tracked nor ignored.
//! Outside of a repository, everything that no ignore file excludes. Nothing is read here.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::stat::FileStat;
use crate::hash::ContentHash;
use crate::paths::RelPath;

/// Folders that never hold the project's own files, unless git tracks some in them.
const FOREIGN_FOLDERS: [&str; 14] = [
    ".git",
    ".hg",
    ".svn",
    ".jj",
    "__pycache__",
    ".tox",
    ".nox",
    ".eggs",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".hypothesis",
    ".ipynb_checkpoints",
    "node_modules",
];

/// Folders that tools write for themselves: what they read there is no input of a result.
const CACHES: [&str; 5] =
    ["__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis"];

/// Whether a folder of this name is a tool's cache.
pub fn is_cache_folder(name: &[u8]) -> bool {
    CACHES.iter().any(|cache| cache.as_bytes() == name)
}

/// Whether a folder of this name holds other things than the project's files.
pub fn is_foreign_folder(name: &[u8]) -> bool {
    FOREIGN_FOLDERS.iter().any(|foreign| foreign.as_bytes() == name)
}

/// Usual names of virtual environments; such a folder is one when it holds this file.
const ENVIRONMENT_FOLDERS: [&str; 6] = [".venv", "venv", ".env", "env", "ENV", "virtualenv"];
const ENVIRONMENT_MARK: &str = "pyvenv.cfg";

/// A regular file of the project, or a link to one.
#[derive(Clone, Debug)]
pub struct ProjectFile {
    pub path: RelPath,
    /// Of the file itself; for a link, of what it leads to.
    pub stat: FileStat,
    /// For a link: hash of the path that it holds.
    pub link: Option<ContentHash>,
    /// Tracked, although a walk that heeds ignore rules does not come upon it.
    pub ignored: bool,
}

/// The project's files, sorted by path, each once.
#[derive(Clone, Debug, Default)]
pub struct FileSet {
    pub files: Vec<ProjectFile>,
    /// Folders that were looked at to find the files, and their states then, sorted by path. Not all
    /// need be among them.
    pub folders: Vec<(RelPath, FileStat)>,
}

impl FileSet {
    /// Lists the files below `root`. `tracked` holds git's names below the root, sorted; `None`
    /// outside of a repository.
    pub fn list(root: &Path, tracked: Option<&[RelPath]>) -> Self {
        let mut set = Walked::of_project(root, tracked.is_some()).into_files();
        if let Some(tracked) = tracked {
            set.add_tracked(tracked, root);
        }
        set
    }

    /// Adds those of `tracked`, git's names below `root`, sorted, that the walk passed over.
    pub fn add_tracked(&mut self, tracked: &[RelPath], root: &Path) {
        let mut walked = self.files.iter().map(|file| &file.path).peekable();
        let is_missing = |path: &&RelPath| {
            while walked.next_if(|known| known < path).is_some() {}
            walked.peek() != Some(path)
        };
        let missing: Vec<&RelPath> = tracked.iter().filter(is_missing).collect();
        let found = missing
            .into_iter()
            .filter_map(|path| Some(ProjectFile { ignored: true, ..look_at(path.clone(), root)? }));
        let before = self.files.len();
        self.files.extend(found);
        if self.files.len() > before {
            self.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
            self.files.dedup_by(|a, b| a.path == b.path);
        }
    }

    /// All files below `folder`, ignored ones too, but for caches and environments.
    pub fn everything(folder: &Path) -> Self {
        walk(folder, WalkBuilder::new(folder).standard_filters(false)).into_files()
    }

    /// Lists the files below `root` once more, those of `earlier` that are tracked though ignored
    /// included.
    pub fn list_again(earlier: &Self, root: &Path, in_repository: bool) -> Self {
        let names: Vec<RelPath> = earlier.files.iter().map(|file| file.path.clone()).collect();
        Self::list(root, in_repository.then_some(&names))
    }

    pub fn len(&self) -> usize {
        self.files.len()
    }

    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    pub fn find(&self, path: &RelPath) -> Option<usize> {
        self.files.binary_search_by(|file| file.path.cmp(path)).ok()
    }
}

/// The state of one file; `None` where there is none, or no regular one.
pub fn look_at(path: RelPath, root: &Path) -> Option<ProjectFile> {
    let full = path.below(root);
    let meta = fs::symlink_metadata(&full).ok()?;
    describe(path, &full, &meta)
}

/// The same for a file anywhere.
pub fn state_of(file: &Path) -> Option<FileStat> {
    let meta = fs::symlink_metadata(file).ok()?;
    describe(RelPath::from(""), file, &meta).map(|file| file.stat)
}

fn describe(path: RelPath, full: &Path, meta: &fs::Metadata) -> Option<ProjectFile> {
    if meta.is_file() {
        return Some(ProjectFile { path, stat: FileStat::from(meta), link: None, ignored: false });
    }
    if !meta.is_symlink() {
        return None;
    }
    let target = fs::read_link(full).ok()?;
    let behind = fs::metadata(full).ok()?;
    behind.is_file().then(|| ProjectFile {
        path,
        stat: FileStat::from(&behind),
        link: Some(ContentHash::of(target.as_os_str().as_encoded_bytes())),
        ignored: false,
    })
}

/// What a walk came upon.
#[derive(Debug, Default)]
pub struct Walked {
    files: Vec<ProjectFile>,
    /// Names that lead to no file as they are now: dangling links, sockets.
    others: Vec<RelPath>,
    /// Folders that were gone through, with the state that each had before.
    pub folders: Vec<(RelPath, FileStat)>,
    /// Folders that were passed over for what lies in them.
    pub environments: Vec<RelPath>,
    /// Folders that are other projects.
    foreign: Vec<RelPath>,
    /// Something could not be looked at.
    pub failed: bool,
}

impl Walked {
    /// Walks from `root`, heeding ignore rules.
    pub fn of_project(root: &Path, in_repository: bool) -> Self {
        let mut builder = WalkBuilder::new(root);
        builder.hidden(false).ignore(false).require_git(in_repository);
        walk(root, &mut builder)
    }

    /// The names of what is no folder and may be a file of the project, sorted.
    pub fn names(&self) -> Vec<&RelPath> {
        let mut names: Vec<_> =
            self.files.iter().map(|file| &file.path).chain(&self.others).collect();
        names.sort_unstable();
        names
    }

    pub fn into_files(mut self) -> FileSet {
        self.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        FileSet { files: self.files, folders: Vec::new() }
    }

    fn append(&mut self, other: &mut Self) {
        self.files.append(&mut other.files);
        self.others.append(&mut other.others);
        self.folders.append(&mut other.folders);
        self.environments.append(&mut other.environments);
        self.foreign.append(&mut other.foreign);
        self.failed |= other.failed;
    }

    fn add(&mut self, entry: &DirEntry, root: &Path) -> WalkState {
        let Some(path) = RelPath::from_absolute(entry.path(), root) else {
            return WalkState::Continue;
        };
        // A repository or an environment within the project is not the project.
        if entry.depth() > 1 && matches!(path.file_name(), b".git" | b"pyvenv.cfg") {
            self.foreign.push(RelPath::from_bytes(path.parent()));
            return WalkState::Skip;
        }
        let is_folder = entry.file_type().is_some_and(|t| t.is_dir());
        match entry.metadata() {
            // The walk looks into the folder after this.
            Ok(meta) if is_folder => self.folders.push((path, FileStat::from(&meta))),
            Ok(meta) => match describe(path.clone(), entry.path(), &meta) {
                Some(file) => self.files.push(file),
                None => self.others.push(path),
            },
            Err(error) => self.fail(&error),
        }
        WalkState::Continue
    }

    fn fail(&mut self, error: &ignore::Error) {
        log::warn!("{error}");
        self.failed = true;
    }
}

/// What one thread of the walk has found; handed over when the thread ends.
struct Gathered<'a> {
    found: Walked,
    all: &'a Mutex<Walked>,
}

impl Drop for Gathered<'_> {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).append(&mut self.found);
    }
}

fn walk(root: &Path, builder: &mut WalkBuilder) -> Walked {
    let all = Mutex::default();
    let environments: Arc<Mutex<Vec<PathBuf>>> = Arc::default();
    let passed_over = Arc::clone(&environments);
    let enters = move |entry: &DirEntry| {
        let kind = kind_of(entry);
        if kind == Kind::Environment {
            let mut passed_over = passed_over.lock().unwrap_or_else(PoisonError::into_inner);
            passed_over.push(entry.path().to_owned());
        }
        kind == Kind::Own
    };
    builder.filter_entry(enters).build_parallel().run(|| {
        let mut gathered = Gathered { found: Walked::default(), all: &all };
        Box::new(move |entry| match entry {
            Ok(entry) => gathered.found.add(&entry, root),
            Err(error) => {
                gathered.found.fail(&error);
                WalkState::Continue
            }
        })
    });
    let mut walked = all.into_inner().unwrap_or_else(PoisonError::into_inner);
    let environments =
        std::mem::take(&mut *environments.lock().unwrap_or_else(PoisonError::into_inner));
    walked.environments =
        environments.iter().filter_map(|path| RelPath::from_absolute(path, root)).collect();
    let foreign = std::mem::take(&mut walked.foreign);
    if !foreign.is_empty() {
        let is_own =
            |path: &RelPath| !foreign.iter().any(|folder| path.is_within(folder.as_bytes()));
        walked.files.retain(|file| is_own(&file.path));
        walked.others.retain(is_own);
    }
    walked
}

/// What a walk makes of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Own,
    /// Never the project's, whatever lies in it.
    Foreign,
    /// A folder that is an environment because of what lies in it.
    Environment,
}

/// Whether a walk goes on here.
pub(super) fn is_own(entry: &DirEntry) -> bool {
    kind_of(entry) == Kind::Own
}

fn kind_of(entry: &DirEntry) -> Kind {
    if entry.depth() == 0 || !entry.file_type().is_some_and(|t| t.is_dir()) {
        return Kind::Own;
    }
    let Some(name) = entry.file_name().to_str() else { return Kind::Own };
    // The `.git` folder of a nested repository has to be seen to know its parent as foreign.
    if name == ".git" && entry.depth() > 1 {
        return Kind::Own;
    }
    if FOREIGN_FOLDERS.contains(&name) {
        return Kind::Foreign;
    }
    let is_environment = ENVIRONMENT_FOLDERS.contains(&name)
        && entry.path().join(ENVIRONMENT_MARK).symlink_metadata().is_ok();
    if is_environment { Kind::Environment } else { Kind::Own }
}

/// The folder in which `path` lies, or `path` itself when it is one.
pub fn folder_of(path: &Path) -> PathBuf {
    if path.is_dir() {
        return path.to_owned();
    }
    path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new(".")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for file in files {
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        root
    }

    fn names(set: &FileSet) -> Vec<String> {
        set.files.iter().map(|f| f.path.to_string()).collect()
    }

    #[test]
    fn environments_nested_repositories_and_caches_are_not_the_project() {
        let root = tree(&[
            "a.py",
            ".venv/pyvenv.cfg",
            ".venv/lib/x.py",
            "my-env/pyvenv.cfg",
            "my-env/lib/x.py",
            "vendored/.git/HEAD",
            "vendored/x.py",
            "pkg/__pycache__/a.pyc",
            "env/settings.py",
        ]);
        assert_eq!(names(&FileSet::list(root.path(), None)), ["a.py", "env/settings.py"]);
    }

    #[test]
    fn tracked_files_count_even_where_they_are_ignored() {
        let root = tree(&["a.py", "build/gen.py", "build/other.py"]);
        fs::create_dir(root.path().join(".git")).unwrap();
        fs::write(root.path().join(".gitignore"), "build/\n").unwrap();
        let tracked = ["a.py".into(), "build/gen.py".into(), "gone.py".into()];
        let set = FileSet::list(root.path(), Some(&tracked));
        assert_eq!(names(&set), [".gitignore", "a.py", "build/gen.py"]);
    }

    #[cfg(unix)]
    #[test]
    fn links_to_files_count_and_dangling_ones_do_not() {
        let root = tree(&["a.py"]);
        std::os::unix::fs::symlink("a.py", root.path().join("b.py")).unwrap();
        std::os::unix::fs::symlink("gone.py", root.path().join("c.py")).unwrap();
        let set = FileSet::list(root.path(), None);
        assert_eq!(names(&set), ["a.py", "b.py"]);
        assert!(set.files[1].link.is_some());
    }
}
