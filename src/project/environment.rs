//! What is installed in a Python environment: [`Environment`], with a fingerprint that is the
//! same for the same packages at another place. Nothing is imported; when nothing has moved, it
//! costs one look at each distribution's list of files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::interpreter::{Interpreter, is_site_folder};
use super::managers::normalised;
use super::path_files::{PathFile, is_path_file};
use super::sources::{content_digest, sources_digest};
use super::strays::{self, Stray};
use crate::dropped::dropped;
use crate::hash::{ContentHash, Digest, FileStates, Fingerprint};

/// Written last into an environment that pyqa makes: one without it was interrupted while it was
/// made. Its time of modification is the day of last use.
pub const MARK_OF_MADE: &str = "pyqa-complete";

/// An interpreter and its distributions.
#[derive(Clone, Debug)]
pub struct Environment {
    pub interpreter: Interpreter,
    /// By normalised name.
    pub distributions: BTreeMap<String, Distribution>,
    /// Folders and modules outside of the project whose sources count by their content, because no
    /// list of files does: editable installs, entries of the path, what was copied there by hand.
    pub sources: Vec<PathBuf>,
    /// Modules that no distribution lists and that may take the place of a listed one, or be looked
    /// for by their names, the project's own included.
    pub strays: Vec<Stray>,
    /// Stands for what the interpreter runs at each start.
    pub startup: Fingerprint,
    /// Stands for everything that an import can reach beside the project.
    pub fingerprint: Fingerprint,
}

/// An installed distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distribution {
    /// Normalised (PEP 503).
    pub name: String,
    pub version: String,
    /// Groups of its entry points.
    pub groups: Vec<String>,
    /// Names of the modules and packages that it has brought.
    pub modules: Vec<String>,
    /// Where its source lies, when it is installed editable or lies in a folder of sources, such as
    /// one of `PYTHONPATH`.
    pub editable: Option<PathBuf>,
    /// Names of the distributions that it requires, whatever for.
    pub requires: Vec<String>,
    /// Of the list of its files with their hashes: tells apart two of the same version.
    pub files: Fingerprint,
}

/// What is remembered of one folder of modules.
#[derive(Serialize, Deserialize)]
struct FolderFacts {
    distributions: Vec<Distribution>,
    /// Folders of modules that no distribution lists: copied here by hand.
    unlisted: Vec<PathBuf>,
    /// Modules that no distribution lists. The fingerprint holds their content.
    modules: Vec<PathBuf>,
    /// Of what the interpreter runs at each start.
    startup: Fingerprint,
    fingerprint: Fingerprint,
}

