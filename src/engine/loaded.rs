//! Code that a tool loads because settings tell it to, such as a plugin of the project's own.

use super::toolset::ActiveTool;

/// Whether the tool's settings name code that it is to load.
pub(super) fn loads_code(tool: &ActiveTool) -> bool {
    let keys = &tool.spec.key.code_from;
    keys.iter().any(|key| tool.configs().any(|config| config.get(key).is_some()))
}

/// Whether what the tool has kept of an earlier run may be wrong because of that code, which imports and
/// reads what it likes of the project: unless it is known not to.
pub(super) fn outdates_state(tool: &ActiveTool) -> bool {
    let key = &tool.spec.key;
    // mypy's `path/to/plugin.py:function`
    let is_known = |name: &str| {
        let name = name.split(':').next().unwrap_or(name);
        key.known_code.iter().any(|known| known == name)
    };
    tool.items(&key.code_from).any(|(name, _)| !is_known(&name))
}
