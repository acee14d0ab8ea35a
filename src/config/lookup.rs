//! Finds the settings that a tool will read in a project, by the tool's own rules as its
//! declaration states them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::documents::{Document, Documents};
use super::ini::Ini;
use super::source::{ConfigDecl, ConfigFile, ConfigSearch, ConfigSyntax, ConfigValue, ToolConfig};
use super::toml::{Node, Table};
use crate::error::{Source, UserError};
use crate::project::variables::Variables;

/// Where settings are looked for.
pub struct Places<'a> {
    pub root: &'a Path,
    /// Top of the repository, if there is one.
    pub repository: Option<&'a Path>,
    /// The folder above the repository, where that is not the top's own parent: content that is
    /// checked at another place has the parents of the work tree.
    pub above: Option<&'a Path>,
    pub variables: &'a Variables,
    pub documents: &'a Documents,
}

/// The settings that a tool declared as `decl` will read.
///
/// # Errors
/// A settings file that the tool could not read either.
pub fn tool_config(decl: &ConfigDecl, places: &Places<'_>) -> Result<ToolConfig, UserError> {
    let mut config = match in_project(decl, places)? {
        Some(config) => config,
        None => of_user(decl, places)?.unwrap_or_default(),
    };
    if decl.requires_python {
        add_requires_python(&mut config, places)?;
    }
    Ok(config)
}

/// What the file at `path`, which an argument names, holds for a tool declared as `decl`. `None` where
/// that is nothing, as where the argument means something else than settings.
pub fn named_config(decl: &ConfigDecl, path: &Path, places: &Places<'_>) -> Option<ToolConfig> {
    let is_toml = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
    let fits = |candidate: &&ConfigFile| is_toml == (candidate.syntax == ConfigSyntax::Toml);
    let config = look_into(path, decl.files.iter().find(fits)?, places).ok()??;
    (!config.sections.is_empty()).then_some(config)
}

fn in_project(decl: &ConfigDecl, places: &Places<'_>) -> Result<Option<ToolConfig>, UserError> {
    let folders = folders(decl.search, places);
    for folder in &folders {
        let is_top = Some(folder) == folders.last();
        for candidate in &decl.files {
            let always = candidate.always || (is_top && candidate.always_at_top);
            let path = folder.join(&candidate.name);
            if let Some(config) = look_into(&path, candidate, places)?
                && (always || counts(candidate, &config))
            {
                return Ok(Some(config));
            }
        }
    }
    Ok(None)
}

fn of_user(decl: &ConfigDecl, places: &Places<'_>) -> Result<Option<ToolConfig>, UserError> {
    for candidate in &decl.user_files {
        let Some(path) = user_path(&candidate.name, places) else { continue };
        if let Some(config) = look_into(&path, candidate, places)?
            && (candidate.always || counts(candidate, &config))
        {
            return Ok(Some(config));
        }
    }
    Ok(None)
}

/// Whether what the file holds makes the tool stop looking.
fn counts(candidate: &ConfigFile, config: &ToolConfig) -> bool {
    match &candidate.counts_with {
        Some(section) => config.sections.contains_key(section),
        None => !config.sections.is_empty(),
    }
}

fn folders<'a>(search: ConfigSearch, places: &Places<'a>) -> Vec<&'a Path> {
    let root = places.root;
    match search {
        ConfigSearch::Root => vec![root],
        ConfigSearch::ParentsToRepository => {
            let mut folders = Vec::new();
            for folder in root.ancestors() {
                folders.push(folder);
                if Some(folder) == places.repository || is_repository(folder) {
                    break;
                }
            }
            folders
        }
        ConfigSearch::ParentsToHome => {
            let parents: Vec<&Path> = match (places.repository, places.above) {
                (Some(top), Some(above)) => {
                    let within = root.ancestors().take_while(|folder| folder.starts_with(top));
                    within.chain(above.ancestors()).collect()
                }
                _ => root.ancestors().collect(),
            };
            // flake8 compares what the folders are, not what they are called.
            let home = places.variables.home();
            let home = home.map(|home| dunce::canonicalize(&home).unwrap_or(home));
            let is_below_home = |folder: &&Path| Some(*folder) != home.as_deref();
            // The home counts where it is the root itself.
            let (own, parents) = parents.split_at(1);
            own.iter()
                .chain(parents.iter().take_while(|folder| is_below_home(folder)))
                .copied()
                .collect()
        }
    }
}

/// Whether the tools take `folder` for the top of a repository: they do not ask what is in `.git`
/// (mypy 2.4.1 `_find_config_file`, black 26.10.1 `find_project_root`).
fn is_repository(folder: &Path) -> bool {
    [".git", ".hg"].iter().any(|mark| folder.join(mark).exists())
}

