//! The result store, [`Store`]: results by key, shared by all checkouts of a user.
//!
//! Results of files lie in packs, one folder per tool with its settings and environment (the
//! part of the key that all files have in common), so that a run reads the results that it needs
//! in a few files. A run that learnt something adds a segment to the pack; segments are never
//! changed, only merged into one when there are many. Results for whole projects are a file each.
//! Writers need no lock: every file appears by rename, under a name of its own.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::entry::Entry;
use super::frame::{self, Kind, Payload};
use super::search::search;
use crate::hash::Fingerprint;
use crate::paths::touch_daily;

/// More segments than this are merged when one is added.
const MOST_SEGMENTS: usize = 8;
/// A result that was not needed for so many days is dropped when segments are merged.
const KEPT_DAYS: u32 = 30;
/// Results kept for one project as a whole under one key, which differ in what was read beside it.
const MOST_VARIANTS: usize = 6;

const KEY: usize = 32;
/// Bytes of one line of a segment's index: key, day of last use, start and length of the entry.
const LINE: usize = KEY + 4 + 4 + 4;

/// The folder of results.
#[derive(Clone, Debug)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The results of one tool's files under one common part of the key.
    pub fn pack(&self, common: &Fingerprint) -> Pack {
        Pack::open(self.folder.join("packs").join(common.to_string()))
    }

    /// The results kept for a whole project under `key`, the newest first.
    pub fn whole(&self, key: &Fingerprint) -> Vec<Entry> {
        let path = self.whole_path(key);
        let Some(payload) = frame::read(&path, Kind::Whole) else { return Vec::new() };
        touch_daily(&path);
        postcard::from_bytes(&payload).unwrap_or_default()
    }

    /// Adds a result for a whole project.
    ///
    /// # Errors
    /// Those of writing.
    pub fn put_whole(&self, key: &Fingerprint, entry: &Entry) -> io::Result<()> {
        let mut variants = self.whole(key);
        variants.retain(|variant| variant.inputs != entry.inputs);
        variants.insert(0, entry.clone());
        variants.truncate(MOST_VARIANTS);
        let payload = postcard::to_stdvec(&variants).expect("plain data always encodes");
        frame::write(&self.whole_path(key), Kind::Whole, &payload)
    }

    /// How many results there are.
    pub fn count(&self) -> Count {
        let below = |name: &str| {
            let folders = fs::read_dir(self.folder.join(name)).into_iter().flatten().flatten();
            folders.map(|folder| folder.path()).collect::<Vec<_>>()
        };
        let packs = below("packs").into_iter().map(Pack::open);
        let whole = below("whole").into_iter().filter_map(|folder| fs::read_dir(folder).ok());
        Count {
            files: packs.flat_map(|pack| pack.segments).map(|segment| segment.count).sum(),
            projects: whole.map(Iterator::count).sum(),
        }
    }

    fn whole_path(&self, key: &Fingerprint) -> PathBuf {
        let name = key.to_string();
        self.folder.join("whole").join(&name[..2]).join(&name[2..])
    }
}

/// Numbers of results, by what they are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub files: usize,
    pub projects: usize,
}

/// The results of one tool's files.
pub struct Pack {
    folder: PathBuf,
    segments: Vec<Segment>,
}

impl Pack {
    fn open(folder: PathBuf) -> Self {
        let names = fs::read_dir(&folder).into_iter().flatten().flatten();
        let segments = names
            .filter(|name| name.path().extension().is_some_and(|e| e == "segment"))
            .filter_map(|name| Segment::open(name.path()))
            .collect();
        Self { folder, segments }
    }

    pub fn get(&self, key: &Fingerprint) -> Option<Entry> {
        self.segments.iter().find_map(|segment| Entry::decode(segment.get(key)?))
    }

    /// Adds `entries`. `used` are the keys that this run needed and found here.
    ///
    /// # Errors
    /// Those of writing.
    pub fn add(&self, entries: &[(Fingerprint, Entry)], used: &[Fingerprint]) -> io::Result<()> {
        let today = today();
        let mut lines: Vec<(Fingerprint, u32, Vec<u8>)> =
            entries.iter().map(|(key, entry)| (*key, today, entry.encode())).collect();
        let merge = self.segments.len() >= MOST_SEGMENTS;
        if merge {
            let used: HashSet<&Fingerprint> = used.iter().collect();
            for (key, day, bytes) in self.segments.iter().flat_map(Segment::lines) {
                let day = if used.contains(&key) { today } else { day };
                if day + KEPT_DAYS >= today {
                    lines.push((key, day, bytes.to_vec()));
                }
            }
        }
        lines.sort_by_key(|line| line.0);
        lines.dedup_by_key(|line| line.0);
        let payload = Segment::encode(&lines);
        // The name stands for the content: two runs that learnt the same write the same file.
        let name = format!("{}.segment", &blake3::hash(&payload).to_hex()[..32]);
        frame::write(&self.folder.join(&name), Kind::Pack, &payload)?;
        if merge {
            for segment in self.segments.iter().filter(|s| !s.path.ends_with(&name)) {
                // Another run may have merged it away already.
                let _ = fs::remove_file(&segment.path);
            }
        }
        Ok(())
    }

