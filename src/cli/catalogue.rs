//! What the data shipped with pyqa tells reports of tools and their codes.

use std::cell::OnceCell;

use crate::finding::{Category, ToolId};
use crate::report::{Catalogue, Rule};
use crate::tools::registry;
use crate::tools::rules::{self, Meaning};
use crate::tools::spec::ToolSpec;

/// The data, read when a report asks first.
#[derive(Default)]
pub(super) struct Shipped {
    specs: OnceCell<Vec<ToolSpec>>,
    meanings: OnceCell<Vec<Meaning>>,
}

impl Shipped {
    fn spec(&self, tool: &ToolId) -> Option<&ToolSpec> {
        let specs = self.specs.get_or_init(registry::builtin);
        specs.iter().find(|spec| spec.name == *tool)
    }
}

impl Catalogue for Shipped {
    fn homepage(&self, tool: &ToolId) -> Option<String> {
        self.spec(tool)?.homepage.clone()
    }

    fn category(&self, tool: &ToolId) -> Category {
        self.spec(tool).map_or_else(Category::default, |spec| spec.category)
    }

    fn rule(&self, tool: &ToolId, code: &str) -> Option<Rule> {
        let meanings = self.meanings.get_or_init(rules::all);
        let meaning = meanings.iter().find(|known| {
            known.code == code && (known.tool == *tool || known.also.contains(tool))
        })?;
        let url = (meaning.tool == *tool).then(|| meaning.url.clone());
        Some(Rule { summary: meaning.text.clone(), url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_with_the_same_codes_has_the_meaning_but_not_the_page() {
        let shipped = Shipped::default();
        let of = |tool: &str| shipped.rule(&ToolId::new(tool), "F401");
        let (flake8, ruff) = (of("flake8").unwrap(), of("ruff-check").unwrap());
        assert_eq!(flake8.summary, ruff.summary);
        assert!(flake8.url.is_some() && ruff.url.is_none());
        assert_eq!(of("mypy"), None);
        assert_eq!(shipped.homepage(&ToolId::new("mypy")).unwrap(), "https://mypy.readthedocs.io/");
    }
}
