//! Finds bytecode that CPython would run although the source has changed since. CPython takes a
//! `.pyc` as good when the source's size and the whole second of its modification time are those
//! in its header (cpython issue 75953), so that an edit within the same second, or one whose
//! modification time was set back, can test old code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use super::files::{FileSet, ProjectFile, look_at};
use super::stat::FileStat;
use crate::dropped::dropped;
use crate::paths::RelPath;

/// Clock steps that separate two writes for certain.
const TICK: i64 = 20_000_000;
/// Magic number, flags, modification time, size: PEP 552.
const HEADER: usize = 16;
/// Flags of bytecode that goes by modification time and size.
const TIMED: u32 = 0;
/// Flags of bytecode that names the source's hash and is not to be checked against it.
const UNCHECKED_HASH: u32 = 1;

/// The first Python file for which stale bytecode would be used; `None` where all is well.
///
/// Bytecode that is among `files` was put there by git, whoever compiled it and of what: it counts as
/// stale. `prefix` is the value of `PYTHONPYCACHEPREFIX`, below which bytecode lies in that case.
pub fn stale_bytecode<'a>(
    files: impl Iterator<Item = &'a ProjectFile>,
    root: &Path,
    prefix: Option<&Path>,
) -> Option<&'a ProjectFile> {
    let mut folders: BTreeMap<&[u8], Vec<&ProjectFile>> = BTreeMap::new();
    let mut tracked = BTreeSet::new();
    for file in files {
        if file.path.has_extension(&["py"]) {
            folders.entry(file.path.parent()).or_default().push(file);
        } else if prefix.is_none() && file.path.has_extension(&["pyc"]) {
            tracked.insert(file.path.below(root));
        }
    }
    folders.into_values().find_map(|files| stale_in_folder(&files, root, prefix, &tracked))
}

/// The same for all sources below the folder `place`, or for the module at it; tells the path of the
/// first.
pub fn stale_bytecode_at(place: &Path, prefix: Option<&Path>) -> Option<PathBuf> {
    let (folder, mut sources) = if place.is_dir() {
        (place, FileSet::everything(place).files)
    } else {
        let folder = place.parent()?;
        (folder, look_at(RelPath::from_absolute(place, folder)?, folder).into_iter().collect())
    };
    sources.retain(|file| file.path.has_extension(&["py"]));
    stale_bytecode(sources.iter(), folder, prefix).map(|file| file.path.below(folder))
}

fn stale_in_folder<'a>(
    files: &[&'a ProjectFile],
    root: &Path,
    prefix: Option<&Path>,
    tracked: &BTreeSet<PathBuf>,
) -> Option<&'a ProjectFile> {
    let sources = files.first()?.path.below(root).parent()?.to_owned();
    let cached = fs::read_dir(bytecode_folder(&sources, prefix)).ok()?;
    cached.flatten().find_map(|entry| {
        let name = entry.file_name();
        // `module.cpython-311.pyc`, `test_module.cpython-311-pytest-9.2.0.pyc`
        let stem = name.as_encoded_bytes().split(|&b| b == b'.').next()?;
        let source = files.iter().find(|file| {
            file.path.file_name().strip_suffix(b".py").is_some_and(|source| source == stem)
        })?;
        let path = entry.path();
        let is_stale = match used(&path, &source.stat)? {
            Used::Always => true,
            Used::Compiled(time) => {
                time < source.stat.last_touched().saturating_add(TICK) || tracked.contains(&path)
            }
        };
        (is_stale && !dropped("bytecode")).then_some(*source)
    })
}

fn bytecode_folder(sources: &Path, prefix: Option<&Path>) -> PathBuf {
    match prefix {
        Some(prefix) => prefix.join(sources.strip_prefix("/").unwrap_or(sources)),
        None => sources.join("__pycache__"),
    }
}

/// Bytecode that CPython would run in the place of a source.
enum Used {
    /// Its header says that it is not to be compared with the source.
    Always,
    /// Its header fits the source. It was written at this time.
    Compiled(i64),
}

/// `None` where CPython would compile the source, or compare all of it.
fn used(bytecode: &Path, source: &FileStat) -> Option<Used> {
    let mut header = [0; HEADER];
    let mut file = File::open(bytecode).ok()?;
    let meta = file.metadata().ok()?;
    file.read_exact(&mut header).ok()?;
    let word = |at: usize| u32::from_le_bytes([0, 1, 2, 3].map(|i| header[at + i]));
    // The header keeps the lower 32 bits of both.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as CPython does")]
    let fits =
        word(8) == source.mtime.div_euclid(1_000_000_000) as u32 && word(12) == source.size as u32;
    match word(4) {
        TIMED => fits.then(|| Used::Compiled(FileStat::from(&meta).mtime)),
        UNCHECKED_HASH => Some(Used::Always),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A source that was compiled `after` nanoseconds later than it was last touched.
    fn compiled(after: i64) -> (tempfile::TempDir, ProjectFile) {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a.py"), "x = 1\n").unwrap();
        let file = look_at("a.py".into(), root.path()).unwrap();
        let mut header = vec![0; 8];
        let seconds = u32::try_from(file.stat.mtime / 1_000_000_000).unwrap();
        header.extend_from_slice(&seconds.to_le_bytes());
        header.extend_from_slice(&u32::try_from(file.stat.size).unwrap().to_le_bytes());
        let cached = root.path().join("__pycache__/a.cpython-311.pyc");
        fs::create_dir(cached.parent().unwrap()).unwrap();
        fs::write(&cached, header).unwrap();
        let time = u64::try_from(file.stat.last_touched() + after).unwrap();
        let time = std::time::UNIX_EPOCH + std::time::Duration::from_nanos(time);
        File::options().write(true).open(&cached).unwrap().set_modified(time).unwrap();
        (root, file)
    }

    #[test]
    fn bytecode_older_than_its_source_but_fitting_it_is_stale() {
        let (root, file) = compiled(-5_000_000);
        assert!(stale_bytecode([&file].into_iter(), root.path(), None).is_some());
    }

    #[test]
    fn a_folder_and_a_module_outside_of_the_project_are_looked_at_alike() {
        for (after, is_stale) in [(-5_000_000, true), (5_000_000_000, false)] {
            let (root, _) = compiled(after);
            let module = root.path().join("a.py");
            for place in [root.path(), &module] {
                let found = stale_bytecode_at(place, None);
                assert_eq!(found, is_stale.then(|| module.clone()), "{}", place.display());
            }
        }
    }

    #[test]
    fn bytecode_written_well_after_its_source_is_good() {
        let (root, file) = compiled(5_000_000_000);
        assert!(stale_bytecode([&file].into_iter(), root.path(), None).is_none());
    }

    #[test]
    fn bytecode_that_git_put_there_is_stale_whenever_it_was_written() {
        let (root, file) = compiled(5_000_000_000);
        let bytecode = look_at("__pycache__/a.cpython-311.pyc".into(), root.path()).unwrap();
        assert!(stale_bytecode([&file, &bytecode].into_iter(), root.path(), None).is_some());
        let elsewhere = Some(Path::new("/elsewhere"));
        assert!(stale_bytecode([&file, &bytecode].into_iter(), root.path(), elsewhere).is_none());
    }

    #[test]
    fn bytecode_of_another_size_is_compiled_again_by_python_itself() {
        let (root, mut file) = compiled(-5_000_000);
        file.stat.size += 1;
        assert!(stale_bytecode([&file].into_iter(), root.path(), None).is_none());
    }
}
