//! Random states of index and work tree, and commits with hooks that pass, fail and fix. What has
//! to come out is told by a copy of the repository, in which git commits without a hook.
//!
//! `PYQA_TEST_STATES` says how many states, `PYQA_TEST_SEED` begins with a certain one.

use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;

use super::repo::{Repo, fixed};
use super::state::{File, State};

/// As many states as are looked at when nothing else is said, if they fit into [`TIME`].
const STATES: u64 = 500;
const TIME: Duration = Duration::from_secs(150);
const THREADS: u64 = 2;
/// Tracked in the first commit.
const FILES: [&str; 6] = ["a.py", "b.py", "c.py", "sub/d.py", "sub/e.py", "f g.py"];

#[test]
fn whatever_the_state_a_commit_changes_what_git_would_change_and_fixes() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let (states, limit) = match number("PYQA_TEST_STATES") {
        Some(states) => (states, Duration::MAX),
        None => (STATES, TIME),
    };
    let first = number("PYQA_TEST_SEED").unwrap_or_else(|| fastrand::u64(..1 << 40));
    let begun = Instant::now();
    let counts = thread::scope(|scope| {
        let work = |share: u64| {
            move || {
                let repo = base();
                let mut counts = BTreeMap::new();
                for seed in (first..first + states).filter(|seed| seed % THREADS == share) {
                    if begun.elapsed() > limit {
                        break;
                    }
                    *counts.entry(one(&repo, seed)).or_insert(0) += 1;
                }
                counts
            }
        };
        let threads: Vec<_> = (0..THREADS).map(|share| scope.spawn(work(share))).collect();
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for thread in threads {
            for (kind, count) in thread.join().unwrap() {
                *counts.entry(kind).or_insert(0) += count;
            }
        }
        counts
    });
    let total: u64 = counts.values().sum();
    say(&format!("{total} states from seed {first} in {:?}: {counts:?}", begun.elapsed()));
    let kinds = ["passed", "passed with fixes", "refused"];
    let all_met = kinds.iter().all(|kind| counts.contains_key(kind));
    assert!(all_met || states < 40, "{counts:?}");
}

#[expect(clippy::print_stderr, reason = "the seed is what repeats a run")]
fn say(text: &str) {
    eprintln!("{text}");
}

fn base() -> Repo {
    let repo = Repo::new("stage");
    for name in FILES {
        repo.put(name, text(&["one = 1", "two = 2", "three = 3"]));
    }
    symlink("a.py", repo.path("link.py")).unwrap();
    repo.ok(&["add", "-A"]);
    repo.ok(&["commit", "-qm", "base", "--no-verify"]);
    repo.ok(&["branch", "base"]);
    repo
}

/// Three lines far from each other.
fn text(lines: &[&str]) -> String {
    let between = "# between\n".repeat(8);
    lines.iter().flat_map(|line| [line, "\n", &between]).collect()
}

fn random_text(rng: &mut Rng, can_fail: bool) -> String {
    let mut line = |name: &str| match rng.u8(..10) {
        0..5 => format!("{name} = {}", rng.u8(..4)),
        5..8 => format!("{name}={}", rng.u8(..4)),
        8 if can_fail => "BAD".to_owned(),
        _ => format!("# {name} {}", rng.u8(..4)),
    };
    text(&[&line("one"), &line("two"), &line("three")])
}

/// Makes a random state, and returns the commit that is made of it.
fn arrange(repo: &Repo, rng: &mut Rng) -> Vec<String> {
    let can_fail = rng.u8(..3) == 0;
    for name in FILES {
        if rng.bool() {
            change(repo, rng, name, can_fail);
        }
    }
    for number in 0..rng.usize(..3) {
        let name = format!("new{number}.py");
        repo.put(&name, random_text(rng, can_fail));
        match rng.u8(..3) {
            0 => {}
            1 => drop(repo.ok(&["add", "-N", &name])),
            _ => {
                repo.ok(&["add", &name]);
                if rng.bool() {
                    repo.put(&name, random_text(rng, true));
                }
            }
        }
    }
    if rng.u8(..3) == 0 {
        repo.put("untracked.py", random_text(rng, true));
        repo.put("folder/untracked=1.txt", "x=1\n");
    }
    let words: &[&str] = match rng.u8(..8) {
        0 => &["-a"],
        1 => &["--amend"],
        2 => &["--", "b.py"],
        3 => &["-i", "c.py"],
        _ => &[],
    };
    let head = ["commit", "-q", "-m", "random"].iter().chain(words);
    head.map(ToString::to_string).collect()
}

