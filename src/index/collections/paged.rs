//! A vector in pages that clones share: a change copies one page.
//!
//! Useful for a column that is read at random and changed one value at a time. Not for one slice
//! over all of it.
//!
//! Empty it allocates nothing; up to a page, it is that page alone, as long as it has to be. More
//! pages hang in a tree of small groups. Copying a group counts a reference to each of its members
//! anew, and in a large scope each count is a cache line that is not at hand: a wide group would
//! cost more than the page that changes.

use std::ops::Range;
use std::sync::Arc;

/// How many members a group has.
const FAN: usize = 8;

/// What an `Arc` has beside its value: two counts.
pub(crate) const ARC: usize = 2 * size_of::<usize>();

/// What pages hold.
pub(crate) trait PageValue: Clone {
    /// Prefetches what a clone of values touches besides themselves.
    fn prefetch(values: &[Self]) {
        let _ = values;
    }
}

impl PageValue for u32 {}
impl PageValue for u64 {}

impl<M: ?Sized> PageValue for Arc<M> {
    fn prefetch(values: &[Self]) {
        prefetch(values.iter());
    }
}

impl<M> PageValue for Option<Arc<M>> {
    fn prefetch(values: &[Self]) {
        prefetch(values.iter().flatten());
    }
}

/// Every page but the last has `PAGE` values. The last one has room for some more where it was
/// pushed to, filled with clones of some value.
type Page<T> = Arc<[T]>;
type Inner<T> = PageGroup<Page<T>>;
type Outer<T> = PageGroup<Arc<Inner<T>>>;

/// Members side by side, the missing ones last.
#[derive(Debug)]
struct PageGroup<M>([Option<M>; FAN]);

impl<M> Default for PageGroup<M> {
    fn default() -> Self {
        Self([const { None }; FAN])
    }
}

impl<M: ?Sized> Clone for PageGroup<Arc<M>> {
    fn clone(&self) -> Self {
        prefetch(self.0.iter().flatten());
        Self(self.0.clone())
    }
}

/// Prefetches the counts of references, all at once: counting one more waits until it is there,
/// so that of several that are far each would be waited for by itself.
pub(crate) fn prefetch<'a, M: ?Sized + 'a>(members: impl Iterator<Item = &'a Arc<M>>) {
    std::hint::black_box(members.map(Arc::strong_count).fold(0, usize::wrapping_add));
}

/// The outermost groups.
#[derive(Debug)]
struct Root<T>(Vec<Arc<Outer<T>>>);

impl<T> Clone for Root<T> {
    fn clone(&self) -> Self {
        prefetch(self.0.iter());
        Self(self.0.clone())
    }
}

impl<T> Root<T> {
    /// Adds a page as the one with a number.
    fn add(&mut self, number: usize, page: Page<T>) {
        if number.is_multiple_of(FAN * FAN) {
            self.0.push(Arc::default());
        }
        if let Some(outer) = self.0.last_mut() {
            let inner = Arc::make_mut(outer).0[number / FAN % FAN].get_or_insert_default();
            Arc::make_mut(inner).0[number % FAN] = Some(page);
        }
    }

    #[inline]
    fn page(&self, number: usize) -> Option<&Page<T>> {
        let outer = self.0.get(number / (FAN * FAN))?;
        outer.0[number / FAN % FAN].as_ref()?.0[number % FAN].as_ref()
    }

    /// The page to change, the groups over it copied where clones share them.
    fn page_mut(&mut self, number: usize) -> Option<&mut Page<T>> {
        let outer = Arc::make_mut(self.0.get_mut(number / (FAN * FAN))?);
        let inner = Arc::make_mut(outer.0[number / FAN % FAN].as_mut()?);
        inner.0[number % FAN].as_mut()
    }
}

#[derive(Debug)]
enum Pages<T> {
    None,
    One(Page<T>),
    Many(Arc<Root<T>>),
}

impl<T> Clone for Pages<T> {
    fn clone(&self) -> Self {
        match self {
            Self::None => Self::None,
            Self::One(page) => Self::One(Arc::clone(page)),
            Self::Many(root) => Self::Many(Arc::clone(root)),
        }
    }
}

/// Values in pages of `PAGE`. A clone costs one pointer.
#[derive(Clone, Debug)]
pub(crate) struct Paged<T, const PAGE: usize> {
    pages: Pages<T>,
    length: usize,
}

impl<T, const PAGE: usize> Default for Paged<T, PAGE> {
    fn default() -> Self {
        Self { pages: Pages::None, length: 0 }
    }
}

