//! Runs that are split: the parts make up the whole, and nothing is done twice.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use crate::support::{Project, Run};

const COUNTS: [u32; 3] = [2, 3, 7];

fn project() -> Project {
    let project = Project::fixture("shards");
    project.git(&["init", "-q"]).git(&["add", "-A"]);
    project
}

/// The list of units, each as the text of its JSON object.
fn units(project: &Project, shard: &[&str]) -> Vec<String> {
    let arguments = ["check", "--list-units", "--output-format", "json"];
    let run = project.pyqa(&[&arguments[..], shard].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.json().as_array().unwrap().iter().map(Value::to_string).collect()
}

/// Asserts that the shards' lists together are the whole list, each unit once.
fn assert_exact(project: &Project, count: u32, further: &[&str]) {
    let mut whole = units(project, &[]);
    let mut parts = Vec::new();
    for index in 1..=count {
        let shard = format!("{index}/{count}");
        parts.extend(units(project, &[&["--shard", &shard], further].concat()));
    }
    whole.sort();
    parts.sort();
    assert_eq!(parts, whole, "{count} shards");
    assert_eq!(whole.iter().collect::<BTreeSet<_>>().len(), whole.len());
}

/// Runs all shards and returns the names of their reports and their exit codes.
fn run_shards(project: &Project, count: u32, further: &[&str]) -> (Vec<String>, Vec<i32>) {
    let mut reports = Vec::new();
    let mut codes = Vec::new();
    for index in 1..=count {
        let file = project.path(format!("../shard-{index}-of-{count}.json"));
        let file = file.to_str().unwrap().to_owned();
        let (shard, report) = (format!("{index}/{count}"), format!("json={file}"));
        let arguments = ["check", "--shard", &shard, "--report", &report];
        let run = project.pyqa(&[&arguments[..], further].concat());
        codes.push(run.code);
        reports.push(file);
    }
    (reports, codes)
}

fn merge(project: &Project, reports: &[String], further: &[&str]) -> Run {
    let reports: Vec<&str> = reports.iter().map(String::as_str).collect();
    project.pyqa(&[&["merge"], &reports[..], further].concat())
}

/// The report without what differs between any two runs: times.
fn timeless(mut report: Value) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(members) => {
                for name in ["seconds", "saved_seconds"] {
                    if let Some(time) = members.get_mut(name) {
                        *time = json!(0);
                    }
                }
                members.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    strip(&mut report);
    report
}

#[test]
fn the_shards_lists_are_the_whole_list_and_share_nothing() {
    let project = project();
    let whole = units(&project, &[]);
    let of = |tool: &str| whole.iter().filter(|unit| unit.contains(tool)).count();
    assert_eq!((of("\"flake8\""), of("\"mypy\""), of("\"pytest\"")), (11, 1, 17), "{whole:#?}");
    for count in COUNTS {
        assert_exact(&project, count, &[]);
    }
}

#[test]
fn known_durations_spread_the_tests_and_leave_none_out() {
    let project = project();
    let file = project.path("../durations.json");
    let file = file.to_str().unwrap();
    let report = format!("durations={file}");
    let whole = project.check(&["--only", "pytest", "--report", &report]);
    assert_eq!(whole.code, 1, "{}", whole.stderr);
    let mut durations: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    assert_eq!(durations["tests"].as_object().unwrap().len(), 17);
    // One test takes as long as all others, some are new, and one is gone.
    let long = "tests/test_values.py::test_value[4]";
    for (test, seconds) in durations["tests"].as_object_mut().unwrap() {
        *seconds = json!(if test == long { 100.0 } else { 1.0 });
    }
    let tests = durations["tests"].as_object_mut().unwrap();
    tests.remove("tests/test_classes.py::TestPlain::test_one");
    tests.insert("tests/test_gone.py::test_gone".to_owned(), json!(5));
    fs::write(file, durations.to_string()).unwrap();
    for count in COUNTS {
        assert_exact(&project, count, &["--durations", file]);
    }
    let only = ["--only", "pytest", "--durations", file];
    let first = units(&project, &[&["--shard", "1/2"], &only[..]].concat());
    let known: Vec<_> = first.iter().filter(|unit| !unit.contains("test_one")).collect();
    assert_eq!(known.len(), 1, "{known:?}");
    assert!(known[0].contains("test_value[4]"), "{known:?}");
    // The project's own file is read without being named, and each shard keeps to it.
    project.write(".pyqa-durations.json", durations.to_string());
    assert_eq!(units(&project, &["--only", "pytest", "--shard", "1/2"]), first);
}

#[test]
fn merged_reports_are_the_report_of_the_whole_run() {
    let project = project();
    let whole = project.check(&["--no-cache"]);
    assert_eq!(whole.code, 1, "{}", whole.stderr);
    for count in COUNTS {
        let (reports, codes) = run_shards(&project, count, &["--no-cache"]);
        assert!(codes.contains(&1) && !codes.contains(&2), "{codes:?}");
        let merged = merge(&project, &reports, &["--output-format", "json"]);
        assert_eq!(merged.code, whole.code, "{}", merged.stderr);
        assert_eq!(timeless(merged.json()), timeless(whole.json()), "{count} shards");
    }
}

#[test]
fn a_merged_report_can_have_any_form() {
    let project = project();
    let (reports, _) = run_shards(&project, 2, &["--skip", "pytest"]);
    for format in ["full", "sarif", "gitlab", "checkstyle", "rdjson", "junit"] {
        let arguments = ["check", "--skip", "pytest", "--output-format", format];
        let whole = project.pyqa(&arguments);
        let merged = merge(&project, &reports, &["--output-format", format]);
        assert_eq!(merged.code, whole.code);
        if format != "junit" {
            assert_eq!(merged.stdout, whole.stdout, "{format}");
        }
        assert_eq!(merged.stdout.lines().count(), whole.stdout.lines().count(), "{format}");
    }
    let file = project.path("out/merged.sarif");
    let report = format!("sarif={}", file.display());
    assert_eq!(merge(&project, &reports, &["--report", &report]).code, 1);
    assert!(fs::read_to_string(file).unwrap().contains("\"2.1.0\""));
}

#[test]
fn a_module_that_cannot_be_collected_fails_each_shard_and_is_told_once() {
    let project = project();
    project.write("tests/test_broken.py", "import nowhere\n");
    let only = ["--only", "pytest,flake8"];
    let whole = project.check(&only);
    assert_eq!(whole.code, 1, "{}", whole.stderr);
    let (reports, codes) = run_shards(&project, 3, &only);
    assert_eq!(codes, [1, 1, 1]);
    let merged = merge(&project, &reports, &["--output-format", "json"]);
    assert_eq!(timeless(merged.json())["findings"], timeless(whole.json())["findings"]);
    assert_eq!(merged.code, 1);
    let run = project.pyqa(&["check", "--list-units"]);
    assert_eq!(run.code, 2, "a list that is not whole is none: {}", run.stdout);
    assert!(run.stderr.contains("cannot collect"), "{}", run.stderr);
}

#[test]
fn a_shard_whose_tool_crashes_makes_the_whole_fail() {
    let project = project();
    project.write("tests/conftest.py", "import os\n\n\ndef pytest_sessionfinish():\n    if os.path.exists(\"crash\"):\n        os._exit(9)\n");
    let (mut reports, _) = run_shards(&project, 2, &["--only", "pytest,flake8"]);
    project.write("crash", "");
    let file = project.path("../crashed.json");
    let report = format!("json={}", file.display());
    let run =
        project.pyqa(&["check", "--only", "pytest,flake8", "--shard", "2/2", "--report", &report]);
    assert_eq!(run.code, 2, "{}", run.stderr);
    reports[1] = file.to_str().unwrap().to_owned();
    let merged = merge(&project, &reports, &["--output-format", "json"]);
    assert_eq!(merged.code, 2);
    assert_eq!(merged.json()["summary"]["failed_tools"], json!(["pytest"]));
}

#[test]
fn a_shard_s_pass_is_its_own() {
    let project = Project::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        project.write(format!("test_{name}.py"), "def test_it():\n    assert True\n");
    }
    let pytest = ["--only", "pytest"];
    let ran = |shard: &[&str]| {
        let run = project.check(&[&pytest, shard].concat());
        assert_eq!(run.code, 0, "{}", run.stderr);
        (run.ran("pytest"), run.tool("pytest", "tests").as_array().unwrap().len())
    };
    let (first, tests_of_first) = ran(&["--shard", "1/2"]);
    let (second, tests_of_second) = ran(&["--shard", "2/2"]);
    assert_eq!((first, second, tests_of_first + tests_of_second), (1, 1, 6));
    assert_eq!(ran(&["--shard", "1/2"]), (0, tests_of_first));
    assert_eq!(ran(&["--shard", "2/2"]), (0, tests_of_second));
    assert_eq!(ran(&[]), (1, 6));
}

