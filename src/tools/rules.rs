//! What the codes of tools mean: [`Meaning`], read from `presets/rules`. `pyqa rule` and the rules
//! in SARIF are made of the same data.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::finding::ToolId;

/// In the order of lists.
const FILES: [&str; 8] = [
    include_str!("../../presets/rules/flake8.toml"),
    include_str!("../../presets/rules/flake8-plugins.toml"),
    include_str!("../../presets/rules/mypy.toml"),
    include_str!("../../presets/rules/bandit.toml"),
    include_str!("../../presets/rules/black.toml"),
    include_str!("../../presets/rules/pytest.toml"),
    include_str!("../../presets/rules/isort.toml"),
    include_str!("../../presets/rules/ruff-format.toml"),
];

/// What one code means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meaning {
    /// The tool whose findings have the code.
    pub tool: ToolId,
    /// What brings the code: the tool itself or one of its plugins.
    pub origin: String,
    /// Tools that give the same meaning to the code, and have pages of their own.
    pub also: Vec<ToolId>,
    pub code: String,
    /// What was found, and often what to do; a line of one or two sentences.
    pub text: String,
    /// Page that explains the code.
    pub url: String,
}

/// All codes that are known, in the order of lists.
pub fn all() -> Vec<Meaning> {
    let read = |text: &&str| -> File {
        toml::from_str(text).expect("the data on codes is tested to be readable")
    };
    FILES.iter().map(read).flat_map(File::meanings).collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    tool: ToolId,
    from: Vec<Group>,
}

/// Codes of one origin whose pages are named alike.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    name: String,
    /// With `{code}`, `{id}` (the code in lower case) and `{name}` in it.
    url: String,
    #[serde(default)]
    also: Vec<ToolId>,
    codes: BTreeMap<String, Code>,
}

#[derive(Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Code {
    Text(String),
    /// The tool's own name for the check is part of the page's address.
    Named {
        name: String,
        text: String,
    },
}

impl File {
    fn meanings(self) -> Vec<Meaning> {
        let tool = self.tool;
        let of = |group: Group| {
            let tool = tool.clone();
            group.codes.into_iter().map(move |(code, what)| {
                let (name, text) = match what {
                    Code::Text(text) => (String::new(), text),
                    Code::Named { name, text } => (name, text),
                };
                let url = group.url.replace("{code}", &code).replace("{name}", &name);
                let url = url.replace("{id}", &code.to_lowercase());
                let origin = group.name.clone();
                Meaning { tool: tool.clone(), origin, also: group.also.clone(), code, text, url }
            })
        };
        self.from.into_iter().flat_map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::tools::registry;

    #[test]
    fn each_tool_s_code_has_one_meaning_and_a_page() {
        let meanings = all();
        let mut seen = BTreeSet::new();
        for meaning in &meanings {
            assert!(seen.insert((&meaning.tool, &meaning.code)), "{meaning:?} twice");
            assert!(meaning.text.ends_with('.') && !meaning.text.contains('\n'), "{meaning:?}");
            assert!(meaning.url.starts_with("https://"), "{meaning:?}");
            assert!(!meaning.url.contains('{'), "{meaning:?}");
        }
        assert!(meanings.len() > 400, "{}", meanings.len());
    }

    #[test]
    fn the_tools_are_those_that_pyqa_brings() {
        let known: Vec<ToolId> = registry::builtin().into_iter().map(|spec| spec.name).collect();
        for meaning in all() {
            assert!(known.contains(&meaning.tool), "{meaning:?}");
            assert!(meaning.also.iter().all(|tool| known.contains(tool)), "{meaning:?}");
        }
    }
}
