//! Modules that an import may find and that no distribution lists: [`Stray`]. They lie in entries of
//! the path such as those of `PYTHONPATH`, or were put among the installed ones by hand.

use std::cell::LazyCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::interpreter::{Interpreter, is_site_folder};

/// Folders of the standard library that no tool imports; projects have some of the same name.
const NEVER_IMPORTED: [&str; 3] = ["idlelib", "test", "turtledemo"];

/// A module or package, or an archive of some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stray {
    /// The name by which it is imported; that of an archive is not known.
    pub name: Option<String>,
    pub path: PathBuf,
    /// It is found in the place of a module of the standard library.
    pub hides_standard: bool,
}

impl Stray {
    /// `None`: nothing that an import finds.
    pub fn at(path: &Path) -> Option<Self> {
        const MODULES: [&str; 4] = ["py", "pyc", "pyd", "so"];
        let file_name = path.file_name()?.to_str()?;
        // `module.cpython-311-x86_64-linux-gnu.so`
        let name = file_name.split('.').next()?;
        let extension = path.extension().and_then(|extension| extension.to_str());
        let is_module = match extension {
            Some(extension) => MODULES.contains(&extension),
            None => path.is_dir(),
        };
        (is_module && name != "__pycache__").then(|| Self {
            name: Some(name.to_owned()),
            path: path.to_owned(),
            hides_standard: false,
        })
    }
}

/// Those in the entries of the interpreter's path beside the folders of installed modules. Entries are
/// looked for where `moved` says that they lie.
pub fn in_path(interpreter: &Interpreter, moved: &dyn Fn(&Path) -> PathBuf) -> Vec<Stray> {
    let mut found = Vec::new();
    let standard = LazyCell::new(|| standard_names(&interpreter.stdlib));
    let first_standard = interpreter.path.iter().position(|path| interpreter.stdlib.contains(path));
    for (at, entry) in interpreter.module_entries() {
        if is_site_folder(entry) {
            continue;
        }
        let place = moved(entry);
        if place.is_file() {
            found.push(Stray { name: None, path: place, hides_standard: false });
            continue;
        }
        let comes_first = first_standard.is_none_or(|first| at < first);
        for stray in fs::read_dir(place).into_iter().flatten().flatten() {
            let Some(mut stray) = Stray::at(&stray.path()) else { continue };
            let is_standard = |name: &String| standard.contains(name);
            stray.hides_standard = comes_first && stray.name.as_ref().is_some_and(is_standard);
            found.push(stray);
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    found
}

fn standard_names(folders: &[PathBuf]) -> BTreeSet<String> {
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
    let names = entries.flatten().filter_map(|entry| Stray::at(&entry.path())?.name);
    names.filter(|name| !NEVER_IMPORTED.contains(&name.as_str())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_before_the_standard_library_hide_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let place = |name: &str| folder.path().join(name);
        for file in ["first/ast.py", "first/own.py", "lib/ast.py", "lib/test/a.py", "last/ast.py"] {
            fs::create_dir_all(place(file).parent().unwrap()).unwrap();
            fs::write(place(file), "").unwrap();
        }
        fs::create_dir(place("first/test")).unwrap();
        fs::write(place("first/notes.txt"), "").unwrap();
        fs::write(place("archive.zip"), "").unwrap();
        let interpreter = Interpreter {
            executable: place("bin/python"),
            version: "3.11.7".into(),
            implementation: "CPython".into(),
            platform: "linux-x86_64".into(),
            prefix: place(""),
            scripts: place("bin"),
            path: ["first", "archive.zip", "lib", "last"].map(place).into(),
            stdlib: vec![place("lib")],
        };
        let found = in_path(&interpreter, &Path::to_owned);
        let told: Vec<_> =
            found.iter().map(|stray| (stray.name.as_deref(), stray.hides_standard)).collect();
        let expected = [
            (None, false),
            (Some("ast"), true),
            (Some("own"), false),
            (Some("test"), false),
            (Some("ast"), false),
        ];
        assert_eq!(told, expected);
    }
}
