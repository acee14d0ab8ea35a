//! What a worker is started for: [`Place`]. Two jobs share a worker when their places are the same,
//! and a kept worker is used when what it was started from is still what is there.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::{getegid, getpriority_process};
use serde_json::{Value, json};

use super::wire::latin;
use crate::exec::driver::PythonJob;
use crate::exec::job::{Company, Job};
use crate::exec::process::inherited_variables;
use crate::hash::{Digest, Fingerprint};
use crate::project::stat::FileStat;

/// Set anew in every child by the worker; an interpreter reads all other `PYTHON…` variables once,
/// when it starts.
const SET_IN_CHILDREN: [&str; 2] = ["PYTHONIOENCODING", "PYTHONPYCACHEPREFIX"];
/// Further variables that an interpreter or the C library reads once.
const READ_AT_START: [&str; 3] = ["HOME", "LANG", "TZ"];

/// An environment whose tools share a worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) interpreter: PathBuf,
    scripts: PathBuf,
    pub(super) driver: PathBuf,
    environment: Fingerprint,
    company: Company,
}

impl Place {
    /// Where the job can run warm; `None`: nowhere.
    pub(super) fn of(job: &Job) -> Option<(Self, &PythonJob)> {
        let python = job.python.as_ref()?;
        let preload = python.preload.as_ref()?;
        let fits = python.report.is_none()
            && (python.reads.is_none() || preload.company == Company::Recording)
            && python.entry.interpreter.is_absolute()
            && job.env.iter().all(|(name, _)| {
                name.to_str().is_some_and(|n| SET_IN_CHILDREN.contains(&n) || !is_read_at_start(n))
            });
        fits.then(|| {
            let place = Self {
                interpreter: python.entry.interpreter.clone(),
                scripts: python.entry.scripts.clone(),
                driver: python.driver.clone(),
                environment: preload.environment,
                company: preload.company.clone(),
            };
            (place, python)
        })
    }

    /// What the worker is told when it starts.
    pub(super) fn start(&self) -> Value {
        json!({
            "scripts": self.scripts.to_string_lossy(),
            "key": self.key().to_string(),
            "pyqa": env!("CARGO_PKG_VERSION"),
            "reads": self.company == Company::Recording,
        })
    }

    /// Whether a single job is all that a worker would have to do in a run, and would wait longer for
    /// one that has to be started than it takes to start by itself.
    pub(super) fn serves_one_tool(&self) -> bool {
        self.company != Company::Common
    }

    /// Another interpreter at the same place, other packages or another pyqa make another key.
    pub(super) fn key(&self) -> Fingerprint {
        let mut digest = Digest::new("pyqa worker");
        digest.field("pyqa", env!("CARGO_PKG_VERSION"));
        // Lies in a folder that is named by the content of pyqa's Python files.
        digest.field("driver", self.driver.as_os_str().as_encoded_bytes());
        digest.field("environment", self.environment);
        let stat = fs::metadata(&self.interpreter).map(|meta| FileStat::from(&meta));
        digest.field("interpreter", format!("{stat:?}"));
        // bin/python → environment
        let settings = self.interpreter.parent().and_then(Path::parent);
        let settings = settings.and_then(|folder| fs::read(folder.join("pyvenv.cfg")).ok());
        digest.field("pyvenv.cfg", settings.unwrap_or_default());
        digest.finish()
    }

    /// Names the worker among all of the user's: by interpreter, and by what a process inherits from
    /// the one that starts it and a child of the worker cannot take on later.
    pub(super) fn name(&self) -> String {
        let mut digest = Digest::new("pyqa worker's name");
        digest.field("interpreter", self.interpreter.as_os_str().as_encoded_bytes());
        digest.field("scripts", self.scripts.as_os_str().as_encoded_bytes());
        digest.field("company", format!("{:?}", self.company));
        let mut variables: Vec<_> = inherited_variables()
            .filter(|(name, _)| name.to_str().is_some_and(is_read_at_start))
            .collect();
        variables.sort();
        for (name, value) in variables {
            digest.field(&latin(&name), value.as_encoded_bytes());
        }
        digest.field("limits", fs::read("/proc/self/limits").unwrap_or_default());
        for kind in ["mnt", "pid", "net", "user", "ipc", "uts"] {
            let space = fs::read_link(format!("/proc/self/ns/{kind}")).unwrap_or_default();
            digest.field(kind, space.as_os_str().as_encoded_bytes());
        }
        let root = fs::metadata("/").map(|meta| (meta.dev(), meta.ino()));
        digest.field("root", format!("{root:?}"));
        digest.field("group", getegid().as_raw().to_string());
        digest.field("priority", format!("{:?}", getpriority_process(None)));
        digest.finish().to_string()[..16].to_owned()
    }
}

fn is_read_at_start(name: &str) -> bool {
    let by_interpreter = name.starts_with("PYTHON") && !SET_IN_CHILDREN.contains(&name);
    by_interpreter || name.starts_with("LC_") || READ_AT_START.contains(&name)
}

/// Whether the interpreter's path for modules depends on the folder in which it starts.
pub(super) fn path_depends_on_folder() -> bool {
    let Some(path) = std::env::var_os("PYTHONPATH").filter(|path| !path.is_empty()) else {
        return false;
    };
    std::env::split_paths(&path).any(|folder| !folder.is_absolute())
}
