//! The stat cache, [`States`]: which content a file had when it was last read, and the state on
//! disk that it had then. One file per checkout; nothing of it is shared between checkouts.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use super::clock;
use super::frame::{self, Kind};
use super::records::{Record, Table};
use crate::dropped::dropped;
use crate::hash::{ContentHash, FileStates, Fingerprint};
use crate::paths::{RelPath, touch_daily};
use crate::project::files::{ProjectFile, look_at};
use crate::project::stat::FileStat;

/// A project file together with its state, to be hashed.
pub struct Observed<'a> {
    pub path: &'a RelPath,
    pub stat: FileStat,
}

/// What is known of the files of one checkout.
pub struct States {
    file: PathBuf,
    root: PathBuf,
    table: Table,
    /// Per record of `table`: looked at in this run.
    seen: Vec<AtomicBool>,
    /// Per memo of `table`: recalled in this run.
    recalled: Vec<AtomicBool>,
    clock: OnceLock<i64>,
    updates: Mutex<Updates>,
}

#[derive(Default)]
struct Updates {
    records: BTreeMap<Vec<u8>, Record>,
    memos: BTreeMap<Fingerprint, Vec<u8>>,
}

impl States {
    /// Reads the states of the checkout at `root` from `folder`. A missing or damaged file is an
    /// empty one.
    pub fn open(folder: &Path, root: &Path) -> Self {
        let name = Fingerprint::of_path("pyqa checkout", root);
        let file = folder.join(format!("{name}.bin"));
        let table = frame::read(&file, Kind::States).and_then(Table::parse).unwrap_or_default();
        let unmarked = |count| (0..count).map(|_| AtomicBool::new(false)).collect();
        let (seen, recalled) = (unmarked(table.len()), unmarked(table.memos()));
        Self {
            file,
            root: root.to_owned(),
            table,
            seen,
            recalled,
            clock: OnceLock::new(),
            updates: Mutex::default(),
        }
    }

    /// The content of each file, in the order given; `None` where it cannot be read. Files whose
    /// record is trusted and whose state has not moved are not opened.
    pub fn hash_all(&self, files: &[Observed<'_>]) -> Vec<Option<ContentHash>> {
        const CHUNK: usize = 512;
        files
            .par_chunks(CHUNK)
            .flat_map_iter(|chunk| {
                let mut at = 0;
                chunk
                    .iter()
                    .map(|file| {
                        self.known(file.path.as_bytes(), &file.stat, &mut at).or_else(|| {
                            self.read(file.path.as_bytes(), &file.path.below(&self.root)).ok()
                        })
                    })
                    .collect::<Vec<_>>()
            })
            .collect()
    }

    /// Whether the file still holds what was hashed in this run. A file whose state proves nothing
    /// because it was touched just then is read again.
    pub fn still_holds(&self, file: &ProjectFile, hash: &ContentHash) -> bool {
        let Some(now) = look_at(file.path.clone(), &self.root) else { return false };
        if now.stat != file.stat || now.link != file.link {
            return false;
        }
        let key = file.path.as_bytes();
        let recorded = self.updates().records.get(key).copied();
        let trusted = match recorded {
            Some(record) => record.trusted,
            None => self.known(key, &file.stat, &mut 0).is_some(),
        };
        let content = || std::fs::read(file.path.below(&self.root)).map(|b| ContentHash::of(&b));
        trusted || content().is_ok_and(|content| content == *hash)
    }

    /// The recorded hash, if the record is trusted and `stat` is what it was then.
    fn known(&self, key: &[u8], stat: &FileStat, at: &mut usize) -> Option<ContentHash> {
        let index = self.table.find(key, at)?;
        let record = self.table.record(index);
        let blind = FileStat { ctime: stat.ctime, ..record.stat };
        let is_same = record.stat == *stat || (dropped("ctime") && blind == *stat);
        if record.trusted && is_same {
            self.seen[index].store(true, Ordering::Relaxed);
            return Some(record.hash);
        }
        None
    }

    /// Reads and hashes the file, and records its state unless it moved meanwhile.
    fn read(&self, key: &[u8], path: &Path) -> io::Result<ContentHash> {
        let now = *self.clock.get_or_init(|| clock::now(self.file.parent()));
        let before = FileStat::from(&fs::metadata(path)?);
        let hash = ContentHash::of(&fs::read(path)?);
        let after = FileStat::from(&fs::metadata(path)?);
        let trusted = before == after && clock::is_settled(&before, now);
        let record = Record { stat: after, hash, trusted };
        self.updates().records.insert(key.to_vec(), record);
        Ok(hash)
    }

    /// Writes what was learnt, if anything was.
    ///
    /// # Errors
    /// Those of writing: a read-only or full disk. Nothing but speed is lost.
    pub fn save(&self) -> io::Result<()> {
        let updates = self.updates();
        if updates.records.is_empty() && updates.memos.is_empty() {
            touch_daily(&self.file);
            return Ok(());
        }
        let is_marked = |marks: &[AtomicBool], index: usize| marks[index].load(Ordering::Relaxed);
        let payload = self.table.merged(
            |record| is_marked(&self.seen, record),
            |memo| is_marked(&self.recalled, memo),
            &updates.records,
            &updates.memos,
        );
        frame::write(&self.file, Kind::States, &payload)
    }

    fn updates(&self) -> std::sync::MutexGuard<'_, Updates> {
        // A panic of another thread leaves complete records only: each is inserted whole.
        self.updates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Files of the project are kept by their relative path, others by their absolute one.
    fn key(&self, path: &Path) -> Vec<u8> {
        match RelPath::from_absolute(path, &self.root) {
            Some(relative) => relative.as_bytes().to_vec(),
            None => path.as_os_str().as_encoded_bytes().to_vec(),
        }
    }
}

impl FileStates for States {
    fn content_hash(&self, path: &Path) -> io::Result<ContentHash> {
        let stat = FileStat::from(&fs::metadata(path)?);
        let key = self.key(path);
        if let Some(record) = self.updates().records.get(&key)
            && record.stat == stat
            && record.trusted
        {
            return Ok(record.hash);
        }
        match self.known(&key, &stat, &mut 0) {
            Some(hash) => Ok(hash),
            None => self.read(&key, path),
        }
    }

