//! Sends texts through the formatters, each text through one after the other, several texts at
//! once.

use std::time::Duration;

use super::formatters::Formatters;
use crate::engine::execute::not_exited;
use crate::event::{Failure, FailureKind};
use crate::exec::cancel::CancelToken;
use crate::exec::job::{Completed, End, Job};
use crate::exec::scheduler::{Control, Progress, run};
use crate::finding::Finding;
use crate::hash::ContentHash;
use crate::tools::parse::{ParseContext, RawOutput, Verdict, parse};

/// A text to be formatted.
pub(super) struct Text {
    /// The file that it belongs to, by its index.
    pub(super) file: usize,
    pub(super) content: Vec<u8>,
}

/// What became of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Formatted {
    Same,
    Changed(Vec<u8>),
    /// It is not valid Python, or not in the encoding that it declares.
    Invalid(Vec<Finding>),
    /// The formatter failed.
    Failed(Failure),
}

/// What counts as a change where a formatter only makes all line endings those of the first line:
/// black does so for a text on standard input, and leaves a file alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keeping {
    /// Every byte counts.
    Bytes,
    /// Lines count.
    Lines,
}

/// A text on its way.
struct Strand {
    file: usize,
    original: Vec<u8>,
    /// `None`: as it came.
    current: Option<Vec<u8>>,
    /// The formatter whose turn it is.
    at: usize,
    /// Why it came to an end before its time.
    end: Option<Formatted>,
}

impl Strand {
    fn text(&self) -> &[u8] {
        self.current.as_deref().unwrap_or(&self.original)
    }

    fn into_formatted(self) -> Formatted {
        match (self.end, self.current) {
            (Some(end), _) => end,
            (None, Some(text)) if text != self.original => Formatted::Changed(text),
            (None, _) => Formatted::Same,
        }
    }
}

impl Formatters<'_> {
    /// Formats `texts`, the results in their order.
    pub(super) fn run(
        &mut self,
        texts: Vec<Text>,
        keeping: Keeping,
        cancel: &CancelToken,
    ) -> Vec<Formatted> {
        let mut strands: Vec<Strand> = texts
            .into_iter()
            .map(|Text { file, content }| Strand {
                file,
                original: content,
                current: None,
                at: 0,
                end: None,
            })
            .collect();
        let jobs: Vec<Job> = strands
            .iter_mut()
            .enumerate()
            .filter_map(|(id, strand)| self.next(id, strand, keeping))
            .collect();
        let workers = std::mem::take(&mut self.workers);
        workers.prepare(&jobs);
        run(jobs, self.slots, &workers, cancel, &mut |progress| {
            let Progress::Completed(done) = progress else { return Control::Continue };
            let id = done.id;
            let strand = &mut strands[id];
            self.take(strand, done, keeping);
            match self.next(id, strand, keeping) {
                Some(job) => Control::More(vec![job]),
                None => Control::Continue,
            }
        });
        self.workers = workers;
        strands.into_iter().map(Strand::into_formatted).collect()
    }

    /// The next process for a text, if there is anything left to do.
    fn next(&self, id: usize, strand: &mut Strand, keeping: Keeping) -> Option<Job> {
        while strand.end.is_none() && strand.at < self.list.len() {
            let formatter = &self.list[strand.at];
            let is_untouched = strand.current.is_none();
            let is_due = formatter.files.contains(&strand.file)
                && !(is_untouched && formatter.clean.contains(&strand.file))
                && !self.may_skip(strand, keeping);
            if is_due {
                let path = &self.workspace.files.files[strand.file].path;
                return Some(self.job(strand.at, id, path, strand.text().to_vec()));
            }
            strand.at += 1;
        }
        None
    }

    fn may_skip(&self, strand: &Strand, keeping: Keeping) -> bool {
        let text = strand.text();
        (keeping == Keeping::Lines || is_written_as_read(text))
            && self.is_known(strand.at, strand.file, &ContentHash::of(text))
    }

    fn take(&mut self, strand: &mut Strand, done: Completed, keeping: Keeping) {
        let Completed { end, stdout, stderr, elapsed, .. } = done;
        let tool = self.list[strand.at].tool;
        match end {
            End::Exited(0) if is_lost(strand.text(), &stdout) => {
                let message = format!("{} printed nothing", tool.spec.name);
                strand.end = Some(Formatted::Failed(crash(message, &stderr)));
            }
            End::Exited(0) => self.accept(strand, stdout, elapsed, keeping),
            End::Exited(code) => {
                let output = RawOutput { code, stderr, ..RawOutput::default() };
                let parsed = parse(&tool.spec, &output, &ParseContext::new(&self.workspace.root));
                strand.end = Some(match parsed.verdict {
                    Verdict::Findings => Formatted::Invalid(parsed.findings),
                    Verdict::Crashed(failure) => Formatted::Failed(failure),
                    Verdict::Clean => {
                        let message = format!("{} exited with {code}", tool.spec.name);
                        Formatted::Failed(crash(message, &output.stderr))
                    }
                });
            }
            end => {
                let failure = not_exited(tool.spec.name.as_str(), end, &stderr);
                strand.end = Some(Formatted::Failed(failure));
            }
        }
    }

    fn accept(&mut self, strand: &mut Strand, text: Vec<u8>, cost: Duration, keeping: Keeping) {
        let is_same = text == strand.text()
            || (keeping == Keeping::Lines && lines(&text).eq(lines(strand.text())));
        let (at, file) = (strand.at, strand.file);
        if is_same {
            let text = strand.text();
            self.learn(at, file, text, text, cost);
        } else {
            self.learn(at, file, strand.text(), &text, cost);
            strand.current = Some(text);
        }
        strand.at += 1;
    }
}

