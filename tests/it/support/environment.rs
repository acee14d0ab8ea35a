//! The environment with the tools of tests/requirements.txt, below Cargo's folder for tests. Each
//! start of its interpreter is counted, so that a test can tell that there was none.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const REQUIREMENTS: &str = include_str!("../../requirements.txt");

/// An interpreter that starts appends its process number to the file named by this variable.
pub(crate) const STARTS: &str = "PYQA_TEST_STARTS";

/// The environment's folder.
pub(crate) fn tool_environment() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let name = format!("tools-{}", &blake3::hash(REQUIREMENTS.as_bytes()).to_hex()[..12]);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let lock = File::create(folder.with_extension("lock")).unwrap();
        lock.lock().unwrap();
        if !folder.join("complete").exists() {
            make(&folder);
        }
        folder
    })
}

/// An environment with the packages of a requirements file.
pub(super) fn make_environment(folder: &Path, requirements: &str) {
    let _ = fs::remove_dir_all(folder);
    run(Command::new("python3").args(["-m", "venv"]).arg(folder));
    let file = folder.join("requirements.txt");
    fs::write(&file, requirements).unwrap();
    let python = folder.join("bin/python");
    run(Command::new(python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&file));
}

fn make(folder: &Path) {
    make_environment(folder, REQUIREMENTS);
    let python = folder.join("bin/python");
    let output = Command::new(&python)
        .args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
        .output()
        .unwrap();
    let site = String::from_utf8(output.stdout).unwrap();
    // The interpreter runs such a line at each start, twice where its two folders of packages are
    // one by way of a link.
    let line = format!(
        "import os; name = os.environ.get('{STARTS}'); \
         name and open(name, 'a').write(f'{{os.getpid()}}\\n')\n"
    );
    fs::write(Path::new(site.trim()).join("pyqa_test_starts.pth"), line).unwrap();
    fs::write(folder.join("complete"), "").unwrap();
}

fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