fn user_path(name: &str, places: &Places<'_>) -> Option<PathBuf> {
    let home = || places.variables.home();
    let xdg = |value: &Path| match value.strip_prefix("~") {
        Ok(rest) => home().map(|home| home.join(rest)),
        Err(_) => Some(places.root.join(value)),
    };
    if let Some(rest) = name.strip_prefix("$XDG_CONFIG_HOME/") {
        return Some(xdg(&places.variables.path("XDG_CONFIG_HOME")?)?.join(rest));
    }
    if let Some(rest) = name.strip_prefix("${XDG_CONFIG_HOME-~/.config}/") {
        let folder = places.variables.get("XDG_CONFIG_HOME");
        return Some(xdg(folder.map_or("~/.config".as_ref(), Path::new))?.join(rest));
    }
    match name.strip_prefix("~/") {
        Some(rest) => Some(home()?.join(rest)),
        None => Some(PathBuf::from(name)),
    }
}

/// What the file holds for the tool; `None` where there is no file.
fn look_into(
    path: &Path,
    candidate: &ConfigFile,
    places: &Places<'_>,
) -> Result<Option<ToolConfig>, UserError> {
    let Some(document) = places.documents.get(path, candidate.syntax)? else { return Ok(None) };
    let mut config = ToolConfig { file: Some(path.to_owned()), ..ToolConfig::default() };
    match &document {
        Document::Ini(ini) => read_ini(ini, candidate, path, &mut config),
        Document::Toml(table) => read_toml(table, candidate, path, &mut config),
        Document::Opaque(text) => {
            let value = serde_json::Value::from(text.as_ref());
            let value = ConfigValue { value, source: Source::file(path) };
            config
                .sections
                .insert(candidate.name.clone(), BTreeMap::from([("text".into(), value)]));
        }
    }
    if let Some(name) = config.sections.keys().next() {
        config.label = format!("[{name}]");
    }
    Ok(Some(config))
}

fn matches(wanted: &str, name: &str) -> bool {
    match wanted.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == wanted,
    }
}

fn read_ini(ini: &Ini, candidate: &ConfigFile, path: &Path, config: &mut ToolConfig) {
    let wanted = |name: &&str| candidate.sections.iter().any(|wanted| matches(wanted, name));
    for name in ini.names().filter(wanted) {
        let values = ini.options(name).into_iter().map(|option| {
            let source = Source { file: path.to_owned(), line: Some(option.line) };
            let value = ConfigValue { value: option.value.clone().into(), source };
            (option.name.clone(), value)
        });
        config.sections.insert(name.to_owned(), values.collect());
    }
}

fn read_toml(table: &Table, candidate: &ConfigFile, path: &Path, config: &mut ToolConfig) {
    if candidate.sections.is_empty() {
        config.sections.insert(candidate.name.clone(), values(table, path));
    }
    for name in &candidate.sections {
        if let Some((table, _)) = table.table(name) {
            config.sections.insert(name.clone(), values(table, path));
        }
    }
}

/// The values of a table; one that is a table itself counts as one value.
pub(super) fn values(table: &Table, path: &Path) -> BTreeMap<String, ConfigValue> {
    table
        .entries
        .iter()
        .map(|entry| {
            let source = Source { file: path.to_owned(), line: Some(entry.line) };
            let value = match &entry.node {
                Node::Plain(value) => value.clone(),
                Node::Table(table) => table.to_json(),
            };
            (entry.key.clone(), ConfigValue { value, source })
        })
        .collect()
}

