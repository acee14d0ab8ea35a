//! Modules that came since a tool wrote its own state, and whether a file that the tool would take
//! from there names one of them. mypy (2.4.1) does not look again for what a file imports from a
//! package and did not find (`from package import module`), as long as the file itself is the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use memchr::memmem;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::paths::RelPath;
use crate::project::files::is_foreign_folder;

/// Names under which modules can be imported from a folder: of its Python files and its folders.
type Names = BTreeSet<Vec<u8>>;

/// The names in each folder that a tool has looked through.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Shelves(BTreeMap<RelPath, Names>);

impl Shelves {
    /// Adds folders, relative to `root` or absolute, and takes all of them as they are.
    pub(super) fn look(&mut self, folders: impl Iterator<Item = RelPath>, root: &Path) {
        let folders: Vec<RelPath> = folders.chain(self.0.keys().cloned()).collect();
        self.0 = folders
            .into_par_iter()
            .map(|folder| {
                let names = names_in(&folder.below(root));
                (folder, names)
            })
            .collect();
    }

    /// Names that none of the folders had.
    pub(super) fn newcomers(&self, root: &Path) -> Names {
        let new = |(folder, known): (&RelPath, &Names)| -> Names {
            names_in(&folder.below(root)).difference(known).cloned().collect()
        };
        self.0.par_iter().map(new).reduce(Names::new, |mut all, more| {
            all.extend(more);
            all
        })
    }
}

/// Whether a file has one of the names in it, as a word of its own.
pub(super) fn names_one(file: &Path, names: &Names) -> bool {
    let Ok(text) = fs::read(file) else { return true };
    names.iter().any(|name| {
        // Python takes different characters for the same name.
        !name.is_ascii() || memmem::find_iter(&text, name).any(|at| is_word(&text, at, name.len()))
    })
}

fn is_word(text: &[u8], at: usize, length: usize) -> bool {
    let is_part = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
    !is_part(at.checked_sub(1).and_then(|before| text.get(before)))
        && !is_part(text.get(at + length))
}

fn names_in(folder: &Path) -> Names {
    let own = || folder.file_name().map(|name| name.as_encoded_bytes().to_vec());
    let name = |entry: fs::DirEntry| {
        let name = entry.file_name().into_encoded_bytes();
        let stem = [&b".py"[..], b".pyi"].iter().find_map(|end| name.strip_suffix(*end));
        match stem {
            // It makes a package of the folder.
            Some(b"__init__") => own(),
            Some(stem) => Some(stem.to_vec()),
            None if name.contains(&b'.') || is_foreign_folder(&name) => None,
            None => entry.path().is_dir().then_some(name),
        }
    };
    fs::read_dir(folder).into_iter().flatten().flatten().filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_is_told_by_the_name_it_is_imported_under() {
        let root = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("pkg/a.py", "");
        let mut shelves = Shelves::default();
        shelves.look(["pkg".into(), "".into()].into_iter(), root.path());
        assert_eq!(shelves.newcomers(root.path()), Names::new());
        write("pkg/a.txt", "");
        write("pkg/__pycache__/b.pyc", "");
        assert_eq!(shelves.newcomers(root.path()), Names::new());
        let name = |text: &str| text.as_bytes().to_vec();
        for (file, came) in
            [("pkg/b.pyi", "b"), ("pkg/__init__.py", "pkg"), ("sub/c.py", "sub"), ("d.py", "d")]
        {
            write(file, "");
            assert_eq!(shelves.newcomers(root.path()), Names::from([name(came)]), "{file}");
            shelves.look(std::iter::empty(), root.path());
        }
    }

    #[test]
    fn a_name_is_found_as_a_word() {
        let root = tempfile::tempdir().unwrap();
        let file = root.path().join("a.py");
        fs::write(&file, "from . import mid_point, xmid\n").unwrap();
        let names = |name: &str| Names::from([name.as_bytes().to_vec()]);
        assert!(!names_one(&file, &names("mid")));
        assert!(names_one(&file, &names("mid_point")) && names_one(&file, &names("xmid")));
        assert!(names_one(&file, &names("größe")));
        assert!(names_one(&root.path().join("gone.py"), &names("mid")));
    }
}
