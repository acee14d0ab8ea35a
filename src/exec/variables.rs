//! The environment variables that bind git to one repository. git sets them for hooks; a tool
//! that starts git in a folder of its own must not see them.

use std::ffi::OsStr;

/// By this variable an installed hook tells pyqa as which file git started it.
pub const HOOK_FILE: &str = "PYQA_HOOK_FILE";

/// What `git rev-parse --local-env-vars` prints (git 2.47), and `GIT_PREFIX`, which git sets for
/// hooks as well, and [`HOOK_FILE`]. `GIT_CONFIG_COUNT` goes together with its `GIT_CONFIG_KEY_n` and
/// `GIT_CONFIG_VALUE_n`, or git stops at the first gap.
const LOCAL: [&str; 17] = [
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_CONFIG",
    "GIT_CONFIG_PARAMETERS",
    "GIT_CONFIG_COUNT",
    "GIT_OBJECT_DIRECTORY",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_GRAFT_FILE",
    "GIT_INDEX_FILE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_REPLACE_REF_BASE",
    "GIT_PREFIX",
    "GIT_SHALLOW_FILE",
    "GIT_COMMON_DIR",
    "GIT_INTERNAL_SUPER_PREFIX",
    HOOK_FILE,
];

/// Whether the variable speaks of one repository.
pub fn is_local_to_repository(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    LOCAL.contains(&name)
        || name.starts_with("GIT_CONFIG_KEY_")
        || name.starts_with("GIT_CONFIG_VALUE_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variable_that_git_names_is_known() {
        let output = std::process::Command::new("git")
            .args(["rev-parse", "--local-env-vars"])
            .output()
            .unwrap();
        for name in String::from_utf8(output.stdout).unwrap().lines() {
            assert!(is_local_to_repository(OsStr::new(name)), "{name}");
        }
        assert!(!is_local_to_repository(OsStr::new("GIT_SSH_COMMAND")));
    }
}