/// A staged change, one that is not staged, or both.
fn change(repo: &Repo, rng: &mut Rng, name: &str, can_fail: bool) {
    let path = repo.path(name);
    match rng.u8(..9) {
        0 => drop(repo.ok(&["rm", "-q", "--cached", name])),
        1 => drop(repo.ok(&["rm", "-q", name])),
        2 => {
            let to = format!("{}_moved.py", name.trim_end_matches(".py"));
            repo.ok(&["mv", name, &to]);
            if rng.bool() {
                repo.stage(&to, random_text(rng, can_fail));
            }
        }
        3 => {
            let how = if rng.bool() { "--chmod=+x" } else { "--chmod=-x" };
            repo.ok(&["update-index", how, name]);
        }
        4 => {
            fs::remove_file(&path).unwrap();
            symlink("link target=1", &path).unwrap();
            if rng.bool() {
                repo.ok(&["add", name]);
            }
        }
        _ => repo.stage(name, random_text(rng, can_fail)),
    }
    if path.symlink_metadata().is_err() || path.is_symlink() {
        return;
    }
    match rng.u8(..6) {
        0 | 1 => repo.put(name, random_text(rng, true)),
        2 => fs::remove_file(&path).unwrap(),
        3 => fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap(),
        _ => {}
    }
}

fn one(repo: &Repo, seed: u64) -> &'static str {
    let mut rng = Rng::with_seed(seed);
    repo.ok(&["reset", "-q", "--hard", "base"]);
    repo.ok(&["clean", "-fdqx"]);
    // Stashes are the user's.
    repo.ok(&["stash", "clear"]);
    if rng.bool() {
        repo.put("a.py", "stashed = 1\n");
        repo.ok(&["stash", "push", "-q"]);
    }
    let commit = arrange(repo, &mut rng);
    let commit: Vec<&str> = commit.iter().map(String::as_str).collect();
    let before = repo.state();
    let head = repo.ok(&["rev-parse", "HEAD"]);
    let control = Control::of(repo, seed, &commit);
    let run = repo.git(&commit);
    let after = repo.state();
    let context = format!("PYQA_TEST_SEED={seed} PYQA_TEST_STATES=1 {commit:?}\n{}", run.text);
    let judge = Judge { repo, control: &control, before: &before, after: &after, context };
    let outcome = if run.passed { judge.passed(&head) } else { judge.refused(&head) };
    fs::remove_dir_all(&control.top).unwrap();
    outcome
}

/// The same commit without a hook, in a copy.
struct Control {
    top: PathBuf,
    passed: bool,
    state: State,
    /// Content of the files that the commit changes, by name; links and deleted ones are not
    /// among them.
    committed: BTreeMap<String, String>,
    /// With its files fixed, the commit would be the one before.
    is_undone_by_fixes: bool,
}