impl<const PAGE: usize> Paged<u32, PAGE> {
    /// Adds to a count, past the end to one of zero; gives what it is then.
    pub(crate) fn add(&mut self, at: usize, change: i32) -> u32 {
        self.grow(at + 1, &0);
        self.get_mut(at).map_or(0, |count| {
            *count = count.wrapping_add_signed(change);
            *count
        })
    }
}

impl<T: PageValue, const PAGE: usize> Paged<T, PAGE> {
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    /// How many references there are to what a clone shares.
    pub(crate) fn references(&self) -> usize {
        match &self.pages {
            Pages::None => 0,
            Pages::One(page) => Arc::strong_count(page),
            Pages::Many(root) => Arc::strong_count(root),
        }
    }

    #[inline]
    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        if at >= self.length {
            return None;
        }
        match &self.pages {
            Pages::Many(root) => root.page(at / PAGE)?.get(at % PAGE),
            Pages::One(page) => page.get(at),
            Pages::None => None,
        }
    }

    fn page_mut(&mut self, number: usize) -> Option<&mut Page<T>> {
        match &mut self.pages {
            Pages::None => None,
            Pages::One(page) => Some(page),
            Pages::Many(root) => Arc::make_mut(root).page_mut(number),
        }
    }

    /// The value to change, its page copied where a clone shares it.
    pub(crate) fn get_mut(&mut self, at: usize) -> Option<&mut T> {
        if at >= self.length {
            return None;
        }
        to_change(self.page_mut(at / PAGE)?).get_mut(at % PAGE)
    }

    /// Puts a value in the place of another, if there is one.
    pub(crate) fn set(&mut self, at: usize, value: T) {
        if let Some(own) = self.get_mut(at) {
            *own = value;
        }
    }

    fn add_page(&mut self, page: Page<T>) {
        let number = self.length / PAGE;
        match &mut self.pages {
            Pages::None => self.pages = Pages::One(page),
            Pages::One(first) => {
                let mut root = Root(Vec::with_capacity(1));
                root.add(0, Arc::clone(first));
                root.add(number, page);
                self.pages = Pages::Many(Arc::new(root));
            }
            Pages::Many(root) => Arc::make_mut(root).add(number, page),
        }
    }

    /// Adds a value. Cost: that of a change; and a copy of the last page each time it doubles.
    pub(crate) fn push(&mut self, value: T) {
        let at = self.length % PAGE;
        if at == 0 {
            self.add_page(Arc::from([value]));
        } else if let Some(page) = self.page_mut(self.length / PAGE) {
            let room = (page.len() * 2).min(PAGE) - page.len();
            match page.len() > at {
                true => to_change(page)[at] = value,
                false => *page = joined(page, std::iter::repeat_n(value, room)),
            }
        }
        self.length += 1;
    }

    /// Adds values. Cost: the pages that they go into.
    pub(crate) fn extend(&mut self, values: impl IntoIterator<Item = T>) {
        let mut values = values.into_iter().peekable();
        while values.peek().is_some() {
            let at = self.length % PAGE;
            let some: Vec<T> = values.by_ref().take(PAGE - at).collect();
            let count = some.len();
            if at == 0 {
                self.add_page(some.into());
            } else if let Some(page) = self.page_mut(self.length / PAGE) {
                *page = joined(&page[..at], some.into_iter());
            }
            self.length += count;
        }
    }

    /// Fills up to a length.
    pub(crate) fn grow(&mut self, length: usize, value: &T) {
        match length.saturating_sub(self.length) {
            0 => {}
            1 => self.push(value.clone()),
            more => self.extend(std::iter::repeat_n(value.clone(), more)),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages().flatten()
    }

    /// The pages, for a walk over slices.
    pub(crate) fn pages(&self) -> impl Iterator<Item = &[T]> {
        let (one, many) = match &self.pages {
            Pages::None => (None, None),
            Pages::One(page) => (Some(page), None),
            Pages::Many(root) => (None, Some(root)),
        };
        let inner =
            many.into_iter().flat_map(|root| &root.0).flat_map(|own| own.0.iter().flatten());
        let pages = one.into_iter().chain(inner.flat_map(|inner| inner.0.iter().flatten()));
        let lengths = (0..self.length).step_by(PAGE).map(|at| (self.length - at).min(PAGE));
        pages.zip(lengths).map(|(page, length)| &page[..length])
    }

    /// The first place of a range whose value is not as asked, where those that are come first.
    pub(crate) fn partition_point(
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

    /// Bytes that are allocated, but for what the values own. Cost: none that grows.
    pub(crate) fn bytes(&self) -> usize {
        let page = |values: usize| ARC + values * size_of::<T>();
        match &self.pages {
            Pages::None => 0,
            Pages::One(own) => page(own.len()),
            Pages::Many(root) => {
                let last = self.length.saturating_sub(1) / PAGE;
                let groups = (last / FAN + 1) * (ARC + size_of::<Inner<T>>())
                    + root.0.len() * (ARC + size_of::<Outer<T>>())
                    + (ARC + size_of::<Root<T>>() + root.0.capacity() * size_of::<usize>());
                groups + last * page(PAGE) + root.page(last).map_or(0, |last| page(last.len()))
            }
        }
    }
}

/// The values of a page to change, copied where a clone shares them.
fn to_change<T: PageValue>(page: &mut Page<T>) -> &mut [T] {
    if Arc::strong_count(page) > 1 {
        T::prefetch(page);
    }
    Arc::make_mut(page)
}

/// A page with more values behind its own.
fn joined<T: PageValue>(page: &[T], more: impl Iterator<Item = T>) -> Page<T> {
    T::prefetch(page);
    page.iter().cloned().chain(more).collect()
}

impl<T: PageValue, const PAGE: usize> FromIterator<T> for Paged<T, PAGE> {
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut paged = Self::default();
        paged.extend(values);
        paged
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    impl PageValue for usize {}

    #[test]
    fn a_clone_keeps_its_values() {
        let mut one: Paged<u32, 4> = Paged::default();
        one.grow(6, &7);
        let two = one.clone();
        *one.get_mut(5).unwrap() = 1;
        one.push(2);
        assert_eq!(one.iter().copied().collect::<Vec<_>>(), [7, 7, 7, 7, 7, 1, 2]);
        assert_eq!((two.len(), two.get(5), two.get(6)), (6, Some(&7), None));
        let first = |paged: &Paged<u32, 4>| paged.pages().next().map(<[u32]>::as_ptr);
        assert_eq!(first(&one), first(&two));
    }

    #[test]
    fn groups_follow_one_another() {
        let mut paged: Paged<usize, 2> = Paged::default();
        (0..1000).for_each(|value| paged.push(value));
        assert!(paged.iter().copied().eq(0..1000));
        assert_eq!((paged.get(777), paged.get(1000)), (Some(&777), None));
        assert_eq!(paged.partition_point(100..900, |value| *value < 345), 345);
        assert_eq!(paged.partition_point(100..200, |_| true), 200);
        assert!(paged.get_mut(1000).is_none());
        assert_eq!(Paged::<usize, 2>::default().bytes(), 0);
        let one: Paged<usize, 8> = (0..3).collect();
        assert_eq!(one.bytes(), ARC + 3 * 8);
    }

    /// A change of a vector.
    #[derive(Clone, Debug)]
    enum Step {
        Push(u32),
        Extend(Vec<u32>),
        Grow(usize),
        Set(usize, u32),
        Clone,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            any::<u32>().prop_map(Step::Push),
            prop::collection::vec(any::<u32>(), 0..20).prop_map(Step::Extend),
            (0..9_usize).prop_map(Step::Grow),
            (0..99_usize, any::<u32>()).prop_map(|(at, value)| Step::Set(at, value)),
            Just(Step::Clone),
        ];
        prop::collection::vec(step, 0..60)
    }

    proptest! {
        #[test]
        fn is_a_vector(steps in steps()) {
            let (mut own, mut right) = (Paged::<u32, 4>::default(), Vec::new());
            let mut kept = Vec::new();
            for step in steps {
                match step {
                    Step::Push(value) => {
                        own.push(value);
                        right.push(value);
                    }
                    Step::Extend(values) => {
                        own.extend(values.clone());
                        right.extend(values);
                    }
                    Step::Grow(more) => {
                        own.grow(right.len() + more, &5);
                        right.resize(right.len() + more, 5);
                    }
                    Step::Set(at, value) => {
                        let is_there = own.get_mut(at).map(|own| *own = value).is_some();
                        prop_assert_eq!(is_there, at < right.len());
                        if let Some(right) = right.get_mut(at) {
                            *right = value;
                        }
                    }
                    Step::Clone => kept.push((own.clone(), right.clone())),
                }
                prop_assert_eq!(own.len(), right.len());
            }
            kept.push((own, right));
            for (own, right) in kept {
                prop_assert_eq!(own.pages().flatten().copied().collect::<Vec<_>>(), right.clone());
                let is_there = |(at, value)| own.get(at) == Some(value);
                prop_assert!(right.iter().enumerate().all(is_there));
                prop_assert_eq!(own.get(right.len()), None);
                prop_assert_eq!(own.pages().count(), right.len().div_ceil(4));
            }
        }
    }
}
