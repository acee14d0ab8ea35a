//! The rooms of src/ and which of them may know of each other: ARCHITECTURE.md, enforced.

use std::fs;
use std::path::Path;

/// Room → rooms that it may use. `paths`, `hash`, `error`, `finding`, `event` and `shard` may be used by all.
const MAY_USE: [(&str, &[&str]); 13] = [
    ("baseline", &[]),
    ("project", &[]),
    ("config", &["project"]),
    ("git", &["project", "config", "exec"]),
    ("tools", &["project", "config", "exec"]),
    ("exec", &["project"]),
    ("cache", &["project"]),
    ("plan", &["project", "config", "tools"]),
    ("engine", &["project", "config", "git", "tools", "exec", "cache", "plan", "baseline"]),
    ("report", &["baseline"]),
    ("lsp", &["project", "config", "tools", "exec", "engine", "report"]),
    ("ci", &["config"]),
    (
        "cli",
        &[
            "project", "config", "git", "tools", "exec", "cache", "plan", "engine", "baseline",
            "report", "lsp", "ci",
        ],
    ),
];
const FOR_ALL: [&str; 7] = ["dropped", "paths", "hash", "error", "finding", "event", "shard"];

#[test]
fn no_room_knows_of_one_that_it_must_not_know() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (room, allowed) in MAY_USE {
        for_each_file(&source.join(room), &mut |file, text| {
            let code = text.split("#[cfg(test)]").next().unwrap();
            for used in code.split("crate::").skip(1) {
                let end = used.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let used = &used[..end.unwrap_or(used.len())];
                seen += 1;
                if used != room && !allowed.contains(&used) && !FOR_ALL.contains(&used) {
                    wrong.push(format!("{} uses crate::{used}", file.display()));
                }
            }
        });
    }
    assert!(seen > 100, "only {seen} uses were found");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn for_each_file(folder: &Path, on: &mut dyn FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            for_each_file(&path, on);
        } else if path.extension().is_some_and(|e| e == "rs") {
            on(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}
