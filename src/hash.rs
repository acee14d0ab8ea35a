//! Hashes that name content: [`ContentHash`] of a file, [`Fingerprint`] of a set of facts, made
//! with [`Digest`], which keeps neighbouring fields apart.

use std::fmt;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// blake3 of a file's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }
}

/// blake3 of a list of facts: an environment, a tool's settings, a unit's key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Stands for a place on this machine, such as a checkout.
    pub fn of_path(domain: &str, path: &Path) -> Self {
        Digest::new(domain).field("path", path.as_os_str().as_encoded_bytes()).finish()
    }
}

/// Collects named fields into a [`Fingerprint`]. Each name and value is preceded by its length,
/// so that no two different lists of fields have the same bytes.
#[derive(Clone)]
pub struct Digest(blake3::Hasher);

impl Digest {
    /// `domain` says what is hashed: digests of different domains never agree.
    pub fn new(domain: &str) -> Self {
        Self(blake3::Hasher::new_derive_key(domain))
    }

    pub fn field(&mut self, name: &str, value: impl AsRef<[u8]>) -> &mut Self {
        self.bytes(name.as_bytes());
        self.bytes(value.as_ref())
    }

    pub fn finish(&self) -> Fingerprint {
        Fingerprint(*self.0.finalize().as_bytes())
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }
}

macro_rules! hex_display {
    ($type:ty) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0[..4].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl AsRef<[u8]> for $type {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }
    };
}
hex_display!(ContentHash);
hex_display!(Fingerprint);

/// What knows the content of files without reading them again: the stat cache. Shared by threads.
pub trait FileStates: Sync {
    /// Hash of the file's bytes (links followed), read only when its state on disk has changed.
    ///
    /// # Errors
    /// Those of reading the file; `NotFound` is an answer for most callers.
    fn content_hash(&self, path: &Path) -> io::Result<ContentHash>;

    /// A value remembered under `key` in an earlier run.
    fn recall(&self, key: &Fingerprint) -> Option<Vec<u8>>;

    /// Keeps `value` for later runs. Only for what can be made again.
    fn remember(&self, key: Fingerprint, value: Vec<u8>);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_fields_are_kept_apart() {
        let one = Digest::new("test").field("a", "bc").finish();
        let other = Digest::new("test").field("ab", "c").finish();
        assert_ne!(one, other);
    }
}
