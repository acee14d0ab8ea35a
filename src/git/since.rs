//! What the project's files held where a branch left another one: [`MergeBase`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::program::{Git, GitError};
use super::renames::{index_with_untracked, renamed_since};
use crate::error::UserError;
use crate::paths::RelPath;

/// The commit at which HEAD left another one. All paths count from the top of the repository.
#[derive(Debug)]
pub struct MergeBase {
    top: PathBuf,
    /// Its full name.
    pub commit: String,
    /// Path → name of the blob.
    blobs: BTreeMap<RelPath, String>,
}

impl MergeBase {
    /// Of HEAD and `reference`, in the repository at `top`.
    ///
    /// # Errors
    /// No such commit, no commit in common, or a clone that is too shallow to know.
    pub fn find(top: &Path, reference: &str) -> Result<Self, UserError> {
        let git = Git::at(top);
        let named = |name: &str| {
            let name = format!("{name}^{{commit}}");
            git.line(["rev-parse", "--verify", "--quiet", "--end-of-options", &name])
        };
        let other = named(reference).map_err(|error| unknown(git, reference, &error))?;
        let head = named("HEAD").map_err(|error| unknown(git, "HEAD", &error))?;
        let commit = git
            .line(["merge-base", &other, &head])
            .map_err(|error| nothing_in_common(git, reference, &error))?;
        let blobs = blobs(git, &commit).map_err(|error| told(&error))?;
        Ok(Self { top: top.to_owned(), commit, blobs })
    }

    /// By the names that files have now: those they had then, and what they held. A file that is
    /// not listed is new.
    ///
    /// # Errors
    /// Where git fails.
    pub fn contents(
        &self,
        paths: &BTreeSet<RelPath>,
    ) -> Result<BTreeMap<RelPath, (RelPath, Vec<u8>)>, UserError> {
        let renames = self.renames(paths)?;
        let wanted: Vec<(&RelPath, &String)> = paths
            .iter()
            .filter_map(|path| Some((path, self.blobs.get(renames.get(path).unwrap_or(path))?)))
            .collect();
        let names: BTreeSet<&str> = wanted.iter().map(|(_, blob)| blob.as_str()).collect();
        let read = read_blobs(Git::at(&self.top), &names).map_err(|error| told(&error))?;
        wanted
            .into_iter()
            .map(|(path, blob)| match read.get(blob) {
                Some(content) => {
                    let old_name = renames.get(path).unwrap_or(path).clone();
                    Ok((path.clone(), (old_name, content.clone())))
                }
                None => Err(UserError::new(format!("git lacks the content of {path} ({blob})"))
                    .hint("run `git fsck` to see what is wrong")),
            })
            .collect()
    }

    /// New name → old name of those of `paths` that were renamed since.
    fn renames(&self, paths: &BTreeSet<RelPath>) -> Result<BTreeMap<RelPath, RelPath>, UserError> {
        if paths.iter().all(|path| self.blobs.contains_key(path)) {
            return Ok(BTreeMap::new());
        }
        let git = Git::at(&self.top);
        let scratch = tempfile::tempdir().map_err(|error| {
            UserError::new(format!("no temporary folder can be made: {error}"))
                .hint("free some space, or set TMPDIR to another folder")
        })?;
        let index = index_with_untracked(git, scratch.path());
        let git = index.as_deref().map_or(git, |index| git.with_index(index));
        let found = renamed_since(git, &self.commit).map_err(|error| told(&error))?;
        Ok(found.into_iter().map(|(old, new)| (new, old)).collect())
    }
}

/// All files of a commit. Links and submodules hold no lines.
fn blobs(git: Git<'_>, commit: &str) -> Result<BTreeMap<RelPath, String>, GitError> {
    let printed = git.run(["ls-tree", "-r", "-z", "--full-tree", commit])?;
    // `mode blob name<TAB>path`
    let entry = |line: &[u8]| {
        let tab = line.iter().position(|&byte| byte == b'\t')?;
        let head = std::str::from_utf8(&line[..tab]).ok()?;
        let [mode, "blob", name] = head.split(' ').collect::<Vec<_>>()[..] else { return None };
        let is_file = mode.starts_with("100");
        is_file.then(|| (RelPath::from_bytes(&line[tab + 1..]), name.to_owned()))
    };
    Ok(printed.split(|&byte| byte == 0).filter_map(entry).collect())
}

fn read_blobs(git: Git<'_>, names: &BTreeSet<&str>) -> Result<BTreeMap<String, Vec<u8>>, GitError> {
    let input: String = names.iter().flat_map(|name| [name, "\n"]).collect();
    let printed = git.run_on(["cat-file", "--batch"], input.as_bytes())?;
    let mut rest = &printed[..];
    let mut read = BTreeMap::new();
    // `name blob size`, the content and a line break; or `name missing`.
    while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
        let head = String::from_utf8_lossy(&rest[..end]).into_owned();
        rest = &rest[end + 1..];
        let [name, "blob", size] = head.split(' ').collect::<Vec<_>>()[..] else { continue };
        let size: usize = size.parse().unwrap_or(0);
        let Some((content, tail)) = rest.split_at_checked(size) else { break };
        read.insert(name.to_owned(), content.to_vec());
        rest = tail.strip_prefix(b"\n").unwrap_or(tail);
    }
    Ok(read)
}

