//! Cases 16–19, 26 and 28: submodules, links, line ends, filters, names, modes.

use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::repo::{BAD, CLEAN, MINE, Repo, UNFIXED, fixed, unfixed};

#[test]
fn case_16_a_dirty_submodule_is_left_alone_and_never_given_to_a_tool() {
    let repo = Repo::new("stage");
    let other = repo.path("../other");
    let allowed = "protocol.file.allow=always";
    repo.ok(&["init", "-q", other.to_str().unwrap()]);
    let there = |arguments: &[&str]| {
        let place = ["-C", other.to_str().unwrap(), "-c", "user.name=a", "-c", "user.email=a@b"];
        repo.ok(&[&place[..], arguments].concat());
    };
    fs::write(other.join("inner.py"), CLEAN).unwrap();
    there(&["add", "-A"]);
    there(&["commit", "-qm", "one"]);
    repo.ok(&["-c", allowed, "submodule", "--quiet", "add", other.to_str().unwrap(), "sub.py"]);
    repo.ok(&["commit", "-qm", "submodule", "--no-verify"]);
    repo.ok(&["config", "submodule.recurse", "true"]);
    fs::write(other.join("inner.py"), "two = 2\n").unwrap();
    there(&["commit", "-qam", "two"]);
    repo.ok(&["-c", allowed, "-C", "sub.py", "pull", "-q"]);
    repo.ok(&["add", "sub.py"]);
    repo.put("sub.py/inner.py", "dirty=3\n");
    repo.stage("a.py", unfixed(2));
    repo.put("a.py", unfixed(2) + MINE);
    repo.ok(&["commit", "-qm", "bump"]);
    assert_eq!(repo.read("sub.py/inner.py"), "dirty=3\n");
    assert_eq!(repo.head("a.py"), fixed(&unfixed(2)));
    assert!(repo.checked().iter().all(|name| name == "a.py"));
}

#[test]
fn case_17_links_are_neither_followed_nor_rewritten() {
    let repo = Repo::new("stage");
    let outside = repo.path("../outside.py");
    fs::write(&outside, "out=1\n").unwrap();
    repo.put("sub/inner.py", UNFIXED);
    for (name, target) in [
        ("file.py", "sub/inner.py"),
        ("folder.py", "sub"),
        ("dangling.py", "nowhere.py"),
        ("outside.py", "../outside.py"),
    ] {
        symlink(target, repo.path(name)).unwrap();
        repo.ok(&["add", name]);
    }
    repo.stage("real.py", "b=2\n");
    let run = repo.git(&["commit", "-qm", "links"]);
    assert!(run.passed, "{}", run.text);
    assert_eq!(repo.head("real.py"), "b = 2\n");
    assert_eq!(fs::read_to_string(&outside).unwrap(), "out=1\n");
    assert_eq!(repo.read("sub/inner.py"), UNFIXED);
    assert_eq!(fs::read_link(repo.path("file.py")).unwrap(), Path::new("sub/inner.py"));
    assert_eq!(repo.status(), "?? sub/\n");

    // The type changes, not staged.
    fs::remove_file(repo.path("real.py")).unwrap();
    symlink("sub/inner.py", repo.path("real.py")).unwrap();
    fs::remove_file(repo.path("file.py")).unwrap();
    repo.put("file.py", BAD);
    repo.stage("c.py", "c=3\n");
    repo.ok(&["commit", "-qm", "types"]);
    assert_eq!(repo.status(), " T file.py\n T real.py\n?? sub/\n");
    assert_eq!((repo.read("file.py").as_str(), repo.head("c.py").as_str()), (BAD, "c = 3\n"));
}

#[test]
fn case_17_the_real_tools_read_nothing_through_a_link_that_is_not_committed() {
    let repo = Repo::real("[tool.pyqa]\nonly = [\"flake8\", \"black\", \"bandit\", \"mypy\"]\n");
    // What each of them would complain of.
    repo.put("untracked/inner.py", "import os\nvalue: int = 'text'\nassert value\n");
    symlink("untracked/inner.py", repo.path("link.py")).unwrap();
    symlink("untracked", repo.path("package")).unwrap();
    repo.ok(&["add", "link.py", "package"]);
    repo.stage("real.py", CLEAN);
    // A clone has a link that leads nowhere, which mypy calls an error.
    let text = repo.refused(&["commit", "-qm", "links"]);
    assert!(text.contains("link.py") && text.contains("mypy"), "{text}");
    for inner in ["F401", "untracked", "B101", "assignment"] {
        assert!(!text.contains(inner), "{inner}: {text}");
    }
    repo.stage("pyproject.toml", "[tool.pyqa]\nonly = [\"flake8\", \"black\", \"bandit\"]\n");
    let run = repo.git(&["commit", "-qm", "links"]);
    assert!(run.passed, "{}", run.text);
    assert_eq!(repo.status(), "?? untracked/\n");

    // The other way round: a file that is staged, and a link in its place in the work tree.
    repo.stage("swapped.py", "import os\n");
    fs::remove_file(repo.path("swapped.py")).unwrap();
    fs::write(repo.path("../good.py"), CLEAN).unwrap();
    symlink("../good.py", repo.path("swapped.py")).unwrap();
    let text = repo.refused(&["commit", "-qm", "swapped"]);
    assert!(text.contains("swapped.py:1:1  F401"), "{text}");
}

