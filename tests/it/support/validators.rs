//! Programs of others that check reports: Python's of tests/validators.txt, and node's of
//! tests/package.json. Both are installed once, below Cargo's folder for tests.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use super::environment::{make_environment, run};

const REQUIREMENTS: &str = include_str!("../../validators.txt");
const PACKAGE: &str = include_str!("../../package.json");
const LOCK: &str = include_str!("../../package-lock.json");

/// Python with the packages of tests/validators.txt.
pub(crate) fn python() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let make = |folder: &Path| make_environment(folder, REQUIREMENTS);
    FOLDER.get_or_init(|| once("validators", REQUIREMENTS, make)).join("bin/python")
}

/// Folder of node's packages; `None` where there is no npm.
pub(crate) fn node_modules() -> Option<PathBuf> {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    Command::new("npm").arg("--version").output().ok().filter(|output| output.status.success())?;
    let make = |folder: &Path| {
        let _ = fs::remove_dir_all(folder);
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("package.json"), PACKAGE).unwrap();
        fs::write(folder.join("package-lock.json"), LOCK).unwrap();
        let quiet = ["ci", "--no-audit", "--no-fund", "--ignore-scripts"];
        run(Command::new("npm").args(quiet).current_dir(folder));
    };
    Some(FOLDER.get_or_init(|| once("node", LOCK, make)).join("node_modules"))
}

/// A folder made once for this content, whichever process comes first.
fn once(name: &str, content: &str, make: impl Fn(&Path)) -> PathBuf {
    let name = format!("{name}-{}", &blake3::hash(content.as_bytes()).to_hex()[..12]);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let lock = File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    if !folder.join("complete").exists() {
        make(&folder);
        fs::write(folder.join("complete"), "").unwrap();
    }
    folder
}

/// What Microsoft's validator says of a SARIF file; `None` where there is no npm, or none of its
/// programs for this system.
pub(crate) fn sarif_multitool(report: &Path) -> Option<Output> {
    use std::os::unix::fs::PermissionsExt;
    let system = if cfg!(target_os = "macos") { "darwin" } else { "linux" };
    let folder = node_modules()?.join(format!("@microsoft/sarif-multitool-{system}"));
    let program = folder.join("Sarif.Multitool");
    // Its installation script, which is not run, does nothing else.
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).ok()?;
    let log = report.with_extension("validated");
    Command::new(program)
        .arg("validate")
        .arg(report)
        .arg("--output")
        .arg(log)
        .env("DOTNET_SYSTEM_GLOBALIZATION_INVARIANT", "1")
        .output()
        .ok()
}
