//! Which names a walk through a checkout came upon, [`Listing`], so that the next run need not read
//! folders that have not changed. git's untracked cache does the same.
//!
//! A folder's state changes whenever a name in it comes, goes, or is made to stand for something
//! else. As long as every folder has the state that it had before it was read, and the files with
//! ignore rules have theirs, a walk would come upon the same names. What they stand for is looked
//! at in every run. One difference anywhere, and the walk is made anew.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::clock;
use super::frame::{self, Kind};
use crate::dropped::dropped;
use crate::hash::Fingerprint;
use crate::paths::{RelPath, touch_daily};
use crate::project::files::{FileSet, Walked, look_at};
use crate::project::membership::rule_files;
use crate::project::stat::FileStat;

/// Fewer looks than this are not worth another thread.
const LOOKS_A_THREAD: usize = 256;

/// The names below one root.
#[derive(Clone, Debug)]
pub struct Listing {
    file: PathBuf,
}

/// What is kept of a walk.
#[derive(Debug, Serialize, Deserialize)]
struct Record<'a> {
    in_repository: bool,
    surroundings: Surroundings,
    /// What may not change, relative to the root: folders, and their `.gitignore` files. Sorted.
    #[serde(borrow)]
    seen: Vec<(&'a [u8], FileStat)>,
    #[serde(borrow)]
    names: Vec<&'a [u8]>,
}

/// What a walk goes by beside the folders below the root, by absolute path.
type Surroundings = Vec<(Vec<u8>, State)>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    Absent,
    /// A folder, whatever is in it.
    Folder,
    File(FileStat),
}

impl Listing {
    pub(super) fn new(folder: &Path, root: &Path) -> Self {
        let name = Fingerprint::of_path("pyqa checkout", root);
        Self { file: folder.join(format!("{name}.listing")) }
    }

    /// The project's files below `root`, without those that git tracks although it ignores them.
    pub fn files(&self, root: &Path, in_repository: bool) -> FileSet {
        if !os::folders_tell(root) {
            return Walked::of_project(root, in_repository).into_files();
        }
        let surroundings = surroundings(root);
        if let Some(files) = self.recall(root, in_repository, &surroundings) {
            touch_daily(&self.file);
            return files;
        }
        let begun = clock::now(self.file.parent());
        let walked = Walked::of_project(root, in_repository);
        if let Some(seen) = settled(&walked, &surroundings, root, begun)
            && let Err(error) = self.remember(&walked, in_repository, surroundings, &seen)
        {
            log::info!("{}: {error}", self.file.display());
        }
        walked.into_files()
    }

    /// The files as they are now, if the names still are those of the record.
    fn recall(
        &self,
        root: &Path,
        in_repository: bool,
        surroundings: &Surroundings,
    ) -> Option<FileSet> {
        let payload = frame::read(&self.file, Kind::Listing)?;
        let record: Record<'_> = postcard::from_bytes(&payload).ok()?;
        if record.in_repository != in_repository || record.surroundings != *surroundings {
            return None;
        }
        let is_same = |(path, stat): &(&[u8], FileStat)| {
            let now = fs::symlink_metadata(RelPath::from_bytes(*path).below(root));
            dropped("folders") || now.is_ok_and(|now| FileStat::from(&now) == *stat)
        };
        let is_known = || record.seen.par_iter().with_min_len(LOOKS_A_THREAD).all(is_same);
        let look = || {
            let names = record.names.par_iter().with_min_len(LOOKS_A_THREAD);
            names.filter_map(|name| look_at(RelPath::from_bytes(*name), root)).collect()
        };
        let (is_known, files) = rayon::join(is_known, look);
        let folders = || record.seen.iter().map(|(path, stat)| (RelPath::from_bytes(*path), *stat));
        is_known.then(|| FileSet { files, folders: folders().collect() })
    }

    fn remember(
        &self,
        walked: &Walked,
        in_repository: bool,
        surroundings: Surroundings,
        seen: &[(RelPath, FileStat)],
    ) -> io::Result<()> {
        let seen = seen.iter().map(|(path, stat)| (path.as_bytes(), *stat)).collect();
        let names = walked.names().into_iter().map(RelPath::as_bytes).collect();
        let record = Record { in_repository, surroundings, seen, names };
        let payload = postcard::to_stdvec(&record).map_err(io::Error::other)?;
        frame::write(&self.file, Kind::Listing, &payload)
    }
}

