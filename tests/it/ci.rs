//! Workflows: that each platform would take what is written for it, and that the steps of the
//! action do what they say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::wheel::wheel;
use crate::support::{Project, further_environment, validators};

const REQUIREMENTS: &str = include_str!("../workflows.txt");
const PLATFORMS: [(&str, &str, &str); 3] = [
    ("github", ".github/workflows/pyqa.yml", "vendor.github-workflows"),
    ("gitlab", ".gitlab-ci.yml", "vendor.gitlab-ci"),
    ("circleci", ".circleci/config.yml", "vendor.circle-ci"),
];

fn validators() -> PathBuf {
    further_environment("workflows", REQUIREMENTS).join("bin")
}

/// Checks a file by a schema that the platform or schemastore.org has published.
fn validate(file: &Path, schema: &str) -> Output {
    let mut command = Command::new(validators().join("check-jsonschema"));
    command.args(["--builtin-schema", schema]);
    if schema == "vendor.gitlab-ci" {
        // GitLab's own tags, such as !reference.
        command.args(["--data-transform", "gitlab-ci"]);
    }
    command.arg(file).output().unwrap()
}

fn assert_valid(file: &Path, schema: &str) {
    let output = validate(file, schema);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn yaml(file: &Path) -> Value {
    let script = "import json, sys; from ruamel.yaml import YAML; \
                  print(json.dumps(YAML(typ='safe').load(open(sys.argv[1], encoding='utf-8'))))";
    let output =
        Command::new(validators().join("python")).args(["-c", script]).arg(file).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn repository() -> Project {
    let project = Project::fixture("clean");
    project.git(&["init", "-q"]);
    project
}

#[test]
fn each_platform_s_schema_accepts_its_workflow() {
    for (platform, file, schema) in PLATFORMS {
        for lock in ["none", "uv.lock", "poetry.lock"] {
            let project = repository();
            project.write(lock, "").write("requirements-dev.txt", "pytest\n");
            let run = project.pyqa(&["install", "--ci", platform]);
            assert_eq!(run.code, 0, "{}", run.stderr);
            assert_valid(&project.path(file), schema);
        }
    }
}

#[test]
fn the_schemas_refuse_what_is_wrong() {
    let project = repository();
    for (platform, file, schema) in PLATFORMS {
        assert_eq!(project.pyqa(&["install", "--ci", platform]).code, 0);
        let text = fs::read_to_string(project.path(file)).unwrap();
        let wrong = text.replace("steps:", "stepss:").replace("  script:", "  scripts: 1\n  x:");
        assert_ne!(wrong, text);
        fs::write(project.path(file), wrong).unwrap();
        assert!(!validate(&project.path(file), schema).status.success(), "{platform}");
    }
}

#[test]
fn a_changed_workflow_is_never_overwritten_without_force() {
    for (platform, file, _) in PLATFORMS {
        let project = repository();
        let install = ["install", "--ci", platform];
        assert_eq!(project.pyqa(&install).code, 0);
        let again = project.pyqa(&install);
        assert_eq!(again.code, 0);
        assert!(again.stdout.starts_with("already installed"), "{}", again.stdout);
        project.write(file, "mine: true\n");
        let refused = project.pyqa(&install);
        assert_eq!(refused.code, 2, "{}", refused.stdout);
        assert!(refused.stderr.contains("--force"), "{}", refused.stderr);
        assert_eq!(fs::read_to_string(project.path(file)).unwrap(), "mine: true\n");
        assert_eq!(project.pyqa(&["install", "--ci", platform, "--force"]).code, 0);
        assert_ne!(fs::read_to_string(project.path(file)).unwrap(), "mine: true\n");
    }
}

/// The commands of the workflow's steps, as they stand there, split and merge a run.
#[test]
fn the_commands_of_the_github_workflow_split_and_merge() {
    let mut project = repository();
    project.write("bad.py", "import os\n");
    assert_eq!(project.pyqa(&["install", "--ci", "github"]).code, 0);
    let workflow = yaml(&project.path(".github/workflows/pyqa.yml"));
    let script = |job: &str, name: &str| {
        let steps = workflow["jobs"][job]["steps"].as_array().unwrap();
        let step = steps.iter().find(|step| step["name"] == name).unwrap();
        step["run"].as_str().unwrap().to_owned()
    };
    let shards = workflow["jobs"]["check"]["strategy"]["matrix"]["shard"].as_array().unwrap().len();
    let temporary = project.path("../temporary");
    fs::create_dir_all(temporary.join("reports")).unwrap();
    use_built_binary(&mut project);
    let mut codes = Vec::new();
    for shard in 1..=shards {
        let report = temporary.join(format!("reports/pyqa-{shard}.json"));
        project.set("SHARD", format!("{shard}/{shards}")).set("REPORT", &report);
        codes.push(bash(&project, &script("check", "Check")).status.code().unwrap());
    }
    codes.sort_unstable();
    assert_eq!(codes, [0, 1]);
    let sarif = temporary.join("pyqa.sarif");
    project.set("REPORTS", temporary.join("reports")).set("SARIF", &sarif);
    let merged = bash(&project, &script("pyqa", "Merge"));
    assert_eq!(merged.status.code(), Some(1), "{}", String::from_utf8_lossy(&merged.stderr));
    assert!(fs::read_to_string(sarif).unwrap().contains("F401"));
}

#[test]
fn the_action_is_one_by_its_schema() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("action.yml");
    assert_valid(&file, "vendor.github-actions");
}

/// Also what stands in `${{ }}`, which the schema does not see.
#[test]
fn actionlint_has_nothing_against_the_github_workflow() {
    let project = repository();
    assert_eq!(project.pyqa(&["install", "--ci", "github"]).code, 0);
    let file = project.path(".github/workflows/pyqa.yml");
    let Some(said) = validators::actionlint(&file) else { return };
    assert_eq!(said, "");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("matrix.shard }}", "matrix.shart }}")).unwrap();
    assert!(validators::actionlint(&file).unwrap().contains("shart"));
}

