//! Removes what has not been used for long, and the oldest of the rest where the cache is too
//! large: [`collect`]. A run that needed an entry has touched its file, at most once a day.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::folder::CacheFolder;
use crate::project::environment::MARK_OF_MADE;

/// What may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Since the last use.
    pub age: Duration,
    /// Bytes of all that is kept, environments not counted.
    pub size: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { age: Duration::from_hours(30 * 24), size: 2 << 30 }
    }
}

/// Environments are dear to make: they stay longer.
const AGE_OF_ENVIRONMENTS: Duration = Duration::from_hours(90 * 24);
/// Between two collections that nobody asked for.
const INTERVAL: Duration = Duration::from_hours(24);

/// What was removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    pub entries: usize,
    pub bytes: u64,
}

/// Collects if that was not done today. Whatever goes wrong costs space only.
pub fn collect_daily(cache: &CacheFolder, environments: &Path, limits: Limits) {
    let stamp = cache.path().join("collected");
    let is_fresh = |meta: fs::Metadata| {
        meta.modified().is_ok_and(|time| time.elapsed().is_ok_and(|age| age < INTERVAL))
    };
    if fs::metadata(&stamp).is_ok_and(is_fresh) {
        return;
    }
    // First, so that of two runs at once one does it.
    if fs::write(&stamp, "").is_ok() {
        let done = collect(cache, environments, limits);
        log::info!("removed {} old entries, {} bytes", done.entries, done.bytes);
    }
}

/// Removes entries beyond the limits. What cannot be removed stays.
pub fn collect(cache: &CacheFolder, environments: &Path, limits: Limits) -> Collected {
    let now = SystemTime::now();
    let age = |entry: &Entry| now.duration_since(entry.used).unwrap_or_default();
    let mut entries: Vec<Entry> =
        cache.kept().iter().flat_map(|(_, folder)| entries(folder)).collect();
    entries.sort_by_key(|entry| entry.used);
    let mut size: u64 = entries.iter().map(|entry| entry.bytes).sum();
    let mut done = Collected::default();
    for entry in entries {
        if (age(&entry) > limits.age || size > limits.size) && entry.remove().is_ok() {
            size -= entry.bytes;
            done.entries += 1;
            done.bytes += entry.bytes;
        }
    }
    for (_, folder) in cache.kept() {
        remove_empty_folders(&folder);
    }
    for made in folders(environments) {
        let used = fs::metadata(made.join(MARK_OF_MADE)).and_then(|m| m.modified());
        // One without its mark is being made, or was given up long ago.
        let used = used.or_else(|_| fs::metadata(&made).and_then(|m| m.modified()));
        let is_old = used
            .is_ok_and(|time| now.duration_since(time).is_ok_and(|age| age > AGE_OF_ENVIRONMENTS));
        if is_old && remove_environment(&made).is_ok() {
            done.entries += 1;
        }
    }
    done
}

/// A process that makes the environment anew holds its lock.
fn remove_environment(made: &Path) -> io::Result<()> {
    let lock = fs::File::create(made.with_extension("lock"))?;
    lock.try_lock().map_err(|_| io::ErrorKind::WouldBlock)?;
    // Without its mark it is no environment any more, also if the rest cannot be removed.
    match fs::remove_file(made.join(MARK_OF_MADE)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => fs::remove_dir_all(made),
    }
}

/// Something that is kept or removed as a whole.
struct Entry {
    path: PathBuf,
    used: SystemTime,
    bytes: u64,
}

impl Entry {
    fn remove(&self) -> io::Result<()> {
        if self.path.is_dir() {
            fs::remove_dir_all(&self.path)
        } else {
            fs::remove_file(&self.path)
        }
    }
}

