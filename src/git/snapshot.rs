//! Content that is not what the work tree holds, as a folder: [`Snapshot`]. It stays between runs
//! and only files whose blob changed are written. git itself writes them, so that its filters
//! apply.
//!
//! The record beside the folder names what it holds. It never claims more than what is there: it
//! is cut down before files change, and completed after.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use rayon::prelude::*;

use super::entries::Entry;
use super::filters::filters;
use super::record::{Held, Record};
use super::worktree::{WorkTree, not_started};
use crate::error::UserError;
use crate::paths::RelPath;
use crate::project::files::is_foreign_folder;
use crate::project::stat::FileStat;

/// How often a busy snapshot is asked for.
const TICK: Duration = Duration::from_millis(20);

/// Where the content comes from; each kind has a folder of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin<'a> {
    Index,
    /// A commit or tree.
    Revision(&'a str),
}

impl Origin<'_> {
    fn name(self) -> &'static str {
        match self {
            Self::Index => "staged",
            Self::Revision(_) => "revision",
        }
    }
}

/// A folder with the content, held for one process until dropped.
#[derive(Debug)]
pub struct Snapshot {
    /// What stands for the work tree's top.
    pub top: PathBuf,
    folder: PathBuf,
    record_file: PathBuf,
    record: Record,
    /// Released with the file.
    _lock: File,
}

impl Snapshot {
    /// Makes the folder hold exactly `entries`, which are those of `origin`. Waits while another
    /// process uses it, unless `is_cancelled`.
    ///
    /// # Errors
    /// A full disk or a folder that cannot be written; a filter of git's that fails.
    pub fn take(
        work_tree: &WorkTree,
        origin: Origin<'_>,
        entries: &[Entry],
        is_cancelled: &dyn Fn() -> bool,
    ) -> Result<Self, UserError> {
        let folder = work_tree.own(origin.name());
        let failed = |error: io::Error| cannot_write(&folder, &error);
        fs::create_dir_all(&folder).map_err(failed)?;
        let lock = lock(&folder.with_extension("lock"), is_cancelled).map_err(failed)?;
        // A package is named by its folder, and the top may be one.
        let name = work_tree.top.file_name().unwrap_or("top".as_ref());
        let record_file = folder.with_extension("record");
        let record = Record::read(&record_file, name.as_encoded_bytes());
        let top = folder.join(name);
        let mut snapshot = Self { top, folder, record_file, record, _lock: lock };
        snapshot.synchronise(work_tree, origin, entries)?;
        Ok(snapshot)
    }

    /// The state of a file as it was written.
    pub fn stat(&self, path: &RelPath) -> Option<FileStat> {
        self.record.files.get(path).map(|held| held.stat)
    }

    /// Notes that programs work in the folder: what they leave there is removed before the next
    /// use.
    ///
    /// # Errors
    /// Those of writing.
    pub fn will_be_used(&mut self) -> Result<(), UserError> {
        if self.record.untidy {
            return Ok(());
        }
        self.record.untidy = true;
        self.save()
    }

    fn save(&self) -> Result<(), UserError> {
        self.record.write(&self.record_file).map_err(|error| cannot_write(&self.folder, &error))
    }

    fn synchronise(
        &mut self,
        work_tree: &WorkTree,
        origin: Origin<'_>,
        entries: &[Entry],
    ) -> Result<(), UserError> {
        let filters = Some(filters(work_tree, entries));
        let is_written_so = self.record.filters == filters;
        let is_held = |entry: &&Entry| {
            let held = self.record.files.get(&entry.path);
            held.is_some_and(|held| {
                is_written_so
                    && held.is(entry)
                    && stat_of(&entry.path, &self.top) == Some(held.stat)
            })
        };
        let (kept, changed): (Vec<&Entry>, Vec<&Entry>) =
            entries.par_iter().partition(|entry| is_held(entry));
        let is_complete = changed.is_empty() && kept.len() == self.record.files.len();
        if is_complete && !self.record.untidy && self.top.is_dir() {
            return Ok(());
        }
        let mut rest = std::mem::take(&mut self.record.files);
        for entry in kept {
            if let Some(held) = rest.remove(&entry.path) {
                self.record.files.insert(entry.path.clone(), held);
            }
        }
        self.record.filters = filters;
        let was_untidy = std::mem::replace(&mut self.record.untidy, true);
        self.save()?;
        let failed = |error: io::Error| cannot_write(&self.folder, &error);
        make_top(&self.folder, &self.top).map_err(failed)?;
        if was_untidy {
            tidy(&self.top, &self.record).map_err(failed)?;
        } else {
            for path in rest.keys() {
                remove(path, &self.top).map_err(failed)?;
            }
        }
        for entry in &changed {
            clear_way(&entry.path, &self.top).map_err(failed)?;
        }
        checkout(work_tree, origin, &changed, &self.top)?;
        for entry in changed {
            let stat = stat_of(&entry.path, &self.top).ok_or_else(|| missing(&entry.path))?;
            self.record.files.insert(entry.path.clone(), Held::new(entry, stat));
        }
        self.record.untidy = false;
        self.save()
    }
}

