//! Environments beside that of the tools, each made once from a file of requirements.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use super::environment::make_environment;

/// The environment with these requirements, below Cargo's folder for tests.
pub(crate) fn further_environment(name: &str, requirements: &str) -> PathBuf {
    let name = format!("{name}-{}", &blake3::hash(requirements.as_bytes()).to_hex()[..12]);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let lock = File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if !folder.join("complete").exists() {
        make_environment(&folder, requirements);
        fs::write(folder.join("complete"), "").unwrap();
    }
    folder
}
