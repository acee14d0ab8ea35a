//! Folders that are dear to make, [`once`] for all tests and runs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The folder below Cargo's folder for tests that `make` makes out of `content`, whichever process
/// comes first. `make` finds nothing at the path: what an earlier, unfinished try left is removed.
pub(super) fn once(name: &str, content: &str, make: impl Fn(&Path)) -> PathBuf {
    let name = format!("{name}-{}", &blake3::hash(content.as_bytes()).to_hex()[..12]);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let lock = File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if !folder.join("complete").exists() {
        let _ = fs::remove_dir_all(&folder);
        make(&folder);
        fs::write(folder.join("complete"), "").unwrap();
    }
    folder
}
