//! The further cases of pre-push: what is pushed is checked, whatever is checked out.

use super::repo::{BAD, CLEAN, Repo};

fn repo() -> Repo {
    let repo = Repo::new("off");
    repo.install(&["--hook", "pre-push"]);
    let remote = repo.path("../remote.git");
    repo.ok(&["init", "-q", "--bare", remote.to_str().unwrap()]);
    repo.ok(&["remote", "add", "origin", remote.to_str().unwrap()]);
    repo.commit_file("a.py", CLEAN);
    repo.ok(&["push", "-q", "origin", "main"]);
    let _ = repo.checked();
    repo
}

#[test]
fn a_commit_that_is_not_checked_out_is_checked_by_its_own_content() {
    let repo = repo();
    repo.ok(&["checkout", "-qb", "other"]);
    repo.commit_file("b.py", BAD);
    repo.ok(&["checkout", "-q", "main"]);
    repo.put("b.py", CLEAN);
    let text = repo.refused(&["push", "origin", "other"]);
    assert!(text.contains("b.py"), "{text}");
    assert_eq!(repo.read("b.py"), CLEAN);
    std::fs::remove_file(repo.path("b.py")).unwrap();
    repo.ok(&["checkout", "-q", "other"]);
    repo.commit_file("b.py", CLEAN);
    repo.ok(&["checkout", "-q", "main"]);
    repo.put("a.py", BAD);
    repo.ok(&["push", "-q", "origin", "other"]);
    assert_eq!(repo.read("a.py"), BAD);
}

#[test]
fn a_new_branch_is_checked_from_where_it_left_what_the_remote_has() {
    let repo = repo();
    repo.ok(&["checkout", "-qb", "new"]);
    repo.commit_file("b.py", CLEAN);
    repo.ok(&["push", "-q", "origin", "new"]);
    assert_eq!(repo.checked(), ["b.py"]);
    repo.ok(&["checkout", "-qb", "bad"]);
    repo.commit_file("c.py", BAD);
    repo.refused(&["push", "origin", "bad"]);
}

#[test]
fn a_forced_push_is_checked() {
    let repo = repo();
    repo.commit_file("b.py", CLEAN);
    repo.ok(&["push", "-q", "origin", "main"]);
    repo.ok(&["reset", "-q", "--hard", "HEAD^"]);
    repo.commit_file("c.py", BAD);
    repo.refused(&["push", "--force", "origin", "main"]);
    repo.ok(&["reset", "-q", "--hard", "HEAD^"]);
    repo.commit_file("c.py", CLEAN);
    repo.ok(&["push", "-q", "--force", "origin", "main"]);
}

#[test]
fn of_several_refs_each_is_checked() {
    let repo = repo();
    repo.ok(&["branch", "good"]);
    repo.ok(&["checkout", "-qb", "bad"]);
    repo.commit_file("b.py", BAD);
    repo.ok(&["checkout", "-q", "main"]);
    repo.commit_file("c.py", CLEAN);
    for refs in [["main", "bad"], ["bad", "main"]] {
        let text = repo.refused(&[&["push", "origin"][..], &refs].concat());
        assert!(text.contains("b.py"), "{text}");
    }
    repo.ok(&["push", "-q", "origin", "main", "good"]);
}

#[test]
fn a_deletion_and_nothing_have_nothing_to_check() {
    let repo = repo();
    repo.ok(&["push", "-q", "origin", "main:gone"]);
    repo.put("a.py", BAD);
    repo.ok(&["push", "-q", "origin", ":gone"]);
    repo.ok(&["push", "-q", "origin", "main"]);
    let output = repo
        .command(env!("CARGO_BIN_EXE_pyqa"))
        .args(["hook", "pre-push", "--", "origin", "url"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn tags_and_branches_without_a_common_commit_are_checked() {
    let repo = repo();
    repo.ok(&["checkout", "-q", "--orphan", "orphan"]);
    repo.stage("a.py", BAD);
    repo.ok(&["commit", "-qm", "orphan", "--no-verify"]);
    repo.refused(&["push", "origin", "orphan"]);
    repo.ok(&["tag", "-a", "v1", "-m", "tag"]);
    repo.refused(&["push", "origin", "v1"]);
    repo.ok(&["tag", "v2", "main"]);
    repo.ok(&["push", "-q", "origin", "v2"]);
    let blob = repo.ok(&["rev-parse", "main:a.py"]);
    repo.ok(&["tag", "blob", blob.trim()]);
    repo.ok(&["push", "-q", "origin", "blob"]);
}

#[test]
fn a_revision_that_is_written_with_spaces_is_checked() {
    let repo = repo();
    repo.commit_file("b.py", BAD);
    let push = ["push", "origin", "HEAD@{0 seconds ago}:refs/heads/spaces"];
    let text = repo.refused(&push);
    assert!(text.contains("b.py"), "{text}");
}

#[test]
fn a_shallow_clone_checks_all_that_it_has() {
    let repo = repo();
    for number in 0..3 {
        repo.commit_file("b.py", format!("b = {number}\n"));
    }
    repo.ok(&["push", "-q", "origin", "main"]);
    let remote = format!("file://{}", repo.path("../remote.git").display());
    let place = repo.path("../shallow");
    repo.ok(&["clone", "-q", "--depth", "1", "-b", "main", &remote, place.to_str().unwrap()]);
    repo.commit_file("d.py", CLEAN);
    repo.ok(&["push", "-q", "--no-verify", "origin", "main"]);
    let repo = repo.in_tree(place.clone());
    for name in ["user.name", "user.email"] {
        repo.ok(&["config", name, "tester"]);
    }
    let install = ["install", "--hook", "pre-push"];
    let run = repo.command(env!("CARGO_BIN_EXE_pyqa")).args(install).current_dir(&place).output();
    assert!(run.unwrap().status.success());
    // The remote has gone on to a commit that is not known here.
    repo.commit_file("c.py", BAD);
    let text = repo.refused(&["push", "--force", "origin", "main"]);
    assert!(text.contains("c.py"), "{text}");
    repo.commit_file("c.py", CLEAN);
    repo.ok(&["push", "-q", "--force", "origin", "main"]);
}

#[test]
fn the_real_tools_check_a_push_pytest_included() {
    let repo = Repo::real("[tool.pyqa]\nonly = [\"flake8\", \"pytest\"]\n");
    repo.install(&["--hook", "pre-push"]);
    let remote = repo.path("../remote.git");
    repo.ok(&["init", "-q", "--bare", remote.to_str().unwrap()]);
    repo.ok(&["remote", "add", "origin", remote.to_str().unwrap()]);
    repo.commit_file("test_a.py", "def test_a():\n    assert 1 == 2\n");
    repo.put("test_a.py", "def test_a():\n    assert 1 == 1\n");
    let text = repo.refused(&["push", "origin", "main"]);
    assert!(text.contains("test_a"), "{text}");
    repo.ok(&["add", "-A"]);
    repo.ok(&["commit", "-qm", "mended"]);
    repo.ok(&["push", "-q", "origin", "main"]);
}
