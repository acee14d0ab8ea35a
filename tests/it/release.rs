//! What a release is made of: that the wheel can be installed and works, that the sdist has all
//! that is needed to build it, what lies in the archive, and that GitHub would take the workflows.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::wheel::{maturin, wheel};
use crate::support::{Project, further_environment, validators};

const TOP: &str = env!("CARGO_MANIFEST_DIR");

fn python(script: &str) -> Command {
    let mut command = Command::new("python3");
    command.arg(Path::new(TOP).join("release").join(script));
    command
}

fn text(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn names_in(archive: &Path) -> BTreeSet<String> {
    let output = Command::new("tar").arg("-tzf").arg(archive).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let below = |line: &str| line.split_once('/').unwrap().1.to_owned();
    text.lines().map(below).collect()
}

#[test]
fn the_wheel_is_installed_into_a_fresh_environment_and_works() {
    let output = python("try_wheel.py").arg(wheel()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains(concat!("pyqa ", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn the_archive_has_the_program_its_manual_and_completions_and_the_same_bytes_each_time() {
    let folder = tempfile::tempdir().unwrap();
    let pack = |below: &str| {
        let target = folder.path().join(below);
        let output = python("archive.py").arg(wheel()).arg("pyqa-test").arg(&target).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", text(&output));
        target.join("pyqa-test.tar.gz")
    };
    let (first, second) = (pack("first"), pack("second"));
    assert_eq!(fs::read(&first).unwrap(), fs::read(second).unwrap());
    let names = names_in(&first);
    for name in [
        "pyqa",
        "LICENSE-MIT",
        "man/pyqa.1",
        "man/pyqa-check.1",
        "man/pyqa-rule.1",
        "completions/_pyqa",
        "completions/pyqa.bash",
        "completions/pyqa.fish",
    ] {
        assert!(names.contains(name), "{name} is not in {names:?}");
    }
    assert!(!names.iter().any(|name| name.contains("pyqa-hook.1")), "hidden commands: {names:?}");
}

/// Files whose text is compiled into the program are read from the source, so that none that a new
/// one adds can be forgotten.
#[test]
fn the_sdist_has_every_file_that_is_compiled_in() {
    let folder = tempfile::tempdir().unwrap();
    let output = maturin().args(["sdist", "--out"]).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let sdist = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let names = names_in(&sdist);
    let mut wanted: BTreeSet<PathBuf> =
        ["Cargo.toml", "Cargo.lock", "pyproject.toml", "README.md", "LICENSE-MIT"]
            .map(PathBuf::from)
            .into();
    let source = Path::new(TOP).join("src");
    compiled_in(&source, &mut wanted);
    assert!(wanted.len() > 100, "{wanted:?}");
    for file in wanted {
        assert!(names.contains(file.to_str().unwrap()), "{} is missing", file.display());
    }
}

/// Sources, and what they include, from the top.
fn compiled_in(folder: &Path, files: &mut BTreeSet<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            compiled_in(&path, files);
            continue;
        }
        files.insert(path.strip_prefix(TOP).unwrap().to_owned());
        let text = fs::read_to_string(&path).unwrap_or_default();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for included in code.split("include_str!(\"").skip(1) {
            let name = included.split('"').next().unwrap();
            let file = fs::canonicalize(folder.join(name)).unwrap();
            let top = fs::canonicalize(TOP).unwrap();
            files.insert(file.strip_prefix(top).unwrap().to_owned());
        }
    }
}

#[test]
fn the_version_is_that_of_the_package_and_nothing_else() {
    let project = Project::without_environment();
    let said = project.pyqa(&["--version"]).stdout;
    assert_eq!(said, concat!("pyqa ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn github_would_take_pyqa_s_own_workflows() {
    let requirements = include_str!("../workflows.txt");
    let check = further_environment("workflows", requirements).join("bin/check-jsonschema");
    for name in ["ci.yml", "release.yml"] {
        let file = Path::new(TOP).join(".github/workflows").join(name);
        let mut command = Command::new(&check);
        command.args(["--builtin-schema", "vendor.github-workflows"]).arg(&file);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        if let Some(problems) = validators::actionlint(&file) {
            assert_eq!(problems, "", "{name}");
        }
    }
}
