//! What a tool was seen to read beside the project's files: inputs of its result that no key
//! covers.

use std::path::{Path, PathBuf};

use super::lookup::{Names, observe};
use crate::cache::entry::ExtraInput;
use crate::hash::FileStates;
use crate::paths::RelPath;
use crate::project::files::{FileSet, is_cache_folder, is_foreign_folder, state_of};
use crate::project::stat::FileStat;

/// What was read beside the files that the key covers.
#[derive(Debug, Default)]
pub struct Recorded {
    pub inputs: Vec<ExtraInput>,
    /// Why it is not known what was read: one of them was changed while the process ran, or the
    /// process told nothing.
    pub doubt: Option<String>,
}

/// Where and how a process ran.
pub struct Recording<'a> {
    pub root: &'a Path,
    /// The root of the work tree, where the root is that of a snapshot too.
    pub home: &'a Path,
    /// The top of the snapshot, where the root is in one.
    pub snapshot: Option<&'a Path>,
    pub files: &'a FileSet,
    /// Files of the set that the key covers.
    pub covered: &'a [usize],
    pub names: Names,
    /// Of environments what was installed, and pyqa's own folders.
    pub apart: &'a [PathBuf],
    pub states: &'a dyn FileStates,
    /// How a file written when the process started was stamped, in nanoseconds since 1970.
    pub started: i64,
}

impl Recording<'_> {
    /// The inputs noted in `file`, one absolute path after the other, each ended by a zero byte.
    pub fn read(&self, file: &Path) -> Recorded {
        let mut recorded = Recorded::default();
        let Ok(bytes) = std::fs::read(file) else {
            recorded.doubt = Some("it did not tell what it read".to_owned());
            return recorded;
        };
        for path in bytes.split(|&byte| byte == 0).filter(|path| !path.is_empty()) {
            let path = RelPath::from_bytes(path).to_path();
            if self
                .apart
                .iter()
                .any(|folder| path.starts_with(folder) && !self.root.starts_with(folder))
            {
                continue;
            }
            let name = RelPath::from_absolute(&path, self.root);
            let counts = match &name {
                Some(name) => self.counts(name, &path),
                None => self.counts_outside(&path),
            };
            if counts {
                self.note(&path, &mut recorded);
            }
            if self.names == Names::Modules {
                self.note_modules(&path, &mut recorded);
            }
        }
        recorded.inputs.sort_unstable();
        recorded.inputs.dedup();
        recorded
    }

    fn note(&self, path: &Path, recorded: &mut Recorded) {
        let absolute = || path.as_os_str().as_encoded_bytes().to_vec();
        let names = match RelPath::from_absolute(path, self.root) {
            Some(name) => [Some(name.as_bytes().to_vec()), None],
            // Where a snapshot lies says nothing; what it holds is the repository's.
            None if self.is_in_snapshot(path) => [way(self.root, path), None],
            // Another checkout, or this one elsewhere, may find another file on the same way. Whether
            // a tool went that way or by the absolute path is not known, so that both count.
            None => [Some(absolute()), way(self.home, path)],
        };
        if state_of(path).is_some_and(|stat| stat.changed() >= self.started) {
            let doubt = || format!("{} was changed meanwhile", path.display());
            recorded.doubt.get_or_insert_with(doubt);
        }
        let state = observe(path, self.names, self.states);
        recorded.inputs.extend(names.into_iter().flatten().map(|path| ExtraInput { path, state }));
    }

    fn is_in_snapshot(&self, path: &Path) -> bool {
        self.snapshot.is_some_and(|top| path.starts_with(top))
    }

    /// mypy reads modules in code of its own that no audit hook sees (its native parser, mypy
    /// 2.4.1), but not before it has listed their folder: each module there may have been read.
    fn note_modules(&self, folder: &Path, recorded: &mut Recorded) {
        if self.root != folder && self.root.starts_with(folder) {
            return;
        }
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_module = path.extension().is_some_and(|e| e == "py" || e == "pyi");
            let name = RelPath::from_absolute(&path, self.root);
            if is_module && name.is_none_or(|name| self.counts(&name, &path)) {
                self.note(&path, recorded);
            }
        }
    }

    /// Whether something outside of the root is an input. Folders above the root are passed through
    /// only.
    fn counts_outside(&self, path: &Path) -> bool {
        // A tool whose own root lies above keeps its cache there.
        let is_cache = path.iter().any(|part| is_cache_folder(part.as_encoded_bytes()));
        let is_passed = || self.root.starts_with(path) || is_for_temporary_files(path);
        !is_cache && (!path.is_dir() || !is_passed())
    }

    /// Whether something within the root is an input that the key does not cover.
    fn counts(&self, name: &RelPath, path: &Path) -> bool {
        if let Some(index) = self.files.find(name) {
            return self.covered.binary_search(&index).is_err();
        }
        let is_searched = self.names == Names::Modules && path.is_dir();
        !name
            .as_bytes()
            .split(|&b| b == b'/')
            .any(|part| if is_searched { is_foreign_folder(part) } else { is_cache_folder(part) })
    }
}

/// The way from `root` to something outside of it. `None` where nothing but the root of the file system
/// is above both, and is not what holds `root` itself (`/etc`).
fn way(root: &Path, path: &Path) -> Option<Vec<u8>> {
    let shared = path.components().zip(root.components()).take_while(|(a, b)| a == b).count();
    let depth = root.components().count();
    if shared < 2 && depth > 2 {
        return None;
    }
    let up = std::iter::repeat_n("..", depth - shared);
    let way: PathBuf = up.map(Path::new).chain(path.iter().skip(shared).map(Path::new)).collect();
    Some(way.into_os_string().into_encoded_bytes())
}

/// Folders in which every session makes a folder of its own: pytest lists its own to remove old ones.
fn is_for_temporary_files(folder: &Path) -> bool {
    folder == std::env::temp_dir()
        || folder.iter().any(|part| part.as_encoded_bytes().starts_with(b"pytest-of-"))
}

/// Files that are made for one process and read when it is over.
#[derive(Debug)]
pub struct SideFiles {
    folder: tempfile::TempDir,
    rule: Option<PathBuf>,
}

impl SideFiles {
    /// `rule` is what pytest's plugin is told of this shard.
    ///
    /// # Errors
    /// Those of making a folder for temporary files and of writing there.
    pub fn new(rule: Option<&[u8]>) -> std::io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("pyqa-").tempdir()?;
        let file = rule.map(|_| folder.path().join("shard.json"));
        if let (Some(rule), Some(file)) = (rule, &file) {
            std::fs::write(file, rule)?;
        }
        Ok(Self { folder, rule: file })
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file with the rule.
    pub fn rule(&self) -> Option<PathBuf> {
        self.rule.clone()
    }

    /// The time by the clock that stamps files, in nanoseconds since 1970; in the distant past where
    /// it cannot be had, so that nothing counts as older.
    pub fn stamp(&self) -> i64 {
        let file = self.folder.path().join("stamp");
        let stamped = std::fs::write(&file, "").and_then(|()| std::fs::metadata(file));
        stamped.map_or(i64::MIN, |meta| FileStat::from(&meta).mtime)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
