//! Which files a change touches, deleted ones included. Paths count from the top, sorted.

use git2::{Diff, DiffOptions, Index};

use super::entries::{Entry, open};
use super::program::names;
use super::worktree::WorkTree;
use crate::error::UserError;
use crate::paths::RelPath;

/// Files from which on git is faster than libgit2.
const MANY: usize = 1_000;

/// Files that the index, whose content is `entries`, holds otherwise than HEAD.
///
/// # Errors
/// Where git fails.
pub fn staged(work_tree: &WorkTree, entries: &[Entry]) -> Result<Vec<RelPath>, UserError> {
    // libgit2 reads every folder of HEAD; git knows from the index which are unchanged, which is
    // worth its start in a large repository.
    let changed = if entries.len() > MANY {
        staged_by_program(work_tree)?
    } else {
        match staged_by_libgit2(work_tree) {
            Ok(changed) => changed,
            Err(error) => {
                log::info!("libgit2 cannot compare the index: {error}; asking git");
                staged_by_program(work_tree)?
            }
        }
    };
    Ok(match changed {
        Some(changed) => sorted(changed),
        None => entries.iter().map(|entry| entry.path.clone()).collect(),
    })
}

fn sorted(mut changed: Vec<RelPath>) -> Vec<RelPath> {
    changed.sort_unstable();
    changed.dedup();
    changed
}

/// `None` without a first commit: all that is staged is new.
fn staged_by_libgit2(work_tree: &WorkTree) -> Result<Option<Vec<RelPath>>, git2::Error> {
    let repository = open(work_tree)?;
    let head = match repository.head() {
        Ok(head) => head.peel_to_tree()?,
        Err(error) if error.code() == git2::ErrorCode::UnbornBranch => return Ok(None),
        Err(error) => return Err(error),
    };
    let index = Index::open(&work_tree.index)?;
    let mut options = DiffOptions::new();
    options.ignore_submodules(true);
    let diff = repository.diff_tree_to_index(Some(&head), Some(&index), Some(&mut options))?;
    Ok(Some(new_paths(&diff)))
}

fn new_paths(diff: &Diff<'_>) -> Vec<RelPath> {
    diff.deltas()
        .filter_map(|delta| delta.new_file().path_bytes().map(RelPath::from_bytes))
        .collect()
}

fn staged_by_program(work_tree: &WorkTree) -> Result<Option<Vec<RelPath>>, UserError> {
    let task = "tell what is staged";
    let arguments = ["diff-index", "--cached", "--name-only", "-z", "--no-renames", "HEAD"];
    match work_tree.read(task, arguments) {
        Ok(changed) => Ok(Some(names(&changed).collect())),
        // Asked only now, because each start of git is waited for.
        Err(error) if has_commit(work_tree, "HEAD")? => Err(error),
        Err(_) => Ok(None),
    }
}

/// Whether a commit of the index would be no other than HEAD. One that ends a merge never is.
///
/// # Errors
/// Where git fails.
pub fn is_nothing_to_commit(work_tree: &WorkTree) -> Result<bool, UserError> {
    if work_tree.git_dir.join("MERGE_HEAD").exists() {
        return Ok(false);
    }
    Ok(staged_by_program(work_tree)?.is_some_and(|changed| changed.is_empty()))
}

/// Whether `name` is a commit of the repository.
///
/// # Errors
/// Where git cannot be started.
pub fn has_commit(work_tree: &WorkTree, name: &str) -> Result<bool, UserError> {
    let name = format!("{name}^{{commit}}");
    let output = work_tree
        .git(["rev-parse", "-q", "--verify", "--end-of-options", &name])
        .output()
        .map_err(|error| super::worktree::not_started("find a commit", &error))?;
    Ok(output.status.success())
}

/// Files that differ between the work tree and the place where HEAD left `reference`, new ones
/// that are not ignored included.
///
/// # Errors
/// A reference that there is not.
pub fn since(work_tree: &WorkTree, reference: &str) -> Result<Vec<RelPath>, UserError> {
    require_commit(work_tree, reference)?;
    let task = "tell what has changed";
    let base = merge_base(work_tree, reference, "HEAD")?.unwrap_or_else(|| reference.to_owned());
    let arguments = ["diff", "--no-ext-diff", "--name-only", "-z", "--no-renames", &base];
    let mut changed: Vec<RelPath> = names(&work_tree.read(task, arguments)?).collect();
    let untracked = ["ls-files", "--others", "--exclude-standard", "-z"];
    changed.extend(names(&work_tree.read(task, untracked)?));
    Ok(sorted(changed))
}

/// Files that differ between `to` and where it left `from`; `from` itself where the two have
/// nothing in common.
///
/// # Errors
/// A reference that there is not.
pub fn between(work_tree: &WorkTree, from: &str, to: &str) -> Result<Vec<RelPath>, UserError> {
    require_commit(work_tree, from)?;
    require_commit(work_tree, to)?;
    let base = merge_base(work_tree, from, to)?.unwrap_or_else(|| from.to_owned());
    let task = "tell what differs between two commits";
    let arguments = ["diff-tree", "-r", "--name-only", "-z", "--no-renames", &base, to];
    Ok(sorted(names(&work_tree.read(task, arguments)?).collect()))
}

fn require_commit(work_tree: &WorkTree, name: &str) -> Result<(), UserError> {
    if !name.starts_with('-') && has_commit(work_tree, name)? {
        return Ok(());
    }
    Err(UserError::new(format!("there is no commit `{name}`"))
        .hint("name a branch, a tag or a commit; in CI, fetch enough history"))
}

fn merge_base(work_tree: &WorkTree, one: &str, other: &str) -> Result<Option<String>, UserError> {
    let output = work_tree
        .git(["merge-base", "--end-of-options", one, other])
        .output()
        .map_err(|error| super::worktree::not_started("find a merge base", &error))?;
    let base = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok((output.status.success() && !base.is_empty()).then_some(base))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::entries;
    use crate::git::testing::Repository;
    use crate::project::variables::Variables;

    #[test]
    fn git_and_libgit2_tell_the_same_of_what_is_staged_and_of_a_first_commit() {
        let repository = Repository::new();
        repository.write("a.py", "").write("b.py", "").git(&["add", "a.py"]);
        let work_tree = WorkTree::find(repository.top(), &Variables::default()).unwrap();
        assert_eq!(staged_by_program(&work_tree).unwrap(), None);
        assert_eq!(staged_by_libgit2(&work_tree).unwrap(), None);
        let entries = entries::staged(&work_tree).unwrap();
        assert_eq!(staged(&work_tree, &entries).unwrap(), ["a.py".into()]);
        repository
            .git(&["commit", "-qm", "first"])
            .git(&["add", "b.py"])
            .git(&["rm", "-q", "a.py"]);
        let both = ["a.py", "b.py"].map(RelPath::from);
        assert_eq!(sorted(staged_by_program(&work_tree).unwrap().unwrap()), both);
        assert_eq!(sorted(staged_by_libgit2(&work_tree).unwrap().unwrap()), both);
    }

    #[test]
    fn what_git_cannot_compare_is_an_error() {
        let repository = Repository::new();
        repository.write("a.py", "").commit("first");
        let work_tree = WorkTree::find(repository.top(), &Variables::default()).unwrap();
        repository.write(".git/index", "damaged");
        assert!(staged_by_program(&work_tree).is_err());
    }
}
