//! Warm processes: a job that runs in one ends as it does in a process of its own, byte for byte,
//! and leaves nothing behind for the next one.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use pyqa::exec::cancel::CancelToken;
use pyqa::exec::driver::{PythonJob, Support};
use pyqa::exec::job::{Company, Completed, End, Job, Preload, PythonEntry, Via};
use pyqa::exec::process;
use pyqa::exec::worker::{Mode, Status, Workers, status, stop};
use pyqa::hash::Fingerprint;
use pyqa::project::variables::Variables;

use crate::support::{Project, environment_beside_the_tools, site_packages, tool_environment};

/// A folder for workers, a tool that tells of its process, and the workers that serve it.
pub(super) struct Bench {
    pub(super) folder: tempfile::TempDir,
    pub(super) support: Support,
    workers: Workers,
    environment: Fingerprint,
}

impl Bench {
    pub(super) fn new(mode: Mode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let probe = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/worker/probe.py");
        fs::copy(probe, folder.path().join("probe.py")).unwrap();
        let support = Support::install(&folder.path().join("support")).unwrap();
        let workers = Workers::new(mode, &variables(folder.path()));
        Self { folder, support, workers, environment: Fingerprint([0; 32]) }
    }

    pub(super) fn variables(&self) -> Variables {
        variables(self.folder.path())
    }

    /// As a second run of pyqa would have them.
    pub(super) fn again(&mut self) {
        self.workers = Workers::new(Mode::Kept, &self.variables());
    }

    pub(super) fn job(&self, arguments: &[&str]) -> Job {
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
                helper: None,
                preload: Some(Preload {
                    company: Company::Common,
                    modules: vec!["probe".to_owned()],
                    plugins: Vec::new(),
                    groups: Vec::new(),
                    unwatched: Vec::new(),
                    environment: self.environment,
                }),
            }),
        }
    }

    pub(super) fn warm(&self, job: &Job) -> Completed {
        // Two of a kind make a worker worth its start where none is kept.
        self.workers.prepare(&[job.clone(), job.clone()]);
        self.workers.run(job, &CancelToken::new())
    }

    /// Runs the job both ways and compares all that can be seen.
    pub(super) fn same(&self, job: &Job) -> Completed {
        let cold = process::run(job, &CancelToken::new());
        let warm = self.warm(job);
        assert_eq!((cold.via, warm.via), (Via::Process, Via::Worker));
        assert_eq!(text(&warm.stdout), text(&cold.stdout));
        assert_eq!(text(&warm.stderr), text(&cold.stderr));
        assert_eq!(format!("{:?}", warm.end), format!("{:?}", cold.end));
        warm
    }

    pub(super) fn status(&self) -> Vec<Status> {
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
    tool_environment().join("bin/python")
}

