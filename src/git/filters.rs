//! What decides how git writes a blob as a file, beside the blob: [`filters`].

use std::fs;
use std::path::PathBuf;

use git2::Config;

use super::entries::{Entry, open};
use super::worktree::WorkTree;
use crate::hash::{Digest, Fingerprint};

/// Settings under `core` that count.
const CORE: [&str; 5] =
    ["core.autocrlf", "core.eol", "core.symlinks", "core.filemode", "core.attributesfile"];

/// Stands for the attributes and filters that apply to `entries`.
pub(super) fn filters(work_tree: &WorkTree, entries: &[Entry]) -> Fingerprint {
    let mut digest = Digest::new("pyqa filters of git");
    for entry in entries.iter().filter(|entry| entry.path.file_name() == b".gitattributes") {
        digest.field("attributes", entry.path.as_bytes()).field("blob", &entry.blob);
    }
    let common = work_tree.common_dir();
    let mut files = vec![common.join("info/attributes")];
    match settings(work_tree) {
        Ok(settings) => {
            for (name, value) in settings {
                digest.field(&name, &value);
                if name == "core.attributesfile" {
                    files.push(PathBuf::from(value));
                }
            }
        }
        // libgit2 does not read this repository; its own file has most of what counts.
        Err(_) => files.push(common.join("config")),
    }
    for file in files {
        digest.field("file", fs::read(file).unwrap_or_default());
    }
    digest.finish()
}

fn settings(work_tree: &WorkTree) -> Result<Vec<(String, String)>, git2::Error> {
    let config: Config = open(work_tree)?.config()?.snapshot()?;
    let mut settings = Vec::new();
    let mut entries = config.entries(None)?;
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = String::from_utf8_lossy(entry.name_bytes()).to_lowercase();
        if CORE.contains(&name.as_str()) || name.starts_with("filter.") {
            settings.push((name, String::from_utf8_lossy(entry.value_bytes()).into_owned()));
        }
    }
    Ok(settings)
}
