//! An environment of the fuzzed project's own, in which packages come and go: links into the
//! tests' environment, and small distributions written by hand.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{site_packages, tool_environment};

/// The folder for bytecode of runs without cache.
pub(super) const ORACLE_BYTECODE: &str = "oracle-bytecode";

pub(super) struct Site {
    pub(super) prefix: PathBuf,
    packages: PathBuf,
    /// Where runs without cache have their bytecode.
    bytecode: PathBuf,
}

impl Site {
    /// An environment in `top` with the same tools, and Python `python` (a path).
    pub(super) fn make(top: &Path, name: &str, python: &Path, version: &str) -> Self {
        let prefix = top.join(name);
        let packages = prefix.join(format!("lib/python{version}/site-packages"));
        fs::create_dir_all(&packages).unwrap();
        fs::create_dir_all(prefix.join("bin")).unwrap();
        symlink(python, prefix.join("bin/python")).unwrap();
        let home = python.parent().unwrap().display();
        let settings = format!("home = {home}\ninclude-system-site-packages = false\n");
        fs::write(prefix.join("pyvenv.cfg"), settings).unwrap();
        let bytecode = top.join(ORACLE_BYTECODE);
        let site = Self { prefix, packages, bytecode };
        for entry in fs::read_dir(site_packages(tool_environment())).unwrap().flatten() {
            let name = entry.file_name().into_string().unwrap();
            if name.ends_with(".dist-info") {
                copy(&entry.path(), &site.packages.join(name));
            } else if name != "__pycache__" && name != "pyqa_test_starts.pth" {
                symlink(entry.path(), site.packages.join(name)).unwrap();
            }
        }
        site
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.packages.join(name)
    }

    /// Writes a file, without what Python had made of the one that it takes the place of.
    pub(super) fn write(&self, name: &str, text: &str) {
        self.remove(name);
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn remove(&self, name: &str) {
        let path = self.path(name);
        forget_bytecode(&path, &path.parent().unwrap().join("__pycache__"));
        self.forget_oracle_s_bytecode(name);
        let _ = fs::remove_file(path);
    }

    /// For a file that is changed by hand.
    pub(super) fn forget_oracle_s_bytecode(&self, name: &str) {
        let path = self.path(name);
        forget_bytecode(&path, &bytecode_of(path.parent().unwrap(), &self.bytecode));
    }

    /// Installs a distribution in the place of any of its name. `files` are relative to the folder
    /// of packages.
    pub(super) fn install(&self, name: &str, version: &str, files: &[(&str, &str)], further: &str) {
        self.uninstall(name);
        let info = self.path(&format!("{name}-{version}.dist-info"));
        fs::create_dir_all(&info).unwrap();
        let metadata =
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{further}\n");
        fs::write(info.join("METADATA"), metadata).unwrap();
        let mut record = String::new();
        for (file, text) in files {
            match *file {
                "entry_points.txt" | "direct_url.json" => fs::write(info.join(file), text).unwrap(),
                _ => self.write(file, text),
            }
            let hash = blake3::hash(text.as_bytes()).to_hex();
            writeln!(record, "{file},sha256={hash},{}", text.len()).unwrap();
        }
        fs::write(info.join("RECORD"), record).unwrap();
    }

    /// Removes what a distribution of this name has brought.
    pub(super) fn uninstall(&self, name: &str) {
        let Some(info) = self.info(name) else { return };
        let record = fs::read_to_string(info.join("RECORD")).unwrap_or_default();
        for file in record.lines().filter_map(|line| line.split(',').next()) {
            let path = self.path(file);
            // What is a link leads to the tests' environment: only the link goes.
            let is_below_link = path
                .ancestors()
                .skip(1)
                .take_while(|folder| *folder != self.packages)
                .any(Path::is_symlink);
            if !is_below_link && !file.starts_with("..") {
                self.remove(file);
            }
        }
        fs::remove_dir_all(info).unwrap();
    }

    pub(super) fn info(&self, name: &str) -> Option<PathBuf> {
        let entries = fs::read_dir(&self.packages).unwrap().flatten().map(|entry| entry.path());
        entries
            .filter(|path| path.extension().is_some_and(|e| e == "dist-info"))
            .find(|path| file_name(path).split('-').next() == Some(name))
    }

    /// Raises the version of an installed distribution.
    pub(super) fn upgrade(&self, name: &str, version: &str) {
        let info = self.info(name).unwrap();
        let metadata = fs::read_to_string(info.join("METADATA")).unwrap();
        let old = metadata.lines().find_map(|line| line.strip_prefix("Version: ")).unwrap();
        let new = metadata.replacen(&format!("Version: {old}"), &format!("Version: {version}"), 1);
        fs::write(info.join("METADATA"), new).unwrap();
        fs::rename(&info, self.path(&format!("{name}-{version}.dist-info"))).unwrap();
    }

    /// Makes a file of its own of one that is a link into the tests' environment.
    pub(super) fn own(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        if path.is_symlink() {
            let target = fs::read_link(&path).unwrap();
            fs::remove_file(&path).unwrap();
            copy(&target, &path);
        }
        path
    }
}

/// Removes what `folder` holds of the source.
fn forget_bytecode(source: &Path, folder: &Path) {
    let stem = format!("{}.", source.file_stem().unwrap().to_str().unwrap());
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_str().unwrap().starts_with(&stem) && entry.path().is_file() {
            fs::remove_file(entry.path()).unwrap();
        }
    }
}

/// Where bytecode of the sources in `folder` lies below `prefix`.
pub(super) fn bytecode_of(folder: &Path, prefix: &Path) -> PathBuf {
    prefix.join(folder.strip_prefix("/").unwrap())
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap().to_str().unwrap().to_owned()
}

/// The interpreter behind `command`, resolved, and its `major.minor`.
pub(super) fn interpreter(command: &Path) -> Option<(PathBuf, String)> {
    let code = "import os, sys; print(os.path.realpath(sys.executable)); \
                print('%d.%d' % sys.version_info[:2])";
    let output = Command::new(command).args(["-c", code]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut lines = text.lines();
    Some((PathBuf::from(lines.next()?), lines.next()?.to_owned()))
}

pub(super) fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(status.success());
}
