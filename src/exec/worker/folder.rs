//! Where kept workers listen: [`RuntimeFolder`], a folder that nobody but the user can look into.
//! Whoever can write there can make a tool say "clean", so that the folder is not used when it is
//! not the user's alone.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::process::geteuid;

use crate::project::variables::Variables;

/// The system's limit for a socket's path is 108 bytes, the end included.
const LONGEST_PATH: usize = 107;
/// How long another run may take to start a worker before this one does without.
const PATIENCE: Duration = Duration::from_secs(2);

/// A folder of this user's for sockets and what belongs to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeFolder {
    path: PathBuf,
}

impl RuntimeFolder {
    /// `pyqa` in `$XDG_RUNTIME_DIR`, if that is this user's and nobody else's, else a folder of the
    /// user's where temporary files go. Made if need be.
    ///
    /// # Errors
    /// Where the folder cannot be made, or is not this user's alone.
    pub fn open(variables: &Variables) -> io::Result<Self> {
        let given = variables.path("XDG_RUNTIME_DIR").filter(|path| path.is_absolute());
        let path = if let Some(folder) = given.filter(|path| check(path).is_ok()) {
            folder.join("pyqa")
        } else {
            let name = format!("pyqa-runtime-{}", geteuid().as_raw());
            variables.path("TMPDIR").unwrap_or_else(|| "/tmp".into()).join(name)
        };
        match DirBuilder::new().mode(0o700).create(&path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => check(&path)?,
        }
        Ok(Self { path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The socket of the worker `name`.
    pub(super) fn socket(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.sock"))
    }

    /// All sockets that lie here.
    pub(super) fn sockets(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.path).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|e| e == OsStr::new("sock")));
        paths.sort();
        paths
    }

    /// Keeps others from starting the worker `name` meanwhile.
    ///
    /// # Errors
    /// Those of the file; another run that holds it for too long.
    pub(super) fn lock(&self, name: &str) -> io::Result<File> {
        let path = self.path.join(format!("{name}.lock"));
        let flags = OFlags::CREATE | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?);
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(fs::TryLockError::Error(error)) => return Err(error),
                Err(fs::TryLockError::WouldBlock) if begun.elapsed() > PATIENCE => {
                    return Err(io::Error::new(io::ErrorKind::TimedOut, "another run holds it"));
                }
                Err(fs::TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(5)),
            }
        }
    }
}

/// Listens at `socket`, in the place of whoever listened there.
///
/// # Errors
/// Those of the system; a path that is too long for a socket; something at that place that is no
/// socket of this user's.
pub(super) fn listen(socket: &Path) -> io::Result<UnixListener> {
    match check_socket(socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let new = socket.with_extension("new");
    if socket.as_os_str().len() > LONGEST_PATH {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the path is too long"));
    }
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&new)?;
    rustix::fs::chmod(&new, Mode::RUSR | Mode::WUSR)?;
    fs::rename(&new, socket)?;
    Ok(listener)
}

/// Connects to a socket of this user's, and sees to it that this user listens there.
///
/// # Errors
/// Where nobody does.
pub(super) fn connect(socket: &Path) -> io::Result<UnixStream> {
    check_socket(socket)?;
    let stream = UnixStream::connect(socket)?;
    let peer = rustix::net::sockopt::socket_peercred(&stream)?.uid;
    if peer == geteuid() { Ok(stream) } else { Err(foreign(peer.as_raw())) }
}

/// A link is not followed, wherever it leads.
fn check_socket(socket: &Path) -> io::Result<()> {
    let meta = fs::symlink_metadata(socket)?;
    if !meta.file_type().is_socket() {
        let what = format!("{} is no socket", socket.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
    }
    if meta.uid() == geteuid().as_raw() { Ok(()) } else { Err(foreign(meta.uid())) }
}

fn check(folder: &Path) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let meta = File::from(rustix::fs::open(folder, flags, Mode::empty())?).metadata()?;
    if meta.uid() != geteuid().as_raw() {
        return Err(foreign(meta.uid()));
    }
    if meta.mode() & 0o077 != 0 {
        let what = format!("others may use the folder {}", folder.display());
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
    }
    Ok(())
}

fn foreign(uid: u32) -> io::Error {
    let what = format!("it belongs to another user (uid {uid})");
    io::Error::new(io::ErrorKind::PermissionDenied, what)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn private() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        folder
    }

    fn open(given: &Path, temporary: &Path) -> io::Result<RuntimeFolder> {
        let (given, temporary) = (given.to_str().unwrap(), temporary.to_str().unwrap());
        RuntimeFolder::open(&[("XDG_RUNTIME_DIR", given), ("TMPDIR", temporary)].into())
    }

    #[test]
    fn the_runtime_folder_is_used_when_it_is_private_and_else_one_beside_temporary_files() {
        let (given, temporary) = (private(), private());
        let open = || open(given.path(), temporary.path()).unwrap();
        assert!(open().path().starts_with(given.path()));
        let mode = fs::metadata(open().path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        fs::set_permissions(given.path(), fs::Permissions::from_mode(0o755)).unwrap();
        assert!(open().path().starts_with(temporary.path()));
    }

    #[test]
    fn a_folder_that_others_may_use_or_that_is_a_link_is_refused() {
        let (given, elsewhere) = (private(), private());
        let folder = given.path().join("pyqa");
        symlink(elsewhere.path(), &folder).unwrap();
        assert!(open(given.path(), given.path()).is_err());
        fs::remove_file(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o770)).unwrap();
        assert!(open(given.path(), given.path()).is_err());
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        assert!(open(given.path(), given.path()).is_ok());
    }

    #[test]
    fn a_link_at_the_socket_s_place_is_neither_followed_nor_replaced() {
        let given = private();
        let folder = open(given.path(), given.path()).unwrap();
        let real = folder.socket("real");
        let _listener = listen(&real).unwrap();
        assert!(connect(&real).is_ok());
        let planted = folder.socket("planted");
        symlink(&real, &planted).unwrap();
        assert!(connect(&planted).is_err());
        assert!(listen(&planted).is_err());
        assert!(fs::symlink_metadata(&planted).unwrap().is_symlink());
    }
}
