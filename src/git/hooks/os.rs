//! Permissions of hooks, where files have some.

pub(super) use system::{
    RUNS_SCRIPTS, Sharing, create_folder, is_no_program, is_runnable, new_hook,
};

#[cfg(unix)]
mod system {
    use std::fs::{self, DirBuilder, Permissions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    use std::path::Path;

    use rustix::fs::{Access, access};
    use tempfile::NamedTempFile;

    /// Whether a script can be started by its name.
    pub(in crate::git::hooks) const RUNS_SCRIPTS: bool = true;
    const ALL_BITS: u32 = 0o777;
    const SAME_GROUP: u32 = 0o2000;

    /// `core.sharedRepository`.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(in crate::git::hooks) enum Sharing {
        /// As the umask has it.
        Umask,
        /// These bits as well.
        AtLeast(u32),
        /// These bits and no others.
        Exactly(u32),
    }

    impl Sharing {
        /// By the rules of `git_config_perm` in git's path.c.
        pub(in crate::git::hooks) fn parse(value: &[u8]) -> Self {
            match value {
                b"group" | b"true" | b"yes" | b"on" | b"1" => Self::AtLeast(0o660),
                b"all" | b"world" | b"everybody" | b"2" => Self::AtLeast(0o664),
                other => {
                    let text = String::from_utf8_lossy(other);
                    match u32::from_str_radix(&text, 8) {
                        Ok(bits) if bits & 0o600 == 0o600 => Self::Exactly(bits & 0o666),
                        _ => Self::Umask,
                    }
                }
            }
        }

        /// The mode of a file that all who can read it can run, or of a folder.
        fn apply(self, mode: u32) -> u32 {
            let mode = match self {
                Self::Umask => return mode,
                Self::AtLeast(bits) => mode | bits,
                Self::Exactly(bits) => (mode & !ALL_BITS) | bits,
            };
            mode | ((mode & 0o444) >> 2)
        }
    }

    /// A file without a name yet that all who can read it can run.
    pub(in crate::git::hooks) fn new_hook(
        folder: &Path,
        sharing: Sharing,
    ) -> io::Result<NamedTempFile> {
        let runnable = Permissions::from_mode(ALL_BITS);
        let file = tempfile::Builder::new().permissions(runnable).tempfile_in(folder)?;
        if sharing != Sharing::Umask {
            let mode = file.as_file().metadata()?.permissions().mode();
            file.as_file().set_permissions(Permissions::from_mode(sharing.apply(mode)))?;
        }
        Ok(file)
    }

    pub(in crate::git::hooks) fn create_folder(path: &Path, sharing: Sharing) -> io::Result<()> {
        if path.is_dir() {
            return Ok(());
        }
        DirBuilder::new().recursive(true).mode(ALL_BITS).create(path)?;
        if sharing == Sharing::Umask {
            return Ok(());
        }
        let mode = fs::metadata(path)?.permissions().mode();
        fs::set_permissions(path, Permissions::from_mode(sharing.apply(mode) | SAME_GROUP))
    }

    /// Whether git would run the file: it leaves out what it may not execute.
    pub(in crate::git::hooks) fn is_runnable(path: &Path) -> bool {
        access(path, Access::EXEC_OK).is_ok() && path.is_file()
    }

    /// The system does not know what kind of program the file is.
    pub(in crate::git::hooks) fn is_no_program(error: &io::Error) -> bool {
        error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error())
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// Modes that git 2.47 gives a file of mode 0755 in `git init --shared=VALUE`.
        #[test]
        fn sharing_widens_or_replaces_the_mode_as_git_does() {
            for (value, mode) in [
                ("", 0o755),
                ("umask", 0o755),
                ("false", 0o755),
                ("0", 0o755),
                ("group", 0o775),
                ("1", 0o775),
                ("everybody", 0o775),
                ("0640", 0o750),
                ("0600", 0o700),
                ("0664", 0o775),
            ] {
                assert_eq!(Sharing::parse(value.as_bytes()).apply(0o755), mode, "{value}");
            }
            assert_eq!(Sharing::parse(b"group").apply(0o700), 0o770);
            assert_eq!(Sharing::parse(b"world").apply(0o700), 0o775);
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::io;
    use std::path::Path;

    use tempfile::NamedTempFile;

    pub(in crate::git::hooks) const RUNS_SCRIPTS: bool = false;

    /// `core.sharedRepository` says nothing where files have no modes.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(in crate::git::hooks) struct Sharing;

    impl Sharing {
        pub(in crate::git::hooks) fn parse(_: &[u8]) -> Self {
            Self
        }
    }

    pub(in crate::git::hooks) fn new_hook(folder: &Path, _: Sharing) -> io::Result<NamedTempFile> {
        NamedTempFile::new_in(folder)
    }

    pub(in crate::git::hooks) fn create_folder(path: &Path, _: Sharing) -> io::Result<()> {
        std::fs::create_dir_all(path)
    }

    pub(in crate::git::hooks) fn is_runnable(path: &Path) -> bool {
        path.is_file()
    }

    pub(in crate::git::hooks) fn is_no_program(_: &io::Error) -> bool {
        false
    }
}
