//! What codes mean: that everything the pinned tools can report is known.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::{Project, further_environment, tool_environment};

const PLUGINS: &str = include_str!("../plugins.txt");

/// Tool → code → what the tool itself says of it.
fn codes_of(environment: &Path) -> Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/tool_codes.py");
    let output = Command::new(environment.join("bin/python")).arg(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_code_of_the_pinned_tools_and_plugins_is_known() {
    let meanings = pyqa::tools::rules::all();
    let mut seen = 0;
    for environment in [tool_environment().to_owned(), further_environment("plugins", PLUGINS)] {
        for (tool, codes) in codes_of(&environment).as_object().unwrap() {
            for (code, said) in codes.as_object().unwrap() {
                let known = meanings.iter().find(|m| m.tool.as_str() == tool && m.code == *code);
                let known = known.unwrap_or_else(|| panic!("{tool}: {code} is not known"));
                let is_off = ["Off by default", "Off unless"];
                let is_off = is_off.iter().any(|words| known.text.contains(words));
                assert_eq!(said["off"], is_off, "{tool}: {code}: {}", known.text);
                if let Some(url) = said["url"].as_str() {
                    assert_eq!(known.url, url);
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 400, "{seen}");
}

#[test]
fn a_code_is_explained_and_an_unknown_one_is_an_error_with_its_neighbours() {
    let project = Project::without_environment();
    let run = project.pyqa(&["rule", "f401"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.starts_with("F401  flake8 (pyflakes)\n"), "{}", run.stdout);
    assert!(run.stdout.contains("# noqa: F401\nhttps://"), "{}", run.stdout);
    let run = project.pyqa(&["rule", "retrun", "B101"]);
    assert_eq!(run.code, 2);
    assert!(run.stdout.starts_with("B101  bandit\n"), "{}", run.stdout);
    assert!(run.stderr.contains("`retrun`") && run.stderr.contains("`return`"), "{}", run.stderr);
}

#[test]
fn without_a_code_all_are_listed_and_with_a_plugin_its_own() {
    let project = Project::without_environment();
    let all = project.pyqa(&["rule"]);
    for code in ["E501", "B950", "D100", "N801", "C400", "arg-type", "B101", "failed"] {
        assert!(
            all.stdout.lines().any(|line| line.split_whitespace().next() == Some(code)),
            "{code}"
        );
    }
    let naming = project.pyqa(&["rule", "pep8-naming"]).stdout;
    assert!(naming.contains("N801") && !naming.contains("E501"), "{naming}");
}

#[test]
fn sarif_has_the_same_texts() {
    let project = Project::new();
    project.write("a.py", "import os\nassert os\neval('1')\n");
    let run = project.pyqa(&["check", "--only", "bandit", "--output-format", "sarif"]);
    let rules = run.json()["runs"][0]["tool"]["driver"]["rules"].clone();
    let said = project.pyqa(&["rule", "B101"]).stdout;
    let text = rules[0]["shortDescription"]["text"].as_str().unwrap();
    assert!(said.contains(text), "{said}");
    // Of the version that ran.
    assert!(rules[0]["helpUri"].as_str().unwrap().contains("/en/1.9.4/"), "{rules}");
}