impl Environment {
    /// Looks at the environment of `interpreter`. Sources that an editable install or a `.pth`
    /// file takes from below `root` are the project's files and do not count here. What lies outside of
    /// the environment is looked at where `moved` says that it lies now, if it does.
    pub fn load(
        interpreter: Interpreter,
        root: &Path,
        moved: &dyn Fn(&Path) -> Option<PathBuf>,
        states: &dyn FileStates,
    ) -> Self {
        let place = |path: &Path| {
            let moved = moved(path).filter(|_| !path.starts_with(&interpreter.prefix));
            moved.unwrap_or_else(|| path.to_owned())
        };
        let mut distributions = BTreeMap::new();
        let mut digest = Digest::new("pyqa environment");
        digest.field("python", interpreter.describe());
        let mut startup = Digest::new("pyqa start of an interpreter");
        for folder in &interpreter.stdlib {
            if let Ok(hash) = states.content_hash(&folder.join("sitecustomize.py")) {
                startup.field("sitecustomize", hash);
            }
        }
        let mut sources: Vec<PathBuf> = Vec::new();
        let mut outside: Vec<PathBuf> = Vec::new();
        for (_, folder) in interpreter.module_entries() {
            let is_site = is_site_folder(folder);
            if !is_site {
                sources.push(folder.to_owned());
            }
            let here = if is_site { folder.to_owned() } else { place(folder) };
            if !is_site && !holds_distributions(&here) {
                continue;
            }
            let facts = folder_facts(&here, states);
            if is_site {
                digest.field("folder", facts.fingerprint);
                startup.field("folder", facts.startup);
                outside.extend(facts.modules);
            }
            for unlisted in facts.unlisted.into_iter().filter(|_| is_site) {
                digest
                    .field("unlisted", unlisted.file_name().unwrap_or_default().as_encoded_bytes());
                if !dropped("copied") {
                    digest.field("content", content_digest(&unlisted, states));
                }
                outside.push(unlisted);
            }
            for mut distribution in facts.distributions {
                digest.field("distribution", &distribution.name);
                digest.field("version", &distribution.version);
                if !is_site {
                    distribution.editable.get_or_insert_with(|| folder.to_owned());
                }
                if let Some(source) = &mut distribution.editable {
                    sources.push(source.clone());
                    *source = place(source);
                }
                // The first on the path is the one that is imported.
                distributions.entry(distribution.name.clone()).or_insert(distribution);
            }
        }
        let by_hand = outside.iter().filter_map(|path| Stray::at(path));
        let strays = by_hand.chain(strays::in_path(&interpreter, &place)).collect();
        sources.sort();
        sources.dedup();
        for folder in sources {
            if let Ok(inside) = folder.strip_prefix(root) {
                digest.field("of the project", inside.as_os_str().as_encoded_bytes());
                continue;
            }
            let here = place(&folder);
            digest.field("sources", sources_digest(&here, states));
            outside.push(here);
        }
        let (startup, fingerprint) = (startup.finish(), digest.finish());
        Self { interpreter, distributions, sources: outside, strays, startup, fingerprint }
    }

    pub fn distribution(&self, name: &str) -> Option<&Distribution> {
        self.distributions.get(&normalised(name))
    }

    /// The distributions that those of `names` require, and those that these require, without
    /// `names` themselves; by name.
    pub fn required_by<'a>(&'a self, names: &[&str]) -> Vec<&'a Distribution> {
        let mut found: BTreeMap<&str, &Distribution> = BTreeMap::new();
        let mut wanted: Vec<&Distribution> =
            names.iter().filter_map(|name| self.distribution(name)).collect();
        while let Some(next) = wanted.pop() {
            if found.insert(&next.name, next).is_none() {
                wanted.extend(next.requires.iter().filter_map(|name| self.distribution(name)));
            }
        }
        found.into_values().filter(|found| !names.contains(&found.name.as_str())).collect()
    }

    /// Distributions that announce entry points in one of `groups`, or have a module whose name
    /// begins as one of `modules`; by name.
    pub fn plugins(&self, groups: &[String], modules: &[String]) -> Vec<&Distribution> {
        let begins = |name: &String| modules.iter().any(|begin| name.starts_with(begin));
        let is_plugin = |d: &&Distribution| {
            d.groups.iter().any(|group| groups.contains(group)) || d.modules.iter().any(begins)
        };
        self.distributions.values().filter(is_plugin).collect()
    }

    /// The strays that an import of one of `names` may find, or that are looked for because their name
    /// begins as one of `modules`; and those that stand in the way of the standard library.
    pub fn strays_for(&self, names: &BTreeSet<&str>, modules: &[String]) -> Vec<&Path> {
        // Looked for at each start.
        const STARTED: [&str; 2] = ["sitecustomize", "usercustomize"];
        let counts = |stray: &&Stray| {
            stray.hides_standard
                || stray.name.as_deref().is_none_or(|name| {
                    names.contains(name)
                        || STARTED.contains(&name)
                        || modules.iter().any(|begin| name.starts_with(begin))
                })
        };
        self.strays.iter().filter(counts).map(|stray| stray.path.as_path()).collect()
    }
}

/// Metadata of distributions in a folder of sources: `pip install --target`, `setup.py develop`.
fn holds_distributions(folder: &Path) -> bool {
    fs::read_dir(folder).into_iter().flatten().flatten().any(|entry| {
        let name = entry.file_name();
        let extension = Path::new(&name).extension();
        extension.is_some_and(|e| e == "dist-info" || e == "egg-info")
    })
}