    fn recall(&self, key: &Fingerprint) -> Option<Vec<u8>> {
        if let Some(value) = self.updates().memos.get(key) {
            return Some(value.clone());
        }
        let index = self.table.find_memo(key)?;
        self.recalled[index].store(true, Ordering::Relaxed);
        self.table.memo(index).map(<[u8]>::to_vec)
    }

    fn remember(&self, key: Fingerprint, value: Vec<u8>) {
        self.updates().memos.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixture {
        cache: tempfile::TempDir,
        root: tempfile::TempDir,
    }

    impl Fixture {
        fn new() -> Self {
            Self { cache: tempfile::tempdir().unwrap(), root: tempfile::tempdir().unwrap() }
        }

        fn states(&self) -> States {
            States::open(self.cache.path(), self.root.path())
        }

        fn write(&self, text: &str) -> PathBuf {
            let path = self.root.path().join("a.py");
            fs::write(&path, text).unwrap();
            path
        }

        /// A clock that stands far after everything that the test writes.
        fn later(states: &States) {
            states.clock.set(i64::MAX).unwrap();
        }
    }

    #[test]
    fn a_file_touched_as_late_as_it_was_read_is_read_again() {
        let fixture = Fixture::new();
        let path = fixture.write("x = 1\n");
        let states = fixture.states();
        states.content_hash(&path).unwrap();
        states.save().unwrap();
        let stat = FileStat::from(&fs::metadata(&path).unwrap());
        assert_eq!(fixture.states().known(b"a.py", &stat, &mut 0), None);
    }

    #[test]
    fn an_old_file_is_not_read_again_until_its_state_moves() {
        let fixture = Fixture::new();
        let path = fixture.write("x = 1\n");
        let states = fixture.states();
        Fixture::later(&states);
        let hash = states.content_hash(&path).unwrap();
        states.save().unwrap();

        let states = fixture.states();
        let stat = FileStat::from(&fs::metadata(&path).unwrap());
        assert_eq!(states.known(b"a.py", &stat, &mut 0), Some(hash));
        let moved = FileStat { ctime: stat.ctime + 1, ..stat };
        assert_eq!(states.known(b"a.py", &moved, &mut 0), None);
    }

    #[test]
    fn same_size_and_restored_modification_time_is_noticed() {
        let fixture = Fixture::new();
        let path = fixture.write("x = 1\n");
        let states = fixture.states();
        Fixture::later(&states);
        let first = states.content_hash(&path).unwrap();
        states.save().unwrap();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        fixture.write("x = 2\n");
        fs::File::options().write(true).open(&path).unwrap().set_modified(modified).unwrap();
        assert_ne!(fixture.states().content_hash(&path).unwrap(), first);
    }

    #[test]
    fn every_memo_is_found_among_many_that_came_at_different_times() {
        let fixture = Fixture::new();
        let key = |n: u8| Fingerprint([n.wrapping_mul(37); 32]);
        for n in 0..50 {
            let states = fixture.states();
            states.remember(key(n), vec![n]);
            states.save().unwrap();
            assert_eq!(fixture.states().recall(&key(n)), Some(vec![n]));
        }
        let states = fixture.states();
        for n in 25..50 {
            assert_eq!(states.recall(&key(n)), Some(vec![n]), "{n}");
        }
        assert_eq!(states.recall(&key(200)), None);
    }

    #[test]
    fn memos_survive_and_a_damaged_file_is_an_empty_one() {
        let fixture = Fixture::new();
        let key = Fingerprint([7; 32]);
        let states = fixture.states();
        states.remember(key, b"value".to_vec());
        states.save().unwrap();
        assert_eq!(fixture.states().recall(&key).as_deref(), Some(&b"value"[..]));
        fs::write(&fixture.states().file, b"pyqa damaged").unwrap();
        assert_eq!(fixture.states().recall(&key), None);
    }
}
