//! A unified diff taken apart into replacements of whole lines: [`edits`].

/// Replace lines `first` to `last` of the old text, counted from 1, by `text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    pub first: u32,
    pub last: u32,
    /// Without the end of its last line.
    pub text: String,
}

/// The changes that a unified diff of one file makes; `None` where it cannot be understood.
///
/// Every edit replaces at least one line: added and removed lines take a neighbour along, since
/// readers of suggestions cannot express an insertion between lines or the removal of a line.
pub fn edits(diff: &str) -> Option<Vec<Edit>> {
    let mut edits = Vec::new();
    let mut hunk: Option<Hunk> = None;
    for line in diff.split_inclusive('\n') {
        let line = line.strip_suffix('\n').unwrap_or(line);
        if let Some(header) = line.strip_prefix("@@ -") {
            if let Some(done) = hunk.take() {
                done.finish(&mut edits)?;
            }
            hunk = Some(Hunk::new(header)?);
        } else if let Some(hunk) = &mut hunk {
            hunk.line(line)?;
        }
    }
    hunk?.finish(&mut edits)?;
    Some(edits)
}

/// One hunk while it is read: runs of kept and changed lines in turn.
struct Hunk<'a> {
    /// Number of the first old line.
    start: u32,
    /// Old lines that the header promises.
    old: u32,
    lines: Vec<(Kind, &'a str)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Kept,
    Removed,
    Added,
}

impl<'a> Hunk<'a> {
    /// `header` is what follows `@@ -`: `3,7 +3,8 @@`.
    fn new(header: &str) -> Option<Self> {
        let (old, _) = header.split_once(" +")?;
        let (start, count) = old.split_once(',').unwrap_or((old, "1"));
        let (start, old) = (start.parse().ok()?, count.parse().ok()?);
        // A hunk without old lines names the line before it.
        Some(Self { start: if old == 0 { start + 1 } else { start }, old, lines: Vec::new() })
    }

    fn line(&mut self, line: &'a str) -> Option<()> {
        let kind = match line.as_bytes().first() {
            // Some programs strip the space of an empty line.
            Some(b' ') | None => Kind::Kept,
            Some(b'-') => Kind::Removed,
            Some(b'+') => Kind::Added,
            // "\ No newline at end of file"
            Some(b'\\') => return Some(()),
            Some(_) => return None,
        };
        self.lines.push((kind, line.get(1..).unwrap_or_default()));
        Some(())
    }

    fn finish(self, edits: &mut Vec<Edit>) -> Option<()> {
        let old = self.lines.iter().filter(|(kind, _)| *kind != Kind::Added).count();
        // An empty line after the last hunk belongs to nothing.
        if old != usize::try_from(self.old).ok()? {
            return None;
        }
        let mut number = self.start;
        let mut at = 0;
        while at < self.lines.len() {
            let changed =
                self.lines[at..].iter().take_while(|(kind, _)| *kind != Kind::Kept).count();
            if changed == 0 {
                at += 1;
                number += 1;
                continue;
            }
            let run = &self.lines[at..at + changed];
            let removed = run.iter().filter(|(kind, _)| *kind == Kind::Removed).count();
            let before = at.checked_sub(1).map(|index| self.lines[index].1);
            let after = self.lines.get(at + changed).map(|(_, text)| *text);
            let removed_lines = u32::try_from(removed).ok()?;
            edits.extend(edit(run, number, removed_lines, before, after));
            number += removed_lines;
            at += changed;
        }
        Some(())
    }
}

fn edit(
    run: &[(Kind, &str)],
    first: u32,
    removed: u32,
    before: Option<&str>,
    after: Option<&str>,
) -> Option<Edit> {
    let mut text: Vec<&str> =
        run.iter().filter(|(kind, _)| *kind == Kind::Added).map(|(_, text)| *text).collect();
    let (mut first, mut last) = (first, first + removed);
    if removed == 0 || text.is_empty() {
        match (before, after) {
            (Some(before), _) => {
                text.insert(0, before);
                first -= 1;
            }
            (None, Some(after)) => {
                text.push(after);
                last += 1;
            }
            // The whole file goes, or there was none.
            (None, None) if removed == 0 => return None,
            (None, None) => {}
        }
    }
    Some(Edit { first, last: last - 1, text: text.join("\n") })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use similar::TextDiff;

    use super::*;

    fn apply(old: &str, edits: &[Edit]) -> String {
        let mut lines: Vec<String> = old.lines().map(str::to_owned).collect();
        for edit in edits.iter().rev() {
            let range = edit.first as usize - 1..edit.last as usize;
            lines.splice(range, edit.text.split('\n').map(str::to_owned));
        }
        lines.iter().map(|line| line.clone() + "\n").collect()
    }

    fn diff(old: &str, new: &str) -> String {
        TextDiff::from_lines(old, new).unified_diff().context_radius(3).header("a", "b").to_string()
    }

    #[test]
    fn a_replaced_line_is_one_edit() {
        let edits = edits(&diff("a\nb\nc\n", "a\nB\nB2\nc\n")).unwrap();
        assert_eq!(edits, [Edit { first: 2, last: 2, text: "B\nB2".to_owned() }]);
    }

    #[test]
    fn added_and_removed_lines_take_a_neighbour_along() {
        let added = edits(&diff("a\nb\n", "a\nnew\nb\n")).unwrap();
        assert_eq!(added, [Edit { first: 1, last: 1, text: "a\nnew".to_owned() }]);
        let first = edits(&diff("a\nb\n", "new\na\nb\n")).unwrap();
        assert_eq!(first, [Edit { first: 1, last: 1, text: "new\na".to_owned() }]);
        let removed = edits(&diff("a\nb\nc\n", "a\nc\n")).unwrap();
        assert_eq!(removed, [Edit { first: 1, last: 2, text: "a".to_owned() }]);
    }

    #[test]
    fn what_is_no_diff_is_refused() {
        assert_eq!(edits(""), None);
        assert_eq!(edits("would reformat a.py"), None);
        assert_eq!(edits("@@ -1,2 +1 @@\n-a\n"), None);
        assert_eq!(edits("@@ -x +1 @@\n-a\n"), None);
        assert_eq!(edits("@@ -1 +1 @@\n-a\n?\n"), None);
    }

    proptest! {
        #[test]
        fn the_edits_make_the_new_text(
            old in proptest::collection::vec("[ab ]{0,2}", 1..30),
            new in proptest::collection::vec("[ab ]{0,2}", 1..30),
        ) {
            let join = |lines: &[String]| lines.iter().map(|l| l.clone() + "\n").collect::<String>();
            let (old, new) = (join(&old), join(&new));
            if old != new {
                let edits = edits(&diff(&old, &new)).unwrap();
                prop_assert_eq!(apply(&old, &edits), new);
            }
        }
    }
}
