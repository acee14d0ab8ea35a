//! The tools that pyqa knows: those of `presets/tools`, and those that a project declares.

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::spec::{OutputFormat, ToolSpec};
use crate::config::model::DeclaredTool;
use crate::error::UserError;
use crate::finding::ToolId;

/// In the order of reports.
const PRESETS: [&str; 10] = [
    include_str!("../../presets/tools/flake8.toml"),
    include_str!("../../presets/tools/mypy.toml"),
    include_str!("../../presets/tools/bandit.toml"),
    include_str!("../../presets/tools/black.toml"),
    include_str!("../../presets/tools/pytest.toml"),
    include_str!("../../presets/tools/ruff-check.toml"),
    include_str!("../../presets/tools/ruff-format.toml"),
    include_str!("../../presets/tools/isort.toml"),
    include_str!("../../presets/tools/pylint.toml"),
    include_str!("../../presets/tools/pyright.toml"),
];

/// The tools that come with pyqa. Their declarations are read once.
pub fn builtin() -> Vec<ToolSpec> {
    static READ: LazyLock<Vec<ToolSpec>> = LazyLock::new(|| {
        let read =
            |text: &&str| toml::from_str(text).expect("the presets are tested to be readable");
        PRESETS.iter().map(read).collect()
    });
    READ.clone()
}

/// A tool that the project declares as `[tool.pyqa.tools.NAME]`.
///
/// # Errors
/// A declaration that lacks something, has an unknown key, or a pattern that is none.
pub fn declared(name: &ToolId, declared: &DeclaredTool) -> Result<ToolSpec, UserError> {
    let mut table = declared.table.clone();
    table.insert("name".to_owned(), toml::Value::String(name.as_str().to_owned()));
    table.entry("summary").or_insert_with(|| toml::Value::String(String::new()));
    let fail = |what: String| {
        UserError::new(format!("[tool.pyqa.tools.{name}]: {what}"))
            .at(declared.source.clone())
            .hint("the declarations that come with pyqa, in presets/tools, are examples")
    };
    let spec: ToolSpec = table.try_into().map_err(|e: toml::de::Error| fail(e.message().into()))?;
    check(&spec).map_err(fail)?;
    Ok(spec)
}

/// What serde cannot see.
fn check(spec: &ToolSpec) -> Result<(), String> {
    let output = &spec.output;
    let patterns = [
        ("output.pattern", &output.pattern),
        ("output.crash-pattern", &output.crash_pattern),
        ("output.nothing-pattern", &output.nothing_pattern),
        ("output.file-error-pattern", &output.file_error_pattern),
        ("output.changed-pattern", &output.changed_pattern),
    ];
    for (key, pattern) in patterns {
        if let Some(Err(error)) = pattern.as_deref().map(Regex::new) {
            return Err(format!("`{key}` is not a regular expression: {error}"));
        }
    }
    match output.format {
        OutputFormat::Regex if output.pattern.is_none() => {
            Err("`output.format = \"regex\"` needs `output.pattern`".to_owned())
        }
        OutputFormat::Regex
            if !output.pattern.as_deref().unwrap_or_default().contains("(?P<message>") =>
        {
            Err("`output.pattern` needs a group `(?P<message>…)`".to_owned())
        }
        OutputFormat::Json | OutputFormat::JsonLines if !output.fields.contains_key("message") => {
            Err("`output.fields` needs `message`, the place of the message in an item".to_owned())
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Source;
    use std::path::Path;

    #[test]
    fn every_preset_is_readable_and_complete() {
        let specs = builtin();
        assert_eq!(specs.len(), PRESETS.len());
        for spec in specs {
            check(&spec).unwrap();
            assert!(!spec.summary.is_empty(), "{}", spec.name);
            assert!(spec.provision.iter().all(|r| r.contains("==")), "{}", spec.name);
        }
    }

    fn declare(text: &str) -> Result<ToolSpec, UserError> {
        let source = Source::file(Path::new("pyproject.toml"));
        declared(&"mine".into(), &DeclaredTool { table: text.parse().unwrap(), source })
    }

    #[test]
    fn a_tool_of_the_project_needs_no_code_here() {
        let spec = declare(
            r#"granularity = "file"
               command = { program = "mylint", args = ["--plain"] }
               output = { format = "regex", pattern = '^(?P<path>[^:]+):(?P<line>\d+): (?P<message>.*)$' }"#,
        );
        assert_eq!(spec.unwrap().name.as_str(), "mine");
    }

    #[test]
    fn mistakes_in_a_declaration_are_told() {
        let error = declare(r#"granularity = "file""#).unwrap_err();
        assert!(error.what.contains("command"), "{error}");
        let error = declare(
            r#"granularity = "file"
               command = { program = "mylint" }
               output = { format = "regex", pattern = "(" }"#,
        );
        assert!(error.unwrap_err().what.contains("output.pattern"));
    }
}
