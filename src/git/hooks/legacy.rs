//! The hook that was there before pyqa's: it is run first, as git would have run it.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;

use memchr::memmem;

use super::{HookName, os};
use crate::error::UserError;
use crate::exec::variables::HOOK_FILE;
use crate::project::variables::Variables;

/// Names the hook whose former hook is running, so that one which comes back to pyqa's script
/// does not run itself again.
const FORMER_OF: &str = "PYQA_FORMER_HOOK_OF";

/// Runs a shell script under another name: some ask by `$0` which hook they are, or where.
const UNDER_ITS_OLD_NAME: &str = r#"former=$1; shift; . "$former""#;

const SHELLS: [&str; 5] = ["sh", "bash", "dash", "ksh", "zsh"];

/// Runs the hook that was there before `hook`, with the same arguments and, for hooks that are
/// given input, the same input. `None` where there is none, or it is one that git would not run.
///
/// # Errors
/// Where it cannot be started or waited for.
pub fn run_legacy(
    hook: HookName,
    arguments: &[OsString],
    input: Option<&[u8]>,
    variables: &Variables,
) -> Result<Option<ExitStatus>, UserError> {
    let Some(file) = variables.path(HOOK_FILE).and_then(|path| std::path::absolute(path).ok())
    else {
        return Ok(None);
    };
    let former = file.with_file_name(hook.legacy());
    let is_inside = variables.path(FORMER_OF).is_some_and(|outer| outer == file);
    if is_inside || !os::is_runnable(&former) {
        return Ok(None);
    }
    let failed = |error: io::Error| {
        UserError::new(format!("the hook {} could not be run: {error}", former.display()))
            .hint("mend it, or remove the file when it is not needed any more")
    };
    let line = Line::of(&file, &former, arguments).map_err(failed)?;
    let status = match line.run(&file, input) {
        // git gives a script without a `#!` line to the shell.
        Err(error) if os::is_no_program(&error) => {
            Line::plain("sh".as_ref(), [former.as_os_str()], arguments).run(&file, input)
        }
        other => other,
    };
    status.map(Some).map_err(failed)
}

/// A program and all that it is given.
struct Line {
    words: Vec<OsString>,
    /// A folder that exists while the line runs.
    _folder: Option<tempfile::TempDir>,
}

impl Line {
    /// What starts the hook of before at `former`, which was at `file`.
    fn of(file: &Path, former: &Path, arguments: &[OsString]) -> io::Result<Self> {
        let text = fs::read(former)?;
        // pre-commit and prek run a `.legacy` beside themselves; that would be themselves.
        let folder = if is_runner(&text) { Some(tempfile::tempdir()?) } else { None };
        let name = match &folder {
            Some(folder) => folder.path().join(file.file_name().unwrap_or_default()),
            None => file.to_owned(),
        };
        let by_name = memmem::find(&text, b"$0").or_else(|| memmem::find(&text, b"${0"));
        match shell_of(&text) {
            Some(shell) if by_name.is_some() => {
                let words = [
                    OsStr::new("-c"),
                    OsStr::new(UNDER_ITS_OLD_NAME),
                    name.as_os_str(),
                    former.as_os_str(),
                ];
                Ok(Self { _folder: folder, ..Self::plain(shell.as_ref(), words, arguments) })
            }
            _ if os::RUNS_SCRIPTS => Ok(Self::plain(former.as_os_str(), [], arguments)),
            _ => Ok(Self::plain("sh".as_ref(), [former.as_os_str()], arguments)),
        }
    }

    fn plain<const N: usize>(program: &OsStr, words: [&OsStr; N], arguments: &[OsString]) -> Self {
        let own = [program].into_iter().chain(words).map(OsStr::to_owned);
        Self { words: own.chain(arguments.iter().cloned()).collect(), _folder: None }
    }

    fn run(&self, file: &Path, input: Option<&[u8]>) -> io::Result<ExitStatus> {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).env_remove(HOOK_FILE).env(FORMER_OF, file);
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::inherit() });
        let mut child = command.spawn()?;
        let pipe = child.stdin.take();
        thread::scope(|scope| {
            if let (Some(mut pipe), Some(bytes)) = (pipe, input) {
                // A hook is free not to read its input to the end.
                scope.spawn(move || pipe.write_all(bytes));
            }
            child.wait()
        })
    }
}

