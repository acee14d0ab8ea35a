//! Children that a kept worker gets ready before there is a job for them.

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use pyqa::exec::job::{End, Job};
use pyqa::exec::worker::{Mode, status};

use crate::support::Project;
use crate::workers::{Bench, is_gone, run};

/// A module through which a tool is called.
const HELPER: &str = "\
import os, sys
warmed = False
def warm():
    global warmed
    warmed = True
def call(entry):
    with open(os.path.join(os.path.dirname(__file__), 'called'), 'a') as file:
        file.write('warm\\n' if warmed else 'cold\\n')
    return entry()
";

/// A worker whose tool is called through `helper`.
fn bench(helper: &str) -> Bench {
    let bench = Bench::new(Mode::Kept);
    fs::write(bench.support.folder().join("helper.py"), helper).unwrap();
    bench
}

fn job(bench: &Bench, arguments: &[&str]) -> Job {
    let mut job = bench.job(arguments);
    job.python.as_mut().unwrap().helper = Some("helper".to_owned());
    job
}

/// Whether the last job ran in a child that had waited for it.
fn had_waited(bench: &Bench) -> bool {
    let calls = fs::read_to_string(bench.support.folder().join("called")).unwrap_or_default();
    calls.ends_with("warm\n")
}

/// Runs the job both ways until a child that waited has done it.
fn same_in_one_that_waited(bench: &Bench, job: &Job) {
    let begun = Instant::now();
    // The first is no such child, and the next may come before one is ready.
    loop {
        bench.same(job);
        if had_waited(bench) {
            return;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "no child waited");
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// The numbers of the worker's children.
fn children(worker: u32) -> Vec<String> {
    let list = fs::read_to_string(format!("/proc/{worker}/task/{worker}/children"));
    list.unwrap_or_default().split_whitespace().map(str::to_owned).collect()
}

fn child_that_waits(worker: u32) -> String {
    for _ in 0..1000 {
        if let [child] = &children(worker)[..] {
            return child.clone();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("no child waits")
}

/// Waits until this many children of the project's worker wait for a job; one that cannot get ready
/// does not stay.
pub(super) fn until_children_wait(project: &Project, count: usize) {
    let runtime = project.runtime();
    let workers = status(&[("XDG_RUNTIME_DIR", runtime.to_str().unwrap())].into());
    let worker = workers.first().expect("a worker is kept").pid;
    let (begun, mut seen) = (Instant::now(), Vec::new());
    while seen.len() < 4 {
        let now = children(worker);
        seen.retain(|earlier| *earlier == now && now.len() == count);
        seen.push(now);
        assert!(begun.elapsed() < Duration::from_mins(1), "{count} children: {seen:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn a_child_that_waited_for_its_job_is_what_a_process_of_its_own_is() {
    for arguments in [&["show"][..], &["leave", "3"], &["crash"]] {
        let bench = bench(HELPER);
        let mut job = job(&bench, arguments);
        job.stdin = Some(b"what it reads".to_vec());
        job.env = vec![("PYTHONIOENCODING".into(), "latin-1".into()), ("OWN".into(), "1".into())];
        same_in_one_that_waited(&bench, &job);
    }
}

#[test]
fn a_child_that_cannot_get_ready_as_it_should_gets_no_job_and_costs_no_answer() {
    let thread = "import threading, time; threading.Thread(target=time.sleep, args=(9,)).start()";
    for what in [
        "raise SystemExit(9)",
        "os._exit(0)",
        "print('r')",
        "sys.stderr.write('r')",
        "import wave",
        thread,
    ] {
        let bench = bench(&HELPER.replace("    global", &format!("    {what}\n    global")));
        let job = job(&bench, &["leave", "3"]);
        for at in 1..=4 {
            bench.same(&job);
            assert!(!had_waited(&bench), "{what}");
            assert_eq!(bench.status()[0].jobs, at, "{what}");
            std::thread::sleep(Duration::from_millis(250));
        }
    }
}

#[test]
fn a_child_that_waits_ends_with_its_worker_however_that_ends() {
    for signal in ["-KILL", "-TERM"] {
        let bench = bench(HELPER);
        bench.same(&job(&bench, &["leave", "0"]));
        let worker = bench.status()[0].pid;
        let child = child_that_waits(worker);
        run(Command::new("kill").args([signal, &worker.to_string()]));
        assert!(is_gone(child.as_bytes()), "{signal}");
    }
    let bench = bench(HELPER);
    bench.same(&job(&bench, &["leave", "0"]));
    let child = child_that_waits(bench.status()[0].pid);
    drop(bench);
    assert!(is_gone(child.as_bytes()));
}

#[test]
fn a_child_that_died_while_it_waited_is_done_without() {
    let bench = bench(HELPER);
    let job = job(&bench, &["show"]);
    bench.same(&job);
    let child = child_that_waits(bench.status()[0].pid);
    run(Command::new("kill").args(["-KILL", &child]));
    bench.same(&job);
    assert!(!had_waited(&bench));
}

#[test]
fn a_child_that_waits_is_not_used_when_a_module_has_changed_since() {
    let mut bench = bench(HELPER);
    let job = job(&bench, &["terminal"]);
    bench.same(&job);
    let child = child_that_waits(bench.status()[0].pid);
    let module = bench.folder.path().join("probe.py");
    let source = fs::read_to_string(&module).unwrap();
    fs::write(&module, source.replace("no terminal", "no Terminal")).unwrap();
    bench.again();
    assert_eq!(bench.same(&job).stdout, b"no Terminal\n");
    assert!(is_gone(child.as_bytes()));
}

#[test]
fn a_job_in_a_child_that_waited_ends_when_its_time_is_over() {
    let bench = bench(HELPER);
    bench.same(&job(&bench, &["leave", "0"]));
    let child = child_that_waits(bench.status()[0].pid);
    // Until it is ready.
    std::thread::sleep(Duration::from_millis(500));
    let mut job = job(&bench, &["hang"]);
    job.timeout = Some(Duration::from_millis(300));
    let done = bench.warm(&job);
    assert!(matches!(done.end, End::TimedOut(_)), "{:?}", done.end);
    assert!(had_waited(&bench));
    assert!(is_gone(child.as_bytes()));
}
