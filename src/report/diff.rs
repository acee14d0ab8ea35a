//! A tool's unified diff, coloured and cut for reading.

use std::io::{self, Write};

use super::escape;
use super::style::{Palette, plural};
use super::{Limit, ReportContext};

/// Lines of one diff that are shown when output is limited.
const READABLE_LINES: usize = 40;

/// Writes `diff` indented, without its `---` and `+++` lines: the finding above it names the file.
pub fn write(diff: &str, context: &ReportContext, out: &mut dyn Write) -> io::Result<()> {
    let palette = Palette::new(context.color);
    let body: Vec<&str> = body(diff);
    let shown = match context.limit {
        // A rest of one or two lines is shown rather than counted.
        Limit::Readable if body.len() > READABLE_LINES + 2 => READABLE_LINES,
        _ => body.len(),
    };
    for line in &body[..shown] {
        let style = match line.as_bytes().first() {
            Some(b'+') => &palette.good,
            Some(b'-') => &palette.error,
            Some(b'@') => &palette.hint,
            _ => {
                writeln!(out, "{}", format!("    {}", escape::terminal_line(line)).trim_end())?;
                continue;
            }
        };
        writeln!(out, "    {}", style.apply_to(escape::terminal_line(line)))?;
    }
    if shown < body.len() {
        let rest = format!("… {} of this diff", plural(body.len() - shown, "more line"));
        writeln!(out, "    {}", palette.faint.apply_to(rest))?;
    }
    Ok(())
}

/// The hunks. Only what stands before the first of them is a header: a removed line may begin
/// with `--` itself.
fn body(diff: &str) -> Vec<&str> {
    let lines: Vec<&str> = diff.lines().collect();
    let first = lines.iter().position(|line| line.starts_with("@@")).unwrap_or(0);
    lines[first..].to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::samples::context;

    fn shown(diff: &str, limit: Limit) -> String {
        let mut out = Vec::new();
        write(diff, &ReportContext { limit, ..context(&|_| None) }, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_header_is_left_out_and_hunks_are_indented() {
        let diff = "--- a.py\n+++ a.py\n@@ -1,2 +1,2 @@\n-x=1\n+x = 1\n--- y\n \n";
        insta::assert_snapshot!(shown(diff, Limit::Readable), @r"
        @@ -1,2 +1,2 @@
        -x=1
        +x = 1
        --- y
        ");
    }

    #[test]
    fn a_long_diff_says_how_much_is_missing() {
        let diff = format!("@@ -1 +1 @@\n{}", "+x\n".repeat(99));
        let text = shown(&diff, Limit::Readable);
        assert_eq!(text.lines().count(), 41);
        assert!(text.ends_with("… 60 more lines of this diff\n"), "{text}");
        assert_eq!(shown(&diff, Limit::None).lines().count(), 100);
    }
}
