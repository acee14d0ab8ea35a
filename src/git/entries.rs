//! Content as git has it, [`Entry`] by [`Entry`]: what the index would commit, and what a commit
//! holds.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use git2::{Index, IndexEntry, IndexTime, ObjectType, Repository, Tree};

use super::program::names;
use super::worktree::WorkTree;
use crate::error::UserError;
use crate::paths::RelPath;
use crate::project::stat::FileStat;

const SUBMODULE: u32 = 0o160_000;
const LINK: u32 = 0o120_000;
/// `extended-flags` of gitformat-index(5).
const INTENT_TO_ADD: u16 = 1 << 13;
const SKIP_WORKTREE: u16 = 1 << 14;

/// A file or link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// From the work tree's top.
    pub path: RelPath,
    /// `100644`, `100755` or `120000`, octal.
    pub mode: u32,
    /// Name of the blob, in hexadecimal.
    pub blob: String,
    /// State of the file in the work tree when its content was this.
    pub seen: Option<SeenStat>,
    /// git leaves the file in the work tree alone, whatever it holds.
    pub skip_worktree: bool,
}

impl Entry {
    pub fn is_link(&self) -> bool {
        self.mode == LINK
    }

    pub fn is_executable(&self) -> bool {
        self.mode & 0o111 != 0
    }
}

/// What the index keeps of a file's state, as far as it proves anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeenStat {
    mtime: i64,
    ctime: i64,
    inode: u32,
    size: u32,
}

impl SeenStat {
    /// Whether a file with `stat` holds what it held then.
    #[expect(clippy::cast_possible_truncation, reason = "as git truncates them")]
    pub fn proves(&self, stat: &FileStat) -> bool {
        (self.mtime, self.ctime) == (stat.mtime, stat.ctime)
            && self.inode == stat.inode as u32
            && self.size == stat.size as u32
    }
}

/// What the index would commit below the top, sorted by path: no submodules, no files that are
/// only intended to be added, none that a sparse checkout leaves out.
///
/// # Errors
/// A file with an unresolved conflict; an index that cannot be read.
pub fn staged(work_tree: &WorkTree) -> Result<Vec<Entry>, UserError> {
    match Index::open(&work_tree.index).and_then(|index| from_index(&index, work_tree)) {
        Ok(Ok(entries)) => Ok(entries),
        Ok(Err(unmerged)) => Err(unresolved(&unmerged)),
        Err(error) => {
            log::info!("libgit2 cannot read the index: {error}; asking git");
            staged_from_program(work_tree)
        }
    }
}

fn unresolved(path: &RelPath) -> UserError {
    UserError::new(format!("{path} has an unresolved conflict"))
        .hint("resolve it, `git add` it, and commit again")
}

fn from_index(
    index: &Index,
    work_tree: &WorkTree,
) -> Result<Result<Vec<Entry>, RelPath>, git2::Error> {
    const SPARSE_FOLDER: u32 = 0o040_000;
    let written = fs::metadata(&work_tree.index).map(|meta| FileStat::from(&meta).mtime);
    let written = written.unwrap_or(i64::MIN);
    let mut entries = Vec::with_capacity(index.len());
    for entry in index.iter() {
        if entry.mode == SPARSE_FOLDER {
            return Err(git2::Error::from_str("the index is sparse"));
        }
        if (entry.flags >> 12) & 3 != 0 {
            return Ok(Err(RelPath::from_bytes(entry.path)));
        }
        let intended = entry.flags_extended & INTENT_TO_ADD != 0;
        if intended || entry.mode == SUBMODULE {
            continue;
        }
        let skipped = entry.flags_extended & SKIP_WORKTREE != 0;
        let seen = seen(&entry, written);
        let path = RelPath::from_bytes(entry.path);
        if skipped && !is_there(&path, &work_tree.top) {
            continue;
        }
        entries.push(Entry {
            path,
            mode: entry.mode,
            blob: entry.id.to_string(),
            seen: seen.filter(|_| !skipped),
            skip_worktree: skipped,
        });
    }
    Ok(Ok(entries))
}

fn is_there(path: &RelPath, top: &Path) -> bool {
    path.below(top).symlink_metadata().is_ok()
}

/// git's rule for racy timestamps: a file as young as the index may have been written once more.
fn seen(entry: &IndexEntry, written: i64) -> Option<SeenStat> {
    let time =
        |time: IndexTime| i64::from(time.seconds()) * 1_000_000_000 + i64::from(time.nanoseconds());
    let (mtime, ctime) = (time(entry.mtime), time(entry.ctime));
    (mtime < written && ctime < written).then_some(SeenStat {
        mtime,
        ctime,
        inode: entry.ino,
        size: entry.file_size,
    })
}

