//! Errors and notices as a person reads them: what happened, where, what to do. Sentences end
//! without a period.

use std::error::Error;
use std::io::{self, Write};

use super::escape::{one_line, terminal_line};
use super::style::{Color, Palette};
use crate::error::UserError;
use crate::event::{Notice, NoticeLevel};

/// Writes each error as a block, with an empty line between them.
pub fn write_errors(errors: &[UserError], color: Color, out: &mut dyn Write) -> io::Result<()> {
    let palette = Palette::new(color);
    for (index, error) in errors.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        let label = palette.error.apply_to("error");
        writeln!(out, "{label}: {}", sentence(&error.what))?;
        if let Some(place) = &error.place {
            let place = place.to_string();
            writeln!(out, " {} {}", palette.faint.apply_to("-->"), one_line(&place))?;
        }
        write_hint(error.hint.as_deref(), &palette, out)?;
    }
    Ok(())
}

/// Writes an error that is no mistake of the user, with its causes.
pub fn write_unexpected(
    error: &(dyn Error + 'static),
    color: Color,
    out: &mut dyn Write,
) -> io::Result<()> {
    let palette = Palette::new(color);
    writeln!(out, "{}: {}", palette.error.apply_to("error"), sentence(&error.to_string()))?;
    let mut cause = error.source();
    while let Some(error) = cause {
        let label = palette.faint.apply_to("caused by");
        writeln!(out, "  {label}: {}", sentence(&error.to_string()))?;
        cause = error.source();
    }
    Ok(())
}

/// Writes a notice as `note: …` or `warning: …`.
pub fn write_notice(notice: &Notice, color: Color, out: &mut dyn Write) -> io::Result<()> {
    let palette = Palette::new(color);
    let label = match notice.level {
        NoticeLevel::Info => palette.hint.apply_to("note"),
        NoticeLevel::Error => palette.error.apply_to("error"),
        NoticeLevel::Warning => palette.warning.apply_to("warning"),
    };
    writeln!(out, "{label}: {}", sentence(&notice.message))?;
    write_hint(notice.hint.as_deref(), &palette, out)
}

fn write_hint(hint: Option<&str>, palette: &Palette, out: &mut dyn Write) -> io::Result<()> {
    match hint {
        Some(hint) => writeln!(out, "{}: {}", palette.hint.apply_to("hint"), sentence(hint)),
        None => Ok(()),
    }
}

/// Lines after the first are indented, so that a message of several lines (of git, of a parser)
/// stays one block.
fn sentence(text: &str) -> String {
    let text = text.trim_end();
    let text = match text.strip_suffix('.') {
        Some(rest) if !rest.ends_with('.') => rest,
        _ => text,
    };
    let mut shown = String::new();
    for (at, line) in text.lines().enumerate() {
        match at {
            0 => {}
            _ if line.is_empty() => shown.push('\n'),
            _ => shown.push_str("\n       "),
        }
        shown.push_str(&terminal_line(line));
    }
    shown
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use insta::assert_snapshot;

    use super::*;
    use crate::error::Source;

    fn errors() -> Vec<UserError> {
        let place = Source { file: Path::new("pyproject.toml").to_owned(), line: Some(12) };
        vec![
            UserError::new("unknown key `tmeout` in [tool.pyqa].")
                .at(place)
                .hint("did you mean `timeout`?"),
            UserError::new("cannot read the index:\nfile is\x1b[2J damaged...")
                .at(Source::file(Path::new("a\nb"))),
        ]
    }

    fn shown(color: Color) -> String {
        let mut out = Vec::new();
        write_errors(&errors(), color, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn an_error_says_what_where_and_what_now() {
        assert_snapshot!(shown(Color::Never), @r"
        error: unknown key `tmeout` in [tool.pyqa]
         --> pyproject.toml:12
        hint: did you mean `timeout`?

        error: cannot read the index:
               file is\x1b[2J damaged...
         --> a\nb
        ");
    }

    #[test]
    fn colour_marks_the_labels() {
        assert_snapshot!(shown(Color::Always).replace('\x1b', "ESC"), @r"
        ESC[31mESC[1merrorESC[0m: unknown key `tmeout` in [tool.pyqa]
         ESC[2m-->ESC[0m pyproject.toml:12
        ESC[36mhintESC[0m: did you mean `timeout`?

        ESC[31mESC[1merrorESC[0m: cannot read the index:
               file is\x1b[2J damaged...
         ESC[2m-->ESC[0m a\nb
        ");
    }

    #[test]
    fn an_unexpected_error_names_its_causes() {
        let error = anyhow::anyhow!("disk is full").context("cannot write the state.");
        let mut out = Vec::new();
        write_unexpected(error.as_ref(), Color::Never, &mut out).unwrap();
        assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        error: cannot write the state
          caused by: disk is full
        ");
    }

    #[test]
    fn notices_are_labelled_by_their_level() {
        let mut out = Vec::new();
        let notices = [
            Notice::info("ruff takes the place of flake8").hint("`only` in [tool.pyqa] decides"),
            Notice::warning("the cache cannot be written"),
        ];
        for notice in &notices {
            write_notice(notice, Color::Never, &mut out).unwrap();
        }
        assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        note: ruff takes the place of flake8
        hint: `only` in [tool.pyqa] decides
        warning: the cache cannot be written
        ");
    }
}
