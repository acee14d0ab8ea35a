//! Names that git tracks although a walk passes over them, [`Unwalked`], kept from one run to the
//! next: as long as the index has the same state and the walk finds the same names, they are the
//! same too, and the index need not be read.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::hash::{Digest, FileStates, Fingerprint};
use crate::paths::RelPath;
use crate::project::files::FileSet;
use crate::project::stat::FileStat;

/// What is known under one state of the index.
pub struct Unwalked<'a> {
    states: &'a dyn FileStates,
    key: Fingerprint,
    /// `None` where there is no index.
    index: Option<FileStat>,
    known: Option<Known>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Known {
    index: FileStat,
    walked: Fingerprint,
    names: Vec<RelPath>,
}

impl<'a> Unwalked<'a> {
    /// Looks at the file `index` of the work tree, and at what is remembered of it.
    pub fn look(index: &Path, root: &Path, states: &'a dyn FileStates) -> Self {
        let key = Digest::new("pyqa tracked and not walked")
            .field("index", index.as_os_str().as_encoded_bytes())
            .field("root", root.as_os_str().as_encoded_bytes())
            .finish();
        let index = fs::metadata(index).ok().map(|meta| FileStat::from(&meta));
        let known = states.recall(&key).and_then(|bytes| postcard::from_bytes(&bytes).ok());
        let known = known.filter(|known: &Known| Some(known.index) == index);
        Self { states, key, index, known }
    }

    /// Whether the names are known, if a walk finds what it found before.
    pub fn is_likely_known(&self) -> bool {
        self.known.is_some()
    }

    /// The names, where a walk has found `walked`. `read` tells what the index holds, sorted.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn names<E>(
        self,
        walked: &FileSet,
        read: impl FnOnce() -> Result<Vec<RelPath>, E>,
    ) -> Result<Vec<RelPath>, E> {
        let stands_for = stands_for(walked);
        if let Some(known) = self.known
            && known.walked == stands_for
        {
            return Ok(known.names);
        }
        let mut names = read()?;
        names.retain(|name| walked.find(name).is_none());
        // The state was looked at before the index was read.
        if let Some(index) = self.index.filter(FileStat::is_settled) {
            let known = Known { index, walked: stands_for, names: names.clone() };
            if let Ok(bytes) = postcard::to_stdvec(&known) {
                self.states.remember(self.key, bytes);
            }
        }
        Ok(names)
    }
}

fn stands_for(walked: &FileSet) -> Fingerprint {
    let mut digest = Digest::new("pyqa walked names");
    for file in &walked.files {
        digest.field("name", file.path.as_bytes());
    }
    digest.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::states::States;
    use std::time::{Duration, SystemTime};

    #[test]
    fn names_are_known_while_the_index_and_the_walk_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let index = folder.path().join("index");
        fs::write(&index, "1").unwrap();
        let states = States::open(folder.path(), folder.path());
        let walked = |names: &[&str]| {
            let files = names.iter().map(|name| {
                let path = folder.path().join(name);
                fs::write(&path, "").unwrap();
                crate::project::files::look_at((*name).into(), folder.path()).unwrap()
            });
            FileSet { files: files.collect(), ..FileSet::default() }
        };
        let names = |walked: &FileSet, tracked: &[&str]| {
            let mut was_read = false;
            let unwalked = Unwalked::look(&index, folder.path(), &states);
            let names = unwalked.names(walked, || {
                was_read = true;
                Ok::<_, ()>(tracked.iter().map(|name| RelPath::from(*name)).collect())
            });
            (names.unwrap(), was_read)
        };
        let both = walked(&["a.py", "b.py"]);
        // The index was written just now and may be written again within the same tick.
        assert_eq!(names(&both, &["a.py", "gen.py"]), (vec!["gen.py".into()], true));
        assert!(names(&both, &["a.py", "gen.py"]).1);

        let known = Known {
            index: FileStat::from(&fs::metadata(&index).unwrap()),
            walked: stands_for(&both),
            names: vec!["gen.py".into()],
        };
        let key = Unwalked::look(&index, folder.path(), &states).key;
        states.remember(key, postcard::to_stdvec(&known).unwrap());
        assert_eq!(names(&both, &[]), (vec!["gen.py".into()], false));
        // A tracked file that was walked may be ignored now.
        assert_eq!(names(&walked(&["a.py"]), &["a.py", "b.py"]), (vec!["b.py".into()], true));
        let later = SystemTime::now() + Duration::from_secs(1);
        fs::File::options().write(true).open(&index).unwrap().set_modified(later).unwrap();
        assert!(names(&both, &["a.py"]).1);
    }
}