const DEEPEN: &str = "this clone is shallow: fetch the history with `git fetch --unshallow`, or \
                      set `fetch-depth: 0` in the workflow's checkout";

fn unknown(git: Git<'_>, reference: &str, error: &GitError) -> UserError {
    if let GitError::NotStarted(_) = error {
        return told(error);
    }
    let is_head = reference == "HEAD";
    let what = if is_head {
        "the repository has no commit yet".to_owned()
    } else {
        format!("`{reference}` names no commit of this repository")
    };
    UserError::new(what).hint(if git.is_shallow() {
        DEEPEN
    } else if is_head {
        "commit something, or leave `--new-since` out"
    } else {
        "`git branch --all` lists the branches; one of a remote may have to be fetched first"
    })
}

fn nothing_in_common(git: Git<'_>, reference: &str, error: &GitError) -> UserError {
    // Without words: git looked, and there is none.
    if !matches!(error, GitError::Refused { code: Some(1), message } if message.is_empty()) {
        return told(error);
    }
    UserError::new(format!("HEAD and `{reference}` have no commit in common"))
        .hint(if git.is_shallow() { DEEPEN } else { "name the branch that this one was made from" })
}

fn told(error: &GitError) -> UserError {
    UserError::new(format!("git gives no answer: {error}"))
        .hint("run `git status` to see what is wrong")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Repository;

    fn set(names: &[&str]) -> BTreeSet<RelPath> {
        names.iter().map(|&name| name.into()).collect()
    }

    fn branch() -> Repository {
        let repository = Repository::new();
        let long: String = (0..40).map(|n| n.to_string() + "\n").collect();
        repository.write("kept.py", "kept\n").write("old name.py", &long).commit("first");
        repository.git(&["checkout", "-qb", "side"]);
        repository.git(&["mv", "old name.py", "new\nname.py"]);
        repository.write("added.py", "added\n").write("kept.py", "changed\n").commit("second");
        repository.git(&["checkout", "-q", "main"]).write("kept.py", "later\n").commit("third");
        repository.git(&["checkout", "-q", "side"]);
        repository
    }

    #[test]
    fn content_is_that_of_the_commit_in_common_under_the_names_of_now() {
        let repository = branch();
        let base = MergeBase::find(repository.top(), "main").unwrap();
        let contents =
            base.contents(&set(&["kept.py", "added.py", "new\nname.py", "nowhere.py"])).unwrap();
        let lengths: Vec<_> = contents
            .iter()
            .map(|(path, (old_name, content))| {
                (path.to_string(), old_name.to_string(), content.len())
            })
            .collect();
        assert_eq!(
            lengths,
            [
                ("kept.py".to_owned(), "kept.py".to_owned(), 5),
                ("new\nname.py".to_owned(), "old name.py".to_owned(), 110)
            ]
        );
    }

    #[test]
    fn what_cannot_be_told_is_an_error_with_a_hint() {
        let repository = branch();
        let error = MergeBase::find(repository.top(), "mian").unwrap_err();
        assert_eq!(error.what, "`mian` names no commit of this repository");
        repository.git(&["checkout", "-q", "--orphan", "alone"]).commit("other");
        let error = MergeBase::find(repository.top(), "main").unwrap_err();
        assert_eq!(error.what, "HEAD and `main` have no commit in common");
        assert_eq!(error.hint.as_deref(), Some("name the branch that this one was made from"));
        let empty = Repository::new();
        let error = MergeBase::find(empty.top(), "HEAD").unwrap_err();
        assert_eq!(error.what, "the repository has no commit yet");
        // An option is no reference.
        assert!(MergeBase::find(repository.top(), "--all").is_err());
    }

    #[test]
    fn a_clone_that_is_too_shallow_is_told_how_to_fetch_more() {
        let origin = branch();
        let clone = Repository::new();
        let url = format!("file://{}", origin.top().display());
        clone.git(&["fetch", "-q", "--depth", "1", &url, "side:side", "main:trunk"]);
        clone.git(&["checkout", "-q", "side"]);
        let error = MergeBase::find(clone.top(), "trunk").unwrap_err();
        assert_eq!(error.what, "HEAD and `trunk` have no commit in common");
        assert!(error.hint.unwrap().contains("fetch-depth: 0"));
        let error = MergeBase::find(clone.top(), "origin/main").unwrap_err();
        assert!(error.hint.unwrap().contains("git fetch --unshallow"));
    }
}