/// Files are entries of their own; a tool's state, a folder beside the record of it that pyqa
/// keeps, is one with it.
fn entries(folder: &Path) -> Vec<Entry> {
    let mut found = Vec::new();
    for item in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = item.path();
        let Ok(meta) = item.metadata() else { continue };
        if meta.is_dir() && !super::tool_state::record_path(&path).is_file() {
            found.extend(entries(&path));
            continue;
        }
        let used = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        if meta.is_dir() {
            let record = fs::metadata(super::tool_state::record_path(&path));
            let used = record.and_then(|meta| meta.modified()).unwrap_or(used);
            found.push(Entry { bytes: measure(&path).bytes, path, used });
        } else {
            found.push(Entry { path, used, bytes: meta.len() });
        }
    }
    found
}

/// What lies below a folder, folders not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    pub files: usize,
    pub bytes: u64,
}

/// Measures a folder. What is gone or cannot be read counts for nothing.
pub fn measure(folder: &Path) -> Extent {
    let mut sum = Extent::default();
    for item in fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(meta) = item.metadata() else { continue };
        let below = if meta.is_dir() {
            measure(&item.path())
        } else {
            Extent { files: 1, bytes: meta.len() }
        };
        sum.files += below.files;
        sum.bytes += below.bytes;
    }
    sum
}

fn folders(folder: &Path) -> Vec<PathBuf> {
    let items = fs::read_dir(folder).into_iter().flatten().flatten();
    items.map(|item| item.path()).filter(|path| path.is_dir()).collect()
}

fn remove_empty_folders(folder: &Path) {
    for inner in folders(folder) {
        remove_empty_folders(&inner);
        // Refused where something is left in it.
        let _ = fs::remove_dir(inner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(folder: &Path) -> CacheFolder {
        CacheFolder::locate(|name| {
            (name == "PYQA_CACHE_DIR").then(|| folder.as_os_str().to_owned())
        })
    }

    fn file(path: &Path, bytes: usize, days_ago: u64) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, vec![0; bytes]).unwrap();
        let time = SystemTime::now() - Duration::from_hours(24 * days_ago);
        fs::File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
    }

    #[test]
    fn what_is_old_goes_then_the_oldest_until_the_rest_fits() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        file(&at("results/packs/a/1.segment"), 100, 40);
        file(&at("results/packs/b/1.segment"), 100, 20);
        file(&at("results/whole/aa/bb"), 100, 10);
        file(&at("states/c.bin"), 100, 0);
        let limits = Limits { size: 250, ..Limits::default() };
        let done = collect(&cache(folder.path()), &at("envs"), limits);
        assert_eq!(done, Collected { entries: 2, bytes: 200 });
        assert!(!at("results/packs/a").exists() && !at("results/packs/b").exists());
        assert!(at("results/whole/aa/bb").exists() && at("states/c.bin").exists());
    }

    #[test]
    fn a_tool_s_state_goes_as_a_whole_and_by_the_age_of_its_record() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        file(&at("tools/mypy/one/two/3.11/m.json"), 10, 300);
        file(&super::super::tool_state::record_path(&at("tools/mypy/one/two")), 10, 1);
        collect(&cache(folder.path()), &at("envs"), Limits::default());
        assert!(at("tools/mypy/one/two/3.11/m.json").exists());
    }

    #[test]
    fn a_folder_is_measured_with_all_below_it() {
        let folder = tempfile::tempdir().unwrap();
        file(&folder.path().join("a"), 10, 0);
        file(&folder.path().join("inner/deeper/b"), 5, 0);
        assert_eq!(measure(folder.path()), Extent { files: 2, bytes: 15 });
        assert_eq!(measure(&folder.path().join("missing")), Extent::default());
    }

    #[test]
    fn environments_unused_for_long_go_and_one_that_is_being_made_stays() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join("envs").join(name);
        for name in ["old", "locked"] {
            file(&at(name).join(MARK_OF_MADE), 1, 100);
        }
        file(&at("new").join(MARK_OF_MADE), 1, 1);
        let lock = fs::File::create(at("locked.lock")).unwrap();
        lock.lock().unwrap();
        collect(&cache(folder.path()), &folder.path().join("envs"), Limits::default());
        assert!(!at("old").exists() && at("new").exists() && at("locked").exists());
    }
}
