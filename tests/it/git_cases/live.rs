//! Cases 22–24: edits, signals and full disks while the hook runs.

use std::fs::{self, Permissions};
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::repo::{BAD, CLEAN, MINE, Repo, fixed, unfixed};
use super::wait_for;

/// git under way, in a process group of its own, as a terminal would start it.
fn started(repo: &Repo, arguments: &[&str]) -> Child {
    repo.git_command(arguments)
        .process_group(0)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// A commit whose checker waits until `block` is removed.
fn blocked_commit(repo: &Repo, arguments: &[&str]) -> Child {
    let _ = fs::remove_file(repo.seen().join("pids"));
    fs::write(repo.seen().join("block"), "").unwrap();
    let child = started(repo, arguments);
    wait_for("the checker", || pids(repo).is_some());
    child
}

/// The checker and the pyqa that started it.
fn pids(repo: &Repo) -> Option<[Pid; 2]> {
    let text = fs::read_to_string(repo.seen().join("pids")).ok()?;
    let mut numbers = text.lines().next()?.split(' ').filter_map(|n| n.parse().ok());
    Some([Pid::from_raw(numbers.next()?)?, Pid::from_raw(numbers.next()?)?])
}

fn go_on(repo: &Repo) {
    fs::remove_file(repo.seen().join("block")).unwrap();
}

fn end(mut child: Child) -> (bool, String) {
    let mut text = String::new();
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    (child.wait().unwrap().success(), text)
}

/// Gone, or dead and not yet collected.
fn is_gone(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    stat.map_or(true, |text| text.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
}

#[test]
fn case_22_what_is_edited_or_added_meanwhile_survives() {
    let repo = Repo::new("stage");
    repo.commit_file("a.py", CLEAN);
    repo.commit_file("c.py", CLEAN);
    repo.stage("a.py", unfixed(2));
    let child = blocked_commit(&repo, &["commit", "-qm", "meanwhile"]);
    repo.put("a.py", unfixed(2) + MINE);
    repo.put("c.py", "mine = 3\n");
    repo.put("new.py", BAD);
    repo.stage("added.py", CLEAN);
    go_on(&repo);
    let (passed, text) = end(child);
    assert!(passed, "{text}");
    assert!(!text.contains("c.py") && !text.contains("new.py"), "{text}");
    assert_eq!(repo.head("a.py"), fixed(&unfixed(2)));
    assert!(repo.read("a.py").ends_with("mine = 1\n"));
    assert_eq!((repo.read("c.py").as_str(), repo.read("new.py").as_str()), ("mine = 3\n", BAD));
    assert_eq!(repo.read("added.py"), CLEAN);
}

#[test]
fn case_23_a_signal_ends_the_commit_and_all_that_it_started() {
    for (signal, again) in [
        (Signal::INT, false),
        (Signal::INT, true),
        (Signal::TERM, false),
        (Signal::HUP, false),
        (Signal::KILL, false),
    ] {
        let repo = Repo::new("stage");
        repo.commit_file("a.py", CLEAN);
        repo.stage("a.py", unfixed(2));
        repo.put("a.py", unfixed(2) + MINE);
        repo.put("untracked.py", BAD);
        let before = repo.state();
        let child = blocked_commit(&repo, &["commit", "-qm", "signal"]);
        let [checker, pyqa] = pids(&repo).unwrap();
        // As a terminal does it: to git and to all that it started.
        let group = Pid::from_child(&child);
        kill_process_group(group, signal).unwrap();
        if again {
            thread::sleep(Duration::from_millis(30));
            let _ = kill_process_group(group, signal);
        }
        let (passed, text) = end(child);
        assert!(!passed, "{signal:?}: {text}");
        wait_for("pyqa's end", || is_gone(pyqa));
        wait_for("the checker's end", || is_gone(checker));
        go_on(&repo);
        repo.state().assert_is(&before, &format!("after {signal:?}"));
        repo.ok(&["commit", "-qm", "again"]);
        assert_eq!(repo.head("a.py"), fixed(&unfixed(2)));
        assert_eq!(repo.read("a.py"), fixed(&unfixed(2)) + MINE);
    }
}

#[test]
fn case_23_nothing_is_left_of_a_real_test_suite() {
    for signal in [Signal::INT, Signal::KILL] {
        let repo = Repo::real(
            "[tool.pyqa]\nonly = [\"pytest\"]\n[tool.pyqa.hooks]\npre-commit = [\"pytest\"]\n",
        );
        let pids = repo.seen().join("pids");
        repo.stage(
            "test_slow.py",
            format!(
                "import os\nimport pathlib\nimport subprocess\n\n\ndef test_slow():\n    \
                 child = subprocess.Popen([\"sleep\", \"300\"])\n    \
                 pathlib.Path({pids:?}).write_text(f\"{{os.getpid()}} {{child.pid}}\\n\")\n    \
                 child.wait()\n"
            ),
        );
        repo.put("test_slow.py", BAD);
        let before = repo.state();
        let child = started(&repo, &["commit", "-qm", "slow"]);
        wait_for("the test", || self::pids(&repo).is_some());
        let started = self::pids(&repo).unwrap();
        kill_process_group(Pid::from_child(&child), signal).unwrap();
        let (passed, text) = end(child);
        assert!(!passed, "{signal:?}: {text}");
        for pid in started {
            wait_for("the end of the test and its child", || is_gone(pid));
        }
        repo.state().assert_is(&before, &format!("after {signal:?}: {text}"));
    }
}

#[test]
fn case_23_an_interrupted_hook_exits_130() {
    let repo = Repo::new("off");
    repo.stage("a.py", CLEAN);
    let _ = fs::remove_file(repo.seen().join("pids"));
    fs::write(repo.seen().join("block"), "").unwrap();
    let mut child = repo
        .command(env!("CARGO_BIN_EXE_pyqa"))
        .args(["hook", "pre-commit", "--"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_for("the checker", || pids(&repo).is_some());
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn case_23_while_git_writes_the_snapshot_or_stores_a_fix_a_signal_loses_nothing() {
    // A filter that waits holds git, and so pyqa, in the phase that it belongs to.
    for (filter, other) in [("smudge", "clean"), ("clean", "smudge")] {
        for signal in [Signal::INT, Signal::KILL] {
            let repo = Repo::new("stage");
            repo.commit_file(".gitattributes", "a.py filter=slow\n");
            repo.commit_file("a.py", CLEAN);
            repo.stage("a.py", unfixed(2));
            repo.put("a.py", unfixed(2) + MINE);
            let slow = format!(
                "touch '{0}/slow'; while [ -e '{0}/hold' ]; do sleep 0.05; done; cat",
                repo.seen().display()
            );
            repo.ok(&["config", &format!("filter.slow.{filter}"), &slow]);
            repo.ok(&["config", &format!("filter.slow.{other}"), "cat"]);
            let before = repo.state();
            let _ = fs::remove_file(repo.seen().join("slow"));
            fs::write(repo.seen().join("hold"), "").unwrap();
            let child = started(&repo, &["commit", "-qm", "slow"]);
            wait_for("the filter", || repo.seen().join("slow").exists());
            kill_process_group(Pid::from_child(&child), signal).unwrap();
            fs::remove_file(repo.seen().join("hold")).unwrap();
            let (passed, text) = end(child);
            assert!(!passed, "{filter} {signal:?}: {text}");
            let _ = fs::remove_file(repo.git_dir().join("index.lock"));
            let after = repo.state();
            assert_eq!(after.files_but(&[]), before.files_but(&[]), "{filter} {signal:?}");
            repo.ok(&["commit", "-qm", "again"]);
            assert_eq!(repo.head("a.py"), fixed(&unfixed(2)), "{filter} {signal:?}");
            assert_eq!(repo.read("a.py"), fixed(&unfixed(2)) + MINE);
        }
    }
}

#[test]
fn case_23_killed_at_any_moment_each_file_is_as_it_was_or_fixed_and_the_next_run_recovers() {
    const FILES: usize = 40;
    for step in 0..12 {
        let repo = Repo::new("stage");
        let name = |number: usize| format!("f{number}.py");
        for number in 0..FILES {
            repo.put(name(number), unfixed(number));
        }
        repo.ok(&["add", "-A"]);
        // Every other file has more in the work tree.
        for number in (0..FILES).step_by(2) {
            repo.put(name(number), unfixed(number) + MINE);
        }
        let before = repo.state();
        let child = started(&repo, &["commit", "-qm", "killed"]);
        thread::sleep(Duration::from_millis(20 + 35 * step));
        let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
        let (passed, _) = end(child);
        // git's own locks are git's to leave.
        for lock in ["index.lock", "HEAD.lock", "refs/heads/main.lock"] {
            let _ = fs::remove_file(repo.git_dir().join(lock));
        }
        let after = repo.state();
        for (path, file) in &before.files {
            let text = String::from_utf8_lossy(&file.bytes).into_owned();
            let now = after.files.get(path).map(|file| String::from_utf8_lossy(&file.bytes));
            let now = now.unwrap_or_else(|| panic!("{} is gone", path.display())).into_owned();
            let mended = if path.extension().is_some_and(|e| e == "py") {
                fixed(&text)
            } else {
                text.clone()
            };
            assert!(now == text || now == mended, "{}: {now:?}", path.display());
        }
        if !passed {
            let left: Vec<_> =
                after.files.keys().filter(|p| !before.files.contains_key(*p)).collect();
            assert!(left.len() <= 1, "{left:?}");
            for path in left {
                fs::remove_file(repo.path(path)).unwrap();
            }
            repo.ok(&["commit", "-qm", "again", "--allow-empty"]);
        }
        for number in 0..FILES {
            assert_eq!(repo.head(&name(number)), fixed(&unfixed(number)));
        }
    }
}

/// Whether permissions are nothing to this user.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn case_24_a_file_without_write_permission_is_fixed_and_keeps_its_mode() {
    let repo = Repo::new("stage");
    repo.stage("a.py", unfixed(2));
    fs::set_permissions(repo.path("a.py"), Permissions::from_mode(0o444)).unwrap();
    let run = repo.git(&["commit", "-qm", "read-only"]);
    assert!(run.passed, "{}", run.text);
    assert_eq!(repo.head("a.py"), fixed(&unfixed(2)));
    assert_eq!(fs::metadata(repo.path("a.py")).unwrap().permissions().mode() & 0o777, 0o444);
}

#[test]
fn case_24_places_that_cannot_be_written_cost_no_content() {
    // A file where a folder should be is in the way of every user, root included.
    let mut repo = Repo::new("stage");
    let file = repo.path("../file");
    fs::write(&file, "").unwrap();
    repo.set("PYQA_CACHE_DIR", file.join("cache"));
    repo.stage("a.py", unfixed(2));
    repo.put("a.py", unfixed(2) + MINE);
    let run = repo.git(&["commit", "-qm", "no cache"]);
    assert!(run.passed, "{}", run.text);
    assert_eq!(repo.head("a.py"), fixed(&unfixed(2)));

    let own = repo.git_dir().join("pyqa");
    fs::remove_dir_all(&own).unwrap();
    fs::write(&own, "").unwrap();
    repo.stage("a.py", unfixed(3));
    repo.put("a.py", unfixed(3) + MINE);
    let text = repo.refused(&["commit", "-qm", "no place"]);
    assert!(text.contains("cannot be written"), "{text}");
}

#[test]
fn case_24_a_folder_that_cannot_be_written_is_told_and_left() {
    if is_root() {
        writeln_skipped("root may write anywhere");
        return;
    }
    let repo = Repo::new("stage");
    repo.stage("sub/a.py", "a=2\n");
    fs::set_permissions(repo.path("sub"), Permissions::from_mode(0o555)).unwrap();
    let run = repo.git(&["commit", "-qm", "closed folder"]);
    fs::set_permissions(repo.path("sub"), Permissions::from_mode(0o755)).unwrap();
    assert_eq!(repo.read("sub/a.py"), "a=2\n", "{}", run.text);
    assert!(run.text.contains("sub/a.py"), "{}", run.text);
}

#[test]
fn case_24_a_full_disk_fails_the_commit_and_loses_nothing() {
    let repo = Repo::new("stage");
    repo.commit_file("large.py", vec![b'#'; 3 << 20]);
    repo.stage("a.py", unfixed(2));
    repo.put("a.py", unfixed(2) + MINE);
    let before = repo.state();
    let own = repo.git_dir().join("pyqa");
    fs::create_dir_all(&own).unwrap();
    let program = std::env::var("PATH").unwrap();
    // A mount of its own, seen by this one command.
    let mounted = repo
        .command("unshare")
        .env("PATH", &program)
        .args(["--user", "--map-root-user", "--mount", "sh", "-c"])
        .arg("mount -t tmpfs -o size=1m none \"$1\" || exit 77; git commit -qm full")
        .arg("sh")
        .arg(&own)
        .output();
    let Some(output) = mounted.ok().filter(|output| output.status.code() != Some(77)) else {
        writeln_skipped("this machine lets nobody mount a small disk");
        return;
    };
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    if text.contains("unshare") {
        writeln_skipped(&text);
        return;
    }
    repo.state().assert_is(&before, &text);
    assert!(!output.status.success(), "{text}");
    assert!(text.contains("No space left") || text.contains("cannot"), "{text}");
}

#[expect(clippy::print_stderr, reason = "a test that does not run has to say so")]
fn writeln_skipped(why: &str) {
    eprintln!("skipped: {why}");
}
