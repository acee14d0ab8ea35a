//! Code that a tool loads because settings tell it to, such as a plugin of the project's own.

use std::path::Path;

use super::toolset::ActiveTool;
use crate::config::model::ToolSettings;
use crate::config::source::ToolConfig;
use crate::project::files::FileSet;
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

/// What of `arguments` may be the name of a file: `--config=other.toml`, `-c other.cfg`, `@FILE`.
pub(super) fn values_of(arguments: &[String]) -> impl Iterator<Item = &str> {
    let values = arguments.iter().flat_map(|argument| {
        let after = argument.split_once('=').map(|(_, value)| value);
        // `-cFILE`, `@FILE`
        let attached = argument.strip_prefix('@').or_else(|| argument.get(2..));
        [Some(argument.as_str()), after, attached].into_iter().flatten()
    });
    values.flat_map(|value| value.split(',')).filter(|value| !value.is_empty())
}

/// Whether the tool loads code that its settings name.
pub(super) fn loads_code(tool: &ActiveTool) -> bool {
    tool.loaded != Loaded::Nothing
}

/// Whether some of that code may be the project's own: `plugins/a.py`, or a module that has the name
/// of a file or folder of the project.
pub(super) fn loads_own_code(tool: &ActiveTool, files: &FileSet) -> bool {
    let names = tool.spec.key.code_from.iter().filter_map(|key| tool.config.list(key)).flatten();
    let is_own = |name: String| {
        // mypy's `path/to/plugin.py:function`
        let name = name.split(':').next().unwrap_or_default();
        let package = name.split('.').next().unwrap_or_default().as_bytes();
        let is_file = name.contains(['/', '\\'])
            || Path::new(name).extension().is_some_and(|extension| extension == "py");
        is_file
            || files.files.iter().any(|file| {
                let mut parts = file.path.as_bytes().split(|&byte| byte == b'/');
                parts.any(|part| part.strip_suffix(b".py").unwrap_or(part) == package)
            })
    };
    tool.loaded == Loaded::ByArgument || names.into_iter().any(is_own)
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
