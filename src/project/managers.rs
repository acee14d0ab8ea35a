//! Environments that Poetry, Pipenv, PDM and Hatch keep outside of the project: where each puts
//! them, found without starting the manager.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;
use sha2::{Digest, Sha256};

use super::variables::Variables;

/// Poetry: `{virtualenvs.path}/{name}-{hash of the folder}-py{version}`
/// (`EnvManager.generate_env_name`, Poetry 2.4). The one that `poetry env use` chose, else the
/// newest Python's.
pub fn poetry(
    folder: &Path,
    pyproject: Option<&toml::Table>,
    variables: &Variables,
) -> Option<PathBuf> {
    let pyproject = pyproject?;
    let poetry = pyproject.get("tool").and_then(|tool| tool.get("poetry"));
    if poetry.is_none() && !folder.join("poetry.lock").is_file() {
        return None;
    }
    let name = poetry
        .and_then(|table| table.get("name"))
        .or_else(|| pyproject.get("project")?.get("name"))?
        .as_str()?
        .to_lowercase();
    let environments = poetry_folder(folder, variables)?;
    let unsafe_characters = [' ', '$', '`', '!', '*', '@', '"', '\\', '\r', '\n', '\t'];
    let name: String = name.replace(unsafe_characters, "_").chars().take(42).collect();
    let place = fs::canonicalize(folder).ok()?;
    let base = format!("{name}-{}", short_hash(place.to_str()?));
    let chosen = read_toml(&environments.join("envs.toml"))
        .and_then(|table| Some(table.get(&base)?.get("minor")?.as_str()?.to_owned()))
        .map(|minor| environments.join(format!("{base}-py{minor}")));
    chosen.filter(|path| path.is_dir()).or_else(|| newest(&environments, &format!("{base}-py")))
}

fn poetry_folder(folder: &Path, variables: &Variables) -> Option<PathBuf> {
    let from_settings = |file: PathBuf| {
        let table = read_toml(&file)?;
        Some(PathBuf::from(table.get("virtualenvs")?.get("path")?.as_str()?))
    };
    let config = variables
        .path("POETRY_CONFIG_DIR")
        .or_else(|| Some(config_home(variables)?.join("pypoetry")));
    variables
        .path("POETRY_VIRTUALENVS_PATH")
        .or_else(|| from_settings(folder.join("poetry.toml")))
        .or_else(|| from_settings(config?.join("config.toml")))
        // The placeholder of the default value.
        .filter(|path| !path.to_string_lossy().contains('{'))
        .or_else(|| Some(poetry_cache(variables)?.join("virtualenvs")))
}

fn poetry_cache(variables: &Variables) -> Option<PathBuf> {
    variables.path("POETRY_CACHE_DIR").or_else(|| {
        if cfg!(target_os = "macos") {
            return Some(variables.home()?.join("Library/Caches/pypoetry"));
        }
        let caches = variables.path("XDG_CACHE_HOME");
        Some(caches.or_else(|| Some(variables.home()?.join(".cache")))?.join("pypoetry"))
    })
}

/// Pipenv: `{WORKON_HOME}/{folder's name}-{hash of the Pipfile's path}` (`Project.get_name`,
/// Pipenv 2026). A file `.venv` may name the environment instead.
pub fn pipenv(folder: &Path, variables: &Variables) -> Option<PathBuf> {
    let environments = variables
        .path("WORKON_HOME")
        .or_else(|| Some(variables.home()?.join(".local/share/virtualenvs")))?;
    if let Ok(named) = fs::read_to_string(folder.join(".venv")) {
        let named = named.trim();
        return Some(if named.contains('/') {
            folder.join(named)
        } else {
            environments.join(named)
        });
    }
    let pipfile = folder.join("Pipfile");
    if !pipfile.is_file() {
        return None;
    }
    let unsafe_characters =
        [' ', '&', '$', '`', '!', '*', '@', '"', '(', ')', '[', ']', '\\', '\r', '\n', '\t'];
    let name = variables
        .get("PIPENV_CUSTOM_VENV_NAME")
        .or_else(|| folder.file_name())?
        .to_str()?
        .replace(unsafe_characters, "_");
    let name: String = name.chars().take(42).collect();
    let path = environments.join(format!("{name}-{}", short_hash(pipfile.to_str()?)));
    path.is_dir().then_some(path)
}

/// PDM: the file `.pdm-python` names the interpreter.
pub fn pdm(folder: &Path) -> Option<PathBuf> {
    let interpreter = fs::read_to_string(folder.join(".pdm-python")).ok()?;
    let environment = Path::new(interpreter.trim()).parent()?.parent()?;
    environment.join("pyvenv.cfg").is_file().then(|| environment.to_owned())
}

/// Hatch: `{data folder}/env/virtual/{project}/{hash of the folder}/{project}` for its default
/// environment (`VirtualEnvironment` in hatch/env/virtual.py, Hatch 1.16).
pub fn hatch(
    folder: &Path,
    pyproject: Option<&toml::Table>,
    variables: &Variables,
) -> Option<PathBuf> {
    let pyproject = pyproject?;
    let name = pyproject.get("project")?.get("name")?.as_str()?;
    let name = normalised(name);
    let data = variables.path("HATCH_DATA_DIR").or_else(|| {
        if cfg!(target_os = "macos") {
            return Some(variables.home()?.join("Library/Application Support/hatch"));
        }
        let data = variables.path("XDG_DATA_HOME");
        Some(data.or_else(|| Some(variables.home()?.join(".local/share")))?.join("hatch"))
    })?;
    let place = fs::canonicalize(folder).ok()?;
    let path = data.join("env/virtual").join(&name).join(short_hash(place.to_str()?)).join(&name);
    path.is_dir().then_some(path)
}

/// A distribution's name as indexes compare it (PEP 503).
pub fn normalised(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for character in name.trim().chars() {
        match character {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            _ => normal.extend(character.to_lowercase()),
        }
    }
    normal
}

/// The eight characters by which all three tell apart projects of one name.
fn short_hash(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    URL_SAFE.encode(digest).chars().take(8).collect()
}

/// The folder whose name begins with `prefix` and ends with the highest version.
fn newest(folder: &Path, prefix: &str) -> Option<PathBuf> {
    let version = |name: &str| -> Option<Vec<u32>> {
        name.strip_prefix(prefix)?.split('.').map(|part| part.parse().ok()).collect()
    };
    fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter_map(|entry| Some((version(entry.file_name().to_str()?)?, entry.path())))
        .max()
        .map(|(_, path)| path)
}

fn config_home(variables: &Variables) -> Option<PathBuf> {
    if cfg!(target_os = "macos") {
        return Some(variables.home()?.join("Library/Application Support"));
    }
    variables.path("XDG_CONFIG_HOME").or_else(|| Some(variables.home()?.join(".config")))
}

/// The table in the file, if it can be read.
pub fn read_toml(file: &Path) -> Option<toml::Table> {
    fs::read_to_string(file).ok()?.parse().ok()
}
