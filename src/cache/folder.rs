//! Where the cache lies: [`CacheFolder`], one per user.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::inputs::LastInputs;
use super::listing::Listing;
use super::states::States;
use super::store::Store;
use super::usage::Usage;
use crate::hash::Fingerprint;

/// The user's cache folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CacheFolder {
    path: PathBuf,
}

impl CacheFolder {
    /// `$PYQA_CACHE_DIR`, else `pyqa` in the system's place for caches. Without a home, a folder
    /// of this user's in the place for temporary files.
    pub fn locate(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let folder = |name: &str| variable(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let path = folder("PYQA_CACHE_DIR").unwrap_or_else(|| {
            os::caches(&folder)
                .unwrap_or_else(|| std::env::temp_dir().join(format!("pyqa-{}", os::user())))
                .join("pyqa")
        });
        Self { path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder, marked as a cache for backup programs and ignored by git.
    ///
    /// # Errors
    /// Where it cannot be made or written, or is another user's.
    pub fn prepare(&self) -> io::Result<()> {
        let tag = self.path.join("CACHEDIR.TAG");
        if tag.exists() {
            return os::check_owner(&self.path);
        }
        os::make_private(&self.path)?;
        os::check_owner(&self.path)?;
        fs::write(self.path.join(".gitignore"), "*\n")?;
        // The signature is that of https://bford.info/cachedir/
        fs::write(tag, "Signature: 8a477f597d28d172789f06886806bc55\n# Made by pyqa.\n")
    }

    pub fn states(&self, root: &Path) -> States {
        States::open(&self.path.join("states"), root)
    }

    /// What is remembered of the names below `root`; `None` where the cache cannot be used.
    pub fn listing(&self, root: &Path) -> Option<Listing> {
        self.prepare().ok()?;
        Some(Listing::new(&self.path.join("states"), root))
    }

    pub fn store(&self) -> Store {
        Store::new(&self.results())
    }

    pub fn last_inputs(&self, root: &Path) -> LastInputs {
        LastInputs::new(&self.path.join("inputs"), root)
    }

    /// What the runs so far have needed and found.
    pub fn usage(&self) -> Usage {
        Usage::new(&self.path.join("usage"))
    }

    /// Results of all projects.
    pub fn results(&self) -> PathBuf {
        self.path.join("results")
    }

    /// Environments that pyqa makes. `$PYQA_ENVS_DIR` moves them alone.
    pub fn environments(&self, variable: impl Fn(&str) -> Option<PathBuf>) -> PathBuf {
        variable("PYQA_ENVS_DIR").unwrap_or_else(|| self.path.join("envs"))
    }

    /// A folder for one tool's own incremental state in the checkout at `root`.
    pub fn tool_state(&self, tool: &str, root: &Path, key: &Fingerprint) -> PathBuf {
        let checkout = Fingerprint::of_path("pyqa checkout", root).to_string();
        self.path.join("tools").join(tool).join(&checkout[..16]).join(&key.to_string()[..16])
    }

    /// What is kept between runs, by name; tool environments are not part of it.
    pub fn kept(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("results", self.results()),
            ("file states", self.path.join("states")),
            ("last inputs", self.path.join("inputs")),
            ("tool state", self.path.join("tools")),
        ]
    }

    /// Texts of editors while tools read them.
    pub fn texts(&self) -> PathBuf {
        self.path.join("texts")
    }

    /// Support files that pyqa hands to Python, in a folder named by their content.
    pub fn support(&self) -> PathBuf {
        self.path.join("support")
    }
}

#[cfg(unix)]
mod os {
    use std::fs;
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    use std::path::{Path, PathBuf};

    pub(super) fn caches(folder: &dyn Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
        let home = folder("HOME").filter(|home| home.is_absolute());
        if cfg!(target_os = "macos") {
            return home.map(|home| home.join("Library/Caches"));
        }
        folder("XDG_CACHE_HOME")
            .filter(|path| path.is_absolute())
            .or_else(|| home.map(|home| home.join(".cache")))
    }

    pub(super) fn user() -> String {
        rustix::process::getuid().as_raw().to_string()
    }

    /// What is in the cache is believed, so that nobody else may write there.
    pub(super) fn make_private(path: &Path) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
    }

    pub(super) fn check_owner(path: &Path) -> io::Result<()> {
        let owner = fs::metadata(path)?.uid();
        if owner == rustix::process::geteuid().as_raw() {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            format!("the folder belongs to another user (uid {owner})"),
        ))
    }
}

#[cfg(not(unix))]
mod os {
    use std::io;
    use std::path::{Path, PathBuf};

    pub(super) fn caches(folder: &dyn Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
        folder("LOCALAPPDATA")
    }

    pub(super) fn user() -> String {
        std::env::var("USERNAME").unwrap_or_default()
    }

    pub(super) fn make_private(path: &Path) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    pub(super) fn check_owner(_: &Path) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locate(variables: &[(&str, &str)]) -> PathBuf {
        let variables: Vec<_> = variables.iter().map(|(n, v)| (n.to_string(), *v)).collect();
        let get = |name: &str| {
            variables.iter().find(|(n, _)| n == name).map(|(_, value)| OsString::from(value))
        };
        CacheFolder::locate(get).path().to_owned()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn own_variable_comes_before_xdg_and_xdg_before_home() {
        let home = ("HOME", "/home/a");
        assert_eq!(locate(&[home]), Path::new("/home/a/.cache/pyqa"));
        assert_eq!(locate(&[home, ("XDG_CACHE_HOME", "/x")]), Path::new("/x/pyqa"));
        assert_eq!(locate(&[home, ("XDG_CACHE_HOME", "rel")]), Path::new("/home/a/.cache/pyqa"));
        assert_eq!(locate(&[home, ("PYQA_CACHE_DIR", "/c")]), Path::new("/c"));
        assert!(locate(&[]).starts_with(std::env::temp_dir()));
    }
}
