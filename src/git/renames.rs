//! What became of files that are no longer there: [`find`]. Renames are those that git detects,
//! committed, staged, and in the work tree.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::program::{Git, GitError};
use crate::paths::RelPath;

/// Paths given to one git process: command lines have a length.
const PATHS_AT_ONCE: usize = 200;

/// New name → old name for those of `missing` that were renamed. All names count from `top`, the
/// top of the repository.
///
/// # Errors
/// Those of git.
pub fn find(
    top: &Path,
    missing: &BTreeSet<RelPath>,
) -> Result<BTreeMap<RelPath, RelPath>, GitError> {
    let git = Git::at(top);
    let scratch = tempfile::tempdir().map_err(|error| GitError::NotStarted(error.to_string()))?;
    let index = index_with_untracked(git, scratch.path());
    let git_now = index.as_deref().map_or(git, |index| git.with_index(index));
    let mut renames = BTreeMap::new();
    for (base, names) in bases(git, missing)? {
        for (old, new) in renamed_since(git_now, &base)? {
            if names.contains(&old) {
                renames.insert(new, old);
            }
        }
    }
    Ok(renames)
}

/// Commit that still has them → missing files.
fn bases(
    git: Git<'_>,
    missing: &BTreeSet<RelPath>,
) -> Result<BTreeMap<String, BTreeSet<RelPath>>, GitError> {
    let mut last: BTreeMap<RelPath, String> = BTreeMap::new();
    let names: Vec<&RelPath> = missing.iter().collect();
    for names in names.chunks(PATHS_AT_ONCE) {
        let mut arguments: Vec<OsString> =
            ["log", "-z", "--format=%x01%H", "--no-renames", "--diff-filter=D", "--name-only"]
                .map(OsString::from)
                .to_vec();
        arguments.extend(["HEAD".into(), "--".into()]);
        arguments.extend(names.iter().map(|name| name.to_path().into_os_string()));
        for commit in git.run(arguments)?.split(|&byte| byte == 1).skip(1) {
            let end = commit.iter().position(|b| !b.is_ascii_hexdigit()).unwrap_or(commit.len());
            let (hash, files) = commit.split_at(end);
            // The newest comes first.
            for name in files.split(|&byte| byte == 0).filter_map(name) {
                let base = || format!("{}^", String::from_utf8_lossy(hash));
                last.entry(name).or_insert_with(base);
            }
        }
    }
    let mut bases: BTreeMap<String, BTreeSet<RelPath>> = BTreeMap::new();
    for name in missing {
        let base = last.remove(name).unwrap_or_else(|| "HEAD".to_owned());
        bases.entry(base).or_default().insert(name.clone());
    }
    Ok(bases)
}

/// The first name of a commit follows a line break.
fn name(bytes: &[u8]) -> Option<RelPath> {
    let name = bytes.strip_prefix(b"\n").unwrap_or(bytes);
    (!name.is_empty()).then(|| RelPath::from_bytes(name))
}

/// Old and new name of each file renamed between a commit and the work tree.
pub(super) fn renamed_since(git: Git<'_>, base: &str) -> Result<Vec<(RelPath, RelPath)>, GitError> {
    let printed = git.run([
        "diff",
        "--raw",
        "-z",
        "--no-color",
        "--no-ext-diff",
        "--no-relative",
        "--ignore-submodules",
        "--find-renames",
        "--diff-filter=R",
        "--end-of-options",
        base,
        "--",
    ])?;
    let mut fields = printed.split(|&byte| byte == 0);
    let mut renames = Vec::new();
    // `:mode mode hash hash R087`, the old name, the new name.
    while let (Some(_), Some(old), Some(new)) = (fields.next(), fields.next(), fields.next()) {
        renames.push((RelPath::from_bytes(old), RelPath::from_bytes(new)));
    }
    Ok(renames)
}

/// A copy of the index that also names the untracked files, so that one of them can be what a
/// tracked one has become. `None` where it cannot be made: then only tracked files are looked at.
pub(super) fn index_with_untracked(git: Git<'_>, folder: &Path) -> Option<PathBuf> {
    let own = git.line(["rev-parse", "--path-format=absolute", "--git-path", "index"]).ok()?;
    let index = folder.join("index");
    std::fs::copy(own, &index).ok()?;
    let added = git.with_index(&index).run(["add", "--intent-to-add", "--", "."]);
    added.map_err(|error| log::info!("untracked files are not looked at: {error}")).ok()?;
    Some(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Repository;

    fn found(repository: &Repository, missing: &[&str]) -> Vec<String> {
        let missing = missing.iter().map(|&name| name.into()).collect();
        let renames = find(repository.top(), &missing).unwrap();
        renames.iter().map(|(new, old)| format!("{old} -> {new}")).collect()
    }

    fn lines(from: u32) -> String {
        (from..from + 40).map(|n| n.to_string() + "\n").collect()
    }

    #[test]
    fn renames_are_followed_whether_committed_staged_or_neither() {
        let repository = Repository::new();
        for (name, from) in [("a.py", 100), ("b.py", 200), ("c.py", 300), ("d.py", 400)] {
            repository.write(name, &lines(from));
        }
        repository.commit("first");
        repository.git(&["mv", "a.py", "committed\n.py"]).commit("second");
        repository.git(&["mv", "b.py", "staged.py"]);
        std::fs::rename(repository.top().join("c.py"), repository.top().join("untracked.py"))
            .unwrap();
        repository.write("untracked.py", &format!("{}another line\n", lines(300)));
        std::fs::remove_file(repository.top().join("d.py")).unwrap();
        let before = std::fs::read(repository.top().join(".git/index")).unwrap();
        assert_eq!(
            found(&repository, &["a.py", "b.py", "c.py", "d.py", "never.py"]),
            ["a.py -> committed\n.py", "b.py -> staged.py", "c.py -> untracked.py"]
        );
        assert_eq!(std::fs::read(repository.top().join(".git/index")).unwrap(), before);
    }

    #[test]
    fn a_file_renamed_twice_is_found_under_its_last_name() {
        let repository = Repository::new();
        repository.write("a.py", &lines(1)).commit("first");
        repository.git(&["mv", "a.py", "b.py"]).commit("second");
        repository.git(&["mv", "b.py", "c.py"]).commit("third");
        assert_eq!(found(&repository, &["a.py"]), ["a.py -> c.py"]);
    }
}
