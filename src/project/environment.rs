//! What is installed in a Python environment: [`Environment`], with a fingerprint that is the
//! same for the same packages at another place. Nothing is imported; when nothing has moved, it
//! costs one look at each distribution's list of files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::interpreter::Interpreter;
use super::managers::normalised;
use super::sources::sources_digest;
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
    /// Where its source lies, when it is installed editable.
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
    /// Folders that `.pth` files add to the path.
    added: Vec<PathBuf>,
    /// Folders of modules that no distribution lists: copied here by hand.
    unlisted: Vec<PathBuf>,
    /// Modules that no distribution lists. The fingerprint holds their content.
    modules: Vec<PathBuf>,
    fingerprint: Fingerprint,
}

impl Environment {
    /// Looks at the environment of `interpreter`. Sources that an editable install or a `.pth`
    /// file takes from below `root` are the project's files and do not count here.
    pub fn load(interpreter: Interpreter, root: &Path, states: &dyn FileStates) -> Self {
        let mut distributions = BTreeMap::new();
        let mut digest = Digest::new("pyqa environment");
        digest.field("python", interpreter.describe());
        let mut sources: Vec<PathBuf> = Vec::new();
        let mut outside: Vec<PathBuf> = Vec::new();
        for folder in interpreter.module_folders() {
            let is_site = is_site_folder(folder);
            if !is_site {
                sources.push(folder.to_owned());
                if !holds_distributions(folder) {
                    continue;
                }
            }
            let facts = folder_facts(folder, states);
            if is_site {
                digest.field("folder", facts.fingerprint);
                sources.extend(facts.added);
                outside.extend(facts.modules);
            }
            for unlisted in facts.unlisted.into_iter().filter(|_| is_site) {
                digest
                    .field("unlisted", unlisted.file_name().unwrap_or_default().as_encoded_bytes());
                digest.field("sources", sources_digest(&unlisted, states));
                outside.push(unlisted);
            }
            for distribution in facts.distributions {
                digest.field("distribution", &distribution.name);
                digest.field("version", &distribution.version);
                sources.extend(distribution.editable.clone());
                // The first on the path is the one that is imported.
                distributions.entry(distribution.name.clone()).or_insert(distribution);
            }
        }
        sources.sort();
        sources.dedup();
        for folder in sources {
            match folder.strip_prefix(root) {
                Ok(inside) => digest.field("of the project", inside.as_os_str().as_encoded_bytes()),
                Err(_) => digest.field("sources", sources_digest(&folder, states)),
            };
            if !folder.starts_with(root) {
                outside.push(folder);
            }
        }
        Self { interpreter, distributions, sources: outside, fingerprint: digest.finish() }
    }

    /// Takes the source of editable installs from where `moved` says that it lies now.
    pub fn move_editable(&mut self, moved: &dyn Fn(&Path) -> Option<PathBuf>) {
        let inside = |folder: &PathBuf| !folder.starts_with(&self.interpreter.prefix);
        for distribution in self.distributions.values_mut() {
            let source = distribution.editable.take();
            distribution.editable =
                source.map(|source| match moved(&source).filter(|_| inside(&source)) {
                    Some(moved) => moved,
                    None => source,
                });
        }
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

    /// Distributions that announce entry points in one of `groups`, by name.
    pub fn plugins(&self, groups: &[String]) -> Vec<&Distribution> {
        let announces = |d: &&Distribution| d.groups.iter().any(|group| groups.contains(group));
        self.distributions.values().filter(announces).collect()
    }
}

/// Whether distributions are installed here; other folders of the path hold sources.
fn is_site_folder(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name == "site-packages" || name == "dist-packages")
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
    let mut key = Digest::new("pyqa folder of modules, 3");
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
    let mut added = Vec::new();
    let (mut folders, mut modules) = (Vec::new(), Vec::new());
    let mut listed = BTreeSet::new();
    let mut digest = Digest::new("pyqa installed");
    for path in names {
        let name = path.file_name().unwrap_or_default();
        match path.extension().and_then(|e| e.to_str()) {
            Some("dist-info" | "egg-info") => {
                let Some(distribution) = read_distribution(path) else { continue };
                digest.field("name", &distribution.name);
                digest.field("version", &distribution.version);
                digest.field("files", distribution.files);
                distributions.push(distribution);
                listed.extend(top_names(path));
            }
            Some("pth" | "egg-link") => {
                let lines = added_folders(folder, path);
                digest.field("pth", name.as_encoded_bytes());
                digest.field("folders", lines.len().to_string());
                digest.field("code", lines_of_code(path));
                added.extend(lines);
            }
            Some("py" | "pyi") => {
                digest.field("module", name.as_encoded_bytes());
                digest.field("content", ContentHash::of(&fs::read(path).unwrap_or_default()));
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
    FolderFacts { distributions, added, unlisted, modules, fingerprint: digest.finish() }
}

fn read_distribution(path: &Path) -> Option<Distribution> {
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

/// Folders that a `.pth` or `.egg-link` file adds to the path. Lines of code in it are left to
/// `direct_url.json`, which names the source of an editable install.
fn added_folders(folder: &Path, file: &Path) -> Vec<PathBuf> {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.lines()
        .map(str::trim)
        .filter(|line| {
            let is_code = line.starts_with("import ") || line.starts_with("import\t");
            !line.is_empty() && !line.starts_with('#') && !is_code && *line != "."
        })
        .map(|line| folder.join(line))
        .filter(|path| path.is_dir())
        .collect()
}

/// Lines of a `.pth` file that the interpreter runs at each start.
fn lines_of_code(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let is_code = |line: &&str| line.starts_with("import ") || line.starts_with("import\t");
    text.lines().filter(is_code).collect::<Vec<_>>().join("\n")
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
            let interpreter = Interpreter {
                executable: self.folder.path().join("bin/python"),
                version: "3.11.7".into(),
                implementation: "CPython".into(),
                platform: "linux-x86_64".into(),
                prefix: self.folder.path().into(),
                scripts: self.folder.path().join("bin"),
                path: vec![self.site()],
                stdlib: Vec::new(),
            };
            let states = States::open(self.cache.path(), self.folder.path());
            Environment::load(interpreter, &self.folder.path().join("project"), &states)
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
        let lines = format!("{}\n{}\n", elsewhere.display(), project.display());
        fs::write(site.join("x.pth"), lines).unwrap();
        let mut sources = fixture.load().sources;
        sources.sort();
        assert_eq!(sources, [elsewhere, site.join("by_hand.py"), site.join("copied")]);
    }

    #[test]
    fn folders_that_a_pth_file_adds_are_sources() {
        let fixture = Fixture::new();
        let source = fixture.folder.path().join("shared");
        fs::create_dir_all(&source).unwrap();
        fs::write(source.join("m.py"), "x = 1\n").unwrap();
        let lines = format!("# comment\nimport something\n{}\n", source.display());
        fs::write(fixture.site().join("x.pth"), lines).unwrap();
        let before = fixture.load().fingerprint;
        fs::write(source.join("m.py"), "x = 2\n").unwrap();
        assert_ne!(before, fixture.load().fingerprint);
    }
}
