//! Code that a tool loads because settings tell it to, such as a plugin of the project's own.

use std::path::Path;

use super::toolset::ActiveTool;
use crate::config::model::ToolSettings;
use crate::config::source::ToolConfig;
use crate::tools::spec::ToolSpec;

/// Whose settings name code to load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loaded {
    Nothing,
    /// Those that the tool finds, which are known.
    BySettings,
    /// Those of a file that an argument names. What they say is left to the tool.
    ByArgument,
}

impl Loaded {
    /// Relative names in arguments are seen from `root`.
    pub fn of(spec: &ToolSpec, config: &ToolConfig, settings: &ToolSettings, root: &Path) -> Self {
        let keys = &spec.key.code_from;
        // `extension =`, `plugins =`: in every form that settings have.
        let sets = |line: &str| {
            let name = line.split(['=', ':']).next().unwrap_or_default().trim();
            keys.iter().any(|key| key == name) && name.len() < line.trim().len()
        };
        let file_sets = |value: &str| {
            let text = std::fs::read(root.join(value)).unwrap_or_default();
            String::from_utf8_lossy(&text).lines().any(sets)
        };
        if !keys.is_empty() && values_of(&settings.args).any(file_sets) {
            Self::ByArgument
        } else if keys.iter().any(|key| config.get(key).is_some()) {
            Self::BySettings
        } else {
            Self::Nothing
        }
    }
}

/// One letter an option, and then the value.
const LONGEST_CLUSTER: usize = 8;

/// What of `arguments` may be the name of a file: `--config=other.toml`, `-c other.cfg`, `@FILE`.
pub(super) fn values_of(arguments: &[String]) -> impl Iterator<Item = &str> {
    let values = arguments.iter().flat_map(|argument| {
        let after = argument.split_once('=').map(|(_, value)| value);
        // `-cFILE`, `-qcFILE`, `@FILE`
        let is_cluster = argument.starts_with('-') && !argument.starts_with("--");
        let begins = if is_cluster { 2..LONGEST_CLUSTER } else { 1..2 };
        let attached = begins.filter(move |_| is_cluster || argument.starts_with('@'));
        let attached = attached.filter_map(|begin| argument.get(begin..));
        [Some(argument.as_str()), after].into_iter().flatten().chain(attached)
    });
    values.flat_map(|value| value.split(',')).filter(|value| !value.is_empty())
}

/// Whether the tool loads code that its settings name.
pub(super) fn loads_code(tool: &ActiveTool) -> bool {
    tool.loaded != Loaded::Nothing
}

/// Whether what the tool has kept of an earlier run may be wrong because of that code, which imports and
/// reads what it likes of the project: unless it is known not to.
pub(super) fn outdates_state(tool: &ActiveTool) -> bool {
    let key = &tool.spec.key;
    let mut named = key.code_from.iter().filter_map(|name| tool.config.list(name)).flatten();
    // mypy's `path/to/plugin.py:function`
    let is_known =
        |name: &str| key.known_code.iter().any(|k| k == name.split(':').next().unwrap_or(name));
    match tool.loaded {
        Loaded::Nothing => false,
        Loaded::BySettings => !named.all(|name| is_known(&name)),
        Loaded::ByArgument => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::registry::builtin;

    #[test]
    fn code_in_settings_that_an_argument_names_is_seen() {
        let root = tempfile::tempdir().unwrap();
        let text = "[flake8:local-plugins]\nextension =\n    A = a:Checker\n";
        std::fs::write(root.path().join("plugins.cfg"), text).unwrap();
        std::fs::write(root.path().join("plain.cfg"), "[flake8]\n# extension\n").unwrap();
        let of = |tool: &str, argument: &str| {
            let spec = builtin().into_iter().find(|spec| spec.name.as_str() == tool).unwrap();
            let settings = ToolSettings { args: vec![argument.into()], ..ToolSettings::default() };
            Loaded::of(&spec, &ToolConfig::default(), &settings, root.path())
        };
        assert_eq!(of("flake8", "--append-config=plugins.cfg"), Loaded::ByArgument);
        assert_eq!(of("flake8", "plugins.cfg"), Loaded::ByArgument);
        assert_eq!(of("flake8", "--append-config=plain.cfg"), Loaded::Nothing);
        assert_eq!(of("black", "--config=plugins.cfg"), Loaded::Nothing);
    }
}
