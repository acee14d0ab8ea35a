//! Where a run's time went: the page in a real browser, and the trace.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Project, further_environment};

fn timed(project: &Project, name: &str, arguments: &[&str]) -> PathBuf {
    let file = project.path(format!("../{name}"));
    let timings = ["check", "--timings", file.to_str().unwrap()];
    let run = project.pyqa(&[&timings[..], arguments].concat());
    assert_ne!(run.code, 2, "{}", run.stderr);
    file
}

#[test]
fn the_trace_has_an_event_for_each_process_and_none_overlap_on_a_core() {
    let project = Project::fixture("demo");
    let file = timed(&project, "trace.json", &["--jobs", "2"]);
    let trace: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let mut threads: BTreeMap<u64, Vec<(u64, u64)>> = BTreeMap::new();
    let mut names = Vec::new();
    for event in trace["traceEvents"].as_array().unwrap() {
        // What every event of the format has.
        assert!(event["name"].is_string() && event["pid"].is_u64() && event["tid"].is_u64());
        match event["ph"].as_str().unwrap() {
            "M" => assert!(event["args"]["name"].is_string()),
            "X" => {
                let (from, length) =
                    (event["ts"].as_u64().unwrap(), event["dur"].as_u64().unwrap());
                threads
                    .entry(event["tid"].as_u64().unwrap())
                    .or_default()
                    .push((from, from + length));
                names.push(event["name"].as_str().unwrap().to_owned());
            }
            other => panic!("{other}"),
        }
    }
    for tool in ["plan", "flake8", "mypy", "bandit", "black", "pytest"] {
        assert!(names.iter().any(|name| name == tool), "{tool} is not in {names:?}");
    }
    assert!(threads.len() <= 3, "pyqa and two cores: {threads:?}");
    for spans in threads.values_mut() {
        spans.sort_unstable();
        // A microsecond may be lost by rounding.
        assert!(spans.windows(2).all(|pair| pair[0].1 <= pair[1].0 + 1), "{spans:?}");
    }
}

#[test]
fn a_name_that_tells_no_form_and_a_file_that_cannot_be_written_are_told() {
    let project = Project::fixture("clean");
    let run = project.pyqa(&["check", "--timings", "x.txt"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("neither a page nor a trace"), "{}", run.stderr);
    let arguments = ["check", "--only", "black", "--timings", "greeting.py/x.html"];
    let run = project.pyqa(&[&arguments[..], &["--report", "json=report.json"]].concat());
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("greeting.py/x.html"), "{}", run.stderr);
    assert!(project.path("report.json").exists(), "the other reports are written");
}

#[test]
fn the_page_is_drawn_by_a_browser_in_both_schemes() {
    let project = Project::fixture("demo");
    let page = timed(&project, "timings.html", &[]);
    let shown = browser(&project, &page, &["--dump-dom"]);
    let dom = String::from_utf8_lossy(&shown);
    for part in ["Batches on each core", "Critical path", "Slowest tests", "test_total", "mypy"] {
        assert!(dom.contains(part), "{part} is not in {dom}");
    }
    let mut pictures = Vec::new();
    for (scheme, flag) in [
        ("light", "--blink-settings=preferredColorScheme=1"),
        ("dark", "--blink-settings=preferredColorScheme=0"),
    ] {
        let picture = project.path(format!("../{scheme}.png"));
        let screenshot = format!("--screenshot={}", picture.display());
        browser(&project, &page, &[&screenshot, "--window-size=1200,1300", flag]);
        let bytes = fs::read(&picture).unwrap();
        assert!(bytes.starts_with(b"\x89PNG"), "{scheme}");
        // To be looked at by a person.
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("timings-{scheme}.png"));
        fs::write(kept, &bytes).unwrap();
        pictures.push(bytes);
    }
    assert_ne!(pictures[0], pictures[1], "both schemes look alike");
    // A run in which all was replayed has a page too.
    let again = timed(&project, "again.html", &["--skip", "pytest"]);
    assert!(fs::read_to_string(again).unwrap().contains("No process had to run"));
}

/// What Chromium writes to standard output, without reaching for any network.
fn browser(project: &Project, page: &Path, arguments: &[&str]) -> Vec<u8> {
    let profile = tempfile::tempdir().unwrap();
    let output = project
        .command("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"])
        .args(["--disable-background-networking", "--disable-component-update"])
        .args(["--hide-scrollbars", "--virtual-time-budget=2000"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .args(arguments)
        .arg(format!("file://{}", fs::canonicalize(page).unwrap().display()))
        .output()
        .expect("chromium is needed for this test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn pytest_s_own_processes_take_as_many_cores_as_they_are() {
    let environment = further_environment("xdist", include_str!("../xdist.txt"));
    let mut project = Project::without_environment();
    project.set("VIRTUAL_ENV", environment);
    for name in ["a", "b", "c"] {
        let test =
            "import os\n\n\ndef test_it():\n    assert os.environ[\"PYTEST_XDIST_WORKER\"]\n";
        project.write(format!("test_{name}.py"), test);
    }
    project.write("pyproject.toml", "[tool.pyqa.pytest]\nparallel = true\n");
    let run = project.check(&["--only", "pytest", "--jobs", "1"]);
    assert_eq!(run.code, 1, "one core is one process: {}", run.stderr);
    let trace = timed(&project, "trace.json", &["--only", "pytest", "--jobs", "3"]);
    let trace: Value = serde_json::from_slice(&fs::read(trace).unwrap()).unwrap();
    let events = trace["traceEvents"].as_array().unwrap().iter();
    assert_eq!(events.filter(|event| event["name"] == "pytest" && event["ph"] == "X").count(), 3);
    let again = project.check(&["--only", "pytest", "--jobs", "3"]);
    assert_eq!((again.code, again.ran("pytest")), (0, 0), "{}", again.stderr);
    // Shards of a parallel run are exact too.
    let ran = |shard: &str| {
        let run = project.check(&["--only", "pytest", "--jobs", "3", "--shard", shard]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.tool("pytest", "tests").as_array().unwrap().len()
    };
    assert_eq!(ran("1/2") + ran("2/2"), 3);
    // Neither that of pytest nor that of its processes.
    project.assert_no_bytecode_in_the_cache();
}

#[test]
fn parallel_tests_without_xdist_run_one_by_one_and_pyqa_says_so() {
    let project = Project::fixture("clean");
    project.write("pyproject.toml", "[tool.pyqa.pytest]\nparallel = 2\n");
    let run = project.pyqa(&["check", "--only", "pytest"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stderr.contains("pytest-xdist"), "{}", run.stderr);
    project.write("pyproject.toml", "[tool.pyqa.pytest]\nparallel = 0\n");
    let run = project.pyqa(&["check"]);
    assert_eq!(run.code, 2);
    assert!(run.stderr.contains("`parallel`"), "{}", run.stderr);
}
