//! Into which folders pyqa's hooks were put. `core.hooksPath` may change afterwards: what lies in
//! the old folder is then run by nobody, and can be told and removed only if it is remembered.

use std::fs;
use std::io;
use std::path::PathBuf;

use super::place::Place;
use crate::paths::RelPath;

fn file(place: &Place) -> PathBuf {
    place.common.join("pyqa").join("hooks")
}

/// Folders that may hold hooks of pyqa's, the one that counts first.
pub(super) fn folders(place: &Place) -> Vec<PathBuf> {
    let mut folders = vec![place.folder.clone()];
    for folder in read(place).into_iter().chain([place.own.clone()]) {
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
    folders
}

/// Folders into which hooks were put. A record that is gone is the record of nothing.
pub(super) fn read(place: &Place) -> Vec<PathBuf> {
    let recorded = fs::read(file(place)).unwrap_or_default();
    let names = recorded.split(|&byte| byte == 0).filter(|name| !name.is_empty());
    names.map(|name| RelPath::from_bytes(name).to_path()).collect()
}

/// Remembers `kept`, and forgets all other folders.
pub(super) fn write(place: &Place, kept: &[PathBuf]) -> io::Result<()> {
    let file = file(place);
    if kept.is_empty() {
        return match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    let mut bytes = Vec::new();
    for folder in kept {
        bytes.extend(folder.as_os_str().as_encoded_bytes());
        bytes.push(0);
    }
    if fs::read(&file).is_ok_and(|known| known == bytes) {
        return Ok(());
    }
    fs::create_dir_all(place.common.join("pyqa"))?;
    fs::write(file, bytes)
}
