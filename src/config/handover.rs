//! Settings that a tool cannot read where they stand, `[tool.flake8]` in pyproject.toml or a
//! preset's, put into a file that it can read.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::lookup::{Places, values};
use super::source::{ConfigDecl, ConfigSyntax, ConfigValue, HandedAs, ToolConfig};
use super::toml::Table;
use crate::error::UserError;
use crate::event::Notice;

/// Completes what the tool finds by itself. `preset` are a preset's settings for the tool, which
/// count where the project has none.
///
/// # Errors
/// A settings file that cannot be read.
pub fn complete(
    decl: &ConfigDecl,
    config: &mut ToolConfig,
    preset: Option<&Table>,
    places: &Places<'_>,
) -> Result<Option<Notice>, UserError> {
    let Some(handed_as) = &decl.handed_as else { return Ok(None) };
    let has_own = config.sections.keys().any(|name| name != "project");
    for candidate in &decl.handed_over {
        let path = places.root.join(&candidate.name);
        let Some(table) = places.documents.toml(&path)? else { continue };
        for section in &candidate.sections {
            let Some((table, _)) = table.table(section) else { continue };
            if has_own {
                let own = config.file.as_deref().unwrap_or(&path).display();
                let notice = Notice::warning(format!(
                    "[{section}] in {} is not used, because {own} has {}",
                    candidate.name, config.label
                ));
                return Ok(Some(notice.hint("keep the settings in one of them")));
            }
            hand_over(config, section, values(table, &path), handed_as);
            return Ok(None);
        }
    }
    if let Some(table) = preset.filter(|_| !has_own) {
        let place = std::path::Path::new("(preset)");
        hand_over(config, &handed_as.section, values(table, place), handed_as);
    }
    Ok(None)
}

fn hand_over(
    config: &mut ToolConfig,
    section: &str,
    values: BTreeMap<String, ConfigValue>,
    handed_as: &HandedAs,
) {
    config.generated = Some(match handed_as.syntax {
        ConfigSyntax::Toml => as_toml(&handed_as.section, &values, config),
        _ => as_ini(&handed_as.section, &values),
    });
    config.label = format!("[{section}]");
    config.file = None;
    config.sections.insert(section.to_owned(), values);
}

fn as_ini(section: &str, values: &BTreeMap<String, ConfigValue>) -> String {
    let mut text = format!("[{section}]\n");
    for (name, value) in values {
        let lines = match &value.value {
            Json::Array(items) => list(items),
            // per-file-ignores: path → codes
            Json::Object(table) => table
                .iter()
                .map(|(key, codes)| match codes {
                    Json::Array(items) => format!("{key}:{}", list(items).replace('\n', "")),
                    other => format!("{key}:{}", plain(other)),
                })
                .collect::<Vec<_>>()
                .join("\n"),
            other => plain(other),
        };
        // Lines of a value are indented.
        let lines = lines.replace('\n', "\n    ");
        text.extend([name, " = ", &lines, "\n"]);
    }
    text
}

fn list(items: &[Json]) -> String {
    items.iter().map(plain).collect::<Vec<_>>().join(",\n")
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        other => other.to_string(),
    }
}

fn as_toml(section: &str, values: &BTreeMap<String, ConfigValue>, config: &ToolConfig) -> String {
    let mut document = ::toml::Table::new();
    let table = |values: &BTreeMap<String, ConfigValue>| -> ::toml::Table {
        let entries = values.iter().filter_map(|(name, value)| {
            Some((name.clone(), ::toml::Value::try_from(&value.value).ok()?))
        });
        entries.collect()
    };
    // black reads what Python the project requires from the same file.
    if let Some(project) = config.sections.get("project") {
        document.insert("project".to_owned(), table(project).into());
    }
    let mut inner = table(values);
    for name in section.split('.').skip(1).collect::<Vec<_>>().into_iter().rev() {
        inner = ::toml::Table::from_iter([(name.to_owned(), inner.into())]);
    }
    let first = section.split('.').next().unwrap_or(section);
    document.insert(first.to_owned(), inner.into());
    document.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::documents::Documents;
    use crate::config::lookup::tool_config;
    use crate::project::variables::Variables;
    use crate::tools::registry;
    use std::path::Path;

    fn config(
        tool: &str,
        files: &[(&str, &str)],
        preset: Option<&str>,
    ) -> (ToolConfig, Option<Notice>) {
        let root = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(root.path().join(name), text).unwrap();
        }
        let spec = registry::builtin().into_iter().find(|s| s.name.as_str() == tool).unwrap();
        let (documents, variables) = (Documents::default(), Variables::default());
        let places = Places {
            root: root.path(),
            repository: Some(root.path()),
            above: None,
            variables: &variables,
            documents: &documents,
        };
        let mut config = tool_config(&spec.config, &places).unwrap();
        let preset = preset.map(|text| Table::parse(text, Path::new("preset")).unwrap());
        let notice = complete(&spec.config, &mut config, preset.as_ref(), &places).unwrap();
        (config, notice)
    }

    const PYPROJECT: &str = "[tool.flake8]\nmax-line-length = 100\nextend-ignore = ['E1', 'E2']\n\
                             per-file-ignores = { 'tests/*' = ['D', 'S'] }\ndoctests = true\n";

    #[test]
    fn flake8_s_settings_in_pyproject_become_an_ini_file() {
        let (config, notice) = config("flake8", &[("pyproject.toml", PYPROJECT)], None);
        assert_eq!(notice, None);
        assert_eq!(
            config.generated.unwrap(),
            "[flake8]\ndoctests = True\nextend-ignore = E1,\n    E2\nmax-line-length = 100\n\
             per-file-ignores = tests/*:D,S\n"
        );
    }

    #[test]
    fn an_ini_section_of_flake8_s_own_wins_with_a_warning() {
        let files =
            [("pyproject.toml", PYPROJECT), ("tox.ini", "[flake8]\nmax-line-length = 90\n")];
        let (config, notice) = config("flake8", &files, None);
        assert_eq!(config.generated, None);
        assert!(notice.unwrap().message.contains("[tool.flake8]"));
    }

    #[test]
    fn a_preset_counts_only_where_the_project_has_no_settings() {
        let preset = Some("line-length = 120\n");
        let project = "[project]\nrequires-python = '>=3.10'\n";
        let (config_without, _) = config("black", &[("pyproject.toml", project)], preset);
        let text = config_without.generated.unwrap();
        assert!(text.contains("line-length = 120") && text.contains(">=3.10"), "{text}");
        let own = [("pyproject.toml", "[tool.black]\nline-length = 79\n")];
        assert_eq!(config("black", &own, preset).0.generated, None);
    }
}