/// `[project] requires-python` decides what some tools take for valid or good style. They read it
/// where they read their settings.
fn add_requires_python(config: &mut ToolConfig, places: &Places<'_>) -> Result<(), UserError> {
    let of_root = places.root.join("pyproject.toml");
    for path in config.file.clone().into_iter().chain([of_root]) {
        let Some(table) = places.documents.toml(&path)? else { continue };
        if let Some(value) = table.value("project.requires-python") {
            let value = ConfigValue { value: value.clone(), source: Source::file(&path) };
            let section = config.sections.entry("project".to_owned()).or_default();
            section.insert("requires-python".to_owned(), value);
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::registry;
    use std::fs;

    struct Fixture {
        home: tempfile::TempDir,
    }

    impl Fixture {
        fn new(files: &[(&str, &str)]) -> Self {
            let home = tempfile::tempdir().unwrap();
            fs::create_dir_all(home.path().join("repo/.git")).unwrap();
            fs::create_dir_all(home.path().join("repo/sub")).unwrap();
            for (name, text) in files {
                let path = home.path().join(name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Self { home }
        }

        fn winner(&self, tool: &str, root: &str) -> Option<String> {
            let home = self.home.path();
            let spec = registry::builtin().into_iter().find(|s| s.name.as_str() == tool).unwrap();
            let config = tool_config(
                &spec.config,
                &Places {
                    root: &home.join(root),
                    repository: Some(&home.join("repo")),
                    above: None,
                    variables: &Variables::from([("HOME", home.to_str().unwrap())]),
                    documents: &Documents::default(),
                },
            );
            let file = config.unwrap().file?;
            Some(file.strip_prefix(home).unwrap().to_str().unwrap().to_owned())
        }
    }

    const FLAKE8: &str = "[flake8]\nmax-line-length = 90\n";
    const MYPY: &str = "[mypy]\nstrict = True\n";

    #[test]
    fn flake8_takes_setup_cfg_first_and_looks_in_parents_below_home() {
        let f = Fixture::new(&[
            ("repo/sub/.flake8", FLAKE8),
            ("repo/sub/tox.ini", FLAKE8),
            ("repo/sub/setup.cfg", FLAKE8),
        ]);
        assert_eq!(f.winner("flake8", "repo/sub").unwrap(), "repo/sub/setup.cfg");
        let f = Fixture::new(&[("repo/sub/setup.cfg", "[metadata]\n"), ("repo/.flake8", FLAKE8)]);
        assert_eq!(f.winner("flake8", "repo/sub").unwrap(), "repo/.flake8");
        let f = Fixture::new(&[(".flake8", FLAKE8)]);
        assert_eq!(f.winner("flake8", "repo"), None);
    }

    #[test]
    fn mypy_takes_its_own_files_before_shared_ones_and_the_user_s_last() {
        let f = Fixture::new(&[
            ("repo/mypy.ini", MYPY),
            ("repo/pyproject.toml", "[tool.mypy]\nstrict = true\n"),
            ("repo/setup.cfg", MYPY),
        ]);
        assert_eq!(f.winner("mypy", "repo").unwrap(), "repo/mypy.ini");
        let f = Fixture::new(&[("repo/setup.cfg", MYPY), (".config/mypy/config", MYPY)]);
        assert_eq!(f.winner("mypy", "repo").unwrap(), "repo/setup.cfg");
        let f = Fixture::new(&[(".mypy.ini", MYPY)]);
        assert_eq!(f.winner("mypy", "repo").unwrap(), ".mypy.ini");
    }

    #[test]
    fn mypy_passes_over_a_shared_file_without_its_own_section() {
        let f =
            Fixture::new(&[("repo/sub/setup.cfg", "[mypy-foo]\nx = 1\n"), ("repo/mypy.ini", MYPY)]);
        assert_eq!(f.winner("mypy", "repo/sub").unwrap(), "repo/mypy.ini");
    }

    #[test]
    fn the_search_ends_at_the_first_repository_of_git_or_mercurial_or_at_the_top_of_all() {
        let f = Fixture::new(&[("repo/sub/.hg/requires", ""), ("repo/mypy.ini", MYPY)]);
        assert_eq!(f.winner("mypy", "repo/sub"), None);
        let f = Fixture::new(&[("plain/sub/a.py", ""), ("plain/mypy.ini", MYPY)]);
        assert_eq!(f.winner("mypy", "plain/sub").unwrap(), "plain/mypy.ini");
    }

    #[test]
    fn flake8_s_settings_in_the_home_count_where_it_is_the_root() {
        let f = Fixture::new(&[("setup.cfg", FLAKE8)]);
        assert_eq!(f.winner("flake8", "").unwrap(), "setup.cfg");
        assert_eq!(f.winner("flake8", "repo"), None);
    }

    #[test]
    fn pytest_reads_a_file_with_a_byte_order_mark() {
        let f = Fixture::new(&[("repo/tox.ini", "\u{feff}[pytest]\naddopts = -q\n")]);
        assert_eq!(f.winner("pytest", "repo").unwrap(), "repo/tox.ini");
    }

    #[test]
    fn pytest_s_own_file_counts_even_when_it_is_empty() {
        let f = Fixture::new(&[
            ("repo/pytest.ini", ""),
            ("repo/pyproject.toml", "[tool.pytest.ini_options]\naddopts = '-q'\n"),
        ]);
        assert_eq!(f.winner("pytest", "repo").unwrap(), "repo/pytest.ini");
        let f = Fixture::new(&[("repo/tox.ini", "[tox]\n"), ("repo/setup.cfg", "[tool:pytest]\n")]);
        assert_eq!(f.winner("pytest", "repo").unwrap(), "repo/setup.cfg");
    }

    #[test]
    fn black_takes_the_user_s_file_only_where_the_project_has_none() {
        let f = Fixture::new(&[(".config/black", "line-length = 90\n")]);
        assert_eq!(f.winner("black", "repo").unwrap(), ".config/black");
        let f = Fixture::new(&[
            (".config/black", "[tool.black]\nline-length = 90\n"),
            ("repo/pyproject.toml", "[project]\nname = 'x'\n"),
        ]);
        assert_eq!(f.winner("black", "repo").unwrap(), "repo/pyproject.toml");
    }

    #[test]
    fn a_file_that_no_tool_could_read_is_an_error() {
        let f = Fixture::new(&[("repo/tox.ini", "[flake8]\nmax-line-length\n")]);
        let spec = registry::builtin().remove(0);
        let error = tool_config(
            &spec.config,
            &Places {
                root: &f.home.path().join("repo"),
                repository: None,
                above: None,
                variables: &Variables::default(),
                documents: &Documents::default(),
            },
        );
        assert_eq!(error.unwrap_err().place.unwrap().line, Some(2));
    }
}