/// A formatter that says nothing has lost the text, unless there was none.
fn is_lost(before: &[u8], after: &[u8]) -> bool {
    after.is_empty() && !before.trim_ascii().is_empty()
}

fn crash(message: String, stderr: &[u8]) -> Failure {
    let output = String::from_utf8_lossy(stderr).trim().to_owned();
    Failure { kind: FailureKind::Crashed, message, output, hint: None }
}

/// The bytes with every line ending as `\n`.
fn lines(text: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let is_second_half = |at: usize| text[at] == b'\n' && at > 0 && text[at - 1] == b'\r';
    (0..text.len())
        .filter(move |&at| !is_second_half(at))
        .map(|at| if text[at] == b'\r' { b'\n' } else { text[at] })
}

/// Whether a formatter that reads the text, changes nothing and writes it makes the same bytes:
/// one kind of line ending and UTF-8, so that nothing is lost by decoding.
fn is_written_as_read(text: &[u8]) -> bool {
    let ends = memchr::memchr_iter(b'\n', text).count();
    let returns: Vec<usize> = memchr::memchr_iter(b'\r', text).collect();
    let are_pairs =
        returns.len() == ends && returns.iter().all(|&at| text.get(at + 1) == Some(&b'\n'));
    let mut head = text.splitn(3, |&byte| byte == b'\n').take(2);
    let declares = head.any(|line| memchr::memmem::find(line, b"coding").is_some());
    (returns.is_empty() || are_pairs) && !declares && std::str::from_utf8(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_text_with_one_kind_of_line_ending_and_no_encoding_of_its_own_is_written_as_read() {
        for good in ["", "x = 1\n", "x = 1\r\ny = 2\r\n", "\u{feff}x = 1\n", "x = \"é\"\n"] {
            assert!(is_written_as_read(good.as_bytes()), "{good:?}");
        }
        for bad in ["x = 1\r\ny\n", "x\ny\r\n", "x\ry\n", "x\r", "# -*- coding: utf-7 -*-\n"] {
            assert!(!is_written_as_read(bad.as_bytes()), "{bad:?}");
        }
        assert!(!is_written_as_read(b"x = '\xe9'\n"));
    }

    #[test]
    fn lines_are_equal_whatever_ends_them() {
        let same = |a: &str, b: &str| lines(a.as_bytes()).eq(lines(b.as_bytes()));
        assert!(same("a\r\nb\rc\n", "a\nb\nc\n"));
        assert!(!same("a\r\n\r\nb", "a\nb"));
        assert!(!same("a\n\nb", "a\nb"));
    }
}
