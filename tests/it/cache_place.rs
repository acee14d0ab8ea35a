//! Cache folders that cannot be used, or only half: one warning at most, and right results.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Project, Run};

const TOOLS: &str = "flake8,black,mypy";

fn check(project: &Project, cache: &Path) -> Run {
    let mut command = project.command(env!("CARGO_BIN_EXE_pyqa"));
    command.args(["check", "--output-format", "json", "--only", TOOLS]);
    let output = command.env("PYQA_CACHE_DIR", cache).output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Checks twice with `cache`: the answer is right each time, and `warnings` are told each time.
fn is_right_with(project: &Project, cache: &Path, warnings: usize) -> Run {
    let truth = project.check(&["--no-cache", "--only", TOOLS]);
    assert!(!truth.findings().is_empty());
    let mut last = None;
    for _ in 0..2 {
        let run = check(project, cache);
        assert_eq!((run.code, run.findings()), (truth.code, truth.findings()), "{}", run.stderr);
        assert_eq!(run.stderr.matches("warning:").count(), warnings, "{}", run.stderr);
        last = Some(run);
    }
    last.unwrap()
}

/// A small file system of its own; `None` where this user may not mount one.
struct Mount(PathBuf);

impl Mount {
    fn new(at: PathBuf, options: &str) -> Option<Self> {
        fs::create_dir_all(&at).unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&at);
        mount.output().is_ok_and(|output| output.status.success()).then_some(Self(at))
    }

    fn remount(&self, options: &str) {
        let mut mount = Command::new("mount");
        let output = mount.args(["-o", options]).arg(&self.0).output().unwrap();
        assert!(output.status.success());
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[allow(clippy::print_stderr, reason = "a test that tests nothing says so")]
fn skip(why: &str) {
    eprintln!("skipped: {why}");
}

#[test]
fn a_cache_on_a_full_disk_is_told_once_and_harms_nothing() {
    let project = Project::fixture("demo");
    for size in ["size=4k", "size=24k", "size=200k"] {
        let Some(disk) = Mount::new(project.path("../disk"), size) else {
            return skip("this user may not mount a file system");
        };
        let truth = project.check(&["--no-cache", "--only", TOOLS]);
        for _ in 0..2 {
            let run = check(&project, &disk.0.join("cache"));
            assert_eq!((run.code, run.findings()), (truth.code, truth.findings()), "{size}");
            assert!(run.stderr.matches("warning:").count() <= 1, "{size}: {}", run.stderr);
        }
        let run = check(&project, &disk.0.join("cache"));
        let is_small = size != "size=200k";
        assert!(!is_small || run.stderr.contains("warning:"), "{size}: {}", run.stderr);
    }
}

#[test]
fn a_read_only_cache_still_serves_what_it_has() {
    let project = Project::fixture("demo");
    let Some(disk) = Mount::new(project.path("../disk"), "size=64m") else {
        return skip("this user may not mount a file system");
    };
    let cache = disk.0.join("cache");
    assert_eq!(check(&project, &cache).code, 1);
    disk.remount("remount,ro");
    let run = check(&project, &cache);
    assert_eq!((run.code, run.ran("flake8"), run.ran("mypy")), (1, 0, 0), "{}", run.stderr);
    assert!(run.stderr.matches("warning:").count() <= 1, "{}", run.stderr);
    // Something to keep, and no place for it.
    project.write("src/shop/new.py", "import os\n");
    let run = is_right_with(&project, &cache, 1);
    assert!(run.findings().contains("flake8 src/shop/new.py:1 F401"));
    // Not even a folder can be made.
    assert_eq!(is_right_with(&project, &disk.0.join("other"), 1).ran("flake8"), 5);
}

#[test]
fn a_file_in_the_place_of_the_cache_is_told_once() {
    let project = Project::fixture("demo");
    let file = project.path("../file");
    fs::write(&file, "").unwrap();
    let run = is_right_with(&project, &file, 1);
    assert_eq!(run.ran("flake8"), 4);
    assert_eq!(is_right_with(&project, &file.join("below"), 1).ran("flake8"), 4);
}

#[test]
fn another_user_s_cache_is_not_believed() {
    let project = Project::fixture("demo");
    let cache = project.path("../theirs");
    assert_eq!(check(&project, &cache).code, 1);
    let stranger = fs::metadata(&cache).unwrap().uid() + 4242;
    if std::os::unix::fs::chown(&cache, Some(stranger), None).is_err() {
        return skip("this user may not give a folder away");
    }
    let run = is_right_with(&project, &cache, 1);
    assert!(run.stderr.contains("another user"), "{}", run.stderr);
    assert_eq!(run.ran("flake8"), 4);
}

#[test]
fn a_cache_on_a_path_that_is_not_utf_8_serves_as_well() {
    let project = Project::fixture("demo");
    let cache = project.path("..").join(OsStr::from_bytes(b"c\xff\xfe"));
    let run = is_right_with(&project, &cache, 0);
    assert_eq!((run.ran("flake8"), run.ran("mypy")), (0, 0), "{}", run.stderr);
}