    /// Tells the collection of old entries that the pack is in use.
    pub fn touch(&self) {
        if let Some(segment) = self.segments.first() {
            touch_daily(&segment.path);
        }
    }
}

/// One file of a pack: an index sorted by key, then the entries.
struct Segment {
    path: PathBuf,
    payload: Payload,
    count: usize,
}

impl Segment {
    fn open(path: PathBuf) -> Option<Self> {
        let payload = frame::read(&path, Kind::Pack)?;
        let count = u32_at(&payload, 0)? as usize;
        (payload.len() >= 4 + count.checked_mul(LINE)?).then_some(Self { path, payload, count })
    }

    fn get(&self, key: &Fingerprint) -> Option<&[u8]> {
        let found = search(self.count, |index| self.line(index)[..KEY].cmp(&key.0));
        self.entry(found.ok()?)
    }

    fn lines(&self) -> impl Iterator<Item = (Fingerprint, u32, &[u8])> {
        (0..self.count).filter_map(|index| {
            let line = self.line(index);
            let key = Fingerprint(line[..KEY].try_into().ok()?);
            Some((key, u32_at(line, KEY)?, self.entry(index)?))
        })
    }

    fn line(&self, index: usize) -> &[u8] {
        &self.payload[4 + index * LINE..][..LINE]
    }

    fn entry(&self, index: usize) -> Option<&[u8]> {
        let line = self.line(index);
        let start = 4 + self.count * LINE + u32_at(line, KEY + 4)? as usize;
        self.payload.get(start..start + u32_at(line, KEY + 8)? as usize)
    }

    fn encode(lines: &[(Fingerprint, u32, Vec<u8>)]) -> Vec<u8> {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes();
        let mut index = Vec::with_capacity(4 + lines.len() * LINE);
        let mut entries = Vec::new();
        index.extend_from_slice(&number(lines.len()));
        for (key, day, bytes) in lines {
            index.extend_from_slice(&key.0);
            index.extend_from_slice(&day.to_le_bytes());
            index.extend_from_slice(&number(entries.len()));
            index.extend_from_slice(&number(bytes.len()));
            entries.extend_from_slice(bytes);
        }
        index.append(&mut entries);
        index
    }
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Days since 1970.
pub(super) fn today() -> u32 {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    u32::try_from(seconds / 86_400).unwrap_or(u32::MAX - KEPT_DAYS)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cache::entry::{ExtraInput, InputState};
    use crate::hash::Digest;

    fn key(n: usize) -> Fingerprint {
        Digest::new("test").field("n", n.to_string()).finish()
    }

    fn entry(cost: u64) -> Entry {
        Entry {
            findings: Vec::new(),
            tests: Vec::new(),
            cost: Duration::from_millis(cost),
            stored: 1,
            inputs: Vec::new(),
        }
    }

    #[test]
    fn everything_put_is_got_across_many_segments_and_their_merging() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        for round in 0..30 {
            let new: Vec<_> = (0..7).map(|n| round * 7 + n).collect();
            let entries: Vec<_> = new.iter().map(|&n| (key(n), entry(n as u64))).collect();
            store.pack(&key(0)).add(&entries, &[]).unwrap();
        }
        let pack = store.pack(&key(0));
        assert!(pack.segments.len() <= MOST_SEGMENTS + 1);
        for n in 0..210 {
            assert_eq!(pack.get(&key(n)), Some(entry(n as u64)));
        }
        assert_eq!(pack.get(&key(210)), None);
    }

    #[test]
    fn a_damaged_segment_is_a_miss_and_the_others_still_hit() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        store.pack(&key(0)).add(&[(key(1), entry(1))], &[]).unwrap();
        let first = store.pack(&key(0)).segments[0].path.clone();
        store.pack(&key(0)).add(&[(key(2), entry(2))], &[]).unwrap();
        let length = fs::metadata(&first).unwrap().len();
        fs::File::options().write(true).open(&first).unwrap().set_len(length - 1).unwrap();
        let pack = store.pack(&key(0));
        assert_eq!(pack.get(&key(1)), None);
        assert_eq!(pack.get(&key(2)), Some(entry(2)));
    }

    #[test]
    fn results_for_a_project_keep_variants_that_read_different_things() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(folder.path());
        let with = |name: &str| Entry {
            inputs: vec![ExtraInput { path: name.into(), state: InputState::Absent }],
            ..entry(1)
        };
        store.put_whole(&key(1), &with("a")).unwrap();
        store.put_whole(&key(1), &with("b")).unwrap();
        store.put_whole(&key(1), &with("a")).unwrap();
        assert_eq!(store.whole(&key(1)), [with("a"), with("b")]);
    }
}
