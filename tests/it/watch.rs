//! `pyqa watch` as a person uses it: a process that is watched by its lines, and by its terminal.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::support::Project;

/// Longer than any check here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(2);

struct Watch {
    child: Child,
    lines: Receiver<String>,
}

impl Watch {
    /// Both streams are read as one, in which the lines that are waited for stand in their order.
    fn start(project: &Project, arguments: &[&str]) -> Self {
        let (reader, writer) = std::io::pipe().unwrap();
        let mut command = project.command(env!("CARGO_BIN_EXE_pyqa"));
        command.arg("watch").args(arguments);
        command.stdout(writer.try_clone().unwrap()).stderr(writer);
        let child = command.spawn().unwrap();
        drop(command);
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(reader).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    /// The lines up to the one that says that it waits.
    fn result(&self) -> String {
        let mut text = String::new();
        loop {
            let line = self.lines.recv_timeout(PATIENCE);
            let line = line.unwrap_or_else(|_| panic!("it does not come to rest after:\n{text}"));
            if line.starts_with("watching ") {
                return text;
            }
            text += &line;
            text.push('\n');
        }
    }

    /// Nothing is said for a while.
    fn is_quiet(&self) -> bool {
        self.lines.recv_timeout(Duration::from_secs(2)).is_err()
    }

    fn interrupt(mut self) -> i32 {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        self.child.wait().unwrap().code().unwrap()
    }
}

#[test]
fn an_edit_is_checked_an_ignored_file_is_not_and_an_interrupt_ends_it() {
    let project = Project::new();
    project.write(".gitignore", "out/\n").write("a.py", "x = 1\n").write("out/b.py", "");
    let watch = Watch::start(&project, &["--only", "flake8"]);
    assert!(watch.result().contains("no findings"));
    project.write("a.py", "import os\n");
    let told = watch.result();
    assert!(told.contains("changed: a.py") && told.contains("F401"), "{told}");
    // A new file in a new folder.
    project.write("new/deep/c.py", "import sys\n");
    let told = watch.result();
    assert!(told.contains("new/deep/c.py") && told.contains("2 findings"), "{told}");
    project.write("out/b.py", "import os\n");
    // Written again as it was.
    project.write("a.py", "import os\n");
    assert!(watch.is_quiet());
    std::fs::remove_dir_all(project.path("new")).unwrap();
    project.write("a.py", "x = 1\n");
    let mut told = watch.result();
    if !told.contains("no findings") {
        // The two changes were seen one after the other.
        told = watch.result();
    }
    assert!(told.contains("no findings"), "{told}");
    assert_eq!(watch.interrupt(), 130);
}

#[test]
fn what_tests_write_does_not_start_them_again_for_ever() {
    let project = Project::new();
    project.write(
        "test_a.py",
        "import pathlib\nimport time\n\n\ndef test_a():\n    \
         pathlib.Path(\"trace.log\").write_text(str(time.time_ns()))\n",
    );
    let watch = Watch::start(&project, &["--only", "pytest"]);
    watch.result();
    assert!(watch.is_quiet());
    project.write("test_a.py", "def test_a():\n    assert False\n");
    let told = watch.result();
    assert!(told.contains("1 failed") || told.contains("failed"), "{told}");
    assert!(watch.is_quiet());
    assert_eq!(watch.interrupt(), 130);
}

#[test]
fn half_typed_settings_are_told_and_watching_goes_on() {
    let project = Project::new();
    project.write("a.py", "import os\n").write("pyproject.toml", "[tool.pyqa]\njobs = 1\n");
    let watch = Watch::start(&project, &["--only", "flake8"]);
    assert!(watch.result().contains("F401"));
    project.write("pyproject.toml", "[tool.pyqa]\njobs = \n");
    let line = watch.lines.recv_timeout(PATIENCE).unwrap();
    assert!(line.starts_with("error: "), "{line}");
    project.write("pyproject.toml", "[tool.pyqa]\njobs = 1\n");
    let told = watch.result();
    assert!(told.contains("F401"), "{told}");
    assert_eq!(watch.interrupt(), 130);
}

#[test]
fn a_terminal_shows_the_state_of_now_and_is_left_clean() {
    let project = Project::new();
    project.write("a.py", "import os\n");
    let line = format!("exec {} watch --only flake8", env!("CARGO_BIN_EXE_pyqa"));
    // util-linux's script runs it on a terminal of its own.
    let mut command = project.command("script");
    command.env("TERM", "xterm").args(["-qec", &line, "/dev/null"]);
    let mut child =
        Command::stdin(&mut command, Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut keys = child.stdin.take().unwrap();
    let mut screen = child.stdout.take().unwrap();
    let mut shown = String::new();
    let mut until = |mark: &str| {
        let from = shown.len();
        let mut bytes = [0; 4096];
        while !shown[from..].contains(mark) {
            let count = screen.read(&mut bytes).unwrap();
            assert!(count > 0, "{mark} is not in:\n{shown}");
            shown += &String::from_utf8_lossy(&bytes[..count]);
        }
        shown[from..].to_owned()
    };
    let first = until("Ctrl-C ends");
    assert!(first.contains("\x1b[2J") && first.contains("F401"), "{first:?}");
    project.write("a.py", "x = 1\n");
    let second = until("Ctrl-C ends");
    let now = second.rsplit("\x1b[2J").next().unwrap();
    assert!(now.contains("no findings") && !now.contains("F401"), "{second:?}");
    keys.write_all(b"\x03").unwrap();
    let mut rest = String::new();
    screen.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let all = first + &second + &rest;
    let last = |sequence: &str| all.rfind(sequence);
    // The cursor that live progress hides is there again, and no other screen was left open.
    assert!(last("\x1b[?25h") >= last("\x1b[?25l"), "{all:?}");
    assert!(!all.contains("\x1b[?1049h"), "{all:?}");
}
