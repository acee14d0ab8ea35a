//! Cases 1–3, 7 and 10–13: index and work tree differ.

use std::fs;

use super::repo::{BAD, CLEAN, Repo, UNFIXED, fixed, long};

#[test]
fn case_1_staged_content_is_checked_and_the_work_tree_is_left() {
    let repo = Repo::new("off");
    repo.stage("a.py", CLEAN);
    repo.put("a.py", BAD);
    repo.ok(&["commit", "-qm", "good"]);
    assert_eq!((repo.seen_content("a.py"), repo.read("a.py")), (CLEAN.to_owned(), BAD.to_owned()));
    repo.ok(&["add", "a.py"]);
    repo.put("a.py", CLEAN);
    let text = repo.refused(&["commit", "-qm", "bad"]);
    assert!(text.contains("a.py:1") && text.contains("bad line"), "{text}");
    assert_eq!(repo.status(), "MM a.py\n");
}

#[test]
fn case_1_the_same_with_the_real_tools() {
    let repo = Repo::real("");
    repo.stage("a.py", "\"\"\"A module.\"\"\"\n\nVALUE = 1\n");
    repo.put("a.py", "def broken(:\n");
    repo.ok(&["commit", "-qm", "good"]);
    assert_eq!(repo.read("a.py"), "def broken(:\n");
    repo.ok(&["add", "a.py"]);
    repo.put("a.py", "VALUE = 2\n");
    let text = repo.refused(&["commit", "-qm", "bad"]);
    for tool in ["flake8", "mypy", "black"] {
        assert!(text.contains(tool), "{tool}: {text}");
    }
}

#[test]
fn case_2_a_fix_far_from_an_unstaged_edit_is_committed_without_it() {
    let repo = Repo::new("stage");
    repo.commit_file("a.py", long("a = 1", "last = 1"));
    repo.stage("a.py", long("a=2", "last = 1"));
    repo.put("a.py", long("a=2", "last = 1  # my edit"));
    repo.ok(&["commit", "-qm", "fix"]);
    assert_eq!(repo.head("a.py"), long("a = 2", "last = 1"));
    assert_eq!(repo.read("a.py"), long("a = 2", "last = 1  # my edit"));
    let diff = repo.ok(&["diff"]);
    assert!(diff.contains("\n+last = 1  # my edit") && !diff.contains("\n+a = 2"), "{diff}");
    assert_eq!(repo.status(), " M a.py\n");
}

#[test]
fn case_2_black_fixes_far_from_an_unstaged_edit() {
    let repo = Repo::real("[tool.pyqa]\nonly = [\"black\"]\n[tool.pyqa.hooks]\nfix = \"stage\"\n");
    repo.commit_file("a.py", long("a = 1", "last = 1"));
    repo.stage("a.py", long("a=2", "last = 1"));
    repo.put("a.py", long("a=2", "last=3"));
    repo.ok(&["commit", "-qm", "fix"]);
    assert_eq!(repo.head("a.py"), long("a = 2", "last = 1"));
    assert_eq!(repo.read("a.py"), long("a = 2", "last=3"));
}

#[test]
fn case_3_an_unstaged_edit_of_the_line_that_is_fixed_survives() {
    let repo = Repo::new("stage");
    repo.commit_file("a.py", CLEAN);
    repo.commit_file("b.py", CLEAN);
    repo.stage("a.py", UNFIXED);
    repo.put("a.py", "a=99  # mine\n");
    repo.put("b.py", "mine = 1\n");
    repo.put("untracked.py", BAD);
    let before = repo.state();
    let run = repo.git(&["commit", "-qm", "fix", "--allow-empty"]);
    assert!(run.text.contains("a.py"), "{}", run.text);
    assert_eq!(repo.state().files_but(&[]), before.files_but(&[]), "{}", run.text);
    // The fix is what was there before, so that the commit has nothing new.
    assert_eq!(repo.head("a.py"), CLEAN);
}

#[test]
fn case_7_a_file_that_is_only_intended_to_be_added_is_left_alone() {
    let repo = Repo::new("stage");
    repo.commit_file("a.py", CLEAN);
    repo.put("new.py", BAD);
    repo.ok(&["add", "-N", "new.py"]);
    repo.stage("a.py", "b=2\n");
    repo.put("a.py", "b=3\n");
    let run = repo.git(&["commit", "-qm", "fix"]);
    assert!(run.passed, "{}", run.text);
    assert_eq!(repo.head("a.py"), "b = 2\n");
    assert_eq!((repo.read("a.py"), repo.read("new.py")), ("b=3\n".to_owned(), BAD.to_owned()));
    assert_eq!(repo.status(), " M a.py\n A new.py\n");
    assert!(!repo.checked().contains(&"new.py".to_owned()));
}