/// What the walk went by below the root, if its state proves that it is as it was read.
fn settled(
    walked: &Walked,
    surroundings: &Surroundings,
    root: &Path,
    begun: i64,
) -> Option<Vec<(RelPath, FileStat)>> {
    let stat = |path: &RelPath| {
        let meta = fs::symlink_metadata(path.below(root)).ok()?;
        Some((path.clone(), FileStat::from(&meta)))
    };
    let environments: Option<Vec<_>> = walked.environments.iter().map(stat).collect();
    let ignore_file = RelPath::from(".gitignore");
    let rules = walked.folders.iter().filter_map(|(folder, _)| stat(&folder.join(&ignore_file)));
    let mut seen = walked.folders.clone();
    seen.extend(environments?);
    seen.extend(rules);
    seen.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
    let around = surroundings.iter().filter_map(|(_, state)| match state {
        State::File(stat) => Some(stat),
        State::Absent | State::Folder => None,
    });
    let is_settled = |stat: &FileStat| clock::is_settled(stat, begun);
    // Where a link leads, its own state does not tell.
    let tells = !walked.failed && !seen.iter().any(|(_, stat)| stat.is_link());
    let all = tells && seen.iter().map(|(_, stat)| stat).chain(around).all(is_settled);
    all.then_some(seen)
}

fn surroundings(root: &Path) -> Surroundings {
    // Where a repository begins, rules of git hold.
    let marks = root.ancestors().flat_map(|folder| [folder.join(".git"), folder.join(".jj")]);
    marks
        .chain(rule_files(root))
        .map(|path| {
            let state = match fs::metadata(&path) {
                Ok(meta) if meta.is_dir() => State::Folder,
                Ok(meta) => State::File(FileStat::from(&meta)),
                Err(_) => State::Absent,
            };
            (path.into_os_string().into_encoded_bytes(), state)
        })
        .collect()
}

#[cfg(target_os = "linux")]
mod os {
    use std::path::Path;

    use rustix::fs::statfs;

    /// Magic numbers of `statfs(2)`: ext2 to ext4, btrfs, XFS, tmpfs, overlayfs, F2FS, ZFS, bcachefs.
    const KNOWN: [u64; 8] = [
        0xEF53,
        0x9123_683E,
        0x5846_5342,
        0x0102_1994,
        0x794C_7630,
        0xF2F5_2010,
        0x2FC1_2FC1,
        0xCA45_1A4E,
    ];

    /// Whether the file system is one of which it is known that a folder's state changes with the
    /// names in it. Some that are shared over a network, or between a machine and its guests, do
    /// not keep to that.
    pub(super) fn folders_tell(root: &Path) -> bool {
        let kind = statfs(root).map(|found| u64::try_from(found.f_type));
        matches!(kind, Ok(Ok(kind)) if KNOWN.contains(&kind))
    }
}

#[cfg(not(target_os = "linux"))]
mod os {
    use std::path::Path;

