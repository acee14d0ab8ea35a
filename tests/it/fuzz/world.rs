//! The fuzzed project and what surrounds it: files, environments, variables, cache.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use super::random::Random;
use super::site::{ORACLE_BYTECODE, Site, bytecode_of, copy, interpreter};
use super::slots::{FIXED, SLOTS, Slot, is_bad};
use crate::support::files::{modified, set_modified};
use crate::support::{Project, tool_environment};

/// What a user sees of a run.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) code: i32,
    pub(super) stdout: String,
}

impl Seen {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        }
    }
}

pub(super) struct World {
    pub(super) seed: u64,
    /// The mutations so far.
    pub(super) done: Vec<&'static str>,
    /// The folder with the project and all around it.
    top: PathBuf,
    pub(super) project: Project,
    pub(super) random: Random,
    pub(super) site: Site,
    /// An environment with another Python, where this machine has one.
    pub(super) other: Option<Site>,
    pub(super) variables: BTreeMap<&'static str, String>,
    /// Lines of pyproject.toml by table.
    pub(super) pyproject: BTreeMap<&'static str, Vec<&'static str>>,
    /// Path of the slot to change, where the steps say so.
    pub(super) wanted: String,
    /// Where runs are started, seen from the project.
    pub(super) folder: &'static str,
    /// Copies of the cache as it once was.
    pub(super) caches: Vec<PathBuf>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let project = Project::without_environment();
        let top = fs::canonicalize(project.root().parent().unwrap()).unwrap();
        let (python, version) = interpreter(&tool_environment().join("bin/python")).unwrap();
        let site = Site::make(&top, "env", &python, &version);
        let others = ["python3.12", "python3.13", "python3.11"].map(Path::new);
        let other = others
            .into_iter()
            .filter_map(interpreter)
            .find(|(_, other)| *other != version)
            .map(|(python, version)| Site::make(&top, "other-env", &python, &version));
        let mut world = Self {
            seed,
            done: Vec::new(),
            random: Random::new(seed),
            // Warm processes that stay, that go with the run, or none.
            variables: BTreeMap::from([
                ("PYQA_WORKERS", ["1", "0", "run"][usize::try_from(seed % 3).unwrap()].to_owned()),
                ("PYQA_WORKER_IDLE", "20".to_owned()),
            ]),
            pyproject: BTreeMap::from([
                ("project", vec!["name = \"shop\"", "version = \"1\""]),
                (
                    "tool.pytest.ini_options",
                    vec!["testpaths = [\"tests\"]", "pythonpath = [\".\"]"],
                ),
                ("tool.pyqa.pytest", vec!["env = [\"FUZZ_VALUE\"]"]),
                ("tool.mypy", vec!["mypy_path = \"ignored\""]),
            ]),
            wanted: String::new(),
            folder: ".",
            caches: Vec::new(),
            top,
            project,
            site,
            other,
        };
        world.furnish();
        world
    }

    fn furnish(&mut self) {
        for (name, text) in FIXED {
            self.write(name, text);
        }
        for slot in SLOTS {
            self.write(slot.path, slot.contents[0]);
        }
        self.write_pyproject();
        std::os::unix::fs::symlink("linked.txt", self.path("link.txt")).unwrap();
        let library = [
            ("somelib/__init__.py", "VALUE = 1\n\n\ndef give() -> int:\n    return 1\n"),
            ("somelib/py.typed", ""),
        ];
        self.site.install("somelib", "1.0", &library, "");
        for (name, folder) in [("edlib", self.path("../editable")), ("inlib", self.path("inside"))]
        {
            let folder = fs::canonicalize(folder).unwrap();
            let url = format!(
                "{{\"dir_info\": {{\"editable\": true}}, \"url\": \"file://{}\"}}",
                folder.display()
            );
            let pth = format!("{}\n", folder.display());
            let hook = format!("__editable__.{name}.pth");
            self.site.install(name, "1.0", &[("direct_url.json", &url), (&hook, &pth)], "");
        }
        self.project.git(&["init", "-q", "-b", "main"]).git(&["add", "-A"]);
        self.project.git(&["commit", "-q", "-m", "first"]).git(&["branch", "other"]);
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.project.path(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        // A file may stand where a folder is wanted, or the other way round.
        let folder = path.parent().unwrap();
        if folder.is_file() || folder.is_symlink() {
            fs::remove_file(folder).unwrap();
        }
        fs::create_dir_all(folder).unwrap();
        if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(&path).unwrap();
        }
        fs::write(path, text).unwrap();
    }

    /// Writes a file, half of the time with the modification time that it had.
    pub(super) fn write_maybe_keeping_time(&mut self, name: impl AsRef<Path>, text: &str) {
        let path = self.project.root().join(name);
        let time = (path.is_file() && self.random.one_in(2)).then(|| modified(&path));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        if let Some(time) = time {
            set_modified(&path, time);
        }
    }

    pub(super) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    pub(super) fn remove(&self, name: &str) {
        let path = self.path(name);
        let _ = if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(path)
        } else {
            fs::remove_file(path)
        };
    }

    pub(super) fn write_pyproject(&self) {
        let mut text = String::new();
        for (table, lines) in self.pyproject.iter().filter(|(_, lines)| !lines.is_empty()) {
            write!(text, "[{table}]\n{}\n\n", lines.join("\n")).unwrap();
        }
        self.write("pyproject.toml", &text);
    }

    /// Sets or (`None`) removes what one table of pyproject.toml says beside its first lines.
    pub(super) fn set_table(&mut self, table: &'static str, lines: &[&'static str]) {
        let kept = match table {
            "project" | "tool.pytest.ini_options" => 2,
            "tool.pyqa.pytest" | "tool.mypy" => 1,
            _ => 0,
        };
        let all = self.pyproject.entry(table).or_default();
        all.truncate(kept);
        all.extend_from_slice(lines);
        self.write_pyproject();
    }

    pub(super) fn is_bad(&self, slot: &Slot) -> bool {
        is_bad(&self.read(slot.path))
    }

    /// A slot to change: half of the time one that makes a test fail.
    pub(super) fn slot(&mut self) -> &'static Slot {
        if let Some(slot) = SLOTS.iter().find(|slot| slot.path == self.wanted) {
            return slot;
        }
        let bad: Vec<&'static Slot> = SLOTS.iter().filter(|slot| self.is_bad(slot)).collect();
        if !bad.is_empty() && self.random.one_in(2) {
            return bad[self.random.below(bad.len())];
        }
        self.random.pick(SLOTS)
    }

    /// Another content for the slot, of the same size where there is one.
    pub(super) fn content(&mut self, slot: &'static Slot) -> &'static str {
        let now = self.read(slot.path);
        let mut others: Vec<&'static str> =
            slot.contents.iter().copied().filter(|text| *text != now).collect();
        let same: Vec<&'static str> =
            others.iter().copied().filter(|text| text.len() == now.len()).collect();
        if !same.is_empty() {
            others = same;
        }
        others[self.random.below(others.len())]
    }

    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let own = || env!("CARGO_BIN_EXE_pyqa").into();
        let program = std::env::var_os("PYQA_FUZZ_BINARY").unwrap_or_else(own);
        let mut command = self.project.command(program);
        command.args(arguments).env("VIRTUAL_ENV", &self.site.prefix);
        command.current_dir(self.path(self.folder));
        command.envs(&self.variables);
        if let Some(parts) = std::env::var_os("PYQA_FUZZ_DROP") {
            command.env("PYQA_DROP_KEY_PARTS", parts);
        }
        command
    }

    pub(super) fn start(&self, tools: &str) -> Child {
        let mut command = self.command(&["check", "--no-limit", "--only", tools]);
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    }

    pub(super) fn cached(&self, tools: &str) -> Seen {
        finished(self.start(tools))
    }

    /// The truth: nothing that an earlier run has left is used, neither pyqa's nor Python's.
    pub(super) fn fresh(&mut self, tools: &str) -> Seen {
        let bytecode = self.top.join(ORACLE_BYTECODE);
        self.forget_bytecode(&bytecode);
        let cache = self.top.join("oracle-cache");
        let mut fresh = seen(
            self.command(&["check", "--no-limit", "--no-cache", "--only", tools])
                .env("PYQA_CACHE_DIR", &cache)
                .env("PYTHONPYCACHEPREFIX", bytecode)
                .env("PYQA_WORKERS", "0"),
        );
        // A tool that crashes tells of pyqa's own files in its traceback.
        let [own, usual] = [&cache, &self.project.cache()].map(|path| path.display().to_string());
        fresh.stdout = fresh.stdout.replace(&own, &usual);
        fresh
    }

    /// Removes bytecode of what lies outside of the environments, which look after themselves. It
    /// has a place apart, because a name that comes and goes beside sources touches their folder.
    fn forget_bytecode(&self, bytecode: &Path) {
        let environments: Vec<&OsStr> = [&self.site]
            .into_iter()
            .chain(&self.other)
            .filter_map(|site| site.prefix.file_name())
            .collect();
        for entry in fs::read_dir(bytecode_of(&self.top, bytecode)).into_iter().flatten().flatten()
        {
            if !environments.contains(&entry.file_name().as_os_str()) {
                fs::remove_dir_all(entry.path()).unwrap();
            }
        }
    }

    /// Keeps a copy of the cache as it is.
    pub(super) fn keep_cache(&mut self) {
        let to = self.path(&format!("../cache-{}", self.caches.len()));
        if self.project.cache().is_dir() {
            copy(&self.project.cache(), &to);
            self.caches.push(to);
        }
    }
}

pub(super) fn finished(child: Child) -> Seen {
    Seen::of(&child.wait_with_output().unwrap())
}

/// Runs the command to its end.
pub(super) fn seen(command: &mut Command) -> Seen {
    Seen::of(&command.stderr(Stdio::null()).output().unwrap())
}

pub(super) fn pause(random: &mut Random, most: usize) {
    std::thread::sleep(Duration::from_millis(random.below(most) as u64));
}