#[test]
fn case_10_a_file_that_is_no_longer_tracked_stays_on_disk_and_is_not_checked() {
    let repo = Repo::new("off");
    repo.commit_file("a.py", BAD);
    repo.ok(&["rm", "-q", "--cached", "a.py"]);
    repo.ok(&["commit", "-qm", "untrack"]);
    assert_eq!(repo.checked(), [""; 0]);
    assert_eq!((repo.read("a.py").as_str(), repo.status().as_str()), (BAD, "?? a.py\n"));
    assert!(!repo.git(&["cat-file", "-e", "HEAD:a.py"]).passed);
}

#[test]
fn case_11_a_staged_file_that_is_deleted_is_checked_and_does_not_come_back() {
    let repo = Repo::new("stage");
    repo.stage("a.py", UNFIXED);
    fs::remove_file(repo.path("a.py")).unwrap();
    repo.ok(&["commit", "-qm", "AD"]);
    assert_eq!(repo.checked(), ["a.py", "a.py"]);
    assert_eq!((repo.head("a.py").as_str(), repo.status().as_str()), (CLEAN, " D a.py\n"));
    assert!(!repo.path("a.py").exists());
    repo.stage("b.py", BAD);
    fs::remove_file(repo.path("b.py")).unwrap();
    repo.refused(&["commit", "-qm", "bad"]);
}

#[test]
fn case_12_a_renamed_file_is_checked_by_its_new_name() {
    let repo = Repo::new("stage");
    repo.commit_file("old.py", long("a = 1", "last = 1"));
    repo.ok(&["mv", "old.py", "new.py"]);
    repo.ok(&["commit", "-qm", "rename"]);
    assert_eq!(repo.checked(), ["new.py"]);
    repo.ok(&["mv", "new.py", "newer.py"]);
    repo.put("newer.py", long("a=2", "last = 1"));
    repo.ok(&["add", "newer.py"]);
    repo.put("newer.py", long("a=2", "last = 2"));
    repo.ok(&["commit", "-qm", "rename and edit"]);
    assert!(repo.checked().iter().all(|name| name == "newer.py"));
    assert_eq!(repo.head("newer.py"), fixed(&long("a=2", "last = 1")));
    assert_eq!(repo.read("newer.py"), long("a = 2", "last = 2"));
}

#[test]
fn case_11_and_12_the_real_tools_see_what_is_staged_by_its_new_name_and_nothing_else() {
    let repo = Repo::real("[tool.pyqa]\nonly = [\"flake8\", \"black\", \"mypy\", \"bandit\"]\n");
    repo.stage("gone.py", "import os\n");
    fs::remove_file(repo.path("gone.py")).unwrap();
    let text = repo.refused(&["commit", "-qm", "AD"]);
    assert!(text.contains("gone.py:1:1  F401"), "{text}");
    repo.ok(&["rm", "-q", "--cached", "gone.py"]);

    repo.commit_file("old.py", "VALUE: int = 1\n");
    repo.commit_file("user.py", "from old import VALUE\n\nCOPY: int = VALUE\n");
    repo.ok(&["mv", "old.py", "new.py"]);
    // The old name stays in the work tree, where it is not part of the commit.
    repo.put("old.py", "VALUE: int = 1\n");
    let text = repo.refused(&["commit", "-qm", "renamed"]);
    assert!(text.contains("user.py:1") && text.contains("old"), "{text}");
    repo.stage("user.py", "from new import VALUE\n\nCOPY: int = VALUE\n");
    repo.ok(&["commit", "-qm", "renamed"]);
    assert_eq!(repo.status(), "?? old.py\n");
}

#[test]
fn case_13_a_module_that_is_deleted_but_not_staged_is_there_for_mypy_and_pytest() {
    let repo = Repo::real(
        "[tool.pyqa]\nonly = [\"mypy\", \"pytest\"]\n\
         [tool.pyqa.hooks]\npre-commit = [\"mypy\", \"pytest\"]\n",
    );
    repo.commit_file("helper.py", "VALUE: int = 1\n");
    let test = "from helper import VALUE\n\n\ndef test_value() -> None:\n    assert VALUE == 1\n";
    repo.stage("test_user.py", test);
    fs::remove_file(repo.path("helper.py")).unwrap();
    let run = repo.git(&["commit", "-qm", "user"]);
    assert!(run.passed, "{}", run.text);
    assert_eq!(repo.status(), " D helper.py\n");
    repo.put("helper.py", "VALUE: int = 1\n");
    repo.stage("test_user.py", test.replace("== 1", "== 2"));
    fs::remove_file(repo.path("helper.py")).unwrap();
    let said = repo.refused(&["commit", "-qm", "bad"]);
    assert!(said.contains("test_value"), "{said}");
}
