//! Warm processes: a job that runs in one ends as it does in a process of its own, byte for byte,
//! and leaves nothing behind for the next one.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use pyqa::exec::cancel::CancelToken;
use pyqa::exec::driver::{PythonJob, Support};
use pyqa::exec::job::{Completed, End, Job, Preload, PythonEntry, Via};
use pyqa::exec::process;
use pyqa::exec::worker::{Mode, Status, Workers, status, stop};
use pyqa::hash::Fingerprint;
use pyqa::project::variables::Variables;

/// A folder for workers, a tool that tells of its process, and the workers that serve it.
struct Bench {
    folder: tempfile::TempDir,
    support: Support,
    workers: Workers,
    environment: Fingerprint,
}

impl Bench {
    fn new(mode: Mode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let probe = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/worker/probe.py");
        fs::copy(probe, folder.path().join("probe.py")).unwrap();
        let support = Support::install(&folder.path().join("support")).unwrap();
        let workers = Workers::new(mode, &variables(folder.path()));
        Self { folder, support, workers, environment: Fingerprint([0; 32]) }
    }

    fn variables(&self) -> Variables {
        variables(self.folder.path())
    }

    /// As a second run of pyqa would have them.
    fn again(&mut self) {
        self.workers = Workers::new(Mode::Kept, &self.variables());
    }

    fn job(&self, arguments: &[&str]) -> Job {
        Job {
            id: 0,
            program: interpreter(),
            args: arguments.iter().map(Into::into).collect(),
            cwd: self.folder.path().to_owned(),
            env: Vec::new(),
            stdin: None,
            timeout: None,
            expected: Duration::ZERO,
            slots: 1,
            python: Some(PythonJob {
                entry: PythonEntry {
                    interpreter: interpreter(),
                    entry: "probe:main".to_owned(),
                    scripts: self.folder.path().to_owned(),
                    name: "probe".to_owned(),
                },
                driver: self.support.driver(),
                report: None,
                shard: None,
                reads: None,
                preload: Some(Preload {
                    modules: vec!["probe".to_owned()],
                    plugins: Vec::new(),
                    groups: Vec::new(),
                    environment: self.environment,
                }),
            }),
        }
    }

    fn warm(&self, job: &Job) -> Completed {
        // Two of a kind make a worker worth its start where none is kept.
        self.workers.prepare(&[job.clone(), job.clone()]);
        self.workers.run(job, &CancelToken::new())
    }

    /// Runs the job both ways and compares all that can be seen.
    fn same(&self, job: &Job) -> Completed {
        let cold = process::run(job, &CancelToken::new());
        let warm = self.warm(job);
        assert_eq!((cold.via, warm.via), (Via::Process, Via::Worker));
        assert_eq!(text(&warm.stdout), text(&cold.stdout));
        assert_eq!(text(&warm.stderr), text(&cold.stderr));
        assert_eq!(format!("{:?}", warm.end), format!("{:?}", cold.end));
        warm
    }

    fn status(&self) -> Vec<Status> {
        status(&self.variables())
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        stop(&self.variables());
    }
}

fn variables(folder: &Path) -> Variables {
    [("XDG_RUNTIME_DIR", folder.to_str().unwrap()), ("TMPDIR", folder.to_str().unwrap())].into()
}