#[test]
fn case_18_line_ends_are_those_that_git_gives() {
    for autocrlf in ["true", "input", "false"] {
        for text in ["a = 1\nb = 2\n", "a = 1\r\nb = 2\r\n"] {
            let repo = Repo::new("stage");
            repo.ok(&["config", "core.autocrlf", autocrlf]);
            repo.stage("a.py", text);
            let before = repo.state();
            repo.ok(&["commit", "-qm", "plain"]);
            let after = repo.state();
            assert_eq!(after.files_but(&[]), before.files_but(&[]), "{autocrlf} {text:?}");
            assert_eq!(after.answers["index"], before.answers["index"], "{autocrlf} {text:?}");
            assert_eq!(repo.status(), "", "{autocrlf} {text:?}");
        }
    }
}

#[test]
fn case_18_black_keeps_the_line_ends_of_a_file() {
    let settings = "[tool.pyqa]\nonly = [\"black\"]\n[tool.pyqa.hooks]\nfix = \"stage\"\n";
    for (attribute, in_tree, in_index) in [
        ("*.py text eol=crlf\n", "a = 1\r\n", "a = 1\n"),
        ("*.py text eol=lf\n", "a = 1\n", "a = 1\n"),
        ("*.py -text\n", "a = 1\r\n", "a = 1\r\n"),
    ] {
        let repo = Repo::real(settings);
        repo.commit_file(".gitattributes", attribute);
        repo.stage("a.py", in_tree.replace(" = ", "="));
        repo.ok(&["commit", "-qm", "fix"]);
        assert_eq!((repo.read("a.py").as_str(), repo.head("a.py").as_str()), (in_tree, in_index));
        assert_eq!(repo.status(), "");
    }
}

#[test]
fn case_19_filters_are_git_s_and_one_that_fails_stops_the_commit() {
    let repo = Repo::new("stage");
    repo.ok(&["config", "filter.up.clean", "tr a-z A-Z"]);
    repo.ok(&["config", "filter.up.smudge", "tr A-Z a-z"]);
    repo.commit_file(".gitattributes", "up*.py filter=up\n");
    repo.commit_file("up_other.py", "other = 1\n");
    let untouched = repo.ok(&["ls-files", "-s", "up_other.py"]);
    repo.stage("up.py", unfixed(1));
    repo.put("up.py", unfixed(1) + MINE);
    repo.ok(&["commit", "-qm", "fix"]);
    // Tools saw what a work tree would hold; the index holds what the clean filter makes.
    assert_eq!(repo.seen_content("up.py"), fixed(&unfixed(1)));
    assert_eq!(repo.head("up.py"), fixed(&unfixed(1)).to_uppercase());
    assert_eq!(repo.read("up.py"), fixed(&unfixed(1)) + MINE);
    assert_eq!(repo.ok(&["ls-files", "-s", "up_other.py"]), untouched);

    repo.ok(&["config", "filter.up.smudge", "false"]);
    repo.ok(&["config", "filter.up.required", "true"]);
    repo.stage("up.py", "b = 2\n");
    repo.put("up.py", "b = 2\nmine = 1\n");
    let text = repo.refused(&["commit", "-qm", "no filter"]);
    assert!(text.contains("filter"), "{text}");
}

#[test]
fn case_26_files_of_all_names_are_checked_and_fixed() {
    let names: [&[u8]; 11] = [
        b"n\xff.py",
        b"new\nline.py",
        b"tab\t.py",
        b"qu'ote\".py",
        b" lead.py",
        b"trail .py",
        b"-x.py",
        b":(glob)*.py",
        "emoji \u{1f40d} n\u{303}.py".as_bytes(),
        "e\u{301}.py".as_bytes(),
        b"back\\slash.py",
    ];
    let repo = Repo::new("stage");
    for name in names {
        fs::write(repo.path(std::ffi::OsStr::from_bytes(name)), UNFIXED).unwrap();
    }
    repo.ok(&["add", "-A"]);
    let run = repo.git(&["commit", "-qm", "names"]);
    assert!(run.passed, "{}", run.text);
    let mut checked = repo.checked();
    checked.dedup();
    assert_eq!(checked.len(), names.len(), "{checked:?}");
    for name in names {
        let path = repo.path(std::ffi::OsStr::from_bytes(name));
        assert_eq!(fs::read(&path).unwrap(), CLEAN.as_bytes(), "{}", path.display());
    }
    assert_eq!(repo.status(), "");
}

