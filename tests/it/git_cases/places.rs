//! Cases 20, 21, 25 and 27: linked work trees, two commits at once, many files, sparse checkouts.

use std::fs;
use std::path::PathBuf;
use std::thread;

use super::repo::{BAD, CLEAN, Git, MINE, Repo, fixed, unfixed};

fn linked(repo: &Repo, name: &str) -> PathBuf {
    let place = repo.path(format!("../{name}"));
    repo.ok(&["worktree", "add", "-q", "-b", name, place.to_str().unwrap()]);
    place
}

#[test]
fn case_20_a_test_that_makes_a_repository_does_not_reach_the_one_that_commits() {
    let settings = "[tool.pyqa]\nonly = [\"pytest\"]\n\
                    [tool.pyqa.hooks]\npre-commit = [\"pytest\"]\n";
    let repo = Repo::real(settings);
    let test = "import subprocess\n\n\ndef git(folder, *words):\n    \
                subprocess.run([\"git\", \"-c\", \"user.name=a\", \"-c\", \"user.email=a@b\", *words], \
                cwd=folder, check=True)\n\n\n\
                def test_repository(tmp_path):\n    git(tmp_path, \"init\")\n    \
                (tmp_path / \"q\").write_text(\"q\")\n    git(tmp_path, \"add\", \"q\")\n    \
                git(tmp_path, \"commit\", \"-m\", \"q\")\n    \
                assert (tmp_path / \".git\").is_dir()\n";
    let main = repo.state();
    let place = linked(&repo, "linked");
    let main_head = repo.ok(&["rev-parse", "main"]);
    let repo = repo.in_tree(place);
    repo.stage("test_git.py", test);
    let run = repo.git(&["commit", "-qm", "test"]);
    assert!(run.passed, "{}", run.text);
    assert_eq!(repo.ok(&["rev-parse", "main"]), main_head);
    assert_eq!(repo.ok(&["config", "--get", "core.bare"]), "false\n");
    assert_eq!(repo.ok(&["ls-tree", "--name-only", "HEAD"]), "pyproject.toml\ntest_git.py\n");
    assert_eq!(repo.status(), "");
    let top = repo.root();
    let repo = repo.in_tree(top);
    let after = repo.state();
    for part in ["index", "status", "settings", "stash"] {
        assert_eq!(after.answers[part], main.answers[part], "{part}");
    }
    assert_eq!(after.files_but(&[]), main.files_but(&[]));
}

#[test]
fn case_20_tools_see_nothing_of_git_and_the_right_folder() {
    let repo = Repo::new("stage");
    let place = linked(&repo, "linked");
    fs::create_dir(place.join("sub")).unwrap();
    let repo = repo.in_tree(place.clone());
    repo.stage("sub/a.py", "a=1\n");
    // From below the top, as git is often used.
    let run = Git::of(
        repo.git_command(&["commit", "-qm", "below"])
            .current_dir(place.join("sub"))
            .output()
            .unwrap(),
    );
    assert!(run.passed, "{}", run.text);
    assert_eq!(repo.head("sub/a.py"), "a = 1\n");
    let sees_nothing_of_git = || {
        let env = repo.seen_env();
        for name in ["DIR", "INDEX_FILE", "WORK_TREE", "PREFIX", "COMMON_DIR", "OBJECT_DIRECTORY"] {
            assert!(!env.contains(&format!("GIT_{name}=")), "{name} in {env}");
        }
        assert!(!env.contains("PYQA_HOOK_FILE="), "{env}");
    };
    sees_nothing_of_git();
    let folder = fs::read_to_string(repo.seen().join("cwd")).unwrap();
    assert!(folder.lines().all(|line| line.ends_with("/linked")), "{folder}");
    assert_eq!(repo.status(), "");

    // Where the work tree has more, the snapshot is one of this work tree's own.
    fs::remove_file(repo.seen().join("cwd")).unwrap();
    repo.stage("sub/a.py", unfixed(2));
    repo.put("sub/a.py", unfixed(2) + MINE);
    repo.ok(&["commit", "-qm", "in part"]);
    sees_nothing_of_git();
    let folder = fs::read_to_string(repo.seen().join("cwd")).unwrap();
    let own = repo.git_dir().join("pyqa");
    assert!(own.ends_with(".git/worktrees/linked/pyqa"), "{}", own.display());
    assert!(folder.lines().all(|line| PathBuf::from(line).starts_with(&own)), "{folder}");
    assert_eq!(repo.head("sub/a.py"), fixed(&unfixed(2)));
    assert_eq!(
        (repo.read("sub/a.py"), repo.status()),
        (fixed(&unfixed(2)) + MINE, " M sub/a.py\n".to_owned())
    );
}

#[test]
fn case_21_two_work_trees_commit_at_once() {
    let repo = Repo::new("stage");
    let other = linked(&repo, "other");
    let tops = [repo.root(), other];
    for (top, value) in tops.iter().zip(&[1, 2]) {
        fs::write(top.join("a.py"), unfixed(*value)).unwrap();
        let add = repo.git_command(&["add", "a.py"]).current_dir(top).output().unwrap();
        assert!(add.status.success());
        fs::write(top.join("a.py"), unfixed(*value) + MINE).unwrap();
    }
    fs::write(repo.seen().join("block"), "").unwrap();
    thread::scope(|scope| {
        let runs = tops.clone().map(|top| {
            let mut command = repo.git_command(&["commit", "-qm", "at once"]);
            scope.spawn(move || Git::of(command.current_dir(top).output().unwrap()))
        });
        let pids = repo.seen().join("pids");
        super::wait_for("both checkers", || {
            fs::read_to_string(&pids).is_ok_and(|text| text.lines().count() >= 2)
        });
        fs::remove_file(repo.seen().join("block")).unwrap();
        for run in runs {
            let run = run.join().unwrap();
            assert!(run.passed, "{}", run.text);
        }
    });
    for (top, value) in tops.into_iter().zip([1, 2]) {
        let head = repo.git_command(&["show", "HEAD:a.py"]).current_dir(&top).output().unwrap();
        assert_eq!(head.stdout, fixed(&unfixed(value)).into_bytes());
        let text = fs::read_to_string(top.join("a.py")).unwrap();
        assert_eq!(text, fixed(&unfixed(value)) + MINE);
    }
    assert_eq!(repo.ok(&["stash", "list"]), "");
}