fn folder_facts(folder: &Path, states: &dyn FileStates) -> FolderFacts {
    let mut names: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    names.retain(|path| path.file_name().is_some_and(|name| name != "__pycache__"));
    names.sort();
    let mut key = Digest::new("pyqa folder of modules, 4");
    key.field("folder", folder.as_os_str().as_encoded_bytes());
    for path in &names {
        key.field("name", path.file_name().unwrap_or_default().as_encoded_bytes());
        if let Some(hash) = identity(path, states) {
            key.field("content", hash);
        }
    }
    let key = key.finish();
    let known = states.recall(&key).and_then(|bytes| postcard::from_bytes(&bytes).ok());
    if let Some(known) = known {
        return known;
    }
    let facts = read_folder(folder, &names);
    if let Ok(bytes) = postcard::to_stdvec(&facts) {
        states.remember(key, bytes);
    }
    facts
}

/// Content of the file that changes whenever what `path` stands for is installed anew.
fn identity(path: &Path, states: &dyn FileStates) -> Option<ContentHash> {
    let extension = path.extension()?.to_str()?;
    let hash = |path: PathBuf| states.content_hash(&path).ok();
    match extension {
        "dist-info" => {
            // `direct_url.json` says where an editable install points.
            let record = hash(path.join("RECORD")).or_else(|| hash(path.join("METADATA")))?;
            match hash(path.join("direct_url.json")) {
                Some(url) => Some(ContentHash::of(&[record.0, url.0].concat())),
                None => Some(record),
            }
        }
        "egg-info" if path.is_dir() => hash(path.join("PKG-INFO")),
        "egg-info" | "pth" | "egg-link" | "py" | "pyi" => hash(path.to_owned()),
        _ => None,
    }
}

fn read_folder(folder: &Path, names: &[PathBuf]) -> FolderFacts {
    let mut distributions = Vec::new();
    let mut startup = Digest::new("pyqa start in a folder");
    let (mut folders, mut modules) = (Vec::new(), Vec::new());
    let mut listed = BTreeSet::new();
    let mut digest = Digest::new("pyqa installed");
    for path in names {
        let name = path.file_name().unwrap_or_default();
        match path.extension().and_then(|e| e.to_str()) {
            Some("dist-info" | "egg-info") => {
                let brought = top_names(path);
                let Some(distribution) = read_distribution(path, &brought) else { continue };
                digest.field("name", &distribution.name);
                digest.field("version", &distribution.version);
                digest.field("files", distribution.files);
                distributions.push(distribution);
                listed.extend(brought);
            }
            Some("pth" | "egg-link") => {
                let said = PathFile::read(folder, path);
                digest.field("pth", name.as_encoded_bytes());
                digest.field("folders", said.added.len().to_string());
                digest.field("code", said.code.join("\n"));
                if is_path_file(path) {
                    for line in said.code_of_others() {
                        startup.field("code", line);
                    }
                }
            }
            Some("py" | "pyi") => {
                let content = ContentHash::of(&fs::read(path).unwrap_or_default());
                digest.field("module", name.as_encoded_bytes());
                digest.field("content", content);
                if name == "sitecustomize.py" || name == "usercustomize.py" {
                    startup.field("module", name.as_encoded_bytes()).field("content", content);
                }
                modules.push(path);
            }
            _ => {
                digest.field("entry", name.as_encoded_bytes());
                folders.push(path);
            }
        }
    }
    // Debian's packages list their files elsewhere.
    let keeps_lists = folder.file_name().is_some_and(|name| name == "site-packages");
    let is_unlisted = |path: &Path| {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        keeps_lists && !listed.contains(name)
    };
    folders.retain(|path| is_unlisted(path) && path.is_dir());
    modules.retain(|path| is_unlisted(path));
    let [unlisted, modules] = [folders, modules].map(|all| all.into_iter().cloned().collect());
    let (startup, fingerprint) = (startup.finish(), digest.finish());
    FolderFacts { distributions, unlisted, modules, startup, fingerprint }
}

