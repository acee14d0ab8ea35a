//! How a Python entry point is started without a warm process: [`PythonJob`], by way of
//! `driver.py`, which sees to it that the tool finds itself as its console script would start it.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::job::{Preload, PythonEntry};
use crate::hash::ContentHash;
use crate::paths::write_atomic;

const DRIVER: &str = include_str!("driver.py");
const READS: &str = include_str!("reads.py");
const MOVED: &str = include_str!("moved.py");
const WORKER: &str = include_str!("worker/worker.py");
const CONNECTION: &str = include_str!("worker/connection.py");
const CHILD: &str = include_str!("worker/child.py");
const SPARE: &str = include_str!("worker/spare.py");
const STARTUP: &str = include_str!("worker/startup.py");
const BLACK_PROVEN: &str = include_str!("../tools/black_proven.py");
const FLAKE8_READY: &str = include_str!("../tools/flake8_ready.py");
const BANDIT_READY: &str = include_str!("../tools/bandit_ready.py");
const SAMPLE: &str = include_str!("../tools/sample.txt");
const PYTEST_REPORT: &str = include_str!("../tools/pytest_report.py");
/// Where `__pycache__` is a file, Python and pytest keep no bytecode and read none. They believe whatever
/// bytecode they find, and what lies in the cache may be damaged.
const NO_BYTECODE: &str = "in place of a folder: no bytecode here\n";

/// Python files of pyqa's own, written where an interpreter can read them.
#[derive(Clone, Debug)]
pub struct Support {
    folder: PathBuf,
}

impl Support {
    /// Writes the files below `folder` unless they are there: in a folder named by their content,
    /// so that another version of pyqa has another.
    ///
    /// # Errors
    /// Those of writing.
    pub fn install(folder: &Path) -> io::Result<Self> {
        let files = [
            ("driver.py", DRIVER),
            ("pyqa_reads.py", READS),
            ("pyqa_worker.py", WORKER),
            ("pyqa_connection.py", CONNECTION),
            ("pyqa_child.py", CHILD),
            ("pyqa_spare.py", SPARE),
            ("pyqa_startup.py", STARTUP),
            ("pyqa_black_proven.py", BLACK_PROVEN),
            ("pyqa_flake8_ready.py", FLAKE8_READY),
            ("pyqa_bandit_ready.py", BANDIT_READY),
            ("sample.txt", SAMPLE),
            ("pyqa_pytest_report.py", PYTEST_REPORT),
            ("__pycache__", NO_BYTECODE),
            // Every interpreter imports a module of this name at its start.
            ("moved/sitecustomize.py", MOVED),
            ("moved/__pycache__", NO_BYTECODE),
        ];
        let name = ContentHash::of(files.map(|(_, text)| text).concat().as_bytes()).to_string();
        let folder = folder.join(&name[..16]);
        for (name, text) in files {
            let file = folder.join(name);
            if std::fs::read(&file).ok().as_deref() != Some(text.as_bytes()) {
                if file.is_dir() {
                    std::fs::remove_dir_all(&file)?;
                }
                write_atomic(&file, text.as_bytes())?;
            }
        }
        Ok(Self { folder })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn driver(&self) -> PathBuf {
        self.folder.join("driver.py")
    }

    /// The folder that, first on `PYTHONPATH`, lets imports resolve at another place; see `moved.py`.
    pub fn moved(&self) -> PathBuf {
        self.folder.join("moved")
    }

    /// A file without content, for tools that must be given settings.
    ///
    /// # Errors
    /// Those of writing.
    pub fn empty_file(&self) -> io::Result<PathBuf> {
        let file = self.folder.join("empty.toml");
        if !file.is_file() {
            write_atomic(&file, b"")?;
        }
        Ok(file)
    }
}

/// A job that calls a Python function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PythonJob {
    pub entry: PythonEntry,
    pub driver: PathBuf,
    /// Where pytest's plugin writes its report.
    pub report: Option<PathBuf>,
    /// File that tells pytest's plugin which tests are to run; `None`: all.
    pub shard: Option<PathBuf>,
    /// Where to note what is read, and below which folder.
    pub reads: Option<(PathBuf, PathBuf)>,
    /// The module of pyqa's own through which the function is called.
    pub helper: Option<String>,
    /// For a tool that may run in a warm process.
    pub preload: Option<Preload>,
}

impl PythonJob {
    /// What the interpreter is given before the tool's own arguments.
    pub fn arguments(&self) -> [OsString; 2] {
        [self.driver.clone().into(), self.described().to_string().into()]
    }

    /// What the driver is told.
    pub(super) fn described(&self) -> serde_json::Value {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        json!({
            "entry": self.entry.entry,
            "scripts": text(&self.entry.scripts),
            "name": self.entry.name,
            "helper": self.helper,
            "report": self.report.as_deref().map(text),
            "shard": self.shard.as_deref().map(text),
            "reads": self.reads.as_ref().map(|(file, _)| text(file)),
            "root": self.reads.as_ref().map(|(_, root)| text(root)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_bytecode_is_replaced() {
        let cache = tempfile::tempdir().unwrap();
        let support = Support::install(cache.path()).unwrap();
        for folder in [support.folder.clone(), support.moved()] {
            let bytecode = folder.join("__pycache__");
            std::fs::remove_file(&bytecode).unwrap();
            std::fs::create_dir(&bytecode).unwrap();
            std::fs::write(bytecode.join("a.pyc"), "").unwrap();
            Support::install(cache.path()).unwrap();
            assert!(bytecode.is_file());
        }
    }
}
