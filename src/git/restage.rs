//! Puts mended content into the index, and into the work tree as far as that loses nothing:
//! [`restage`]. The index comes first, so that an end at any moment leaves the user's own lines
//! where they were.

use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Stdio;
use std::thread;

use git2::{MergeFileInput, ObjectType, Oid, merge_file};

use super::entries::{Entry, staged};
use super::worktree::{WorkTree, not_started, succeeded};
use crate::error::UserError;
use crate::paths::RelPath;
use crate::project::stat::FileStat;

/// A file that was mended. Content is as git's filters leave it in a work tree.
pub struct Fix {
    /// From the top.
    pub path: RelPath,
    pub before: Vec<u8>,
    pub after: Vec<u8>,
}

/// What became of the file in the work tree, whose staged content is mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InWorkTree {
    /// It held the staged content, and holds the mended one.
    Updated,
    /// Changes that are not staged were kept beside the fix.
    Merged,
    /// Changes that are not staged touch the same lines: it is as it was.
    Conflict,
    /// It is not there, or is no file.
    Absent,
    /// It could not be written, and is as it was.
    NotWritten(String),
}

/// A mended file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restaged {
    /// From the top.
    pub path: RelPath,
    pub in_work_tree: InWorkTree,
}

/// Stages the fixes of `entries`, the content that was mended. A file that was staged anew
/// meanwhile is left alone.
///
/// # Errors
/// What git says where it cannot write the index; nothing is changed then.
pub fn restage(
    work_tree: &WorkTree,
    entries: &[Entry],
    fixes: Vec<Fix>,
) -> Result<Vec<Restaged>, UserError> {
    let now = staged(work_tree)?;
    let is_current = |entry: &Entry| {
        let found = now.binary_search_by(|other| other.path.cmp(&entry.path));
        found.is_ok_and(|at| (&now[at].blob, now[at].mode) == (&entry.blob, entry.mode))
    };
    let mut lines = Vec::new();
    let mut taken = Vec::new();
    for fix in fixes {
        let found = entries.binary_search_by(|entry| entry.path.cmp(&fix.path));
        let Some(entry) = found.ok().map(|at| &entries[at]).filter(|entry| is_current(entry))
        else {
            continue;
        };
        let blob = write_blob(work_tree, &fix)?;
        lines.push((entry.clone(), Entry { blob, ..entry.clone() }));
        taken.push(fix);
    }
    if lines.is_empty() {
        return Ok(Vec::new());
    }
    let all: Vec<&Entry> = lines.iter().map(|(_, new)| new).collect();
    update_index(work_tree, &all, None)?;
    update_own_index(work_tree, &lines)?;
    let restaged = taken.iter().map(|fix| Restaged {
        path: fix.path.clone(),
        in_work_tree: update_file(fix, &work_tree.top),
    });
    let restaged = restaged.collect();
    // The index learns what the files look like now; a file that differs is no failure.
    let _ = work_tree.git(["update-index", "-q", "--refresh"]).output();
    Ok(restaged)
}

/// The blob that `git add` would make of the content.
fn write_blob(work_tree: &WorkTree, fix: &Fix) -> Result<String, UserError> {
    let task = "store the mended content";
    let mut path = std::ffi::OsString::from("--path=");
    path.push(fix.path.to_path());
    let mut command = work_tree.git(["hash-object", "-w", "--stdin"]);
    command.arg(path);
    let output = fed(command, fix.after.clone()).map_err(|error| not_started(task, &error))?;
    Ok(String::from_utf8_lossy(&succeeded(task, output)?).trim().to_owned())
}

fn update_index(
    work_tree: &WorkTree,
    entries: &[&Entry],
    index: Option<&Path>,
) -> Result<(), UserError> {
    let task = "stage the mended content";
    let mut list = Vec::new();
    for entry in entries {
        list.extend_from_slice(format!("{:o} {}\t", entry.mode, entry.blob).as_bytes());
        list.extend_from_slice(entry.path.as_bytes());
        list.push(0);
    }
    let mut command = work_tree.git(["update-index", "-z", "--index-info"]);
    if let Some(index) = index {
        command.env("GIT_INDEX_FILE", index);
    }
    let output = fed(command, list).map_err(|error| not_started(task, &error))?;
    succeeded(task, output).map(|_| ())
}

/// `git commit PATH` commits from a temporary index, and then puts another one, which it has
/// written already and holds locked, in the place of the work tree's own: without the fix in it
/// too, the fix would be taken back by the next commit.
fn update_own_index(work_tree: &WorkTree, lines: &[(Entry, Entry)]) -> Result<(), UserError> {
    let name = work_tree.index.file_name().unwrap_or_default().as_encoded_bytes();
    let own = work_tree.git_dir.join("index.lock");
    if !name.starts_with(b"next-index-") || !own.is_file() {
        return Ok(());
    }
    let held = staged(&work_tree.with_index(own.clone()))?;
    let is_held = |old: &Entry| {
        let found = held.binary_search_by(|entry| entry.path.cmp(&old.path));
        found.is_ok_and(|at| held[at].blob == old.blob)
    };
    let new: Vec<&Entry> =
        lines.iter().filter(|(old, _)| is_held(old)).map(|(_, new)| new).collect();
    if new.is_empty() { Ok(()) } else { update_index(work_tree, &new, Some(&own)) }
}