#[test]
fn a_shard_without_tests_is_clean() {
    let project = Project::new();
    project.write("test_a.py", "def test_it():\n    assert True\n");
    let (reports, codes) = run_shards(&project, 3, &["--only", "pytest"]);
    assert_eq!(codes, [0, 0, 0]);
    let merged = merge(&project, &reports, &["--output-format", "json"]);
    assert_eq!(merged.code, 0);
    assert_eq!(merged.tool("pytest", "tests").as_array().unwrap().len(), 1);
}

#[test]
fn reports_that_are_not_all_shards_of_one_run_are_refused() {
    let project = project();
    let only = ["--only", "flake8,mypy"];
    let (reports, _) = run_shards(&project, 3, &only);
    let reports: Vec<String> = reports
        .into_iter()
        .map(|file| {
            // The names are used once more below.
            let kept = format!("{file}.first");
            fs::rename(file, &kept).unwrap();
            kept
        })
        .collect();
    let (other, _) = run_shards(&project, 2, &only);
    let refused = |reports: &[String], part: &str| {
        let run = merge(&project, reports, &[]);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{part}");
        assert!(run.stderr.contains(part), "{part} is not in:\n{}", run.stderr);
    };
    assert_eq!(merge(&project, &reports, &[]).code, 1);
    refused(&reports[..2], "the report of shard 3/3 is missing");
    let twice = [&reports[..], &reports[..1]].concat();
    refused(&twice, "shard 1/3 is there 2 times");
    let mixed = [&reports[..2], &other[..1]].concat();
    refused(&mixed, "one is of 3 shards, the other of 2");
    project.write("lib/part1.py", "\"\"\"Changed.\"\"\"\n");
    let (changed, _) = run_shards(&project, 3, &only);
    let of_two_commits = [&reports[..2], &changed[2..]].concat();
    refused(&of_two_commits, "their files, durations or arguments differ");
    let edit = |file: &str, edit: &dyn Fn(&mut Value)| {
        let mut report: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
        edit(&mut report);
        fs::write(file, report.to_string()).unwrap();
    };
    edit(&reports[0], &|report| report["shard"]["pyqa"] = json!("0.0.1"));
    refused(&reports, "by pyqa 0.0.1");
    edit(&reports[0], &|report| report["version"] = json!(2));
    refused(&reports, "version 2");
    fs::write(&reports[0], "{}").unwrap();
    refused(&reports, "no report of pyqa");
    refused(&["nowhere.json".to_owned()], "nowhere.json");
    let file = project.path("../whole.json");
    let _ = project.pyqa(&[
        "check",
        "--only",
        "flake8",
        "--report",
        &format!("json={}", file.display()),
    ]);
    let whole = file.to_str().unwrap().to_owned();
    assert_eq!(merge(&project, std::slice::from_ref(&whole), &[]).code, 1);
    refused(&[whole.clone(), other[1].clone()], "the report of a whole run");
}