pub(super) fn text(bytes: &[u8]) -> String {
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
    let file = bench.folder.path().join("late");
    for further in [&["a thread"][..], &[]] {
        bench.same(&bench.job(&[&["at-exit", file.to_str().unwrap()], further].concat()));
        assert_eq!(fs::read_to_string(&file).unwrap(), "written late");
        fs::remove_file(&file).unwrap();
    }
    bench.same(&bench.job(&["broken-exit"]));
    bench.same(&bench.job(&["closed"]));
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
pub(super) fn is_gone(leader: &[u8]) -> bool {
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

#[test]
fn a_worker_that_died_is_replaced_and_a_job_that_loses_it_runs_again_by_itself() {
    let mut bench = Bench::new(Mode::Kept);
    bench.warm(&bench.job(&["leave", "0"]));
    let first = bench.status()[0].pid;
    // The tool ends the process that it was forked from.
    let done = bench.warm(&bench.job(&["orphan"]));
    assert_eq!((done.via, text(&done.stdout).as_str()), (Via::Process, "alone\n"));
    bench.again();
    assert_eq!(bench.warm(&bench.job(&["leave", "0"])).via, Via::Worker);
    assert_ne!(bench.status()[0].pid, first);
}

#[test]
fn a_worker_that_hangs_is_ended_and_replaced() {
    let mut bench = Bench::new(Mode::Kept);
    bench.warm(&bench.job(&["leave", "0"]));
    let first = bench.status()[0].pid.to_string();
    run(Command::new("kill").args(["-STOP", &first]));
    bench.again();
    bench.same(&bench.job(&["show", "folder"]));
    assert_ne!(bench.status()[0].pid.to_string(), first);
    assert!(is_gone(first.as_bytes()));
}

#[test]
fn a_worker_is_not_used_when_packages_or_what_it_imported_changed() {
    let mut bench = Bench::new(Mode::Kept);
    bench.warm(&bench.job(&["leave", "0"]));
    let first = bench.status()[0].pid;
    bench.again();
    bench.environment = Fingerprint([1; 32]);
    bench.warm(&bench.job(&["leave", "0"]));
    let second = bench.status()[0].pid;
    assert_ne!(first, second);
    let module = bench.folder.path().join("probe.py");
    let source = fs::read_to_string(&module).unwrap();
    fs::write(&module, source.replace("no terminal", "no Terminal")).unwrap();
    bench.again();
    let done = bench.warm(&bench.job(&["terminal"]));
    assert_eq!((done.via, text(&done.stdout).as_str()), (Via::Worker, "no Terminal\n"));
    assert_eq!(bench.status().len(), 1);
    assert_ne!(bench.status()[0].pid, second);
}

#[test]
fn a_worker_serves_on_when_source_changed_that_does_not_count() {
    let mut bench = Bench::new(Mode::Kept);
    let package = bench.folder.path().join("shown");
    fs::create_dir(&package).unwrap();
    for (name, text) in [("__init__.py", "import shown.part\n"), ("part.py", "")] {
        fs::write(package.join(name), text).unwrap();
    }
    let job = |bench: &Bench| {
        let mut job = bench.job(&["leave", "0"]);
        let preload = job.python.as_mut().and_then(|python| python.preload.as_mut()).unwrap();
        preload.modules.push("shown".to_owned());
        preload.unwatched.push("shown".to_owned());
        job
    };
    bench.warm(&job(&bench));
    let first = bench.status()[0].pid;
    fs::write(package.join("part.py"), "changed = 1\n").unwrap();
    bench.again();
    assert_eq!(bench.warm(&job(&bench)).via, Via::Worker);
    assert_eq!(bench.status()[0].pid, first);
}

#[test]
fn a_variable_that_is_read_while_importing_counts() {
    let bench = Bench::new(Mode::Kept);
    bench.same(&bench.job(&["at-import"]));
    let mut job = bench.job(&["at-import"]);
    job.env = vec![("PROBE_AT_IMPORT".into(), "other".into())];
    let done = bench.warm(&job);
    assert_eq!((done.via, text(&done.stdout).as_str()), (Via::Process, "other\n"));
}

/// A job of a tool that notes what it reads, and is one process in a run.
fn recording(bench: &Bench, arguments: &[&str]) -> (Job, PathBuf) {
    let mut job = bench.job(arguments);
    let noted = bench.folder.path().join("noted");
    let python = job.python.as_mut().unwrap();
    python.reads = Some((noted.clone(), bench.folder.path().to_owned()));
    python.preload.as_mut().unwrap().company = Company::Recording;
    (job, noted)
}

#[test]
fn what_is_read_while_a_tool_is_imported_is_noted_for_each_of_its_jobs() {
    let bench = Bench::new(Mode::Kept);
    for name in ["read-at-import", "input", "other"] {
        fs::write(bench.folder.path().join(name), "").unwrap();
    }
    for input in ["input", "other", "input"] {
        let (job, noted) = recording(&bench, &["read", input]);
        process::run(&job, &CancelToken::new());
        let cold = text(&fs::read(&noted).unwrap());
        fs::remove_file(&noted).unwrap();
        assert_eq!(bench.warm(&job).via, Via::Worker);
        assert_eq!(text(&fs::read(&noted).unwrap()), cold);
        let read = |name: &str| cold.contains(&format!("/{name}\0"));
        assert!(read("read-at-import") && read("probe.py") && read(input), "{cold}");
        assert_ne!(read("input"), read("other"), "{cold}");
    }
    // The other tools' worker notes nothing.
    assert_eq!(bench.warm(&bench.job(&["leave", "0"])).via, Via::Worker);
    assert_eq!(bench.status().len(), 2);
}

#[test]
fn a_single_job_does_not_wait_for_a_worker_that_the_next_run_finds() {
    let mut bench = Bench::new(Mode::Kept);
    let (job, _) = recording(&bench, &["leave", "0"]);
    let once = |bench: &Bench| {
        bench.workers.prepare(std::slice::from_ref(&job));
        bench.workers.run(&job, &CancelToken::new()).via
    };
    assert_eq!(once(&bench), Via::Process);
    assert!(bench.status().is_empty());
    let begun = Instant::now();
    let mut started = None;
    loop {
        bench.again();
        // Answers when all is imported.
        let status = bench.status();
        assert_eq!(status[0].loaded, ["probe"]);
        assert_eq!(*started.get_or_insert(status[0].pid), status[0].pid);
        // One that is slow to answer is not waited for either.
        if once(&bench) == Via::Worker {
            break;
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", bench.status());
    }
    let mut bench = Bench::new(Mode::Run);
    assert_eq!(once(&bench), Via::Process);
    bench.again();
    assert!(bench.status().is_empty());
}

/// Modules that do something while they are imported which a child would not take over.
#[test]
fn a_tool_that_does_more_than_being_imported_runs_in_processes_of_its_own() {
    for statement in [
        "print('hello')",
        "import os; os.environ['X'] = '1'",
        "import os; os.chdir('/tmp')",
        "import threading, time; threading.Thread(target=time.sleep, args=[9], daemon=True).start()",
        "raise ImportError('no')",
    ] {
        let bench = Bench::new(Mode::Kept);
        let source = format!("{statement}\ndef main():\n    print('done')\n");
        fs::write(bench.folder.path().join("odd.py"), source).unwrap();
        let mut job = bench.job(&[]);
        let python = job.python.as_mut().unwrap();
        python.entry.entry = "odd:main".to_owned();
        python.preload.as_mut().unwrap().modules = vec!["odd".to_owned()];
        let cold = process::run(&job, &CancelToken::new());
        let warm = bench.warm(&job);
        assert_eq!(warm.via, Via::Process, "{statement}");
        assert_eq!(text(&warm.stdout), text(&cold.stdout), "{statement}");
    }
}

#[test]
fn what_an_interpreter_does_at_its_start_it_does_with_the_job_s_variables() {
    let sets = "import os; os.environ['AT_START'] = 'set'\n";
    let reads = "import builtins, os; builtins.at_start = os.environ.get('AT_START')\n";
    // The line, the job's variable, and whether a worker serves.
    let cases = [(sets, None, false), (reads, None, true), (reads, Some("other"), false)];
    for (line, variable, served) in cases {
        let bench = Bench::new(Mode::Kept);
        let environment = bench.folder.path().join("env");
        environment_beside_the_tools(&environment);
        fs::write(site_packages(&environment).join("start.pth"), line).unwrap();
        let source = "import builtins, os\n\n\ndef main():\n    \
            print(vars(builtins).get('at_start'), os.environ.get('AT_START'))\n";
        fs::write(bench.folder.path().join("odd.py"), source).unwrap();
        let mut job = bench.job(&[]);
        let python = job.python.as_mut().unwrap();
        python.entry.interpreter = environment.join("bin/python");
        python.entry.entry = "odd:main".to_owned();
        python.preload.as_mut().unwrap().modules = vec!["odd".to_owned()];
        job.env.extend(variable.map(|value| ("AT_START".into(), value.into())));
        let cold = process::run(&job, &CancelToken::new());
        let warm = bench.warm(&job);
        assert_eq!(warm.via == Via::Worker, served, "{line} {variable:?}");
        assert_eq!(text(&warm.stdout), text(&cold.stdout), "{line} {variable:?}");
    }
}

/// What a kept worker holds open it holds open for a quarter of an hour.
#[test]
fn a_kept_worker_lets_go_of_what_its_starter_left_open() {
    let mut project = Project::new();
    project.set("PYQA_WORKERS", "1").write("a.py", "x  = 1\n");
    let begun = std::time::Instant::now();
    let script = "exec 7>&1; exec \"$0\" format a.py > /dev/null";
    let mut command = project.command("sh");
    // Ends when nobody has a copy of its standard output any more.
    let output = command.args(["-c", script, env!("CARGO_BIN_EXE_pyqa")]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(begun.elapsed() < Duration::from_mins(10), "the worker kept it");
    assert!(project.pyqa(&["worker", "status"]).stdout.contains("black"));
}

#[test]
fn a_worker_without_work_ends() {
    let mut bench = Bench::new(Mode::Off);
    let variables: Variables = bench
        .variables()
        .iter()
        .map(|(name, value)| (name.clone(), value.clone()))
        .chain([("PYQA_WORKER_IDLE".into(), "1".into())])
        .collect();
    bench.workers = Workers::new(Mode::Kept, &variables);
    assert_eq!(bench.warm(&bench.job(&["leave", "0"])).via, Via::Worker);
    assert!((0..600).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        fs::read_dir(bench.folder.path().join("pyqa"))
            .unwrap()
            .flatten()
            .all(|entry| entry.path().extension().is_none_or(|extension| extension != "sock"))
    }));
}

pub(super) fn run(command: &mut Command) {
    assert!(command.status().unwrap().success());
}
