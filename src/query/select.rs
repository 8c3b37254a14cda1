//! Some ranks of a list, without sorting the rest of it.

use std::cmp::Ordering;
use std::ops::Range;

/// Moves what has the ranks of a range there, in order, and hands it out; ranks past the end are
/// left out. Cost: a few looks at each member, and the sort of the range.
pub(super) fn ranks<T>(
    list: &mut [T],
    range: Range<usize>,
    compare: impl Fn(&T, &T) -> Ordering,
) -> &mut [T] {
    let range = range.start.min(list.len())..range.end.min(list.len());
    if range.is_empty() {
        return &mut [];
    }
    if range.end < list.len() {
        list.select_nth_unstable_by(range.end - 1, &compare);
    }
    if range.start > 0 {
        list[..range.end].select_nth_unstable_by(range.start, &compare);
    }
    let ranks = &mut list[range];
    ranks.sort_unstable_by(compare);
    ranks
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn ranks_are_those_of_a_sorted_list(
            list in prop::collection::vec(0..50u8, 0..80),
            start in 0..90usize,
            length in 0..90usize,
        ) {
            let mut sorted = list.clone();
            sorted.sort_unstable();
            let right: Vec<u8> = sorted.into_iter().skip(start).take(length).collect();
            let mut list = list;
            prop_assert_eq!(ranks(&mut list, start..start + length, Ord::cmp).to_vec(), right);
        }
    }
}
