//! The tools say the same in warm processes as in processes of their own, also where they fail.

use std::os::unix::ffi::OsStrExt;

use crate::support::{Project, Run};
use crate::worker_spares::until_children_wait;

/// What a run found and what went wrong, without times.
pub(super) fn told(run: &Run) -> serde_json::Value {
    let report = run.json();
    let tools: Vec<_> = report["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| serde_json::json!([tool["tool"], tool["failures"], tool["units_run"]]))
        .collect();
    serde_json::json!([run.code, report["findings"], tools])
}

/// Checks the project with plain processes, with workers of one run and with a kept one, the second
/// time in children that have waited.
fn all_ways(project: &mut Project, arguments: &[&str]) {
    let arguments = [&["--no-cache", "--only", "flake8,bandit,black"], arguments].concat();
    project.set("PYQA_WORKERS", "0");
    let plain = project.check(&arguments);
    for workers in ["run", "1", "1"] {
        project.set("PYQA_WORKERS", workers);
        let warm = project.check(&arguments);
        assert_eq!(told(&warm), told(&plain), "PYQA_WORKERS={workers}");
        if workers == "1" {
            until_children_wait(project, 3);
        }
    }
    let status = project.pyqa(&["worker", "status"]).stdout;
    assert!(status.contains("black") && status.contains("bandit"), "{status}");
}

#[test]
fn the_tools_say_the_same_about_every_fixture() {
    for name in ["blog-2020", "broken-syntax", "clean", "demo", "src-layout", "tox-ini-only"] {
        all_ways(&mut Project::fixture(name), &[]);
    }
}

#[test]
fn the_tools_say_the_same_about_odd_names_and_contents() {
    let mut project = Project::new();
    project.write(std::ffi::OsStr::from_bytes(b"n\xff.py"), "import os\nassert os\n");
    for (name, text) in [
        ("-x.py", &b"import os\n"[..]),
        ("new\nline.py", b"import os\n"),
        ("latin.py", b"# -*- coding: latin-1 -*-\nx = '\xe4'\n"),
        ("broken.py", b"x = '\xe4'\n"),
        ("nul.py", b"x = 1\0\n"),
        ("bom.py", b"\xef\xbb\xbfx = 1\r\n"),
        ("empty.py", b""),
    ] {
        project.write(name, text);
    }
    all_ways(&mut project, &[]);
}

/// A plugin of the project's own that goes wrong on some files.
#[test]
fn the_tools_fail_the_same_way() {
    let mut project = Project::new();
    project
        .write("tox.ini", "[flake8:local-plugins]\nextension =\n    XX = rogue:check\npaths = .\n");
    project.write(
        "rogue.py",
        "import os\nimport signal\n\n\ndef check(tree, filename):\n    \
         text = open(filename).read()\n    \
         if 'raise' 'me' in text:\n        raise RuntimeError('rogue')\n    \
         if 'kill' 'me' in text:\n        os.kill(os.getpid(), signal.SIGKILL)\n    \
         if 'hang' 'me' in text:\n        signal.pause()\n    return []\n",
    );
    for name in ["a", "b", "c"] {
        project.write(format!("{name}.py"), "import os\n");
    }
    for word in ["raiseme", "killme", "hangme"] {
        project.write("bad.py", format!("# {word}\n"));
        all_ways(&mut project, &["--timeout", "8"]);
    }
}