/// `brought` are the names that it has put into the folder of modules.
fn read_distribution(path: &Path, brought: &BTreeSet<Vec<u8>>) -> Option<Distribution> {
    let metadata = ["METADATA", "PKG-INFO"]
        .iter()
        .find_map(|name| fs::read_to_string(path.join(name)).ok())
        .or_else(|| fs::read_to_string(path).ok())
        .unwrap_or_default();
    let header = |name: &str| {
        metadata
            .lines()
            .take_while(|line| !line.is_empty())
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
            .map(|value| value.trim().to_owned())
    };
    let stem = path.file_stem()?.to_str()?;
    let (file_name, file_version) = stem.split_once('-').unwrap_or((stem, ""));
    Some(Distribution {
        name: normalised(&header("Name").unwrap_or_else(|| file_name.to_owned())),
        version: header("Version").unwrap_or_else(|| file_version.to_owned()),
        groups: entry_point_groups(path),
        modules: brought.iter().filter_map(|name| module_name(name)).collect(),
        editable: editable_source(path),
        requires: required(&metadata),
        files: Digest::new("pyqa files").field("list", installed_files(path)).finish(),
    })
}

/// The names in `Requires-Dist: name[extra] (>=1) ; marker`, for whatever platform and extra.
fn required(metadata: &str) -> Vec<String> {
    let headers = metadata.lines().take_while(|line| !line.is_empty());
    headers
        .filter_map(|line| line.strip_prefix("Requires-Dist: "))
        .filter_map(|line| {
            line.trim().split(|c: char| !(c.is_ascii_alphanumeric() || "._-".contains(c))).next()
        })
        .map(normalised)
        .collect()
}

/// Names that the distribution has put into the folder of modules.
fn top_names(path: &Path) -> BTreeSet<Vec<u8>> {
    let read = |name: &str| fs::read_to_string(path.join(name)).unwrap_or_default();
    let record = read("RECORD");
    let record = record.lines().filter_map(|line| line.split(['/', ',']).next());
    let top = read("top_level.txt");
    record.chain(top.lines()).map(|name| name.trim_matches('"').as_bytes().to_vec()).collect()
}

/// The name by which `six.py`, `yaml` or `_x.cpython-311.so` is imported.
fn module_name(top: &[u8]) -> Option<String> {
    let name = top.split(|&byte| byte == b'.').next()?;
    let is_other = [&b".dist-info"[..], b".egg-info", b".pth", b"__pycache__"]
        .iter()
        .any(|end| top.ends_with(end));
    let name = str::from_utf8(name).ok().filter(|name| !is_other && !name.is_empty())?;
    Some(name.to_owned())
}

fn entry_point_groups(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path.join("entry_points.txt")).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.trim().strip_prefix('[')?.strip_suffix(']'))
        .map(str::to_owned)
        .collect()
}

