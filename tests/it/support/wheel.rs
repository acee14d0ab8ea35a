//! The wheel, built once from this source: as a release is, but without optimisation.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::environment::run;
use super::further_environment;

const REQUIREMENTS: &str = include_str!("../../packaging.txt");

/// maturin, which builds packages.
pub(crate) fn maturin() -> Command {
    let mut command =
        Command::new(further_environment("packaging", REQUIREMENTS).join("bin/maturin"));
    // Not where the program lies that other tests start meanwhile.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wheel-target");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("CARGO_TARGET_DIR", target);
    command
}

/// The wheel's file.
pub(crate) fn wheel() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wheel");
    let lock = File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    // For the tests of one run: of one process.
    let made = folder.join(std::process::id().to_string());
    if !made.exists() {
        let _ = fs::remove_dir_all(&folder);
        run(maturin().args(["build", "--profile", "dev", "--locked", "--out"]).arg(&made));
    }
    let mut wheels = fs::read_dir(&made).unwrap().map(|entry| entry.unwrap().path());
    wheels.next().unwrap()
}
