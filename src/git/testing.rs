//! A repository for tests.

use std::fs;
use std::path::Path;
use std::process::Command;

/// A repository in a folder of its own, out of reach of the user's settings.
pub(super) struct Repository(tempfile::TempDir);

impl Repository {
    pub(super) fn new() -> Self {
        let repository = Self(tempfile::tempdir().unwrap());
        repository.git(&["init", "-q", "-b", "main"]);
        repository
    }

    pub(super) fn top(&self) -> &Path {
        self.0.path()
    }

    pub(super) fn git(&self, arguments: &[&str]) -> &Self {
        let output = Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"])
            .args(arguments)
            .current_dir(self.top())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        self
    }

    pub(super) fn write(&self, name: &str, text: &str) -> &Self {
        let path = self.top().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Commits everything.
    pub(super) fn commit(&self, message: &str) -> &Self {
        self.git(&["add", "-A"]).git(&["commit", "-qm", message])
    }
}