/// PEP 610: `direct_url.json` of an editable install names the folder of its source.
fn editable_source(path: &Path) -> Option<PathBuf> {
    let text = fs::read(path.join("direct_url.json")).ok()?;
    let url: serde_json::Value = serde_json::from_slice(&text).ok()?;
    let is_editable = url.get("dir_info")?.get("editable")?.as_bool()?;
    let place = url.get("url")?.as_str()?.strip_prefix("file://")?;
    is_editable.then(|| PathBuf::from(percent_decoded(place)))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let code = (first == b'%').then(|| after.get(..2)).flatten();
        let byte = code
            .and_then(|hex| std::str::from_utf8(hex).ok())
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The list of installed files with their hashes, without what differs between two installs of
/// the same: scripts with the environment's path, bytecode, notes of the installer.
fn installed_files(path: &Path) -> String {
    const NOTES: [&str; 5] =
        ["INSTALLER", "REQUESTED", "RECORD", "direct_url.json", "uv_cache.json"];
    let record = fs::read_to_string(path.join("RECORD")).unwrap_or_default();
    let is_portable = |line: &&str| {
        let file = line.split(',').next().unwrap_or_default();
        let name = file.rsplit('/').next().unwrap_or_default();
        let is_editable_hook = name.starts_with("__editable__") || name.starts_with("_editable_");
        let is_local = Path::new(name).extension().is_some_and(|e| e == "pyc" || e == "pth");
        !file.starts_with("..") && !NOTES.contains(&name) && !is_editable_hook && !is_local
    };
    let mut lines: Vec<&str> = record.lines().filter(is_portable).collect();
    lines.sort_unstable();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cache::states::States;

    struct Fixture {
        folder: tempfile::TempDir,
        cache: tempfile::TempDir,
    }

    impl Fixture {
        fn new() -> Self {
            let fixture =
                Self { folder: tempfile::tempdir().unwrap(), cache: tempfile::tempdir().unwrap() };
            fs::create_dir_all(fixture.site()).unwrap();
            fixture
        }

        fn site(&self) -> PathBuf {
            self.folder.path().join("site-packages")
        }

        fn install(&self, name: &str, version: &str, record: &str) -> &Self {
            let path = self.site().join(format!("{name}-{version}.dist-info"));
            fs::create_dir_all(&path).unwrap();
            let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n");
            fs::write(path.join("METADATA"), metadata).unwrap();
            fs::write(path.join("RECORD"), record).unwrap();
            self
        }

        fn load(&self) -> Environment {
            self.load_with(&[])
        }

        /// `beside` are further entries of the path.
        fn load_with(&self, beside: &[PathBuf]) -> Environment {
            let interpreter = Interpreter {
                executable: self.folder.path().join("bin/python"),
                version: "3.11.7".into(),
                implementation: "CPython".into(),
                platform: "linux-x86_64".into(),
                prefix: self.folder.path().into(),
                scripts: self.folder.path().join("bin"),
                path: [&[self.site()][..], beside].concat(),
                stdlib: Vec::new(),
            };
            let states = States::open(self.cache.path(), self.folder.path());
            Environment::load(interpreter, &self.folder.path().join("project"), &|_| None, &states)
        }
    }

    const RECORD: &str = "a/__init__.py,sha256=x,1\n../../bin/a,sha256=ONE,9\na/x.pyc,,\n";

    #[test]
    fn the_same_packages_at_another_place_have_the_same_fingerprint() {
        let (one, other) = (Fixture::new(), Fixture::new());
        one.install("Some_Tool", "1.0", RECORD);
        other.install("Some_Tool", "1.0", &RECORD.replace("ONE", "TWO"));
        assert_eq!(one.load().fingerprint, other.load().fingerprint);
        assert_eq!(one.load().distribution("some.tool").unwrap().version, "1.0");
    }

    #[test]
    fn another_version_or_another_content_has_another_fingerprint() {
        let fixture = Fixture::new();
        let first = fixture.install("a", "1.0", RECORD).load().fingerprint;
        let same_version = fixture.install("a", "1.0", "a/__init__.py,sha256=y,1\n").load();
        assert_ne!(first, same_version.fingerprint);
        fixture.install("b", "2.0", RECORD);
        assert_ne!(same_version.fingerprint, fixture.load().fingerprint);
    }

    #[test]
    fn source_of_an_editable_install_elsewhere_counts_and_the_project_s_own_does_not() {
        let fixture = Fixture::new();
        fixture.install("a", "1.0", RECORD);
        for (place, counts) in [("elsewhere", true), ("project", false)] {
            let source = fixture.folder.path().join(place);
            fs::create_dir_all(&source).unwrap();
            fs::write(source.join("m.py"), "x = 1\n").unwrap();
            let url = format!("file://{}", source.display());
            let json = format!(r#"{{"dir_info": {{"editable": true}}, "url": "{url}"}}"#);
            fs::write(fixture.site().join("a-1.0.dist-info/direct_url.json"), json).unwrap();
            let before = fixture.load().fingerprint;
            fs::write(source.join("m.py"), "x = 2\n").unwrap();
            assert_eq!(before != fixture.load().fingerprint, counts, "{place}");
        }
    }

    #[test]
    fn what_counts_by_its_content_outside_of_the_project_is_told() {
        let fixture = Fixture::new();
        fixture.install("a", "1.0", "a/__init__.py,sha256=x,1\nb.py,sha256=y,1\n");
        let (site, elsewhere) = (fixture.site(), fixture.folder.path().join("elsewhere"));
        let project = fixture.folder.path().join("project/src");
        for folder in [&site.join("a"), &site.join("copied"), &elsewhere, &project] {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join("__init__.py"), "").unwrap();
        }
        fs::write(site.join("b.py"), "").unwrap();
        fs::write(site.join("by_hand.py"), "").unwrap();
        let mut sources = fixture.load_with(&[elsewhere.clone(), project]).sources;
        sources.sort();
        assert_eq!(sources, [elsewhere, site.join("by_hand.py"), site.join("copied")]);
    }

    #[test]
    fn archives_and_data_of_what_was_copied_by_hand_count() {
        let fixture = Fixture::new();
        let archive = fixture.folder.path().join("archive.zip");
        let copied = fixture.site().join("copied");
        fs::create_dir(&copied).unwrap();
        let fingerprint = || fixture.load_with(std::slice::from_ref(&archive)).fingerprint;
        for file in [&archive, &copied.join("data.txt")] {
            let before = fingerprint();
            fs::write(file, "1").unwrap();
            let first = fingerprint();
            fs::write(file, "2").unwrap();
            assert!(before != first && first != fingerprint(), "{}", file.display());
        }
    }

    #[test]
    fn a_distribution_in_a_folder_of_sources_is_edited_there() {
        let fixture = Fixture::new();
        let beside = fixture.folder.path().join("beside");
        fs::create_dir_all(beside.join("a-1.0.dist-info")).unwrap();
        let metadata = "Metadata-Version: 2.1\nName: a\nVersion: 1.0\n\n";
        fs::write(beside.join("a-1.0.dist-info/METADATA"), metadata).unwrap();
        let environment = fixture.load_with(std::slice::from_ref(&beside));
        assert_eq!(environment.distribution("a").unwrap().editable, Some(beside));
    }

    #[test]
    fn what_an_interpreter_runs_at_its_start_is_told_apart() {
        let fixture = Fixture::new();
        let startup = || fixture.load().startup;
        let mut seen = vec![startup()];
        let files = [
            ("x.pth", "import other\n"),
            ("x.pth", "import another\n"),
            ("sitecustomize.py", "x = 1\n"),
            ("sitecustomize.py", "x = 2\n"),
        ];
        for (name, text) in files {
            fs::write(fixture.site().join(name), text).unwrap();
            let now = startup();
            assert!(!seen.contains(&now), "{name} {text}");
            seen.push(now);
        }
        fs::write(fixture.site().join("__editable__.a.pth"), "import __editable___a\n").unwrap();
        assert_eq!(seen.last(), Some(&startup()));
    }

    #[test]
    fn strays_count_by_the_names_that_are_looked_for() {
        let fixture = Fixture::new();
        fixture.install("tool", "1.0", "tool.py,sha256=x,1\nhelp/__init__.py,sha256=x,1\n");
        let beside = fixture.folder.path().join("beside");
        fs::create_dir_all(beside.join("help")).unwrap();
        for name in ["other.py", "sitecustomize.py", "plugin_a.py"] {
            fs::write(beside.join(name), "").unwrap();
        }
        let environment = fixture.load_with(std::slice::from_ref(&beside));
        let tool = environment.distribution("tool").unwrap();
        assert_eq!(tool.modules, ["help", "tool"]);
        let names = tool.modules.iter().map(String::as_str).collect();
        let found = environment.strays_for(&names, &["plugin_".to_owned()]);
        let expected = ["help", "plugin_a.py", "sitecustomize.py"].map(|name| beside.join(name));
        assert_eq!(found, expected);
    }
}
