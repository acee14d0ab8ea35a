//! `pyqa rule`: what codes mean.

use std::collections::BTreeSet;
use std::io::{self, Write};

use fancy_regex::Regex;

use super::Stop;
use super::args::RuleArgs;
use super::console::Console;
use crate::error::{ExitStatus, UserError};
use crate::report::style::Palette;
use crate::tools::registry;
use crate::tools::rules::{self, Meaning};
use crate::tools::spec::ToolSpec;

/// Most codes that are offered for one that nobody knows.
const SUGGESTIONS: usize = 5;

/// Tells the meaning of each code, or lists the codes of a tool or of all. What is known is told
/// even where another code is not.
pub(super) fn run(args: &RuleArgs, console: &Console) -> Result<ExitStatus, Stop> {
    let meanings = rules::all();
    let specs = registry::builtin();
    let page = Page { palette: Palette::new(console.stdout), width: console.width, specs: &specs };
    let mut text = Vec::new();
    let mut errors = Vec::new();
    if args.codes.is_empty() {
        page.list(&meanings.iter().collect::<Vec<_>>(), &mut text)?;
    }
    for name in &args.codes {
        let found = with_code(name, &meanings);
        let listed = brought_by(name, &meanings);
        if !found.is_empty() {
            page.explain(&found, &mut text)?;
        } else if !listed.is_empty() {
            page.list(&listed, &mut text)?;
        } else {
            errors.push(unknown(name, &meanings));
        }
    }
    io::stdout().write_all(&text)?;
    if errors.is_empty() { Ok(ExitStatus::Clean) } else { Err(errors.into()) }
}

fn with_code<'a>(code: &str, meanings: &'a [Meaning]) -> Vec<&'a Meaning> {
    meanings.iter().filter(|meaning| meaning.code.eq_ignore_ascii_case(code)).collect()
}

/// The codes of a tool or of a plugin.
fn brought_by<'a>(name: &str, meanings: &'a [Meaning]) -> Vec<&'a Meaning> {
    let brings = |meaning: &&Meaning| meaning.tool.as_str() == name || meaning.origin == name;
    meanings.iter().filter(brings).collect()
}

fn unknown(code: &str, meanings: &[Meaning]) -> UserError {
    let near = nearest_codes(code, meanings);
    let hint = if near.is_empty() {
        "`pyqa rule` lists the codes that are known".to_owned()
    } else {
        format!("known and near are {}", near.join(", "))
    };
    UserError::new(format!("nothing is known of the code `{code}`")).hint(hint)
}

/// The codes that differ least, in the order of lists.
fn nearest_codes(code: &str, meanings: &[Meaning]) -> Vec<String> {
    let code = code.to_lowercase();
    let distance = |known: &str| strsim::damerau_levenshtein(&code, &known.to_lowercase());
    let limit = 1 + code.chars().count() / 4;
    let Some(least) = meanings.iter().map(|m| distance(&m.code)).min() else { return Vec::new() };
    if least > limit {
        return Vec::new();
    }
    let mut seen = BTreeSet::new();
    let near = meanings.iter().map(|meaning| meaning.code.as_str());
    let near = near.filter(|known| distance(known) == least && seen.insert(*known));
    near.take(SUGGESTIONS).map(|known| format!("`{known}`")).collect()
}

/// How meanings are shown.
struct Page<'a> {
    palette: Palette,
    width: usize,
    specs: &'a [ToolSpec],
}

impl Page<'_> {
    fn explain(&self, meanings: &[&Meaning], out: &mut Vec<u8>) -> io::Result<()> {
        for meaning in meanings {
            if !out.is_empty() {
                writeln!(out)?;
            }
            let code = self.palette.strong.apply_to(&meaning.code);
            let origin = self.palette.faint.apply_to(source(meaning));
            writeln!(out, "{code}  {origin}")?;
            writeln!(out, "{}", meaning.text)?;
            if let Some(comment) = self.comment(meaning) {
                writeln!(out, "To pass over it on a line: {comment}")?;
            }
            writeln!(out, "{}", self.palette.hint.apply_to(&meaning.url))?;
        }
        Ok(())
    }

    /// The comment that silences the code, where the tool heeds one.
    fn comment(&self, meaning: &Meaning) -> Option<String> {
        let spec = self.specs.iter().find(|spec| spec.name == meaning.tool)?;
        let ignore = spec.ignore.as_ref()?;
        let never = ignore.never.as_deref().map(Regex::new).transpose().ok()?;
        if meaning.code == crate::tools::parse::SYNTAX_ERROR
            || never.is_some_and(|never| never.is_match(&meaning.code).unwrap_or(true))
        {
            return None;
        }
        Some(ignore.comment.replace("{code}", &meaning.code))
    }

    /// A line for each code, below the name of what brings it.
    fn list(&self, meanings: &[&Meaning], out: &mut Vec<u8>) -> io::Result<()> {
        for group in meanings.chunk_by(|one, next| source(one) == source(next)) {
            if !out.is_empty() {
                writeln!(out)?;
            }
            writeln!(out, "{}", self.palette.faint.apply_to(source(group[0])))?;
            let column = group.iter().map(|meaning| meaning.code.len()).max().unwrap_or(0);
            let room = self.width.saturating_sub(column + 4).max(20);
            for meaning in group {
                let text = console::truncate_str(&meaning.text, room, "…");
                let code = format!("{:<column$}", meaning.code);
                writeln!(out, "  {}  {text}", self.palette.strong.apply_to(code))?;
            }
        }
        Ok(())
    }
}

/// `flake8 (pyflakes)`, `mypy`
fn source(meaning: &Meaning) -> String {
    let tool = meaning.tool.as_str();
    if meaning.origin == tool { tool.to_owned() } else { format!("{tool} ({})", meaning.origin) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(code: &str) -> Vec<String> {
        nearest_codes(code, &rules::all())
    }

    #[test]
    fn a_misspelt_code_finds_its_neighbours_and_a_strange_one_none() {
        assert_eq!(near("argtype"), ["`arg-type`"]);
        assert_eq!(near("F40"), ["`F401`", "`F402`", "`F403`", "`F404`", "`F405`"]);
        assert!(near("something-else-entirely").is_empty());
    }
}
