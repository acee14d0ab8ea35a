//! Whole-project presets, `preset = "NAME"`: settings for pyqa and for tools, from `presets/`.

use std::path::Path;

use super::toml::Table;
use crate::error::UserError;

const PRESETS: [(&str, &str); 4] = [
    ("jetbridge", include_str!("../../presets/jetbridge.toml")),
    ("minimal", include_str!("../../presets/minimal.toml")),
    ("modern", include_str!("../../presets/modern.toml")),
    ("strict", include_str!("../../presets/strict.toml")),
];

/// The names of all presets.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|(name, _)| *name)
}

/// A preset's tables: `[pyqa]`, and one for each tool that it configures.
///
/// # Errors
/// A name that no preset has.
pub fn get(name: &str) -> Result<Table, UserError> {
    let Some((_, text)) = PRESETS.iter().find(|(known, _)| *known == name) else {
        let known: Vec<&str> = names().collect();
        return Err(UserError::new(format!("there is no preset `{name}`")).suggest(name, &known));
    };
    Table::parse(text, Path::new(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_is_readable_and_names_only_known_things() {
        for name in names() {
            let table = get(name).unwrap();
            for entry in &table.entries {
                let known = ["pyqa", "flake8", "mypy", "bandit", "black", "pytest"];
                assert!(known.contains(&entry.key.as_str()), "{name}: {}", entry.key);
            }
        }
    }

    #[test]
    fn a_misspelt_preset_is_told() {
        assert_eq!(get("strit").unwrap_err().hint.unwrap(), "did you mean `strict`?");
    }
}