#[test]
fn a_tool_that_only_some_shards_have_run_is_refused() {
    let project = project();
    let (reports, _) = run_shards(&project, 2, &["--only", "flake8,mypy"]);
    for tool in ["flake8", "mypy"] {
        let copies: Vec<String> = reports.iter().map(|file| format!("{file}.copy")).collect();
        for (file, copy) in reports.iter().zip(&copies) {
            let mut report: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
            let tools = report["tools"].as_array_mut().unwrap();
            if let Some(at) = tools.iter().position(|report| report["tool"] == tool) {
                // Of mypy's only report nothing is left, of flake8's two reports one.
                if tool == "mypy" || file == &reports[0] {
                    tools.remove(at);
                }
            }
            fs::write(copy, report.to_string()).unwrap();
        }
        let run = merge(&project, &copies, &[]);
        assert_eq!(run.code, 2, "{}", run.stdout);
        assert!(run.stderr.contains(tool), "{}", run.stderr);
    }
}

#[test]
fn mistakes_in_what_a_shard_is_given_are_told() {
    let project = project();
    for (arguments, part) in [
        (&["--shard", "4/3"][..], "names no part of a run"),
        (&["--shard", "1/2", "--durations", "nowhere.json"], "nowhere.json"),
        (&["--durations", "x.json"], "--shard"),
        (&["--shard", "1/2", "--fix"], "--fix"),
        (&["--list-units", "--output-format", "sarif"], "cannot be listed as sarif"),
    ] {
        let run = project.pyqa(&[&["check"], arguments].concat());
        assert_eq!(run.code, 2, "{arguments:?}");
        assert!(run.stderr.contains(part), "{part} is not in:\n{}", run.stderr);
    }
    project.write(".pyqa-durations.json", "{\"version\":7,\"tests\":{}}");
    let run = project.pyqa(&["check", "--shard", "1/2"]);
    assert_eq!(run.code, 2, "{}", run.stdout);
    assert!(run.stderr.contains("its version is 7"), "{}", run.stderr);
}
