//! The names that git tracks below a folder. libgit2 reads the index; where it does not know the
//! repository's format (sparse or split index, reftable, SHA-256), the git program is asked.

use std::path::Path;

use git2::{Repository, RepositoryOpenFlags};

use super::program;
use crate::error::UserError;
use crate::paths::RelPath;

/// Names of tracked files below `root`, relative to it, sorted. `root` lies in the repository
/// whose top is `top`. Submodules are not files.
///
/// # Errors
/// A repository that neither libgit2 nor git can read.
pub fn tracked(root: &Path, top: &Path) -> Result<Vec<RelPath>, UserError> {
    let prefix = RelPath::from_absolute(root, top).unwrap_or_else(|| "".into());
    from_index(top, prefix.as_bytes()).or_else(|error| {
        log::info!("libgit2 cannot read {}: {error}; asking git", top.display());
        from_program(root)
    })
}

fn from_index(top: &Path, prefix: &[u8]) -> Result<Vec<RelPath>, git2::Error> {
    const SUBMODULE: u32 = 0o160_000;
    let no_ceiling: [&str; 0] = [];
    let repository = Repository::open_ext(top, RepositoryOpenFlags::NO_SEARCH, no_ceiling)?;
    let index = repository.index()?;
    let mut names: Vec<RelPath> = index
        .iter()
        .filter(|entry| entry.mode != SUBMODULE)
        .filter_map(|entry| below(&entry.path, prefix))
        .collect();
    // An unmerged file has several entries.
    names.dedup();
    Ok(names)
}

fn below(path: &[u8], prefix: &[u8]) -> Option<RelPath> {
    if prefix.is_empty() {
        return Some(RelPath::from_bytes(path));
    }
    Some(RelPath::from_bytes(path.strip_prefix(prefix)?.strip_prefix(b"/")?))
}

fn from_program(root: &Path) -> Result<Vec<RelPath>, UserError> {
    let failed = |what: String| {
        UserError::new(format!("git cannot list the files of {}: {what}", root.display()))
            .hint("run `git status` there to see what is wrong")
    };
    let output = program::command(root)
        .args(["ls-files", "-z", "--cached"])
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let mut names: Vec<RelPath> = program::names(&output.stdout).collect();
    names.sort();
    names.dedup();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::process::Command;

    fn git(folder: &Path, arguments: &[&str]) {
        let output = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@b"])
            .args(arguments)
            .current_dir(folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    fn repository(init: &[&str]) -> tempfile::TempDir {
        let top = tempfile::tempdir().unwrap();
        git(top.path(), &[&["init", "-q"], init].concat());
        fs::create_dir_all(top.path().join("sub")).unwrap();
        fs::write(top.path().join("a.py"), "").unwrap();
        fs::write(top.path().join("sub/b.py"), "").unwrap();
        fs::write(top.path().join("untracked.py"), "").unwrap();
        git(top.path(), &["add", "a.py", "sub/b.py"]);
        git(top.path(), &["commit", "-qm", "first"]);
        top
    }

    fn names(root: &Path, top: &Path) -> Vec<String> {
        tracked(root, top).unwrap().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn tracked_files_are_named_from_the_project_s_root() {
        let top = repository(&[]);
        assert_eq!(names(top.path(), top.path()), ["a.py", "sub/b.py"]);
        assert_eq!(names(&top.path().join("sub"), top.path()), ["b.py"]);
    }

    #[test]
    fn formats_that_libgit2_does_not_know_are_read_by_git() {
        for format in [&["--object-format=sha256"][..], &["--ref-format=reftable"]] {
            let top = repository(format);
            assert_eq!(names(top.path(), top.path()), ["a.py", "sub/b.py"], "{format:?}");
        }
        let split = repository(&[]);
        git(split.path(), &["update-index", "--split-index"]);
        assert_eq!(names(split.path(), split.path()), ["a.py", "sub/b.py"]);
        let sparse = repository(&[]);
        git(sparse.path(), &["sparse-checkout", "set", "--cone", "--sparse-index", "nothing"]);
        assert_eq!(names(sparse.path(), sparse.path()), ["a.py", "sub/b.py"]);
    }
}
