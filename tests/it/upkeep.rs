//! What every command that runs tools does for the cache afterwards, be it a hook.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::support::Project;
use crate::support::files::set_modified;

/// An entry that nobody has used for long.
fn old_entry(project: &Project) -> PathBuf {
    let entry = project.cache().join("results/packs/old/1.segment");
    fs::create_dir_all(entry.parent().unwrap()).unwrap();
    fs::write(&entry, "old").unwrap();
    let time = SystemTime::now() - Duration::from_hours(24 * 40);
    set_modified(&entry, time);
    entry
}

#[test]
fn old_entries_are_removed_once_a_day_whatever_runs() {
    let project = Project::new();
    project.write("pyproject.toml", "[tool.pyqa]\nonly = [\"flake8\", \"black\"]\n");
    project.write("a.py", "VALUE = 1\n").git(&["init", "-q"]).git(&["add", "-A"]);
    for command in [&["check"][..], &["hook", "pre-commit", "--"], &["format"]] {
        let entry = old_entry(&project);
        let stamp = project.cache().join("collected");
        let _ = fs::remove_file(&stamp);
        let run = project.pyqa(command);
        assert_eq!(run.code, 0, "{command:?}: {}", run.stderr);
        assert!(!entry.exists() && stamp.exists(), "{command:?}");
        let entry = old_entry(&project);
        assert_eq!(project.pyqa(command).code, 0);
        assert!(entry.exists(), "{command:?} collects twice a day");
    }
    let entry = old_entry(&project);
    fs::remove_file(project.cache().join("collected")).unwrap();
    assert_eq!(project.pyqa(&["check", "--no-cache"]).code, 0);
    assert!(entry.exists(), "a run without a cache touches it");
    assert_eq!(project.pyqa(&["tools"]).code, 0);
    assert!(entry.exists(), "a command that runs no tool collects");
}

#[test]
fn what_a_hook_has_run_and_replayed_is_part_of_the_statistics() {
    let project = Project::new();
    project.write("pyproject.toml", "[tool.pyqa]\nonly = [\"flake8\"]\n");
    project.write("a.py", "VALUE = 1\n").git(&["init", "-q"]).git(&["add", "-A"]);
    for _ in 0..3 {
        assert_eq!(project.pyqa(&["hook", "pre-commit", "--"]).code, 0);
    }
    let log = fs::read_to_string(project.cache().join("usage")).unwrap();
    let lines: Vec<serde_json::Value> =
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let counts: Vec<[u64; 2]> = lines
        .iter()
        .map(|line| ["run", "replayed"].map(|name| line["tools"]["flake8"][name].as_u64().unwrap()))
        .collect();
    assert_eq!(counts, [[1, 0], [0, 1], [0, 1]]);
    let stats = project.pyqa(&["cache", "stats"]);
    assert!(stats.stdout.contains("flake8"), "{}", stats.stdout);
}
