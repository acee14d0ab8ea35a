//! What is left of a run whose pyqa was killed, and could do nothing about it any more.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::Project;

/// Within this time all has to be gone. On an idle machine it takes some milliseconds.
const SOON: Duration = Duration::from_secs(5);

/// A process as /proc shows it.
#[derive(Clone, Debug)]
struct Process {
    pid: i32,
    parent: i32,
    is_dead: bool,
    command: String,
}

fn processes() -> Vec<Process> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .filter_map(|pid: i32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            let mut fields = stat.rsplit_once(") ")?.1.split(' ');
            let is_dead = fields.next()? == "Z";
            let parent = fields.next()?.parse().ok()?;
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            Some(Process { pid, parent, is_dead, command })
        })
        .collect()
}

/// All that the process has started, and what those have started.
fn started_by(pid: i32) -> Vec<Process> {
    let all = processes();
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![pid];
    while let Some(parent) = parents.pop() {
        for process in all.iter().filter(|process| process.parent == parent) {
            parents.push(process.pid);
            found.push(process.clone());
        }
    }
    found
}

fn check(project: &Project, tool: &str) -> Child {
    project
        .command(env!("CARGO_BIN_EXE_pyqa"))
        .args(["check", "--only", tool])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[track_caller]
fn wait_for<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < limit, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// Kills pyqa, and waits until of `started` only those are left that `may_stay`.
fn kill(mut pyqa: Child, started: &[Process], may_stay: impl Fn(&Process) -> bool) {
    kill_process(Pid::from_child(&pyqa), Signal::KILL).unwrap();
    pyqa.wait().unwrap();
    wait_for(&format!("the end of {started:#?}"), SOON, || {
        let now = processes();
        let lives = |old: &&Process| {
            let same = |new: &&Process| new.pid == old.pid && new.command == old.command;
            now.iter().find(same).is_some_and(|process| !process.is_dead)
        };
        started.iter().filter(|process| !may_stay(process)).find(lives).is_none().then_some(())
    });
}

#[test]
fn a_tool_and_all_that_it_started_end_with_a_pyqa_that_is_killed() {
    let mut project = Project::without_environment();
    let stub = project.path("../bin/stub");
    project.write(
        "../bin/stub",
        "#!/bin/sh\ntrap '' HUP INT TERM\n(trap '' HUP INT TERM; sleep 300) &\n\
         sleep 300\nsleep 300\n",
    );
    assert!(Command::new("chmod").arg("+x").arg(&stub).status().unwrap().success());
    let path = std::env::var("PATH").unwrap();
    project.set("PATH", format!("{}:{path}", stub.parent().unwrap().display()));
    project.write(
        "pyproject.toml",
        "[tool.pyqa.tools.stub]\ngranularity = \"file\"\ncommand = { program = \"stub\" }\n\
         output = { format = \"regex\", pattern = '^(?P<path>\\S+):(?P<line>\\d+) (?P<message>.*)$' }\n",
    );
    project.write("a.py", "");
    let pyqa = check(&project, "stub");
    let pid = pyqa.id().cast_signed();
    let started = wait_for("the tool", Duration::from_mins(1), || {
        let started = started_by(pid);
        let sleeping = started.iter().filter(|process| process.command.starts_with("sleep 300"));
        (sleeping.count() == 2).then_some(started)
    });
    kill(pyqa, &started, |_| false);
}

#[test]
fn a_job_ends_with_a_pyqa_that_is_killed_wherever_it_runs() {
    for workers in ["0", "run", "1"] {
        let mut project = Project::new();
        project.set("PYQA_WORKERS", workers);
        // What black does here takes much longer than it may live on.
        for name in ["a.py", "b.py", "c.py", "d.py"] {
            project.write(name, "value = [1,2,3]\n".repeat(40_000));
        }
        let pyqa = check(&project, "black");
        let pid = pyqa.id().cast_signed();
        let is_worker = |process: &Process| process.command.contains("{\"worker\":");
        let started = wait_for("black", Duration::from_mins(1), || {
            let started = started_by(pid);
            // A child of a worker has the same command line as the worker.
            let workers: Vec<i32> =
                started.iter().filter(|p| p.parent == pid && is_worker(p)).map(|p| p.pid).collect();
            let is_job = |process: &&Process| {
                process.command.contains("\"entry\":\"black") || workers.contains(&process.parent)
            };
            started.iter().any(|process| is_job(&process)).then_some(started)
        });
        thread::sleep(Duration::from_millis(300));
        let started = [started, started_by(pid)].concat();
        kill(pyqa, &started, |process| {
            // What is kept between runs stays for the next one.
            workers == "1" && process.parent == pid && is_worker(process)
        });
        if workers == "1" {
            let status = project.pyqa(&["worker", "status"]);
            assert_eq!(status.code, 0, "{}", status.stderr);
            assert!(status.stdout.contains("black"), "{}", status.stdout);
        }
    }
}