fn fed(mut command: std::process::Command, input: Vec<u8>) -> io::Result<std::process::Output> {
    let mut child = command.stdin(Stdio::piped()).spawn()?;
    let pipe = child.stdin.take();
    let feeder = thread::spawn(move || match pipe {
        Some(mut pipe) => pipe.write_all(&input),
        None => Ok(()),
    });
    let output = child.wait_with_output()?;
    // A git that fails stops reading; what it says counts more.
    match feeder.join() {
        Ok(Err(error)) if output.status.success() => Err(error),
        _ => Ok(output),
    }
}

fn update_file(fix: &Fix, top: &Path) -> InWorkTree {
    let path = fix.path.below(top);
    let stat = || fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file);
    let Some(before) = stat() else { return InWorkTree::Absent };
    let current = match fs::read(&path) {
        Ok(current) => current,
        Err(error) => return InWorkTree::NotWritten(error.to_string()),
    };
    let (content, done) = if current == fix.before {
        (fix.after.clone(), InWorkTree::Updated)
    } else if current == fix.after {
        return InWorkTree::Updated;
    } else {
        match merged(fix, &current) {
            Some(merged) => (merged, InWorkTree::Merged),
            None => return InWorkTree::Conflict,
        }
    };
    let written = write_in_place(&path, &content, &before, || {
        stat().is_some_and(|now| FileStat::from(&now) == FileStat::from(&before))
    });
    match written {
        Ok(()) => done,
        Err(error) => InWorkTree::NotWritten(error.to_string()),
    }
}

/// The file with the fix and the changes that are not staged; `None` where they touch the same
/// lines.
fn merged(fix: &Fix, current: &[u8]) -> Option<Vec<u8>> {
    // Any other call sets libgit2 up; `merge_file` alone does not.
    Oid::hash_object(ObjectType::Blob, b"").ok()?;
    let [base, ours, theirs] = [&fix.before[..], current, &fix.after[..]].map(|content| {
        let mut input = MergeFileInput::new();
        input.content(content);
        input
    });
    let result = merge_file(&base, &ours, &theirs, None).ok()?;
    result.is_automergeable().then(|| result.content().to_vec())
}

/// Replaces the file in one step, its mode kept, unless it was edited just then.
fn write_in_place(
    path: &Path,
    content: &[u8],
    meta: &fs::Metadata,
    is_untouched: impl Fn() -> bool,
) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".pyqa-").tempfile_in(folder)?;
    file.write_all(content)?;
    file.as_file().set_permissions(meta.permissions())?;
    if !is_untouched() {
        return Err(io::Error::other("it was edited at the same time"));
    }
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fix(before: &str, after: &str) -> Fix {
        Fix { path: "a.py".into(), before: before.into(), after: after.into() }
    }

    fn file(content: &str) -> tempfile::TempDir {
        let top = tempfile::tempdir().unwrap();
        fs::write(top.path().join("a.py"), content).unwrap();
        top
    }

    #[test]
    fn a_file_that_holds_the_staged_content_gets_the_fix() {
        let top = file("x=1\n");
        assert_eq!(update_file(&fix("x=1\n", "x = 1\n"), top.path()), InWorkTree::Updated);
        assert_eq!(fs::read_to_string(top.path().join("a.py")).unwrap(), "x = 1\n");
    }

    #[test]
    fn changes_far_from_the_fix_are_kept_beside_it() {
        let before = format!("x=1\n{}end\n", "line\n".repeat(20));
        let after = before.replace("x=1", "x = 1");
        let top = file(&before.replace("end", "my end"));
        assert_eq!(update_file(&fix(&before, &after), top.path()), InWorkTree::Merged);
        let text = fs::read_to_string(top.path().join("a.py")).unwrap();
        assert_eq!(text, after.replace("end", "my end"));
    }

    #[test]
    fn changes_of_the_same_line_are_left_as_they_are() {
        let top = file("x=2\n");
        assert_eq!(update_file(&fix("x=1\n", "x = 1\n"), top.path()), InWorkTree::Conflict);
        assert_eq!(fs::read_to_string(top.path().join("a.py")).unwrap(), "x=2\n");
    }

    #[test]
    fn a_file_that_is_gone_does_not_come_back() {
        let top = tempfile::tempdir().unwrap();
        assert_eq!(update_file(&fix("x=1\n", "x = 1\n"), top.path()), InWorkTree::Absent);
        assert!(!top.path().join("a.py").exists());
    }
}
