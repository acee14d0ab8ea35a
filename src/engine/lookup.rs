//! Asks the store for the results of a plan's units.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rayon::prelude::*;

use super::site::Site;
use crate::cache::entry::{Entry, ExtraInput, InputState};
use crate::cache::store::{Pack, Store};
use crate::dropped::dropped;
use crate::hash::{ContentHash, Digest, FileStates, Fingerprint};
use crate::paths::RelPath;
use crate::plan::unit::{Scope, ToolPlan};
use crate::project::files::{is_cache_folder, is_foreign_folder};
use crate::project::stat::FileStat;

/// Fewer look-ups than this are not worth another thread.
const UNITS_A_THREAD: usize = 128;
/// The same for looks at the disk.
const LOOKS_A_THREAD: usize = 64;

/// What the store knows of a plan.
pub struct Found {
    /// Per unit of the plan.
    pub entries: Vec<Option<Entry>>,
    /// Where results of this plan's files are kept; `None` for a unit that is the project.
    pub pack: Option<Pack>,
    /// A result was there but too old.
    pub expired: bool,
}

/// Results that may be replayed: those whose key is known, and which are valid.
pub fn look_up(plan: &ToolPlan, store: &Store, validity: &Validity<'_>) -> Found {
    let expired = AtomicBool::new(false);
    let fits = |entry: &Entry| {
        if !validity.is_young(entry) {
            expired.store(true, Ordering::Relaxed);
        }
        validity.holds(entry)
    };
    let pack = (plan.scope == Scope::File).then(|| store.pack(&plan.pack));
    let entries = plan
        .units
        .par_iter()
        .with_min_len(UNITS_A_THREAD)
        .map(|unit| {
            let key = unit.key.as_ref()?;
            match &pack {
                Some(pack) => pack.get(key).filter(fits),
                None => store.whole(key).into_iter().find(fits),
            }
        })
        .collect();
    if let Some(pack) = &pack {
        pack.touch();
    }
    Found { entries, pack, expired: expired.into_inner() }
}

/// What makes a stored result one that may be replayed.
pub struct Validity<'a> {
    states: &'a dyn FileStates,
    root: &'a Path,
    /// Where the content lies in a snapshot.
    site: Option<&'a Site>,
    /// What was looked at just now, sorted.
    folders: &'a [(RelPath, FileStat)],
    /// `None`: of any age.
    max_age: Option<Duration>,
    now: u64,
}

impl<'a> Validity<'a> {
    pub fn new(states: &'a dyn FileStates, root: &'a Path, max_age: Option<Duration>) -> Self {
        Self { states, root, site: None, folders: &[], max_age, now: seconds_now() }
    }

    /// What lies beside the root in its repository is looked at where `site` has it.
    #[must_use]
    pub fn on(self, site: &'a Site) -> Self {
        Self { site: Some(site), ..self }
    }

    fn place_of(&self, input: &[u8]) -> PathBuf {
        match self.site {
            Some(site) => site.place_of(input, self.root),
            // An absolute path replaces the root.
            None => RelPath::from_bytes(input).below(self.root),
        }
    }

    /// Folders below the root, sorted by path, that were looked at just now, and their states: they
    /// are not looked at again.
    #[must_use]
    pub fn knowing(self, folders: &'a [(RelPath, FileStat)]) -> Self {
        Self { folders, ..self }
    }

    pub fn holds(&self, entry: &Entry) -> bool {
        self.is_young(entry) && (dropped("inputs") || self.inputs_are_as_they_were(&entry.inputs))
    }

    /// Thousands of folders are looked at one by one where something in them has changed; else
    /// their states together are what they were when all held.
    fn inputs_are_as_they_were(&self, inputs: &[ExtraInput]) -> bool {
        if inputs.is_empty() {
            return true;
        }
        let states = self.states_of(inputs);
        let key = self.stand_for(inputs, &states);
        if self.states.recall(&key).is_some() {
            return true;
        }
        let holds =
            inputs.par_iter().with_min_len(LOOKS_A_THREAD).all(|input| self.is_as_it_was(input));
        if holds && states.iter().flatten().all(FileStat::is_settled) {
            self.states.remember(key, Vec::new());
        }
        holds
    }

    fn states_of(&self, inputs: &[ExtraInput]) -> Vec<Option<FileStat>> {
        let look = |input: &ExtraInput| {
            let known = self.folders.binary_search_by(|(path, _)| path.as_bytes().cmp(&input.path));
            if let Ok(at) = known {
                return Some(self.folders[at].1);
            }
            std::fs::metadata(self.place_of(&input.path)).ok().map(|meta| FileStat::from(&meta))
        };
        inputs.par_iter().with_min_len(LOOKS_A_THREAD).map(look).collect()
    }

    fn is_as_it_was(&self, input: &ExtraInput) -> bool {
        let names = match input.state {
            InputState::Modules(_) => Names::Modules,
            _ => Names::All,
        };
        observe(&self.place_of(&input.path), names, self.states) == input.state
    }

    /// Names inputs with what is expected of them, and the states in which they are now.
    fn stand_for(&self, inputs: &[ExtraInput], states: &[Option<FileStat>]) -> Fingerprint {
        let mut key = Digest::new("pyqa inputs and their states");
        key.field("root", self.root.as_os_str().as_encoded_bytes());
        let place = self.site.map(|site| site.root.as_os_str().as_encoded_bytes());
        key.field("place", place.unwrap_or_default());
        for (input, state) in inputs.iter().zip(states) {
            key.field("path", &input.path);
            match input.state {
                InputState::File(content) => key.field("file", content),
                InputState::Folder(names) => key.field("folder", names),
                InputState::Modules(names) => key.field("modules", names),
                InputState::Absent => key.field("absent", []),
            };
            if let Some(state) = state
                && !dropped("states")
            {
                key.field("state", state.to_bytes());
            }
        }
        key.finish()
    }