impl Control {
    fn of(repo: &Repo, seed: u64, commit: &[&str]) -> Self {
        let top = repo.path(format!("../control-{seed}"));
        let copied = Command::new("cp").arg("-a").arg(repo.root()).arg(&top).status().unwrap();
        assert!(copied.success());
        let git = |arguments: &[&str]| {
            let mut command = repo.git_command(arguments);
            command.current_dir(&top).env("GIT_OPTIONAL_LOCKS", "0").output().unwrap()
        };
        let head = git(&["rev-parse", "HEAD"]).stdout;
        let unchecked: Vec<&str> = [&commit[..1], &["--no-verify"], &commit[1..]].concat();
        let passed = git(&unchecked).status.success();
        let head = String::from_utf8(head).unwrap();
        let head = head.trim();
        let changed = ["diff", "--no-renames", "--diff-filter=AMT", "--name-only", "-z"];
        let names = git(&[&changed[..], &[head, "HEAD"]].concat()).stdout;
        let mut committed = BTreeMap::new();
        for name in String::from_utf8(names).unwrap().split('\0').filter(|name| is_python(name)) {
            let line = git(&["ls-tree", "HEAD", "--", name]).stdout;
            if line.starts_with(b"100") {
                let text = git(&["show", &format!("HEAD:{name}")]).stdout;
                committed.insert(name.to_owned(), String::from_utf8(text).unwrap());
            }
        }
        let mode = |commit: &str, name: &str| {
            git(&["ls-tree", commit, "--", name]).stdout.get(..6).map(<[u8]>::to_vec)
        };
        let is_undone = |name: &str| {
            let before = git(&["show", &format!("{head}:{name}")]).stdout;
            committed.get(name).is_some_and(|text| fixed(text).as_bytes() == before)
                && mode(head, name) == mode("HEAD", name)
        };
        let names = git(&["diff", "--no-renames", "--name-only", "-z", head, "HEAD"]).stdout;
        let names = String::from_utf8(names).unwrap();
        let is_undone_by_fixes = passed && names.split_terminator('\0').all(is_undone);
        let state = State::of(&top, &top.join(".git"), &|question| git(question).stdout);
        Self { top, passed, state, committed, is_undone_by_fixes }
    }

    fn git(&self, repo: &Repo, arguments: &[&str]) -> String {
        let output = repo.git_command(arguments).current_dir(&self.top).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

fn is_python(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "py")
}

struct Judge<'a> {
    repo: &'a Repo,
    control: &'a Control,
    before: &'a State,
    after: &'a State,
    context: String,
}

