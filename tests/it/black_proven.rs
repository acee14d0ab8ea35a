//! pyqa's way to call black gives what black gives, and is taken with no black but those that were
//! read for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Project, tool_environment};

fn site_packages(environment: &Path) -> PathBuf {
    let mut versions = fs::read_dir(environment.join("lib")).unwrap();
    versions.next().unwrap().unwrap().path().join("site-packages")
}

/// Sources of others, from small to middle-sized, most of which black would change.
fn sources() -> Vec<PathBuf> {
    let packages = ["pygments/styles", "bandit/plugins", "pyflakes", "pluggy", "click"];
    let folders = packages.map(|name| site_packages(tool_environment()).join(name));
    let files = folders.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten());
    let is_source = |path: &PathBuf| {
        let size = fs::metadata(path).map_or(0, |meta| meta.len());
        path.extension().is_some_and(|e| e == "py") && (500..12_000).contains(&size)
    };
    let mut files: Vec<PathBuf> = files.map(|f| f.unwrap().path()).filter(is_source).collect();
    files.sort();
    files.into_iter().step_by(2).take(40).collect()
}

#[test]
fn black_answers_the_same_by_itself_and_where_pyqa_leaves_out_a_pass() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/both_ways.py");
    let sources = sources();
    assert!(sources.len() > 25, "{sources:?}");
    let mut command = Command::new(tool_environment().join("bin/python"));
    let run = command.arg(script).arg("--odd").args(&sources).output().unwrap();
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}{}", String::from_utf8_lossy(&run.stderr));
    let expected = format!("{} texts, 0 left to black, 0 wrong\n", sources.len());
    assert!(said.ends_with(&expected), "{said}");
}

/// A project whose black says whether pyqa's own module is there.
fn with_black(version: &str) -> Project {
    let mut project = Project::new();
    let environment = project.path("../env");
    let mut command = Command::new("python3");
    assert!(
        command.args(["-m", "venv", "--without-pip"]).arg(&environment).status().unwrap().success()
    );
    let site = site_packages(&environment);
    let info = site.join(format!("black-{version}.dist-info"));
    fs::create_dir_all(&info).unwrap();
    fs::create_dir_all(site.join("black")).unwrap();
    let metadata = format!("Metadata-Version: 2.1\nName: black\nVersion: {version}\n");
    fs::write(info.join("METADATA"), metadata).unwrap();
    fs::write(info.join("entry_points.txt"), "[console_scripts]\nblack = black:patched_main\n")
        .unwrap();
    fs::write(info.join("RECORD"), "").unwrap();
    let code = "import sys\n\ndef patched_main():\n    sys.stdin.read()\n    \
                print('pyqa_black_proven' in sys.modules)\n";
    fs::write(site.join("black/__init__.py"), code).unwrap();
    fs::write(environment.join("bin/black"), "").unwrap();
    project.set("VIRTUAL_ENV", environment);
    project
}

#[test]
fn a_black_that_was_not_tested_is_called_as_it_is_and_one_with_other_code_decides_itself() {
    for (version, helped) in [("26.10.1", "True\n"), ("26.10.2", "False\n")] {
        let mut project = with_black(version);
        project.write("a.py", "x = 1\n");
        // Without the folder of pyqa's own modules on the path, too.
        for (workers, safe_path) in [("0", ""), ("1", ""), ("0", "1"), ("1", "1")] {
            project.set("PYQA_WORKERS", workers).set("PYTHONSAFEPATH", safe_path);
            let run = project.pyqa(&["format", "--diff", "a.py"]);
            let told = format!("+{helped}");
            assert!(run.stdout.ends_with(&told), "{version}: {}{}", run.stdout, run.stderr);
        }
    }
}
