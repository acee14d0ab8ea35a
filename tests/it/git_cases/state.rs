//! What a hook must not change: [`State`], all of it as bytes, and how two states differ.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file as `lstat` and its bytes tell it; the target stands for a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) mode: u32,
    pub(super) bytes: Vec<u8>,
}

/// A work tree and the part of its repository that a commit which fails must leave alone.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct State {
    /// Tracked and untracked files and empty folders, from the top.
    pub(super) files: BTreeMap<PathBuf, File>,
    /// By the name of the question: what git answers.
    pub(super) answers: BTreeMap<&'static str, Vec<u8>>,
    /// Marks of a merge, a cherry-pick, a rebase.
    marks: BTreeMap<PathBuf, Vec<u8>>,
    /// Locks that somebody left.
    locks: Vec<PathBuf>,
}

const QUESTIONS: [(&str, &[&str]); 6] = [
    ("index", &["ls-files", "--stage", "-z"]),
    ("index flags", &["ls-files", "-v", "-z"]),
    ("status", &["status", "--porcelain=v2", "-z", "--untracked-files=all"]),
    ("stash", &["stash", "list", "--format=%H %gs"]),
    ("refs", &["for-each-ref", "--format=%(refname) %(objectname)"]),
    ("settings", &["config", "--local", "--list", "-z"]),
];

impl State {
    /// Of the work tree at `top`, whose own git folder is `git_dir`. `ask` runs git there.
    pub(super) fn of(top: &Path, git_dir: &Path, ask: &dyn Fn(&[&str]) -> Vec<u8>) -> Self {
        let mut state = Self {
            files: BTreeMap::new(),
            answers: BTreeMap::new(),
            marks: BTreeMap::new(),
            locks: Vec::new(),
        };
        walk(top, Path::new(""), &mut |path, file| {
            state.files.insert(path.to_owned(), file);
        });
        for (name, question) in QUESTIONS {
            state.answers.insert(name, ask(question));
        }
        walk(git_dir, Path::new(""), &mut |path, file| {
            let name = path.as_os_str().as_bytes();
            // A lock of pyqa's own is a file that stays.
            if name.ends_with(b".lock") && !path.starts_with("pyqa") {
                state.locks.push(path.to_owned());
            }
            let is_mark = ["MERGE_", "CHERRY_PICK_HEAD", "REVERT_HEAD", "rebase-", "sequencer"]
                .iter()
                .any(|mark| name.starts_with(mark.as_bytes()));
            if is_mark {
                state.marks.insert(path.to_owned(), file.bytes);
            }
        });
        state
    }

    /// Asserts that nothing differs.
    #[track_caller]
    pub(super) fn assert_is(&self, before: &Self, what: &str) {
        let difference = before.difference(self);
        assert!(difference.is_empty(), "{what}:\n{difference}");
    }

    /// The same state with other content of some files, for what a fix may change.
    pub(super) fn files_but(&self, without: &[&str]) -> BTreeMap<PathBuf, File> {
        let mut files = self.files.clone();
        files.retain(|path, _| !without.iter().any(|name| path == Path::new(name)));
        files
    }

    pub(super) fn difference(&self, after: &Self) -> String {
        let mut text = String::new();
        let names: std::collections::BTreeSet<_> =
            self.files.keys().chain(after.files.keys()).collect();
        for path in names {
            let (before, after) = (self.files.get(path), after.files.get(path));
            if before != after {
                writeln!(text, "{}: {} -> {}", path.display(), show(before), show(after)).unwrap();
            }
        }
        for (name, before) in &self.answers {
            let after = &after.answers[name];
            if before != after {
                let (before, after) =
                    (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
                writeln!(text, "{name}: {before:?}\n   -> {after:?}").unwrap();
            }
        }
        if self.marks != after.marks {
            let names = |state: &Self| state.marks.keys().cloned().collect::<Vec<_>>();
            writeln!(text, "marks: {:?} -> {:?}", names(self), names(after)).unwrap();
        }
        if self.locks != after.locks {
            writeln!(text, "locks: {:?} -> {:?}", self.locks, after.locks).unwrap();
        }
        text
    }
}

fn show(file: Option<&File>) -> String {
    match file {
        None => "absent".to_owned(),
        Some(file) => {
            let bytes = &file.bytes[..file.bytes.len().min(400)];
            format!("{:o} {:?}", file.mode, String::from_utf8_lossy(bytes))
        }
    }
}

fn walk(top: &Path, below: &Path, on: &mut dyn FnMut(&Path, File)) {
    let Ok(entries) = fs::read_dir(top.join(below)) else { return };
    let mut is_empty = true;
    for entry in entries.flatten() {
        is_empty = false;
        if below.as_os_str().is_empty() && entry.file_name() == ".git" {
            continue;
        }
        let path = below.join(entry.file_name());
        let Ok(meta) = entry.path().symlink_metadata() else { continue };
        if meta.is_dir() {
            walk(top, &path, on);
            continue;
        }
        let bytes = if meta.is_symlink() {
            fs::read_link(entry.path()).unwrap().as_os_str().as_bytes().to_vec()
        } else {
            fs::read(entry.path()).unwrap_or_default()
        };
        on(&path, File { mode: meta.mode(), bytes });
    }
    if is_empty && !below.as_os_str().is_empty() {
        on(below, File { mode: 0o040_000, bytes: Vec::new() });
    }
}