/// A rename that on some file systems does not change which file a name stands for.
#[test]
fn case_26_a_rename_of_nothing_but_case_is_checked_by_its_new_name() {
    for ignore_case in ["false", "true"] {
        let repo = Repo::new("stage");
        repo.ok(&["config", "core.ignorecase", ignore_case]);
        repo.commit_file("module.py", unfixed(1));
        repo.ok(&["mv", "-f", "module.py", "Module.py"]);
        repo.stage("Module.py", unfixed(2));
        repo.put("Module.py", unfixed(2) + MINE);
        let run = repo.git(&["commit", "-qm", "case"]);
        assert!(run.passed, "{ignore_case}: {}", run.text);
        let mut checked = repo.checked();
        checked.dedup();
        assert_eq!(checked, ["Module.py"], "{ignore_case}");
        let names = repo.ok(&["ls-tree", "--name-only", "HEAD"]);
        assert_eq!(names, "Module.py\npyproject.toml\n", "{ignore_case}");
        assert_eq!(repo.head("Module.py"), fixed(&unfixed(2)), "{ignore_case}");
        assert_eq!(repo.read("Module.py"), fixed(&unfixed(2)) + MINE, "{ignore_case}");
        assert_eq!(repo.status(), " M Module.py\n", "{ignore_case}");

        // Back again, in the snapshot that has the other name, and with content that fails.
        repo.ok(&["checkout", "-q", "Module.py"]);
        repo.ok(&["mv", "-f", "Module.py", "module.py"]);
        repo.stage("module.py", BAD);
        repo.put("module.py", CLEAN);
        let text = repo.refused(&["commit", "-qm", "back"]);
        assert!(text.contains("module.py:1") && !text.contains("Module.py"), "{text}");
        repo.stage("module.py", CLEAN);
        repo.put("module.py", BAD);
        repo.ok(&["commit", "-qm", "back"]);
        assert_eq!(repo.head("module.py"), CLEAN, "{ignore_case}");
        assert_eq!(repo.status(), " M module.py\n", "{ignore_case}");
    }
}

#[test]
fn case_26_mypy_finds_a_module_by_the_name_that_is_staged() {
    let repo = Repo::real("[tool.pyqa]\nonly = [\"mypy\"]\n");
    repo.commit_file("module.py", "VALUE: int = 1\n");
    repo.commit_file("user.py", "from module import VALUE\n\nCOPY: int = VALUE\n");
    repo.ok(&["mv", "-f", "module.py", "Module.py"]);
    let text = repo.refused(&["commit", "-qm", "half"]);
    assert!(text.contains("user.py:1") && text.contains("import-not-found"), "{text}");
    repo.stage("user.py", "from Module import VALUE\n\nCOPY: int = VALUE\n");
    repo.ok(&["commit", "-qm", "whole"]);
    assert_eq!(repo.status(), "");
}

#[test]
fn case_26_reports_of_such_names_are_valid() {
    let repo = Repo::new("off");
    for name in [&b"n\xff.py"[..], b"new\nline.py", b"sp ace#.py"] {
        fs::write(repo.path(std::ffi::OsStr::from_bytes(name)), BAD).unwrap();
    }
    repo.ok(&["add", "-A"]);
    let run = repo.pyqa(&["check", "--staged", "--output-format", "sarif"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let report = run.json();
    let results = report["runs"][0]["results"].as_array().unwrap();
    let uris: std::collections::BTreeSet<_> = results
        .iter()
        .map(|r| r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap())
        .collect();
    assert_eq!(
        uris.into_iter().collect::<Vec<_>>(),
        ["n%FF.py", "new%0Aline.py", "sp%20ace%23.py"]
    );
}

#[test]
fn case_28_modes_sizes_and_odd_content() {
    let repo = Repo::new("stage");
    repo.commit_file("a.py", CLEAN);
    repo.ok(&["update-index", "--chmod=+x", "a.py"]);
    let run = repo.git(&["commit", "-qm", "mode only"]);
    assert!(run.passed, "{}", run.text);
    assert!(repo.ok(&["ls-tree", "HEAD", "a.py"]).starts_with("100755"));
    // The mode in the work tree is as it was.
    let mode = fs::metadata(repo.path("a.py")).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0);

    repo.stage("empty.py", "");
    repo.stage("binary.py", b"\0\xff\xfe\0b=1");
    repo.stage("bom.py", "\u{feff}b=1\n");
    repo.stage("no_end.py", "b=1");
    repo.put("no_end.py", "b=1\nmine = 2");
    repo.ok(&["commit", "-qm", "odd"]);
    assert_eq!(repo.head("bom.py"), "\u{feff}b = 1\n");
    assert!(repo.read("no_end.py").ends_with("mine = 2"));

    repo.put("empty.py", vec![b'#'; 10 << 20]);
    repo.ok(&["add", "empty.py"]);
    repo.ok(&["commit", "-qm", "large"]);
    fs::set_permissions(repo.path("bom.py"), Permissions::from_mode(0o755)).unwrap();
    repo.put("bom.py", "c=1\n");
    repo.ok(&["commit", "-qm", "fix an executable", "bom.py"]);
    let mode = fs::metadata(repo.path("bom.py")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    assert_eq!(repo.read("bom.py"), "c = 1\n");
}