impl Judge<'_> {
    /// Names of files whose committed content a fix changes.
    fn fixed_names(&self) -> Vec<&str> {
        let names = self.control.committed.iter();
        names.filter(|(_, text)| fixed(text) != **text).map(|(name, _)| name.as_str()).collect()
    }

    fn passed(&self, head: &str) -> &'static str {
        let context = &self.context;
        assert!(self.control.passed, "git alone refuses: {context}");
        let bad = self.control.committed.iter().find(|(_, text)| text.contains("BAD"));
        assert!(bad.is_none(), "{bad:?} was committed: {context}");
        let names = self.fixed_names();
        // The commit is that of git alone, fixes apart.
        let list = ["ls-tree", "-r", "HEAD"];
        let (own, theirs) = (self.repo.ok(&list), self.control.git(self.repo, &list));
        let unfixed = |text: &str| -> Vec<String> {
            let is_fixed = |line: &&str| names.iter().any(|n| line.ends_with(&format!("\t{n}")));
            text.lines().filter(|line| !is_fixed(line)).map(str::to_owned).collect()
        };
        assert_eq!(unfixed(&own), unfixed(&theirs), "{context}");
        for name in &names {
            assert_eq!(self.repo.head(name), fixed(&self.control.committed[*name]), "{context}");
        }
        assert_ne!(self.repo.ok(&["rev-parse", "HEAD"]), head);
        self.files(&names);
        self.index(&self.control.state);
        if names.is_empty() { "passed" } else { "passed with fixes" }
    }

    fn refused(&self, head: &str) -> &'static str {
        let context = &self.context;
        assert_eq!(self.repo.ok(&["rev-parse", "HEAD"]), head, "{context}");
        let bad = self.control.committed.values().any(|text| text.contains("BAD"));
        let names = self.fixed_names();
        let is_undone = self.control.passed && self.control.is_undone_by_fixes;
        assert!(bad || !self.control.passed || is_undone, "refused for nothing: {context}");
        let is_told = context.contains("nothing is left to commit");
        assert_eq!(is_undone && !bad, is_told, "{context}");
        assert_eq!(bad, context.contains("✗ pyqa") && !is_told, "{context}");
        if names.is_empty() {
            self.after.assert_is(self.before, context);
        } else {
            self.files(&names);
            self.index(self.before);
        }
        if bad { "refused" } else { "nothing to commit" }
    }

    /// Each file is as it was, or has the fix; what is not staged is in it in any case.
    fn files(&self, names: &[&str]) {
        let context = &self.context;
        assert_eq!(self.after.files_but(names), self.before.files_but(names), "{context}");
        for name in names {
            let of = |state: &State| state.files.get(Path::new(name)).cloned();
            let (before, after) = (of(self.before), of(self.after));
            let Some(before) = before else {
                assert!(after.is_none(), "{name} came back: {context}");
                continue;
            };
            let after = after.unwrap_or_else(|| panic!("{name} is gone: {context}"));
            assert_eq!(after.mode, before.mode, "{name}: {context}");
            let staged = &self.control.committed[*name];
            let wanted = Self::in_work_tree(staged, &before);
            let shown = String::from_utf8_lossy(&after.bytes);
            assert!(wanted.contains(&after.bytes), "{name} is {shown:?}: {context}");
        }
    }

    /// What may stand in the work tree after `staged` was fixed.
    fn in_work_tree(staged: &str, before: &File) -> Vec<Vec<u8>> {
        if before.bytes == staged.as_bytes() {
            return vec![fixed(staged).into_bytes()];
        }
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        let merged = Command::new("git")
            .args(["merge-file", "-p"])
            .arg(write("ours", &before.bytes))
            .arg(write("base", staged.as_bytes()))
            .arg(write("theirs", fixed(staged).as_bytes()))
            .output()
            .unwrap();
        let is_link = before.mode & 0o170_000 == 0o120_000;
        let is_clean = merged.status.success() && !is_link;
        // A merge that git makes has to be made; a conflict leaves the file alone.
        vec![if is_clean { merged.stdout } else { before.bytes.clone() }]
    }

    /// The index is `wanted`, but for the blobs of fixed files; nothing else of the repository
    /// has changed.
    fn index(&self, wanted: &State) {
        let context = &self.context;
        let names = self.fixed_names();
        let entries = |state: &State| -> Vec<String> {
            let text = String::from_utf8(state.answers["index"].clone()).unwrap();
            let shorten = |line: &str| {
                let (head, name) = line.split_once('\t').unwrap();
                let mode = head.split(' ').next().unwrap();
                let is_fixed = names.contains(&name);
                if is_fixed { format!("{mode}\t{name}") } else { line.to_owned() }
            };
            text.split('\0').filter(|line| !line.is_empty()).map(shorten).collect()
        };
        let entry = |state: &State, name: &str| -> Option<String> {
            let text = String::from_utf8(state.answers["index"].clone()).unwrap();
            let ends = format!("\t{name}");
            text.split('\0').find(|line| line.ends_with(&ends)).map(str::to_owned)
        };
        assert_eq!(entries(self.after), entries(wanted), "{context}");
        for part in ["stash", "settings", "index flags"] {
            assert_eq!(self.after.answers[part], wanted.answers[part], "{part}: {context}");
        }
        for name in names {
            let blob = self.repo.git(&["show", &format!(":{name}")]).text;
            let staged = &self.control.committed[name];
            // After a refusal, git throws away the index that it had made for `commit -a`.
            let is_untouched = entry(self.after, name) == entry(wanted, name);
            let is_expected = blob == fixed(staged) || blob == *staged;
            let allowed = is_expected || is_untouched || !self.is_committed(name);
            assert!(allowed, "index {name} {blob:?}: {context}");
        }
    }

    /// Whether the index of git alone holds for `name` what it has committed.
    fn is_committed(&self, name: &str) -> bool {
        let blob = self.control.git(self.repo, &["show", &format!(":{name}")]);
        blob == self.control.committed[name]
    }
}
