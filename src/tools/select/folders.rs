//! Remembers which folders are excluded, so that each is asked about once.

use std::collections::HashMap;

#[derive(Default)]
pub(super) struct Folders {
    known: HashMap<Box<[u8]>, bool>,
    /// The folder asked about last: files come sorted.
    last: Option<(Box<[u8]>, bool)>,
}

impl Folders {
    /// Whether `folder` or one above it is excluded, by the word of `test` for each of them. The
    /// empty folder, the root, is not asked about.
    pub(super) fn is_excluded(&mut self, folder: &[u8], test: &dyn Fn(&[u8]) -> bool) -> bool {
        if let Some((last, verdict)) = &self.last
            && **last == *folder
        {
            return *verdict;
        }
        let verdict = self.ask(folder, test);
        self.last = Some((folder.into(), verdict));
        verdict
    }

    fn ask(&mut self, folder: &[u8], test: &dyn Fn(&[u8]) -> bool) -> bool {
        if folder.is_empty() {
            return false;
        }
        if let Some(&verdict) = self.known.get(folder) {
            return verdict;
        }
        let above = folder.iter().rposition(|&byte| byte == b'/').unwrap_or(0);
        let verdict = self.ask(&folder[..above], test) || test(folder);
        self.known.insert(folder.into(), verdict);
        verdict
    }
}
