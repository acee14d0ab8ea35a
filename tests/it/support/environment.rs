//! Python environments, each made once from a file of requirements. Starts of the interpreters in
//! those of the tools and runners are counted, so that a test can tell that there was none.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use super::once::once;

const TOOLS: &str = include_str!("../../requirements.txt");
const RUNNERS: &str = include_str!("../../requirements-runners.txt");

/// An interpreter that starts appends its process number to the file named by this variable.
pub(crate) const STARTS: &str = "PYQA_TEST_STARTS";

/// The folder of the environment with the tools.
pub(crate) fn tool_environment() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| environment("tools", TOOLS))
}

/// The folder of the environment with other programs that run hooks.
pub(crate) fn runner_environment() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| environment("runners", RUNNERS))
}

fn environment(name: &str, requirements: &str) -> PathBuf {
    once(name, requirements, |folder| {
        make(folder, requirements);
        count_starts(folder);
    })
}

/// The folder of an environment with these requirements and nothing beside.
pub(crate) fn further_environment(name: &str, requirements: &str) -> PathBuf {
    once(name, requirements, |folder| make(folder, requirements))
}

fn make(folder: &Path, requirements: &str) {
    run(Command::new("python3").args(["-m", "venv"]).arg(folder));
    let file = folder.join("requirements.txt");
    fs::write(&file, requirements).unwrap();
    let python = folder.join("bin/python");
    run(Command::new(python).args(["-m", "pip", "install", "--quiet", "-r"]).arg(&file));
}

/// Makes an environment at `folder` that finds the tools of the tests and may be changed.
pub(crate) fn environment_beside_the_tools(folder: &Path) {
    run(Command::new("python3").args(["-m", "venv", "--without-pip"]).arg(folder));
    let tools = site_packages(tool_environment());
    fs::write(site_packages(folder).join("tools.pth"), format!("{}\n", tools.display())).unwrap();
}

/// The environment's folder of installed packages.
pub(crate) fn site_packages(environment: &Path) -> PathBuf {
    let output = Command::new(environment.join("bin/python"))
        .args(["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().into()
}

fn count_starts(folder: &Path) {
    // The interpreter runs such a line at each start, twice where its two folders of packages are
    // one by way of a link.
    let line = format!(
        "import os; name = os.environ.get('{STARTS}'); \
         name and open(name, 'a').write(f'{{os.getpid()}}\\n')\n"
    );
    fs::write(site_packages(folder).join("pyqa_test_starts.pth"), line).unwrap();
}

pub(super) fn run(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