    pub(super) fn folders_tell(_: &Path) -> bool {
        false
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    struct Fixture {
        top: tempfile::TempDir,
    }

    impl Fixture {
        fn new() -> Self {
            let fixture = Self { top: tempfile::tempdir().unwrap() };
            fixture.write("root/.git/HEAD", "ref: refs/heads/main\n");
            fixture.write("root/.gitignore", "*.log\n");
            fixture.write("root/a.py", "");
            fixture.write("root/pkg/b.py", "");
            fixture.write("root/env/pyvenv.cfg", "");
            fixture.write("root/env/lib.py", "");
            fixture
        }

        fn write(&self, name: &str, text: &str) {
            let path = self.top.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn root(&self) -> PathBuf {
            self.top.path().join("root")
        }

        fn listing(&self) -> Listing {
            Listing::new(&self.top.path().join("cache"), &self.root())
        }

        /// What a walk finds is remembered, as if all had been touched long ago.
        fn remembered(&self) -> Listing {
            let listing = self.listing();
            let walked = Walked::of_project(&self.root(), true);
            let surroundings = surroundings(&self.root());
            let seen = settled(&walked, &surroundings, &self.root(), i64::MAX).unwrap();
            listing.remember(&walked, true, surroundings, &seen).unwrap();
            listing
        }

        fn recalled(&self, listing: &Listing) -> Option<Vec<String>> {
            let files = listing.recall(&self.root(), true, &surroundings(&self.root()))?;
            Some(files.files.iter().map(|file| file.path.to_string()).collect())
        }
    }

    #[test]
    fn names_are_recalled_and_what_they_stand_for_is_looked_at() {
        let fixture = Fixture::new();
        let listing = fixture.remembered();
        assert_eq!(fixture.recalled(&listing).unwrap(), [".gitignore", "a.py", "pkg/b.py"]);
        fixture.write("root/a.py", "x = 1\n");
        let files = listing.recall(&fixture.root(), true, &surroundings(&fixture.root())).unwrap();
        assert_eq!(files.files[1].stat.size, 6);
        let names: Vec<_> = files.folders.iter().map(|(path, _)| path.to_string()).collect();
        assert_eq!(names, ["", ".gitignore", "env", "pkg"]);
        assert!(listing.recall(&fixture.root(), false, &surroundings(&fixture.root())).is_none());
    }

    #[test]
    fn whatever_changes_what_a_walk_finds_makes_it_anew() {
        type Change = fn(&Fixture);
        let changes: [(&str, Change); 8] = [
            ("a new file", |f| f.write("root/pkg/c.py", "")),
            ("a file gone", |f| fs::remove_file(f.root().join("pkg/b.py")).unwrap()),
            ("a new folder", |f| fs::create_dir(f.root().join("pkg/deep")).unwrap()),
            ("rules changed", |f| f.write("root/.gitignore", "b.py\n")),
            ("rules above", |f| f.write(".gitignore", "b.py\n")),
            ("rules of the repository", |f| f.write("root/.git/info/exclude", "b.py\n")),
            ("no environment any more", |f| {
                fs::remove_file(f.root().join("env/pyvenv.cfg")).unwrap();
            }),
            ("a repository within", |f| f.write("root/pkg/.git/HEAD", "")),
        ];
        for (what, change) in changes {
            let fixture = Fixture::new();
            let listing = fixture.remembered();
            assert!(fixture.recalled(&listing).is_some(), "{what}");
            change(&fixture);
            assert_eq!(fixture.recalled(&listing), None, "{what}");
        }
    }

    #[test]
    fn rules_that_are_ignored_themselves_count_too() {
        let fixture = Fixture::new();
        fixture.write("root/pkg/.gitignore", ".gitignore\n");
        let listing = fixture.remembered();
        assert_eq!(fixture.recalled(&listing).unwrap(), [".gitignore", "a.py", "pkg/b.py"]);
        fixture.write("root/pkg/.gitignore", ".gitignore\nb.py\n");
        assert_eq!(fixture.recalled(&listing), None);
    }

    #[test]
    fn rules_behind_a_link_are_not_relied_on() {
        let fixture = Fixture::new();
        fixture.write("rules", "");
        std::os::unix::fs::symlink("../../rules", fixture.root().join("pkg/.gitignore")).unwrap();
        let walked = Walked::of_project(&fixture.root(), true);
        let around = surroundings(&fixture.root());
        assert!(settled(&walked, &around, &fixture.root(), i64::MAX).is_none());
    }

    #[test]
    fn a_folder_touched_as_late_as_it_was_read_is_not_relied_on() {
        let fixture = Fixture::new();
        let listing = fixture.listing();
        listing.files(&fixture.root(), true);
        assert_eq!(fixture.recalled(&listing), None);
    }

    #[test]
    fn a_link_that_comes_to_lead_to_a_file_is_one_of_the_files() {
        let fixture = Fixture::new();
        std::os::unix::fs::symlink("../later.py", fixture.root().join("link.py")).unwrap();
        let listing = fixture.remembered();
        assert!(!fixture.recalled(&listing).unwrap().contains(&"link.py".to_owned()));
        fixture.write("later.py", "");
        assert!(fixture.recalled(&listing).unwrap().contains(&"link.py".to_owned()));
    }
}