fn interpreter() -> PathBuf {
    crate::support::tool_environment().join("bin/python")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_child_of_a_worker_is_what_a_process_of_its_own_is() {
    for mode in [Mode::Run, Mode::Kept] {
        let bench = Bench::new(mode);
        let mut job = bench.job(&["show"]);
        job.env = vec![
            ("PROBE".into(), OsString::from_vec(b"\xff\xfe".to_vec())),
            ("PYTHONIOENCODING".into(), "utf-8:surrogateescape".into()),
        ];
        job.stdin = Some(b"what it reads\r\n".to_vec());
        let shown = text(&bench.same(&job).stdout);
        assert!(shown.contains("what it reads") && shown.contains("surrogateescape"), "{shown}");
        bench.same(&bench.job(&["show"]));
    }
}

#[test]
fn it_ends_as_a_process_of_its_own_ends() {
    let bench = Bench::new(Mode::Kept);
    for arguments in [&["crash"][..], &["say"], &["leave", "0"], &["leave", "77"], &["kill"]] {
        bench.same(&bench.job(arguments));
    }
    let mut job = bench.job(&["bytes"]);
    job.args.push(OsString::from_vec(b"n\xff\n.py".to_vec()));
    job.args.push("-".repeat(100_000).into());
    bench.same(&job);
}

/// What one job did to its process, the next one must not see. One test for each kind of state, so
/// that a leak is named.
macro_rules! nothing_is_left_of {
    ($($test:ident: $($what:literal)+;)+) => {$(
        #[test]
        fn $test() {
            let bench = Bench::new(Mode::Kept);
            let shown = bench.job(&["show", $($what),+]);
            bench.same(&shown);
            let spoilt = bench.warm(&bench.job(&["spoil"]));
            assert_eq!((spoilt.via, text(&spoilt.stderr).as_str()), (Via::Worker, ""));
            bench.same(&shown);
        }
    )+};
}

nothing_is_left_of! {
    warnings_filters_do_not_leak: "warnings";
    logging_does_not_leak: "logging";
    the_working_folder_does_not_leak: "folder";
    arguments_and_path_do_not_leak: "argv" "path";
    variables_do_not_leak: "variables";
    the_locale_does_not_leak: "locale" "streams";
    the_mask_for_new_files_does_not_leak: "mask";
    signal_handlers_do_not_leak: "signals" "blocked";
    descriptors_do_not_leak: "descriptors" "input";
    settings_of_the_interpreter_do_not_leak: "garbage" "recursion" "timeout" "bytecode" "flags";
    the_priority_does_not_leak: "priority";
}

#[test]
fn variables_that_an_interpreter_reads_at_its_start_are_those_of_the_job() {
    let bench = Bench::new(Mode::Kept);
    let mut job = bench.job(&["show"]);
    job.env = vec![("PYTHONPYCACHEPREFIX".into(), bench.folder.path().join("bytecode").into())];
    bench.same(&job);
    // Nothing but a new interpreter can take on this one.
    job.env = vec![("PYTHONWARNINGS".into(), "error".into())];
    assert_eq!(bench.warm(&job).via, Via::Process);
}

#[test]
fn a_time_limit_ends_a_child_and_all_that_it_started() {
    let bench = Bench::new(Mode::Kept);
    bench.warm(&bench.job(&["leave", "0"]));
    let mut job = bench.job(&["hang"]);
    job.timeout = Some(Duration::from_secs(1));
    let done = bench.warm(&job);
    assert!(matches!(done.end, End::TimedOut(_)), "{:?}", done.end);
    assert!(is_gone(&done.stdout), "{done:?}");
    let done = bench.warm(&bench.job(&["child"]));
    assert!(matches!(done.end, End::Exited(0)), "{:?}", done.end);
    assert!(is_gone(&done.stdout), "{done:?}");
}

/// Whether nobody is left of the group whose leader has this number.
fn is_gone(leader: &[u8]) -> bool {
    let leader = text(leader).trim().to_owned();
    assert!(leader.parse::<u32>().is_ok(), "{leader}");
    let alive = || {
        fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
            let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
            fields.get(2) == Some(&leader.as_str()) && !matches!(fields[0], "Z" | "X")
        })
    };
    (0..2000).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        !alive()
    })
}

#[test]
fn an_interrupt_ends_a_child() {
    let bench = Bench::new(Mode::Kept);
    bench.warm(&bench.job(&["leave", "0"]));
    let cancel = CancelToken::new();
    let job = bench.job(&["hang"]);
    let done = std::thread::scope(|scope| {
        let running = scope.spawn(|| bench.workers.run(&job, &cancel));
        while bench.status()[0].jobs < 2 {
            std::thread::sleep(Duration::from_millis(10));
        }
        cancel.cancel();
        cancel.cancel();
        running.join().unwrap()
    });
    assert!(matches!(done.end, End::Cancelled), "{:?}", done.end);
}

#[test]
fn children_have_no_terminal() {
    let bench = Bench::new(Mode::Kept);
    assert_eq!(text(&bench.warm(&bench.job(&["terminal"])).stdout), "no terminal\n");
}

#[test]
fn a_worker_that_is_kept_serves_the_next_run_and_one_of_a_run_ends_with_it() {
    let mut bench = Bench::new(Mode::Kept);
    bench.warm(&bench.job(&["leave", "0"]));
    bench.again();
    bench.warm(&bench.job(&["leave", "0"]));
    let status = bench.status();
    assert_eq!((status.len(), status[0].jobs), (1, 2), "{status:?}");
    assert_eq!(status[0].loaded, ["probe"]);
    assert_eq!(stop(&bench.variables()), 1);
    assert!(bench.status().is_empty());
    let bench = Bench::new(Mode::Run);
    bench.warm(&bench.job(&["leave", "0"]));
    assert!(bench.status().is_empty());
}
