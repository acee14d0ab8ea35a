//! Formatting: a text goes through the project's formatters, one after the other, and comes back.
//! The same for an editor's buffer ([`buffer`]) and for files on disk ([`files`]); only the latter
//! writes. What is known to be formatted starts no process, and what was formatted is known.

mod chain;
mod files;
mod formatters;
mod replace;

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

pub use chain::Formatted;
pub(super) use files::format as files_of;
pub use files::{Change, Purpose, Report, files};

use super::request::{Content, Request};
use super::toolset::{MissingTool, Toolset};
use super::workspace::Workspace;
use super::{open, support};
use crate::error::UserError;
use crate::event::Event;
use crate::exec::cancel::CancelToken;
use crate::finding::ToolId;
use crate::tools::spec::ToolSpec;
use chain::{Keeping, Text};
use formatters::Formatters;

/// What formats where the settings name no formatter.
const DEFAULT: &str = "black";

/// Lines that are to be formatted, counted from 1, the last included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineRange {
    pub start: NonZeroU32,
    pub end: NonZeroU32,
}

impl FromStr for LineRange {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |text: &str| text.trim().parse::<NonZeroU32>().ok();
        let ends = text.split_once('-').and_then(|(a, b)| Some((number(a)?, number(b)?)));
        match ends {
            Some((start, end)) if start <= end => Ok(Self { start, end }),
            _ => Err("a range is written as START-END, two lines counted from 1".to_owned()),
        }
    }
}

impl fmt::Display for LineRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.start, self.end)
    }
}

/// Formats the buffer that `request` starts with. A file that is none of the project's, or that
/// settings exclude, comes back as it is.
///
/// # Errors
/// Mistakes in settings or in the request, or a formatter that cannot be had.
pub fn buffer(
    request: &Request,
    ranges: &[LineRange],
    cancel: &CancelToken,
) -> Result<Formatted, Vec<UserError>> {
    let Content::Buffer(buffer) = &request.content else {
        return Err(vec![UserError::new("there is no buffer to format")]);
    };
    let workspace = open(request)?;
    let toolset = gather(&workspace, request, &mut |_| {})?;
    let support = support(&workspace)?;
    let mut formatters = Formatters::new(&workspace, &toolset, &support, request, ranges)?;
    if workspace.files.is_empty() {
        return Ok(Formatted::Same);
    }
    let text = Text { file: 0, content: buffer.content.clone() };
    let formatted = formatters.run(vec![text], Keeping::Bytes, cancel);
    formatters.store();
    Ok(formatted.into_iter().next().unwrap_or(Formatted::Same))
}

/// The project's formatters, or the default where it names none.
fn gather(
    workspace: &Workspace,
    request: &Request,
    on: &mut dyn FnMut(Event),
) -> Result<Toolset, Vec<UserError>> {
    let mut toolset = Toolset::gather_some(workspace, request, &is_formatter, on)?;
    if toolset.active.is_empty() && toolset.missing.is_empty() {
        let only = Some(vec![ToolId::new(DEFAULT)]);
        let request = Request { only, skip: Vec::new(), ..request.clone() };
        toolset = Toolset::gather_some(workspace, &request, &is_formatter, on)?;
    }
    if toolset.missing.is_empty() { Ok(toolset) } else { Err(errors(&toolset.missing)) }
}

fn errors(missing: &[MissingTool]) -> Vec<UserError> {
    let told = missing.iter().map(|missing| {
        let error = UserError::new(missing.failure.message.clone());
        match &missing.failure.hint {
            Some(hint) => error.hint(hint.clone()),
            None => error,
        }
    });
    told.collect()
}

/// Whether the tool formats a text that it is given.
pub(super) fn is_formatter(spec: &ToolSpec) -> bool {
    spec.fix.as_ref().is_some_and(|fix| fix.stage.is_format() && !fix.stdin_args.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_two_lines_counted_from_one() {
        let range: LineRange = "3-10".parse().unwrap();
        assert_eq!((range.start.get(), range.end.get()), (3, 10));
        for wrong in ["", "3", "0-4", "5-4", "a-b", "-3", "1-2-3"] {
            assert!(wrong.parse::<LineRange>().is_err(), "{wrong}");
        }
    }
}