#[test]
fn case_21_two_commits_in_one_work_tree_wait_or_fail_and_lose_nothing() {
    let repo = Repo::new("off");
    repo.stage("a.py", CLEAN);
    repo.put("a.py", "mine = 1\n");
    repo.put("untracked.py", BAD);
    let before = repo.state();
    let runs = thread::scope(|scope| {
        let runs = ["one", "two"].map(|message| {
            let mut command = repo.git_command(&["commit", "-qm", message]);
            scope.spawn(move || Git::of(command.output().unwrap()))
        });
        runs.map(|run| run.join().unwrap())
    });
    assert!(runs.iter().any(|run| run.passed), "{runs:?}");
    assert_eq!(repo.state().files_but(&[]), before.files_but(&[]));
    assert_eq!(repo.head("a.py"), CLEAN);
    assert_eq!(repo.status(), " M a.py\n?? untracked.py\n");
}

#[test]
fn case_25_very_many_long_paths_fit_and_are_all_checked() {
    const COUNT: usize = 20_000;
    // The shell of the checker would take minutes; `true` takes any number of arguments.
    let settings = super::repo::SETTINGS
        .replace("skip = [", "skip = [\"fixer\", ")
        .replace("program = \"checker\"", "program = \"counter\"");
    let mut repo = Repo::with(&settings, &[]);
    let counted = repo.seen().join("counted");
    let script = format!("#!/bin/sh\nshift\necho $# >> '{}'\n", counted.display());
    repo.put("../bin/counter", script);
    make_runnable(&repo.path("../bin/counter"));
    repo.set("LARGE", "x".repeat(100_000));
    let folder = format!("{}/{}", "f".repeat(90), "g".repeat(90));
    fs::create_dir_all(repo.path(&folder)).unwrap();
    for number in 0..COUNT {
        fs::write(repo.path(&folder).join(format!("file_{number:08}.py")), "").unwrap();
    }
    repo.ok(&["add", "-A"]);
    let run = repo.git(&["commit", "-qm", "many"]);
    assert!(run.passed, "{}", run.text);
    let counts = fs::read_to_string(counted).unwrap();
    let total: usize = counts.lines().map(|line| line.parse::<usize>().unwrap()).sum();
    assert_eq!(total, COUNT);
}

fn make_runnable(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn case_27_a_sparse_checkout_stays_sparse() {
    for set in [
        &["sparse-checkout", "set", "--cone", "kept"][..],
        &["sparse-checkout", "set", "--no-cone", "/kept/", "/*.toml"],
        &["sparse-checkout", "set", "--cone", "--sparse-index", "kept"],
    ] {
        let repo = Repo::new("stage");
        repo.commit_file("kept/a.py", CLEAN);
        repo.commit_file("absent/b.py", BAD);
        repo.ok(set);
        assert!(!repo.path("absent").exists());
        repo.stage("kept/a.py", unfixed(2));
        repo.put("kept/a.py", unfixed(2) + MINE);
        let run = repo.git(&["commit", "-qm", "sparse"]);
        assert!(run.passed, "{set:?}: {}", run.text);
        assert!(!repo.path("absent").exists(), "{set:?}");
        assert_eq!(repo.head("kept/a.py"), fixed(&unfixed(2)));
        assert_eq!(repo.head("absent/b.py"), BAD);
        assert_eq!(repo.status(), " M kept/a.py\n");
        assert!(repo.checked().iter().all(|name| name == "kept/a.py"));
        // A whole check is one of what is there.
        repo.ok(&["checkout", "kept/a.py"]);
        assert_eq!(repo.pyqa(&["check"]).code, 0);
    }
}

#[test]
fn case_27_files_that_git_is_told_not_to_look_at_keep_their_flags() {
    let repo = Repo::new("stage");
    repo.commit_file("skipped.py", CLEAN);
    repo.commit_file("assumed.py", CLEAN);
    repo.ok(&["update-index", "--skip-worktree", "skipped.py"]);
    repo.ok(&["update-index", "--assume-unchanged", "assumed.py"]);
    repo.put("skipped.py", "mine = 1\n");
    repo.put("assumed.py", "mine = 2\n");
    repo.stage("a.py", "a=1\n");
    let flags = String::from_utf8(repo.state().answers["index flags"].clone()).unwrap();
    repo.ok(&["commit", "-qm", "flags"]);
    assert_eq!(String::from_utf8(repo.state().answers["index flags"].clone()).unwrap(), flags);
    assert_eq!(repo.read("skipped.py") + &repo.read("assumed.py"), "mine = 1\nmine = 2\n");
    assert_eq!((repo.head("a.py").as_str(), repo.status().as_str()), (CLEAN, ""));
    repo.stage("a.py", BAD);
    repo.refused(&["commit", "-qm", "bad"]);
}
