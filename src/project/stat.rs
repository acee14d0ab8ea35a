//! What the system tells of a file without reading it: [`FileStat`], the part of a file's state
//! that changes whenever its content does.

use std::fs::Metadata;
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// A file's state on disk, as git's index keeps it. Times are nanoseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct FileStat {
    pub size: u64,
    pub mtime: i64,
    /// Changes with every write, also where a program sets the modification time back.
    pub ctime: i64,
    pub inode: u64,
    pub device: u64,
    pub mode: u32,
}

impl FileStat {
    /// All of it, to be hashed.
    pub fn to_bytes(&self) -> [u8; 44] {
        let mut bytes = [0; 44];
        let numbers = [
            self.size,
            self.mtime.cast_unsigned(),
            self.ctime.cast_unsigned(),
            self.inode,
            self.device,
        ];
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes[40..].copy_from_slice(&self.mode.to_le_bytes());
        bytes
    }

    /// Whether its owner may execute the file.
    pub fn is_executable(&self) -> bool {
        self.mode & 0o100 != 0
    }

    /// Who may do what with it, where that is not what a file written now would allow: neither git nor
    /// an editor has made it so, but somebody who wanted it.
    pub fn unusual_permissions(&self) -> Option<u32> {
        let all = if self.is_executable() { 0o777 } else { 0o666 };
        let own = self.mode & 0o7777;
        (cfg!(unix) && own != all & !umask()).then_some(own)
    }

    /// Whether the state was looked at so long after it came about that another change would show,
    /// on every file system that is in use (FAT counts in steps of two seconds).
    pub fn is_settled(&self) -> bool {
        const LONG_AGO: i64 = 2_000_000_000;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(since.as_nanos()).unwrap_or(i64::MAX);
        self.last_touched().saturating_add(LONG_AGO) < now
    }

    /// Whether this is the state of a symbolic link itself.
    pub fn is_link(&self) -> bool {
        const KIND: u32 = 0o170_000;
        const LINK: u32 = 0o120_000;
        self.mode & KIND == LINK
    }

    /// When content or name last changed by the system's own clock, as far as it tells.
    pub fn changed(&self) -> i64 {
        if cfg!(unix) { self.ctime } else { self.mtime }
    }

    /// The later of the two times.
    pub fn last_touched(&self) -> i64 {
        self.mtime.max(self.ctime)
    }
}

/// What new files do not allow, as it was at the first call. That is made when the program starts and has
/// no threads, since the mask can only be asked for by setting it.
pub fn umask() -> u32 {
    static MASK: OnceLock<u32> = OnceLock::new();
    *MASK.get_or_init(os::umask)
}

#[cfg(unix)]
mod os {
    use rustix::fs::Mode;
    use rustix::process;

    pub(super) fn umask() -> u32 {
        let mask = process::umask(Mode::RWXG | Mode::RWXO);
        process::umask(mask);
        mask.bits()
    }
}

#[cfg(not(unix))]
mod os {
    pub(super) fn umask() -> u32 {
        0
    }
}

#[cfg(unix)]
impl From<&Metadata> for FileStat {
    fn from(meta: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        let nanos = |seconds: i64, nanos: i64| seconds.saturating_mul(1_000_000_000) + nanos;
        Self {
            size: meta.size(),
            mtime: nanos(meta.mtime(), meta.mtime_nsec()),
            ctime: nanos(meta.ctime(), meta.ctime_nsec()),
            inode: meta.ino(),
            device: meta.dev(),
            mode: meta.mode(),
        }
    }
}

#[cfg(not(unix))]
impl From<&Metadata> for FileStat {
    /// The standard library tells neither the change time nor the file's number elsewhere, so a
    /// program that sets the modification time back is not noticed there.
    fn from(meta: &Metadata) -> Self {
        let nanos = |time: std::io::Result<std::time::SystemTime>| {
            time.ok()
                .and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok())
                .map_or(0, |d| i64::try_from(d.as_nanos()).unwrap_or(i64::MAX))
        };
        Self {
            size: meta.len(),
            mtime: nanos(meta.modified()),
            ctime: nanos(meta.created()),
            inode: 0,
            device: 0,
            mode: u32::from(!meta.permissions().readonly()) * 0o600,
        }
    }
}