/// Runs the action's steps as the runner would, but for those that use other actions: the cache and
/// the upload. The index that pip asks for the version is a folder with the wheel.
#[test]
fn the_action_s_steps_install_check_and_tell() {
    let mut project = repository();
    project.write("bad.py", "import os\n");
    let clean = run_action(&mut project, &[("arguments", "--only mypy,bandit")]);
    assert_eq!(clean["exit-code"], "0");
    let found = run_action(
        &mut project,
        &[("arguments", "--only flake8\n--output-format concise"), ("shard", "1/1")],
    );
    assert_eq!((found["exit-code"].as_str(), found["part"].as_str()), ("1", "1-of-1"));
    assert!(found["python"].starts_with("3."), "{found:?}");
    for report in ["json", "sarif"] {
        assert!(fs::read_to_string(&found[report]).unwrap().contains("F401"), "{report}");
    }
    let wrong = run_action(&mut project, &[("arguments", "--only nothing")]);
    assert_eq!(wrong["exit-code"], "2");
    // A wheel's path takes the place of a version.
    let wheel = wheel();
    let given = [("package", wheel.to_str().unwrap()), ("arguments", "--only mypy")];
    assert_eq!(run_action(&mut project, &given)["exit-code"], "0");
    let latest = run_action(&mut project, &[("version", "latest"), ("arguments", "--only mypy")]);
    assert_eq!(latest["exit-code"], "0");
}

/// The outputs of all steps. Asserts that the last step fails as the check did.
fn run_action(project: &mut Project, inputs: &[(&str, &str)]) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let action = yaml(&folder.join("action.yml"));
    let temporary = tempfile::tempdir_in(project.path("..")).unwrap().keep();
    let output = temporary.join("output");
    project.set("RUNNER_TEMP", &temporary).set("GITHUB_OUTPUT", &output);
    project.set("GITHUB_STEP_SUMMARY", temporary.join("summary"));
    project.set("PIP_NO_INDEX", "1").set("PIP_FIND_LINKS", wheel().parent().unwrap());
    let mut outputs = BTreeMap::new();
    let mut last = None;
    for step in action["runs"]["steps"].as_array().unwrap() {
        let Some(script) = step["run"].as_str() else { continue };
        fs::write(&output, "").unwrap();
        for (name, value) in step["env"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap();
            let value = expression(value, &action, inputs, &outputs);
            project.set(name, value);
        }
        last = bash(project, script).status.code();
        for line in fs::read_to_string(&output).unwrap().lines() {
            let (name, value) = line.split_once('=').unwrap();
            outputs.insert(name.to_owned(), value.to_owned());
        }
    }
    assert_eq!(last.unwrap().to_string(), outputs["exit-code"]);
    outputs
}

/// What the runner makes of `${{ … }}`.
fn expression(
    text: &str,
    action: &Value,
    inputs: &[(&str, &str)],
    outputs: &BTreeMap<String, String>,
) -> String {
    let inner = text.strip_prefix("${{ ").and_then(|text| text.strip_suffix(" }}")).unwrap();
    match inner.split('.').collect::<Vec<_>>()[..] {
        ["inputs", name] => {
            let given = inputs.iter().find(|(known, _)| *known == name);
            let default = action["inputs"][name]["default"].as_str().unwrap();
            given.map_or(default, |(_, value)| value).to_owned()
        }
        ["github", "action_path"] => env!("CARGO_MANIFEST_DIR").to_owned(),
        ["steps", _, "outputs", name] => outputs.get(name).cloned().unwrap_or_default(),
        _ => panic!("unknown expression {text}"),
    }
}

fn use_built_binary(project: &mut Project) {
    let folder = Path::new(env!("CARGO_BIN_EXE_pyqa")).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    project.set("PATH", path);
}

/// As GitHub starts a script with `shell: bash`.
fn bash(project: &Project, script: &str) -> Output {
    let file = project.path("../step.sh");
    fs::write(&file, script).unwrap();
    let options = ["--noprofile", "--norc", "-e", "-o", "pipefail"];
    project.command("bash").args(options).arg(file).output().unwrap()
}