fn cannot_write(folder: &Path, error: &io::Error) -> UserError {
    UserError::new(format!("the staged files cannot be written to {}: {error}", folder.display()))
        .hint("free some space, or make the folder writable")
}

fn missing(path: &RelPath) -> UserError {
    UserError::new(format!("git did not write {path}"))
        .hint("run `git checkout-index --prefix=/tmp/x/ -a` to see what git says")
}

fn lock(path: &Path, is_cancelled: &dyn Fn() -> bool) -> io::Result<File> {
    let file = File::options().create(true).append(true).open(path)?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if is_cancelled() => {
                return Err(io::Error::other("interrupted while another process used it"));
            }
            Err(TryLockError::WouldBlock) => {
                if !std::mem::replace(&mut told, true) {
                    log::info!("waiting for another pyqa in this work tree");
                }
                thread::sleep(TICK);
            }
        }
    }
}

fn stat_of(path: &RelPath, top: &Path) -> Option<FileStat> {
    let meta = fs::symlink_metadata(path.below(top)).ok()?;
    (!meta.is_dir()).then(|| FileStat::from(&meta))
}

/// The folder, and in it an empty `.git`: tools that look for the top of a repository find it
/// where they would find it in the work tree. To git it is nothing.
fn make_top(folder: &Path, top: &Path) -> io::Result<()> {
    if top.is_dir() {
        return fs::create_dir_all(top.join(".git"));
    }
    // The work tree was renamed, or this is the first use.
    for entry in fs::read_dir(folder)?.flatten() {
        remove_all(&entry.path())?;
    }
    fs::create_dir_all(top.join(".git"))
}

/// Removes all that the record does not know, but for what tools keep for their next run.
fn tidy(top: &Path, record: &Record) -> io::Result<()> {
    let mut folders = vec![(top.to_owned(), RelPath::from(""))];
    while let Some((folder, path)) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let inner = match path.as_bytes() {
                b"" => RelPath::from_bytes(name.as_encoded_bytes()),
                outer => RelPath::from_bytes([outer, b"/", name.as_encoded_bytes()].concat()),
            };
            let is_folder = entry.file_type()?.is_dir();
            if is_folder && record.has_below(&inner) {
                folders.push((entry.path(), inner));
            } else if is_folder && is_foreign_folder(name.as_encoded_bytes()) {
                // Bytecode and caches of tools.
            } else if is_folder || !record.files.contains_key(&inner) {
                remove_all(&entry.path())?;
            }
        }
    }
    Ok(())
}

fn remove_all(path: &Path) -> io::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(meta) if meta.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) => Err(error),
    };
    removed.or_else(|error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Ok(()),
        _ => Err(error),
    })
}

/// Removes a file, and the folders that it leaves empty.
fn remove(path: &RelPath, top: &Path) -> io::Result<()> {
    let full = path.below(top);
    remove_all(&full)?;
    for folder in full.ancestors().skip(1).take_while(|folder| *folder != top) {
        // What is left there keeps it.
        let _ = remove_all(&folder.join("__pycache__"));
        if fs::remove_dir(folder).is_err() {
            break;
        }
    }
    Ok(())
}

/// Removes what stands where the file, or a folder above it, is to be.
fn clear_way(path: &RelPath, top: &Path) -> io::Result<()> {
    let full = path.below(top);
    let above: Vec<&Path> = full.ancestors().skip(1).take_while(|f| *f != top).collect();
    for folder in above.into_iter().rev() {
        match fs::symlink_metadata(folder) {
            Ok(meta) if meta.is_dir() => {}
            Ok(_) => remove_all(folder)?,
            Err(_) => break,
        }
    }
    remove_all(&full)
}

