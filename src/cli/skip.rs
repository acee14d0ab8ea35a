//! Tools to leave out by environment variables, as other hook runners have them.

use crate::finding::ToolId;
use crate::project::variables::Variables;

/// Tools named by `PYQA_SKIP`, else by `SKIP`, separated by commas. `SKIP` is shared with other
/// programs, whose names it may hold.
pub(super) fn by_variables(variables: &Variables) -> Vec<ToolId> {
    let value = variables.get("PYQA_SKIP").or_else(|| variables.get("SKIP"));
    let text = value.map(|value| value.to_string_lossy().into_owned()).unwrap_or_default();
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(ToolId::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pyqa_s_own_variable_wins_even_when_it_is_empty() {
        let both = Variables::from([("SKIP", "mypy"), ("PYQA_SKIP", "")]);
        assert!(by_variables(&both).is_empty());
        let shared = Variables::from([("SKIP", " mypy, eslint,")]);
        assert_eq!(by_variables(&shared), ["mypy", "eslint"].map(ToolId::new));
    }
}
