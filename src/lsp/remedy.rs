//! Comments that tell a tool to pass over a finding: [`Remedies`]. How they are written is part of
//! each tool's declaration; here they are put where they belong.

use std::collections::BTreeMap;

use regex::Regex;

use super::comments::{LineEnd, lines};
use super::text::Text;
use crate::finding::{Finding, ToolId};
use crate::tools::registry;
use crate::tools::spec::{CommentPlace, IgnoreDecl};

/// What is to be replaced, as offsets, and by what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: String,
}

/// How the findings of one tool are passed over.
struct Remedy {
    decl: IgnoreDecl,
    /// Finds a comment that names codes already.
    known: Regex,
    never: Option<Regex>,
}

/// By tool.
pub(super) struct Remedies(BTreeMap<ToolId, Remedy>);

impl Remedies {
    pub(super) fn builtin() -> Self {
        let known = registry::builtin().into_iter().filter_map(|spec| {
            let decl = spec.ignore?;
            let never = decl.never.as_deref().map(Regex::new).transpose();
            let found = Regex::new(&decl.pattern).and_then(|known| {
                let never = never?;
                Ok(Remedy { decl, known, never })
            });
            found.map_err(|error| log::warn!("{}: {error}", spec.name)).ok().map(|r| (spec.name, r))
        });
        Self(known.collect())
    }

    /// The comment that the finding asks for, as people know it, and the change that puts it into
    /// the text. `line` counts from 0. `None` where there is no such comment.
    pub(super) fn change(
        &self,
        text: &Text,
        line: usize,
        finding: &Finding,
    ) -> Option<(String, Change)> {
        let remedy = self.0.get(&finding.tool)?;
        let code = finding.code.as_deref()?;
        if remedy.never.as_ref().is_some_and(|never| never.is_match(code)) {
            return None;
        }
        let ends = lines(text.as_str());
        let line = match remedy.decl.bound {
            // A comment after the string or the joined lines counts for all of them.
            CommentPlace::After => (line..ends.len()).find(|&line| ends[line] != LineEnd::Bound)?,
            CommentPlace::Nowhere => line,
        };
        let LineEnd::Free { comment } = *ends.get(line)? else { return None };
        let comment_text = remedy.decl.comment.replace("{code}", code);
        let change = remedy.put(text, line, comment, code, &comment_text);
        Some((comment_text, change))
    }
}

impl Remedy {
    fn put(
        &self,
        text: &Text,
        line: usize,
        comment: Option<usize>,
        code: &str,
        new: &str,
    ) -> Change {
        let (start, end) = text.line_span(line);
        let all = text.as_str();
        if let Some(from) = comment {
            if let Some(codes) = self.known.captures(&all[from..end]).and_then(|c| c.name("codes"))
            {
                let listed = codes.as_str();
                let at = from + codes.start() + listed.trim_end_matches([' ', ',']).len();
                return Change { start: at, end: at, text: format!(", {code}") };
            }
            if self.decl.first {
                return Change { start: from, end: from, text: format!("{new}  ") };
            }
        }
        let content = all[start..end].trim_end();
        let at = start + content.len();
        let gap = if content.is_empty() { "" } else { "  " };
        Change { start: at, end, text: format!("{gap}{new}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;

    fn after(text: &str, line: usize, tool: &str, code: &str) -> Option<String> {
        let mut finding = Finding::new(&ToolId::new(tool), Severity::Error, "");
        finding.code = Some(code.to_owned());
        let text = Text::new(text);
        let (_, change) = Remedies::builtin().change(&text, line, &finding)?;
        Some(text.replaced(change.start, change.end, &change.text).as_str().to_owned())
    }

    fn expect(before: &str, line: usize, tool: &str, code: &str, expected: &str) {
        assert_eq!(after(before, line, tool, code).as_deref(), Some(expected));
    }

    #[test]
    fn a_comment_is_added_at_the_end_of_the_line() {
        expect("x = 1\n", 0, "flake8", "E501", "x = 1  # noqa: E501\n");
        expect("x = 1  \r\ny\n", 0, "flake8", "W291", "x = 1  # noqa: W291\r\ny\n");
        expect("x = 1", 0, "bandit", "B101", "x = 1  # nosec B101");
        expect("x = '#'\n", 0, "mypy", "arg-type", "x = '#'  # type: ignore[arg-type]\n");
        expect("\n", 0, "flake8", "W391", "# noqa: W391\n");
    }

    #[test]
    fn a_comment_that_is_there_takes_one_more_code() {
        expect("x  # noqa: E501\n", 0, "flake8", "F401", "x  # noqa: E501, F401\n");
        expect("x  # NOQA:E1,W2 why\n", 0, "flake8", "F401", "x  # NOQA:E1,W2, F401 why\n");
        expect("x  # type: ignore[a]  # b\n", 0, "mypy", "c", "x  # type: ignore[a, c]  # b\n");
        expect("x  # nosec B101, B102\n", 0, "bandit", "B1", "x  # nosec B101, B102, B1\n");
        expect("x  # nosec: B101\n", 0, "bandit", "B1", "x  # nosec: B101, B1\n");
    }

    #[test]
    fn another_comment_is_kept_on_the_side_where_the_tool_finds_its_own() {
        expect("x  # why\n", 0, "flake8", "E1", "x  # why  # noqa: E1\n");
        expect("x  # why\n", 0, "mypy", "a", "x  # type: ignore[a]  # why\n");
        let both = "x  # type: ignore[a]  # noqa: E1\n";
        expect(both, 0, "bandit", "B1", "x  # type: ignore[a]  # noqa: E1  # nosec B1\n");
    }

    #[test]
    fn within_a_string_the_comment_goes_after_it_or_nowhere() {
        let text = "x = '''\n# long\n'''\n";
        expect(text, 1, "flake8", "E501", "x = '''\n# long\n'''  # noqa: E501\n");
        assert_eq!(after(text, 1, "mypy", "a"), None);
        assert_eq!(
            after("x = '''\n", 0, "flake8", "E501").as_deref(),
            Some("x = '''\n# noqa: E501")
        );
    }

    #[test]
    fn what_no_comment_can_silence_gets_none() {
        assert_eq!(after("def\n", 0, "flake8", "E999"), None);
        assert_eq!(after("def\n", 0, "mypy", "syntax"), None);
        assert_eq!(after("x\n", 0, "black", "format"), None);
    }
}
