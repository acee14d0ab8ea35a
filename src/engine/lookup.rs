//! Asks the store for the results of a plan's units.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::cache::entry::{Entry, ExtraInput, InputState};
use crate::cache::store::{Pack, Store};
use crate::hash::{Digest, FileStates, Fingerprint};
use crate::paths::RelPath;
use crate::plan::unit::{Scope, ToolPlan};

/// What the store knows of a plan.
pub struct Found {
    /// Per unit of the plan.
    pub entries: Vec<Option<Entry>>,
    /// Where results of this plan's files are kept; `None` for a unit that is the project.
    pub pack: Option<Pack>,
    /// A result was there but too old.
    pub expired: bool,
}

/// Results that may be replayed: those whose key is known, that are younger than `max_age`
/// (`None`: of any age), and whose extra inputs are as they were.
pub fn look_up(
    plan: &ToolPlan,
    store: &Store,
    states: &dyn FileStates,
    root: &Path,
    max_age: Option<Duration>,
) -> Found {
    let validity = Validity::new(states, root, max_age);
    let mut expired = false;
    let mut fits = |entry: &Entry| {
        expired |= !validity.is_young(entry);
        validity.holds(entry)
    };
    let pack = (plan.scope == Scope::File).then(|| store.pack(&plan.pack));
    let entries = plan
        .units
        .iter()
        .map(|unit| {
            let key = unit.key.as_ref()?;
            match &pack {
                Some(pack) => pack.get(key).filter(&mut fits),
                None => store.whole(key).into_iter().find(&mut fits),
            }
        })
        .collect();
    if let Some(pack) = &pack {
        pack.touch();
    }
    Found { entries, pack, expired }
}

/// What makes a stored result one that may be replayed.
pub struct Validity<'a> {
    states: &'a dyn FileStates,
    root: &'a Path,
    max_age: Option<Duration>,
    now: u64,
}

impl<'a> Validity<'a> {
    pub fn new(states: &'a dyn FileStates, root: &'a Path, max_age: Option<Duration>) -> Self {
        Self { states, root, max_age, now: seconds_now() }
    }

    pub fn holds(&self, entry: &Entry) -> bool {
        self.is_young(entry)
            && entry.inputs.iter().all(|input| is_as_it_was(input, self.states, self.root))
    }

    fn is_young(&self, entry: &Entry) -> bool {
        self.max_age.is_none_or(|age| self.now.saturating_sub(entry.stored) < age.as_secs())
    }
}

pub fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn is_as_it_was(input: &ExtraInput, states: &dyn FileStates, root: &Path) -> bool {
    observe(&input.path, states, root) == input.state
}

/// The state of something that a run read beside the project's files.
pub fn observe(path: &[u8], states: &dyn FileStates, root: &Path) -> InputState {
    // An absolute path replaces the root.
    let full: PathBuf = RelPath::from_bytes(path).below(root);
    if full.is_dir() {
        return InputState::Folder(names(&full));
    }
    states.content_hash(&full).map_or(InputState::Absent, InputState::File)
}

/// Stands for the names in a folder, in no order.
fn names(folder: &Path) -> Fingerprint {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().into_encoded_bytes())
        .filter(|name| name != b"__pycache__")
        .collect();
    names.sort_unstable();
    let mut digest = Digest::new("pyqa folder names");
    for name in names {
        digest.field("name", name);
    }
    digest.finish()
}
