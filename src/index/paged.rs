//! A vector in pages that clones share: a change copies one page.
//!
//! Useful for a column that is read at random and changed one value at a time. Not for one slice
//! over all of it.
//!
//! Pages hang in a tree of small groups. Copying a group counts a reference to each of its members
//! anew, and in a large scope each count is a cache line that is not at hand: a wide group would
//! cost more than the page that changes.

use std::ops::Range;
use std::sync::Arc;

/// How many members a group has.
const FAN: usize = 8;

/// What pages hold.
pub(crate) trait Paging: Clone {
    /// Brings near what a clone of values touches besides themselves.
    fn near(values: &[Self]) {
        let _ = values;
    }
}

impl Paging for u32 {}

impl<M> Paging for Arc<M> {
    fn near(values: &[Self]) {
        near(values.iter());
    }
}

impl<M> Paging for Option<Arc<M>> {
    fn near(values: &[Self]) {
        near(values.iter().flatten());
    }
}

#[derive(Debug)]
struct Page<T, const PAGE: usize>([T; PAGE]);

impl<T: Paging, const PAGE: usize> Clone for Page<T, PAGE> {
    fn clone(&self) -> Self {
        T::near(&self.0);
        Self(self.0.clone())
    }
}

type Inner<T, const PAGE: usize> = Group<Arc<Page<T, PAGE>>>;
type Outer<T, const PAGE: usize> = Group<Arc<Inner<T, PAGE>>>;

/// Members side by side, the missing ones last.
#[derive(Debug)]
struct Group<M>([Option<M>; FAN]);

impl<M> Default for Group<M> {
    fn default() -> Self {
        Self([const { None }; FAN])
    }
}

impl<M> Clone for Group<Arc<M>> {
    fn clone(&self) -> Self {
        near(self.0.iter().flatten());
        Self(self.0.clone())
    }
}

/// Brings the counts of references near, all at once: counting one more waits until it is there,
/// so that of several that are far each would be waited for by itself.
fn near<'a, M: 'a>(members: impl Iterator<Item = &'a Arc<M>>) {
    std::hint::black_box(members.map(Arc::strong_count).fold(0, usize::wrapping_add));
}

/// The outermost groups.
#[derive(Debug)]
struct Root<T, const PAGE: usize>(Vec<Arc<Outer<T, PAGE>>>);

impl<T, const PAGE: usize> Default for Root<T, PAGE> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const PAGE: usize> Clone for Root<T, PAGE> {
    fn clone(&self) -> Self {
        near(self.0.iter());
        Self(self.0.clone())
    }
}

/// Values in pages of `PAGE`, pages in groups, groups in groups. A clone costs one pointer.
#[derive(Clone, Debug)]
pub(crate) struct Paged<T, const PAGE: usize> {
    /// Only the last page and the last groups are not full; past the end, clones of some value
    /// fill the page.
    groups: Arc<Root<T, PAGE>>,
    length: usize,
}

impl<T, const PAGE: usize> Default for Paged<T, PAGE> {
    fn default() -> Self {
        Self { groups: Arc::default(), length: 0 }
    }
}

impl<T: Paging, const PAGE: usize> Paged<T, PAGE> {
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// How many references there are to what a clone shares.
    pub(super) fn references(&self) -> usize {
        Arc::strong_count(&self.groups)
    }

    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        if at >= self.length {
            return None;
        }
        let outer = self.groups.0.get(at / (PAGE * FAN * FAN))?;
        let inner = outer.0[at / (PAGE * FAN) % FAN].as_ref()?;
        Some(&inner.0[at / PAGE % FAN].as_ref()?.0[at % PAGE])
    }

    /// The value to change, its page copied where a clone shares it.
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        if at >= self.length {
            return None;
        }
        let groups = &mut Arc::make_mut(&mut self.groups).0;
        let outer = Arc::make_mut(groups.get_mut(at / (PAGE * FAN * FAN))?);
        let inner = Arc::make_mut(outer.0[at / (PAGE * FAN) % FAN].as_mut()?);
        Some(&mut Arc::make_mut(inner.0[at / PAGE % FAN].as_mut()?).0[at % PAGE])
    }

    pub(super) fn push(&mut self, value: T) {
        let at = self.length;
        let groups = &mut Arc::make_mut(&mut self.groups).0;
        if at.is_multiple_of(PAGE * FAN * FAN) {
            groups.push(Arc::default());
        }
        if let Some(outer) = groups.last_mut() {
            let inner = Arc::make_mut(outer).0[at / (PAGE * FAN) % FAN].get_or_insert_default();
            let page = &mut Arc::make_mut(inner).0[at / PAGE % FAN];
            match page {
                Some(page) => Arc::make_mut(page).0[at % PAGE] = value,
                None => *page = Some(Arc::new(Page(std::array::from_fn(|_| value.clone())))),
            }
            self.length += 1;
        }
    }

    /// Fills up to a length.
    pub(super) fn grow(&mut self, length: usize, value: &T) {
        while self.len() < length {
            self.push(value.clone());
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages().flatten()
    }

    /// The pages, for a walk over slices.
    pub(crate) fn pages(&self) -> impl Iterator<Item = &[T]> {
        let inner = self.groups.0.iter().flat_map(|outer| outer.0.iter().flatten());
        let pages = inner.flat_map(|inner| inner.0.iter().flatten());
        let lengths = (0..self.length).step_by(PAGE).map(|at| (self.length - at).min(PAGE));
        pages.zip(lengths).map(|(page, length)| &page.0[..length])
    }

    /// The first place of a range whose value is not as asked, where those that are come first.
    pub(super) fn partition_point(
        &self,
        range: Range<usize>,
        mut is: impl FnMut(&T) -> bool,
    ) -> usize {
        let Range { mut start, mut end } = range;
        while start < end {
            let middle = start.midpoint(end);
            if self.get(middle).is_some_and(&mut is) {
                start = middle + 1;
            } else {
                end = middle;
            }
        }
        start
    }
}

impl<T: Paging, const PAGE: usize> FromIterator<T> for Paged<T, PAGE> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut paged = Self::default();
        values.into_iter().for_each(|value| paged.push(value));
        paged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Paging for usize {}

    #[test]
    fn a_clone_keeps_its_values() {
        let mut one: Paged<u32, 4> = Paged::default();
        one.grow(6, &7);
        let two = one.clone();
        *one.get_mut(5).unwrap() = 1;
        one.push(2);
        assert_eq!(one.iter().copied().collect::<Vec<_>>(), [7, 7, 7, 7, 7, 1, 2]);
        assert_eq!((two.len(), two.get(5), two.get(6)), (6, Some(&7), None));
        let page =
            |paged: &Paged<u32, 4>| paged.groups.0[0].0[0].as_ref().and_then(|i| i.0[0].clone());
        assert!(Arc::ptr_eq(&page(&one).unwrap(), &page(&two).unwrap()));
    }

    #[test]
    fn groups_follow_one_another() {
        let mut paged: Paged<usize, 2> = Paged::default();
        (0..1000).for_each(|value| paged.push(value));
        assert!(paged.iter().copied().eq(0..1000));
        assert_eq!((paged.groups.0.len(), paged.get(777), paged.get(1000)), (8, Some(&777), None));
        assert_eq!(paged.partition_point(100..900, |value| *value < 345), 345);
        assert_eq!(paged.partition_point(100..200, |_| true), 200);
        assert!(paged.get_mut(1000).is_none());
    }
}
