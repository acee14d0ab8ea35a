//! What names a unit's input. [`CommonKey`] holds the parts that all units of a tool share;
//! [`file_key`] and [`project_key`] add the files. A key has everything that the answer depends
//! on and nothing else: no absolute path, no time, no order of files on the command line.
//!
//! docs/caching.md lists the parts tool by tool.

use crate::dropped::dropped;
use crate::hash::{ContentHash, Digest, Fingerprint};
use crate::project::files::ProjectFile;

/// Changes whenever the meaning of a part, or the way findings are read from a tool's output,
/// changes: a better parser must not replay what a worse one stored.
pub const KEY_SCHEMA: u32 = 4;

/// The named parts that all units of one tool in one project share, in a fixed order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommonKey {
    parts: Vec<(String, String)>,
}

impl CommonKey {
    /// Begins with what every tool's key holds: pyqa itself.
    pub fn new() -> Self {
        let mut key = Self { parts: Vec::new() };
        key.add("pyqa", env!("CARGO_PKG_VERSION"));
        key.add("key schema", KEY_SCHEMA.to_string());
        key
    }

    pub fn from_parts(parts: Vec<(String, String)>) -> Self {
        Self { parts }
    }

    pub fn parts(&self) -> &[(String, String)] {
        &self.parts
    }

    /// Adds a part. Its name is what `--explain` shows when it differs.
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let name = name.into();
        if !dropped(&name) {
            self.parts.push((name, value.into()));
        }
    }

    pub fn fingerprint(&self) -> Fingerprint {
        let mut digest = Digest::new("pyqa common key");
        for (name, value) in &self.parts {
            digest.field(name, value);
        }
        digest.finish()
    }

    /// What differs from `older`, in words, one entry a part.
    pub fn differences(&self, older: &Self) -> Vec<String> {
        let value = |key: &Self, name: &str| {
            key.parts.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone())
        };
        let mut names: Vec<&str> = older.parts.iter().map(|(name, _)| name.as_str()).collect();
        names.extend(self.parts.iter().map(|(name, _)| name.as_str()));
        names.dedup();
        let mut told = Vec::new();
        for name in names {
            let text = match (value(older, name), value(self, name)) {
                (old, new) if old == new => continue,
                (Some(old), Some(new)) if is_readable(&old) && is_readable(&new) => {
                    format!("{name}: {old} → {new}")
                }
                (Some(_), Some(_)) => format!("{name} changed"),
                (None, _) => format!("{name} added"),
                (Some(_), None) => format!("{name} removed"),
            };
            if !told.contains(&text) {
                told.push(text);
            }
        }
        told
    }
}

/// Short words are shown as they are; hashes and long values only as changed.
fn is_readable(value: &str) -> bool {
    const LONGEST: usize = 40;
    let is_hash = value.len() >= 32 && value.bytes().all(|b| b.is_ascii_hexdigit());
    value.chars().count() <= LONGEST && !is_hash && !value.contains('\n')
}

/// Adds what a tool may see of one file: name, permission to execute, link, content.
fn add_file(digest: &mut Digest, file: &ProjectFile, content: &ContentHash) {
    let mut add = |part: &str, value: &[u8]| {
        if !dropped(part) {
            digest.field(part, value);
        }
    };
    add("path", file.path.as_bytes());
    add("executable", &[u8::from(file.stat.is_executable())]);
    if let Some(link) = &file.link {
        add("link", link.as_ref());
    }
    add("content", content.as_ref());
}

/// Key of a unit that is one file.
pub fn file_key(common: &Fingerprint, file: &ProjectFile, content: &ContentHash) -> Fingerprint {
    let mut digest = Digest::new("pyqa file unit");
    digest.field("common", common);
    add_file(&mut digest, file, content);
    digest.finish()
}

/// Key of a unit that is the project: `files` are all that it may read, sorted by path. With
/// `permissions`, those of files count too, where they are not what git would give.
pub fn project_key<'a>(
    common: &Fingerprint,
    files: impl Iterator<Item = (&'a ProjectFile, &'a ContentHash)>,
    permissions: bool,
) -> Fingerprint {
    let mut digest = Digest::new("pyqa project unit");
    digest.field("common", common);
    for (file, content) in files {
        add_file(&mut digest, file, content);
        if permissions
            && let Some(unusual) = file.stat.unusual_permissions()
            && !dropped("permissions")
        {
            digest.field("permissions", unusual.to_le_bytes());
        }
    }
    digest.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::stat::FileStat;

    fn file(path: &str, mode: u32) -> ProjectFile {
        let stat = FileStat { size: 1, mtime: 2, ctime: 3, inode: 4, device: 5, mode };
        ProjectFile { path: path.into(), stat, link: None, ignored: false }
    }

    fn key(path: &str, mode: u32, content: &[u8]) -> Fingerprint {
        let common = CommonKey::new().fingerprint();
        file_key(&common, &file(path, mode), &ContentHash::of(content))
    }

    #[test]
    fn another_pyqa_or_schema_makes_another_key() {
        let key = CommonKey::new();
        let [version, schema] = key.parts() else { panic!("{key:?}") };
        assert_eq!(version.1, env!("CARGO_PKG_VERSION"));
        assert_eq!(schema.1, KEY_SCHEMA.to_string());
        for other in [("another", schema.1.as_str()), (version.1.as_str(), "another")] {
            let parts = [(version.0.clone(), other.0.into()), (schema.0.clone(), other.1.into())];
            assert_ne!(CommonKey::from_parts(parts.into()).fingerprint(), key.fingerprint());
        }
    }

    #[test]
    fn path_mode_and_content_each_make_another_key() {
        let base = key("a.py", 0o644, b"x");
        assert_ne!(base, key("b.py", 0o644, b"x"));
        assert_ne!(base, key("a.py", 0o755, b"x"));
        assert_ne!(base, key("a.py", 0o644, b"y"));
    }

    #[test]
    fn times_and_inodes_do_not_enter_the_key() {
        let common = CommonKey::new().fingerprint();
        let mut other = file("a.py", 0o644);
        other.stat = FileStat { mtime: 99, ctime: 99, inode: 99, device: 99, ..other.stat };
        let content = ContentHash::of(b"x");
        assert_eq!(
            file_key(&common, &file("a.py", 0o644), &content),
            file_key(&common, &other, &content)
        );
    }

    #[test]
    fn differences_are_told_by_the_part_s_name() {
        let mut old = CommonKey::new();
        old.add("flake8", "7.5.0");
        old.add("[tool.black] line-length", "88");
        old.add("environment", "a".repeat(64));
        let mut new = CommonKey::new();
        new.add("flake8", "7.5.1");
        new.add("environment", "b".repeat(64));
        assert_eq!(
            new.differences(&old),
            ["flake8: 7.5.0 → 7.5.1", "[tool.black] line-length removed", "environment changed"]
        );
    }
}
