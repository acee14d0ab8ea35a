//! Every report format, checked by schemas and readers of others, and what happens on GitHub.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::{Project, validators};

const FORMATS: [&str; 8] =
    ["json", "jsonl", "sarif", "gitlab", "junit", "checkstyle", "rdjson", "github"];

/// Runs pyqa with a report of every format, and has all of them checked.
fn validate(project: &Project, arguments: &[&str]) -> String {
    let reports: Vec<String> =
        FORMATS.iter().map(|format| format!("--report={format}=out/report.{format}")).collect();
    let reports: Vec<&str> = reports.iter().map(String::as_str).collect();
    let run = project.pyqa(&[&["check"], arguments, &reports].concat());
    assert_eq!(run.code, 1, "{}", run.stderr);
    let out = project.path("out");
    if let Some(schema) = validators::code_climate_schema() {
        fs::write(out.join("code-climate.json"), schema).unwrap();
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tools/validate_reports.py");
    let output = Command::new(validators::python()).arg(script).arg(&out).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    if let Some(output) = validators::sarif_multitool(&out.join("report.sarif")) {
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
        assert!(text.contains("1 files scanned"), "{text}");
        assert!(!text.contains(": error "), "{text}");
    }
    if let Some(modules) = validators::node_modules() {
        let program = modules.join("@umbrelladocs/rdformat-validator/bin/rdformat-validator.js");
        let output = Command::new("node")
            .arg(program)
            .args(["--strict", "--no-extra-fields"])
            .arg(out.join("report.rdjson"))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }
    said
}

#[test]
fn reports_of_all_tools_satisfy_the_schemas_and_readers_of_others() {
    let said = validate(&Project::fixture("demo"), &[]);
    assert!(said.contains("sarif: 6 results in 5 runs"), "{said}");
    assert!(said.contains("junit: 8 cases, 6 failed"), "{said}");
}

/// Messages of a tool, file names and tests made to break formats.
fn hostile() -> Project {
    let mut project = Project::new();
    project.write(
        "pyproject.toml",
        "[tool.pyqa.tools.hostile]\ngranularity = \"project\"\ncommand = { program = \"hostile\" }\n\
         output = { format = \"regex\", pattern = '^(?P<path>\\S+):(?P<line>\\d+) (?P<message>.*)$' }\n",
    );
    let messages = [
        "100% sure::error file=x,line=1::no %0A%25 , :".to_owned(),
        "<b>&amp;\"quoted\" 'single' ]]> | `tick` \\ </failure>".to_owned(),
        "\x01\x07\x08 \x1b[31mred\x1b[0m \x7f \u{80}\u{9b}31m \u{fffe} \u{202e} \u{2028} end"
            .to_owned(),
        "##[error] ::set-output name=x::y ##vso[task.complete]".to_owned(),
        "x".repeat(1 << 20),
    ];
    let line = |(at, text): (usize, &String)| format!("a.py:{} {text}\n", at + 1);
    let lines = messages.iter().enumerate().map(line).collect::<Vec<_>>().concat();
    project.write("lines", lines).write("a.py", "1\n2\n3\n4\n5\n");
    let folder = project.path("../bin");
    fs::create_dir_all(&folder).unwrap();
    let program = folder.join("hostile");
    fs::write(&program, "#!/bin/sh\ncat lines\nexit 1\n").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    project.set("PATH", path);
    for name in ["a b,c:d%e::f.py", "new\nline\r.py", "quo\"te'<&>|`.py", "ünï\x1b[31m.py"] {
        project.write(name, "assert name\n");
    }
    project.write(std::ffi::OsStr::from_bytes(b"caf\xe9.py"), "assert name\n");
    project.write(
        "test_hostile.py",
        "import pytest\n\n\n@pytest.mark.parametrize(\"x\", [\"%0A::error::\", \"]]>\", \"<\\x1b[1m\"])\n\
         def test_x(x):\n    raise ValueError(\"100%\\n::error::second line\\r]]> \\x00\\x1b[31m \" + x)\n",
    );
    project
}

#[test]
fn hostile_messages_names_and_tests_break_no_format() {
    let said = validate(&hostile(), &["--only", "hostile,bandit,pytest"]);
    assert!(said.contains("json: 13 findings"), "{said}");
    assert!(said.contains("github: 13 commands"), "{said}");
}

#[test]
fn on_github_annotations_are_on_by_themselves_and_many_go_to_the_step_s_page() {
    let mut project = Project::new();
    project.set("GITHUB_ACTIONS", "true").set("GITHUB_STEP_SUMMARY", "summary.md");
    project.write("a.py", "import os\n");
    let run = project.pyqa(&["check", "--only", "flake8", "--output-format", "concise"]);
    let expected = "a.py:1:1: F401 'os' imported but unused [flake8]\n\
                    ::error file=a.py,line=1,endLine=1,col=1,title=flake8 F401::'os' imported but unused\n";
    assert_eq!((run.code, run.stdout.as_str()), (1, expected));
    assert!(!project.path("summary.md").exists());
    project.write("a.py", "import os\n".repeat(40));
    let run = project.pyqa(&["check", "--only", "flake8", "--output-format", "concise"]);
    assert_eq!(run.stdout.matches("::error ").count(), run.stdout.matches("[flake8]").count());
    let page = fs::read_to_string(project.path("summary.md")).unwrap();
    assert!(page.contains("| a.py\\:40\\:1 | flake8 F401 |"), "{page}");
    let run = project.pyqa(&["check", "--only", "flake8", "--output-format", "json"]);
    assert!(!run.stdout.contains("::error"), "a report for machines stays as it is");
}