/// The shell that a script names in its first line, where it is given no options there.
fn shell_of(text: &[u8]) -> Option<&'static str> {
    let line = text.strip_prefix(b"#!")?.split(|&byte| byte == b'\n').next()?;
    let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let mut name = || words.next()?.rsplit(|&byte| byte == b'/').next();
    let first = name()?;
    let shell = if first == b"env" { name()? } else { first };
    if name().is_some() {
        return None;
    }
    SHELLS.into_iter().find(|known| known.as_bytes() == shell)
}

fn is_runner(text: &[u8]) -> bool {
    memmem::find(text, b"hook-impl").is_some() && memmem::find(text, b"--hook-dir").is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shell_of_a_script_is_read_from_its_first_line() {
        for (line, shell) in [
            ("#!/bin/sh\n", Some("sh")),
            ("#! /usr/bin/env bash \r\n", Some("bash")),
            ("#!/bin/sh -e\n", None),
            ("#!/usr/bin/env python3\n", None),
            ("echo\n", None),
        ] {
            assert_eq!(shell_of(line.as_bytes()), shell, "{line}");
        }
    }

    #[cfg(unix)]
    mod run {
        use std::fs::Permissions;
        use std::os::unix::fs::PermissionsExt;

        use super::*;

        /// A former hook of this text, run with the arguments `a b` and the input `in`.
        fn run(text: &str, mode: u32) -> (Option<i32>, String) {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("pre-push");
            let former = folder.path().join("pre-push.legacy");
            let said = folder.path().join("said");
            fs::write(&former, text.replace("SAID", said.to_str().unwrap())).unwrap();
            fs::set_permissions(&former, Permissions::from_mode(mode)).unwrap();
            let variables = Variables::from([(HOOK_FILE, file.to_str().unwrap())]);
            let arguments = ["a".into(), "b".into()];
            let status = run_legacy(HookName::PrePush, &arguments, Some(b"in"), &variables);
            let said = fs::read_to_string(said).unwrap_or_default();
            let said = said.replace(folder.path().to_str().unwrap(), "HOOKS");
            (status.unwrap().map(|status| status.code().unwrap()), said)
        }

        #[test]
        fn arguments_input_and_exit_code_are_those_of_git() {
            let text = "#!/bin/sh\necho \"$@\" $(cat) > SAID; exit 3\n";
            assert_eq!(run(text, 0o755), (Some(3), "a b in\n".to_owned()));
            // git gives it to the shell.
            assert_eq!(run("echo \"$@\" > SAID\n", 0o755), (Some(0), "a b\n".to_owned()));
            assert_eq!(run(text, 0o644), (None, String::new()));
        }

        #[test]
        fn a_hook_that_asks_for_its_name_is_told_the_one_that_it_had() {
            let text = "#!/bin/sh\necho \"$0\" \"$@\" > SAID\n";
            assert_eq!(run(text, 0o755), (Some(0), "HOOKS/pre-push a b\n".to_owned()));
        }

        #[test]
        fn a_runner_does_not_find_itself_beside_itself() {
            let text = "#!/bin/sh\n# hook-impl --hook-dir\n\
                        ls \"$(dirname \"$0\")\" > SAID; basename \"$0\" >> SAID\n";
            assert_eq!(run(text, 0o755), (Some(0), "pre-push\n".to_owned()));
        }

        #[test]
        fn a_former_hook_that_starts_pyqa_s_again_does_not_come_back() {
            let variables =
                Variables::from([(HOOK_FILE, "/h/pre-push"), (FORMER_OF, "/h/pre-push")]);
            let status = run_legacy(HookName::PrePush, &[], None, &variables).unwrap();
            assert!(status.is_none());
            assert!(
                run_legacy(HookName::PrePush, &[], None, &Variables::default()).unwrap().is_none()
            );
        }
    }
}
