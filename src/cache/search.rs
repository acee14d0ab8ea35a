//! Binary search in records that are compared where they lie: [`search`].

use std::cmp::Ordering;

/// The index of the one among `count` sorted records that `compare` calls equal, or else where it
/// would have to stand. `compare` says how the record at an index stands to what is looked for.
pub(super) fn search(
    count: usize,
    mut compare: impl FnMut(usize) -> Ordering,
) -> Result<usize, usize> {
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = usize::midpoint(low, high);
        match compare(middle) {
            Ordering::Equal => return Ok(middle),
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
        }
    }
    Err(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_the_standard_library_finds() {
        for count in 0..20_u32 {
            let sorted: Vec<u32> = (0..count).map(|n| 2 * n).collect();
            for wanted in 0..=2 * count {
                let found = search(sorted.len(), |at| sorted[at].cmp(&wanted));
                assert_eq!(found, sorted.binary_search(&wanted), "{wanted} among {count}");
            }
        }
    }
}