fn staged_from_program(work_tree: &WorkTree) -> Result<Vec<Entry>, UserError> {
    let task = "read what is staged";
    let unmerged = work_tree.read(task, ["ls-files", "-u", "-z"])?;
    let first = unmerged.split(|&byte| byte == 0).next().unwrap_or_default();
    if let Some(at) = first.iter().position(|&byte| byte == b'\t') {
        return Err(unresolved(&RelPath::from_bytes(&first[at + 1..])));
    }
    let tree = work_tree.read(task, ["write-tree"])?;
    let tree = String::from_utf8_lossy(&tree).trim().to_owned();
    let mut entries = of_tree_from_program(work_tree, &tree)?;
    let tagged = work_tree.read(task, ["ls-files", "-t", "-z"])?;
    let skipped: BTreeSet<RelPath> = names(&tagged)
        .filter_map(|line| line.as_bytes().strip_prefix(b"S ").map(RelPath::from_bytes))
        .collect();
    for entry in &mut entries {
        entry.skip_worktree = skipped.contains(&entry.path);
    }
    entries.retain(|entry| !entry.skip_worktree || is_there(&entry.path, &work_tree.top));
    Ok(entries)
}

/// What the commit or tree `revision` holds, sorted by path, without submodules.
///
/// # Errors
/// A revision that there is not.
pub fn of_revision(work_tree: &WorkTree, revision: &str) -> Result<Vec<Entry>, UserError> {
    of_tree(work_tree, revision).or_else(|error| {
        log::info!("libgit2 cannot read {revision}: {error}; asking git");
        of_tree_from_program(work_tree, revision)
    })
}

fn of_tree(work_tree: &WorkTree, revision: &str) -> Result<Vec<Entry>, git2::Error> {
    let repository = open(work_tree)?;
    let tree = repository.revparse_single(revision)?.peel_to_tree()?;
    let mut entries = Vec::new();
    add_tree(&repository, &tree, &[], &mut entries)?;
    entries.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(entries)
}

fn add_tree(
    repository: &Repository,
    tree: &Tree<'_>,
    folder: &[u8],
    entries: &mut Vec<Entry>,
) -> Result<(), git2::Error> {
    for entry in tree {
        let path = [folder, entry.name_bytes()].concat();
        match entry.kind() {
            Some(ObjectType::Tree) => {
                let inner = repository.find_tree(entry.id())?;
                add_tree(repository, &inner, &[&path[..], b"/"].concat(), entries)?;
            }
            Some(ObjectType::Blob) => entries.push(Entry {
                path: RelPath::from_bytes(path),
                mode: u32::try_from(entry.filemode()).unwrap_or(0o100_644),
                blob: entry.id().to_string(),
                seen: None,
                skip_worktree: false,
            }),
            // A submodule.
            _ => {}
        }
    }
    Ok(())
}

/// Adds to the entries of a commit what the index knows of files with the same content.
pub fn recognise(entries: &mut [Entry], work_tree: &WorkTree) {
    // Without it, files are read.
    let Ok(staged) = staged(work_tree) else { return };
    for known in staged {
        if let Ok(at) = entries.binary_search_by(|entry| entry.path.cmp(&known.path))
            && entries[at].blob == known.blob
        {
            entries[at].seen = known.seen;
        }
    }
}

/// The repository, as libgit2 opens it.
///
/// # Errors
/// A format that libgit2 does not know.
pub fn open(work_tree: &WorkTree) -> Result<Repository, git2::Error> {
    Repository::open(&work_tree.git_dir)
}

fn of_tree_from_program(work_tree: &WorkTree, revision: &str) -> Result<Vec<Entry>, UserError> {
    let task = "read what is to be checked";
    let list = work_tree.read(task, ["ls-tree", "-r", "-z", "--full-tree", revision])?;
    Ok(list.split(|&byte| byte == 0).filter_map(line_of_tree).collect())
}

/// `mode SP type SP blob TAB path`
fn line_of_tree(line: &[u8]) -> Option<Entry> {
    let tab = line.iter().position(|&byte| byte == b'\t')?;
    let facts = std::str::from_utf8(&line[..tab]).ok()?;
    let mut facts = facts.split(' ');
    let mode = u32::from_str_radix(facts.next()?, 8).ok()?;
    let blob = facts.nth(1)?.to_owned();
    let path = RelPath::from_bytes(&line[tab + 1..]);
    (mode != SUBMODULE).then_some(Entry { path, mode, blob, seen: None, skip_worktree: false })
}
