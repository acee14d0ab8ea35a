//! Which tools are on in a project, and why: [`choose`].

use std::collections::BTreeMap;

use super::spec::ToolSpec;
use crate::config::dependencies::Dependencies;
use crate::config::model::Settings;
use crate::config::source::ToolConfig;
use crate::event::Notice;
use crate::finding::ToolId;

/// What a choice is made from.
pub struct Evidence<'a> {
    pub settings: &'a Settings,
    /// Per tool, what it would read.
    pub configs: &'a BTreeMap<ToolId, ToolConfig>,
    pub dependencies: &'a Dependencies,
    pub tests: Tests,
}

/// Whether the project has files that look like tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tests {
    Present,
    Absent,
}

/// A tool that is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    pub tool: ToolId,
    pub why: Why,
}

/// Why a tool is on, the strongest reason first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// `only`, `enabled` or `--only` says so.
    Asked,
    Configured,
    Dependency,
    Default,
}

impl Why {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked for",
            Self::Configured => "configured",
            Self::Dependency => "a development dependency",
            Self::Default => "in the default set",
        }
    }
}

/// The tools that are on, in the order of `specs`, or of the setting `only`.
pub struct Chosen {
    pub on: Vec<Choice>,
    pub notice: Option<Notice>,
}

pub fn choose(specs: &[&ToolSpec], evidence: &Evidence<'_>) -> Chosen {
    let settings = evidence.settings;
    let allowed = |tool: &ToolId| {
        let enabled = settings.per_tool.get(tool).and_then(|settings| settings.enabled);
        enabled != Some(false) && !settings.skip.contains(tool)
    };
    if let Some(asked) = &settings.only {
        let on = asked.iter().filter(|tool| allowed(tool)).cloned();
        let on = on.map(|tool| Choice { tool, why: Why::Asked }).collect();
        return Chosen { on, notice: None };
    }
    let mut on: Vec<Choice> = specs
        .iter()
        .filter(|spec| allowed(&spec.name))
        .filter_map(|spec| Some(Choice { tool: spec.name.clone(), why: why(spec, evidence)? }))
        .collect();
    let notice = replace(specs, &mut on);
    Chosen { on, notice }
}

fn why(spec: &ToolSpec, evidence: &Evidence<'_>) -> Option<Why> {
    let tool = &spec.name;
    let per_tool = evidence.settings.per_tool.get(tool);
    let is_declared = evidence.settings.declared.contains_key(tool);
    if is_declared || per_tool.is_some_and(|settings| settings.enabled == Some(true)) {
        return Some(Why::Asked);
    }
    if evidence.configs.get(tool).is_some_and(is_configured) {
        return Some(Why::Configured);
    }
    if evidence.dependencies.contains(spec.package.as_deref()?) {
        return Some(Why::Dependency);
    }
    let fits = tool.as_str() != "pytest" || evidence.tests == Tests::Present;
    (spec.default && fits).then_some(Why::Default)
}

/// Whether there are settings for the tool itself, not only facts about the project.
fn is_configured(config: &ToolConfig) -> bool {
    config.sections.keys().any(|section| section != "project")
}

/// Tools of the default set give way to those that the project evidently uses instead.
fn replace(specs: &[&ToolSpec], on: &mut Vec<Choice>) -> Option<Notice> {
    let mut replaced: Vec<(ToolId, ToolId)> = Vec::new();
    for spec in specs.iter().filter(|spec| !spec.replaces.is_empty()) {
        let Some(choice) = on.iter().find(|choice| choice.tool == spec.name) else { continue };
        if choice.why == Why::Default {
            continue;
        }
        for old in &spec.replaces {
            let is_default = |c: &Choice| c.tool == *old && c.why == Why::Default;
            if on.iter().any(is_default) {
                replaced.push((spec.name.clone(), old.clone()));
            }
        }
        // Where the project also uses the older tool, the two do not take each other's place; a
        // mere dependency on the newer one's distribution says nothing about this part of it.
        let rivals_used = spec
            .replaces
            .iter()
            .any(|old| on.iter().any(|c| c.tool == *old && c.why < Why::Default));
        if rivals_used {
            let name = spec.name.clone();
            on.retain(|choice| choice.tool != name);
        }
    }
    on.retain(|choice| !replaced.iter().any(|(_, old)| choice.tool == *old));
    if replaced.is_empty() {
        return None;
    }
    let pairs: Vec<_> =
        replaced.iter().map(|(new, old)| format!("{new} in place of {old}")).collect();
    Some(
        Notice::info(format!("{}, because the project uses it", pairs.join(" and ")))
            .hint("set `only = [\"flake8\", …]` under [tool.pyqa] to choose yourself"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::documents::Documents;
    use crate::config::lookup::{Places, tool_config};
    use crate::project::variables::Variables;
    use crate::tools::registry;

    fn chosen(files: &[(&str, &str)], settings: &Settings) -> (Vec<String>, Option<Notice>) {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(root.path().join(name), text).unwrap();
        }
        let specs = registry::builtin();
        let (documents, variables) = (Documents::default(), Variables::default());
        let places = Places {
            root: root.path(),
            repository: Some(root.path()),
            above: None,
            variables: &variables,
            documents: &documents,
        };
        let configs = specs
            .iter()
            .map(|spec| (spec.name.clone(), tool_config(&spec.config, &places).unwrap()))
            .collect();
        let evidence = Evidence {
            settings,
            configs: &configs,
            dependencies: &Dependencies::read(root.path(), &documents),
            tests: Tests::Present,
        };
        let chosen = choose(&specs.iter().collect::<Vec<_>>(), &evidence);
        let on = chosen.on.iter().map(|c| format!("{} {}", c.tool, c.why.as_str())).collect();
        (on, chosen.notice)
    }

    fn names(files: &[(&str, &str)]) -> String {
        let (on, _) = chosen(files, &Settings::default());
        let names: Vec<_> = on.iter().map(|line| line.split(' ').next().unwrap()).collect();
        names.join(" ")
    }

    #[test]
    fn without_any_sign_the_default_set_is_on() {
        assert_eq!(names(&[]), "flake8 mypy bandit black pytest");
    }

    #[test]
    fn configured_ruff_takes_the_place_of_flake8_and_black() {
        let ruff = ("pyproject.toml", "[tool.ruff]\nline-length = 100\n");
        let (on, notice) = chosen(&[ruff], &Settings::default());
        let names: Vec<_> = on.iter().map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(names, ["mypy", "bandit", "pytest", "ruff-check", "ruff-format"]);
        let notice = notice.unwrap();
        assert!(notice.message.contains("ruff-check in place of flake8"), "{notice:?}");
        assert!(notice.hint.unwrap().contains("[tool.pyqa]"));
    }

    #[test]
    fn beside_a_configured_black_ruff_only_takes_the_place_of_flake8() {
        let both = ("pyproject.toml", "[tool.ruff]\n[tool.black]\nline-length = 100\n");
        assert_eq!(names(&[both]), "mypy bandit black pytest ruff-check");
    }

    #[test]
    fn a_dependency_or_a_setting_turns_a_tool_on() {
        assert_eq!(
            names(&[("requirements-dev.txt", "isort\n")]),
            "flake8 mypy bandit black pytest isort"
        );
        let tools = Some(vec!["pytest".into(), "mypy".into()]);
        let settings = Settings { only: tools, skip: vec!["mypy".into()], ..Settings::default() };
        assert_eq!(chosen(&[], &settings).0, ["pytest asked for"]);
    }
}