/// Lets git write the entries, filtered as for the work tree.
fn checkout(
    work_tree: &WorkTree,
    origin: Origin<'_>,
    entries: &[&Entry],
    top: &Path,
) -> Result<(), UserError> {
    if entries.is_empty() {
        return Ok(());
    }
    let task = "write the files that are to be checked";
    let index = match origin {
        Origin::Index => None,
        Origin::Revision(revision) => {
            let index = work_tree.own("revision.index");
            let mut command = work_tree.git(["read-tree", "--end-of-options", revision]);
            let output = command.env("GIT_INDEX_FILE", &index).output();
            super::worktree::succeeded(task, output.map_err(|error| not_started(task, &error))?)?;
            Some(index)
        }
    };
    let mut prefix = std::ffi::OsString::from("--prefix=");
    prefix.push(top);
    prefix.push("/");
    let mut command = work_tree.git(["checkout-index", "--force", "-z", "--stdin"]);
    command.arg(prefix).stdin(Stdio::piped());
    if entries.iter().any(|entry| entry.skip_worktree) {
        // git 2.36 or later; an older one says that it does not know it.
        command.arg("--ignore-skip-worktree-bits");
    }
    if let Some(index) = &index {
        command.env("GIT_INDEX_FILE", index);
    }
    let mut child = command.spawn().map_err(|error| not_started(task, &error))?;
    let mut list = Vec::new();
    for entry in entries {
        list.extend_from_slice(entry.path.as_bytes());
        list.push(0);
    }
    let feeder = child.stdin.take().map(|mut pipe| {
        // A git that stops early says why at its end.
        thread::spawn(move || io::Write::write_all(&mut pipe, &list).is_ok())
    });
    let output = child.wait_with_output().map_err(|error| not_started(task, &error))?;
    let fed = feeder.is_none_or(|feeder| feeder.join().unwrap_or(false));
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    // A filter that is not required may fail, and git goes on with the unfiltered content.
    let complains = words.lines().any(|line| line.starts_with("error:"));
    if !output.status.success() || complains || !fed {
        return Err(UserError::new(format!("git cannot {task}: {words}"))
            .hint("see the filters in .gitattributes and in `git config --list`"));
    }
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use super::*;
    use crate::git::entries::staged;
    use crate::git::testing::Repository;
    use crate::project::variables::Variables;

    fn take(repository: &Repository) -> Result<Snapshot, UserError> {
        let work_tree = WorkTree::find(repository.top(), &Variables::default()).unwrap();
        let entries = staged(&work_tree)?;
        Snapshot::take(&work_tree, Origin::Index, &entries, &|| false)
    }

    /// Names below the snapshot's top, without `.git`.
    fn names(snapshot: &Snapshot) -> Vec<String> {
        let mut names = Vec::new();
        let mut folders = vec![snapshot.top.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().flatten() {
                if entry.file_type().unwrap().is_dir() {
                    folders.push(entry.path());
                } else {
                    let path = entry.path();
                    let name = path.strip_prefix(&snapshot.top).unwrap();
                    names.push(name.to_str().unwrap().to_owned());
                }
            }
        }
        names.sort();
        names
    }

    fn text(snapshot: &Snapshot, name: &str) -> String {
        fs::read_to_string(snapshot.top.join(name)).unwrap()
    }

    #[test]
    fn it_holds_what_the_index_would_commit() {
        let repository = Repository::new();
        repository.write("a.py", "staged\n").write("pkg/b.py", "b\n").write("gone.py", "");
        repository.commit("first");
        repository.write("a.py", "not staged\n").write("untracked.py", "");
        repository.write("intended.py", "x\n").git(&["add", "-N", "intended.py"]);
        repository.git(&["rm", "-q", "--cached", "gone.py"]);
        std::os::unix::fs::symlink("a.py", repository.top().join("link.py")).unwrap();
        repository.git(&["add", "link.py"]);
        let snapshot = take(&repository).unwrap();
        assert_eq!(names(&snapshot), ["a.py", "link.py", "pkg/b.py"]);
        assert_eq!(text(&snapshot, "a.py"), "staged\n");
        assert!(snapshot.top.join("link.py").is_symlink());
    }

    #[test]
    fn only_what_has_changed_is_written_again() {
        let repository = Repository::new();
        repository.write("a.py", "1\n").write("b.py", "1\n").write("c/d.py", "1\n").commit("first");
        let first = take(&repository).unwrap();
        let kept = first.stat(&"a.py".into());
        drop(first);
        repository.write("b.py", "2\n").git(&["rm", "-qr", "c"]).git(&["add", "-A"]);
        repository.write("c", "a file now\n").git(&["add", "c"]);
        let second = take(&repository).unwrap();
        assert_eq!(second.stat(&"a.py".into()), kept);
        assert_eq!(
            (text(&second, "b.py"), names(&second)),
            ("2\n".into(), ["a.py", "b.py", "c"].map(String::from).to_vec())
        );
    }

    #[test]
    fn what_others_left_or_changed_there_is_mended() {
        let repository = Repository::new();
        repository.write("a.py", "1\n").write("pkg/b.py", "1\n").write("pkg/c.py", "");
        repository.commit("first");
        let mut snapshot = take(&repository).unwrap();
        snapshot.will_be_used().unwrap();
        fs::write(snapshot.top.join("stray.py"), "").unwrap();
        fs::create_dir_all(snapshot.top.join("pkg/made")).unwrap();
        fs::create_dir_all(snapshot.top.join("pkg/__pycache__")).unwrap();
        fs::write(snapshot.top.join("a.py"), "other\n").unwrap();
        fs::remove_file(snapshot.top.join("pkg/b.py")).unwrap();
        drop(snapshot);
        let snapshot = take(&repository).unwrap();
        assert_eq!((names(&snapshot).len(), text(&snapshot, "a.py")), (3, "1\n".into()));
        assert!(!snapshot.top.join("pkg/made").exists());
        assert!(snapshot.top.join("pkg/__pycache__").exists());
    }

    #[test]
    fn a_lost_or_damaged_record_costs_time_only() {
        let repository = Repository::new();
        repository.write("a.py", "1\n").commit("first");
        let snapshot = take(&repository).unwrap();
        fs::write(snapshot.top.join("stray.py"), "").unwrap();
        fs::write(&snapshot.record_file, "damaged").unwrap();
        drop(snapshot);
        assert_eq!(names(&take(&repository).unwrap()), ["a.py"]);
    }

    #[test]
    fn filters_apply_and_a_change_of_theirs_writes_anew() {
        let repository = Repository::new();
        repository.write("a.py", "x\ny\n").commit("first");
        assert_eq!(text(&take(&repository).unwrap(), "a.py"), "x\ny\n");
        repository.git(&["config", "core.autocrlf", "true"]);
        assert_eq!(text(&take(&repository).unwrap(), "a.py"), "x\r\ny\r\n");
    }

    #[test]
    fn a_filter_that_fails_is_an_error() {
        let repository = Repository::new();
        repository.write("a.py", "x\n").write(".gitattributes", "a.py filter=broken\n");
        repository.commit("first").git(&["config", "filter.broken.smudge", "false"]);
        let error = take(&repository).unwrap_err();
        assert!(error.what.contains("external filter 'false' failed"), "{error}");
    }

    #[test]
    fn formats_that_libgit2_does_not_know_are_read_by_git() {
        let formats =
            [&["--object-format=sha256"][..], &["--ref-format=reftable"], &["--split-index"]];
        for format in formats {
            let repository = Repository::new();
            fs::remove_dir_all(repository.top().join(".git")).unwrap();
            let is_split = format == ["--split-index"];
            repository
                .git(&[&["init", "-q"][..], if is_split { &[][..] } else { format }].concat());
            repository.write("a.py", "1\n").commit("first").write("a.py", "2\n");
            repository.write("intended.py", "x\n").git(&["add", "-N", "intended.py"]);
            if is_split {
                repository.git(&["update-index", "--split-index"]);
            }
            let snapshot = take(&repository).unwrap();
            assert_eq!(names(&snapshot), ["a.py"], "{format:?}");
            assert_eq!(text(&snapshot, "a.py"), "1\n", "{format:?}");
        }
    }

    #[test]
    fn files_outside_of_a_sparse_checkout_stay_out() {
        let repository = Repository::new();
        repository.write("in/a.py", "1\n").write("out/b.py", "1\n").commit("first");
        for kind in ["--no-sparse-index", "--sparse-index"] {
            repository.git(&["sparse-checkout", "set", "--cone", kind, "in"]);
            assert_eq!(names(&take(&repository).unwrap()), ["in/a.py"], "{kind}");
        }
    }
}