    fn is_young(&self, entry: &Entry) -> bool {
        // A result from the future, as after the clock was set back, has no age that is known.
        let age = self.now.checked_sub(entry.stored);
        self.max_age.is_none_or(|most| age.is_some_and(|age| age < most.as_secs()))
    }
}

pub fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// Which names of a folder count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    All,
    /// Those that a tool which only looks for modules can see.
    Modules,
}

/// The state of something at `place` that a run read beside the project's files.
pub fn observe(place: &Path, names: Names, states: &dyn FileStates) -> InputState {
    match std::fs::metadata(place) {
        Ok(meta) if meta.is_dir() => {
            let stands_for = names_in(place, &FileStat::from(&meta), names, states);
            match names {
                Names::All => InputState::Folder(stands_for),
                Names::Modules => InputState::Modules(stands_for),
            }
        }
        Ok(meta) => match states.content_hash(place) {
            Ok(content) => InputState::File(match FileStat::from(&meta).unusual_permissions() {
                Some(unusual) if names == Names::All => {
                    ContentHash::of(&[&content.0[..], &unusual.to_le_bytes()].concat())
                }
                _ => content,
            }),
            Err(_) => InputState::Absent,
        },
        Err(_) => InputState::Absent,
    }
}

/// Stands for the names in a folder, which are not read again as long as the folder's own state
/// stays the same.
fn names_in(folder: &Path, stat: &FileStat, names: Names, states: &dyn FileStates) -> Fingerprint {
    let mut key = Digest::new("pyqa folder");
    key.field("path", folder.as_os_str().as_encoded_bytes());
    key.field("state", stat.to_bytes());
    key.field("names", [names as u8]);
    let key = key.finish();
    let known = states.recall(&key).and_then(|bytes| bytes.try_into().ok());
    if let Some(known) = known {
        return Fingerprint(known);
    }
    let read = read_names(folder, names);
    if stat.is_settled() {
        states.remember(key, read.0.to_vec());
    }
    read
}

fn read_names(folder: &Path, wanted: Names) -> Fingerprint {
    let counts = |entry: &std::fs::DirEntry| {
        let name = entry.file_name();
        // Caches come and go with every run; where modules are looked for, environments do as well.
        let is_passed_over = if wanted == Names::All { is_cache_folder } else { is_foreign_folder };
        if is_passed_over(name.as_encoded_bytes()) {
            return false;
        }
        let extension = Path::new(&name).extension();
        wanted == Names::All
            || extension.is_some_and(|e| e == "py" || e == "pyi" || e == "typed")
            || (!name.as_encoded_bytes().starts_with(b".") && leads_to_folder(entry))
    };
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter(counts)
        .map(|entry| entry.file_name().into_encoded_bytes())
        .collect();
    names.sort_unstable();
    let mut digest = Digest::new("pyqa folder names");
    for name in names {
        digest.field("name", name);
    }
    digest.finish()
}

fn leads_to_folder(entry: &std::fs::DirEntry) -> bool {
    match entry.file_type() {
        Ok(kind) if kind.is_symlink() => entry.path().is_dir(),
        kind => kind.is_ok_and(|kind| kind.is_dir()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::states::States;

    #[test]
    fn inputs_hold_together_only_in_the_states_in_which_each_was_seen_to_hold() {
        let root = tempfile::tempdir().unwrap();
        let cache = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("data"), "1").unwrap();
        let states = States::open(cache.path(), root.path());
        let input = |path: &str, state| ExtraInput { path: path.into(), state };
        let inputs = |content: &[u8]| {
            let content = InputState::File(ContentHash::of(content));
            [input("data", content), input("gone", InputState::Absent)]
        };
        let validity = Validity::new(&states, root.path(), None);
        assert!(validity.inputs_are_as_they_were(&inputs(b"1")));
        assert!(!validity.inputs_are_as_they_were(&inputs(b"2")));

        // As if they had been seen to hold in these states.
        let other = inputs(b"2");
        let key = validity.stand_for(&other, &validity.states_of(&other));
        states.remember(key, Vec::new());
        assert!(validity.inputs_are_as_they_were(&other));
        assert!(!validity.inputs_are_as_they_were(&inputs(b"3")));
        std::fs::write(root.path().join("gone"), "").unwrap();
        assert!(!validity.inputs_are_as_they_were(&other));
        std::fs::remove_file(root.path().join("gone")).unwrap();
        assert!(validity.inputs_are_as_they_were(&other));
        std::fs::write(root.path().join("data"), "longer").unwrap();
        assert!(!validity.inputs_are_as_they_were(&other));
    }

    #[test]
    fn a_folder_that_was_looked_at_just_now_is_not_looked_at_again() {
        let root = tempfile::tempdir().unwrap();
        let cache = tempfile::tempdir().unwrap();
        let states = States::open(cache.path(), root.path());
        let stat = FileStat::from(&std::fs::metadata(root.path()).unwrap());
        let folders = [("pkg".into(), stat), ("src".into(), stat)];
        let validity = Validity::new(&states, root.path(), None).knowing(&folders);
        let input = |path: &str| ExtraInput { path: path.into(), state: InputState::Absent };
        let seen = validity.states_of(&["other", "pkg", "src"].map(input));
        assert_eq!(seen, [None, Some(stat), Some(stat)]);
    }
}
