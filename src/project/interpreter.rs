//! What is known of an interpreter: [`Interpreter`]. It is asked once and remembered until it, or
//! something that steers it, changes: an unchanged project starts no Python.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use super::path_files::digest_path_files;
use super::stat::FileStat;
use super::variables::Variables;
use crate::dropped::dropped;
use crate::hash::{Digest, FileStates, Fingerprint};

const PROBE: &str = include_str!("probe.py");

/// Variables that change where an interpreter looks for modules.
const STEERING: [&str; 7] = [
    "PYTHONHOME",
    "PYTHONPATH",
    "PYTHONNOUSERSITE",
    "PYTHONUSERBASE",
    "PYTHONPLATLIBDIR",
    "PYTHONSAFEPATH",
    "HOME",
];

/// An interpreter's own answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interpreter {
    pub executable: PathBuf,
    /// `3.11.7`
    pub version: String,
    pub implementation: String,
    /// `linux-x86_64`
    pub platform: String,
    pub prefix: PathBuf,
    /// The folder of console scripts.
    pub scripts: PathBuf,
    /// `sys.path` without the script's own folder.
    pub path: Vec<PathBuf>,
    /// Folders of the standard library.
    pub stdlib: Vec<PathBuf>,
}

impl Interpreter {
    /// `CPython 3.11.7 linux-x86_64`
    pub fn describe(&self) -> String {
        format!("{} {} {}", self.implementation, self.version, self.platform)
    }

    /// Entries of `sys.path` beside the standard library, with their positions there: folders, and
    /// archives of modules.
    pub fn module_entries(&self) -> impl Iterator<Item = (usize, &Path)> {
        let mut numbers = self.version.split('.');
        let [major, minor] = [(); 2].map(|()| numbers.next().unwrap_or_default());
        // The standard library's own place for an archive.
        let archive = format!("python{major}{minor}.zip");
        let is_archive = move |path: &Path| path.file_name().is_some_and(|name| *name == *archive);
        let entries = self.path.iter().map(PathBuf::as_path).enumerate();
        entries.filter(move |(_, path)| !self.stdlib.iter().any(|s| s == path) && !is_archive(path))
    }

    /// Where what is installed lies, below its prefix: data of the project may lie beside.
    pub fn installed_folders(&self) -> impl Iterator<Item = PathBuf> {
        const FOLDERS: [&str; 8] =
            ["lib", "lib64", "bin", "include", "share", "Lib", "Scripts", "Include"];
        FOLDERS.into_iter().map(|name| self.prefix.join(name))
    }

    /// What is known of the interpreter at `executable`, asked if need be: anew where its `.pth` files
    /// say something else. Relative entries of its
    /// path are seen from `root`, where tools run.
    ///
    /// # Errors
    /// Where it cannot be started or does not answer.
    pub fn get(
        executable: &Path,
        root: &Path,
        variables: &Variables,
        states: &dyn FileStates,
    ) -> io::Result<Self> {
        let key = identity(executable, variables)?;
        let recall =
            |key: &Fingerprint| -> Option<Self> { postcard::from_bytes(&states.recall(key)?).ok() };
        let earlier = recall(&key);
        if let Some(earlier) = &earlier
            && let Some(known) = recall(&earlier.with_path_files(key))
        {
            return Ok(known);
        }
        let interpreter = ask(executable, root)?;
        let bytes = postcard::to_stdvec(&interpreter).map_err(io::Error::other)?;
        states.remember(interpreter.with_path_files(key), bytes.clone());
        states.remember(key, bytes);
        Ok(interpreter)
    }

    /// Stands for the interpreter `key` with the `.pth` files that it reads at its start as they are.
    fn with_path_files(&self, key: Fingerprint) -> Fingerprint {
        let mut digest = Digest::new("pyqa interpreter with path files");
        digest.field("interpreter", key);
        for folder in self.path.iter().filter(|f| is_site_folder(f) && !dropped("path files")) {
            digest.field("folder", folder.as_os_str().as_encoded_bytes());
            digest_path_files(folder, &mut digest);
        }
        digest.finish()
    }
}

/// Whether distributions are installed here; other folders of the path hold sources.
pub fn is_site_folder(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name == "site-packages" || name == "dist-packages")
}

/// Stands for the interpreter as it is now: the program itself, and what steers it.
fn identity(executable: &Path, variables: &Variables) -> io::Result<Fingerprint> {
    let mut digest = Digest::new("pyqa interpreter");
    let stat = FileStat::from(&fs::metadata(executable)?);
    digest.field("executable", executable.as_os_str().as_encoded_bytes());
    digest.field("stat", format!("{stat:?}"));
    // bin/python → environment
    let settings = executable.parent().and_then(Path::parent).map(|env| env.join("pyvenv.cfg"));
    if let Some(settings) = settings.and_then(|file| fs::read(file).ok()) {
        digest.field("pyvenv.cfg", settings);
    }
    for name in STEERING {
        digest.field(name, variables.get(name).unwrap_or_default().as_encoded_bytes());
    }
    digest.field("probe", PROBE);
    Ok(digest.finish())
}

fn ask(executable: &Path, root: &Path) -> io::Result<Interpreter> {
    let output = Command::new(executable)
        .args(["-c", PROBE])
        .current_dir(root)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .output()?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(io::Error::other(words));
    }
    serde_json::from_slice(&output.stdout).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_standard_library_of_an_environment_is_no_folder_of_modules_beside_it() {
        let code = "import os, sys; print(os.path.realpath(sys.executable))";
        let output = Command::new("python3").args(["-c", code]).output().unwrap();
        let python = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
        let environment = tempfile::tempdir().unwrap();
        let home = format!("home = {}\n", python.parent().unwrap().display());
        fs::write(environment.path().join("pyvenv.cfg"), home).unwrap();
        fs::create_dir(environment.path().join("bin")).unwrap();
        let own = environment.path().join("bin/python");
        std::os::unix::fs::symlink(python, &own).unwrap();
        let interpreter = ask(&own, environment.path()).unwrap();
        let extensions = Path::new("lib-dynload");
        assert!(interpreter.path.iter().any(|path| path.ends_with(extensions)), "{interpreter:?}");
        assert!(!interpreter.module_entries().any(|(_, path)| path.ends_with(extensions)));
    }
}
