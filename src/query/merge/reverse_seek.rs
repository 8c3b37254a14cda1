//! Where a far page begins against a kept order.
//!
//! Values run backwards there, but cases of one value stand as they are kept, and so do those
//! without a value, which come last. So a search against the order ends at a value, and where many
//! cases have that one, another search goes on among them, along the order. Useful where one value
//! is that of many cases: none of them has to be handed on. Not where other keys break ties.

use super::super::cost::{COUNTED_SLOT, HANDED_ON};
use super::Merge;
use super::rank_seek::{NEAR, Span};
use super::scan::Place;

/// How many values are passed one by one behind a search, which may end a few of them too early.
const PASSED: usize = 8;

impl<'a> Merge<'a> {
    /// Passes almost as many matches as are to be skipped, of so many that there are; gives where
    /// each segment's walk goes on. Cost: that of a search, and a count of what it has left where
    /// that is less than handing on what is still to be skipped.
    pub(super) fn seek_back(&mut self, spans: Vec<Span<'a>>, total: usize) -> Vec<Place> {
        let before = self.skip;
        let mut spans = self.narrow(spans, total, true);
        if let Some(places) = self.seek_in_value(&mut spans) {
            return places;
        }
        let left = |span: &Span<'a>| {
            let (start, _) = span.docs.bounds(self.compare.field);
            span.between(start, span.low.max(start))
        };
        let left: Vec<_> = spans.iter().map(left).collect();
        let slots: usize = left.iter().map(Span::width).sum();
        if self.skip > NEAR && (slots as u64) * COUNTED_SLOT < self.skip as u64 * HANDED_ON {
            let with_value: usize = left.iter().map(|own| own.count_to(own.high)).sum();
            if with_value <= self.skip {
                self.skip -= with_value;
                return self.seek_missing(&spans, total.saturating_sub(before - self.skip));
            }
        }
        spans.iter().map(|span| Place::at(span.low)).collect()
    }

    /// The same among those without a value, which are so many.
    fn seek_missing(&mut self, spans: &[Span<'a>], total: usize) -> Vec<Place> {
        let field = self.compare.field;
        let own = |span: &Span<'a>| span.between(span.docs.missing(field), span.order.end());
        let spans = spans.iter().map(own).collect();
        let place = |span: &Span<'_>| {
            let (start, _) = span.docs.bounds(field);
            Place { at: span.low, group_end: span.order.end(), next_end: start }
        };
        self.narrow(spans, total, false).iter().map(place).collect()
    }

    /// Goes on from where a search against the order has ended: over values whose cases all come
    /// before the page, and into the one that the page begins with, if it comes to that. Cost: a
    /// few searches in each segment for each value, and the counts of its slots.
    fn seek_in_value(&mut self, spans: &mut [Span<'a>]) -> Option<Vec<Place>> {
        for _ in 0..PASSED {
            if self.skip <= NEAR || !self.compare.has_kept_tail {
                return None;
            }
            let groups = self.next_value(spans)?;
            let count: usize = groups.iter().map(|own| own.count_to(own.high)).sum();
            if count > self.skip {
                return Some(self.seek_among(groups, count));
            }
            self.skip -= count;
            spans.iter_mut().zip(groups).for_each(|(span, own)| span.low = own.low);
        }
        None
    }

    /// Goes on among the cases of one value, of which so many match.
    fn seek_among(&mut self, groups: Vec<Span<'a>>, count: usize) -> Vec<Place> {
        let ends: Vec<_> = groups.iter().map(|own| (own.low, own.high)).collect();
        let place = |(span, (from, to)): (&Span<'_>, (_, _))| match from == to {
            true => Place::at(to),
            false => Place { at: span.low, group_end: to, next_end: from },
        };
        self.narrow(groups, count, false).iter().zip(ends).map(place).collect()
    }

    /// Where in each segment the value stands that comes next; nothing where there is none.
    fn next_value(&self, spans: &[Span<'a>]) -> Option<Vec<Span<'a>>> {
        let (compare, field) = (self.compare, self.compare.field);
        let next = spans.iter().filter_map(|span| {
            let (start, _) = span.docs.bounds(field);
            let (at, slot) = span.order.before(span.low)?;
            (at >= start).then(|| span.docs.segment.doc(slot))
        });
        let next = next.min_by(|a, b| compare.first(*a, *b))?;
        let groups = spans.iter().map(|span| {
            let (start, _) = span.docs.bounds(field);
            let by_value =
                |slot: u16| field.compare(compare.catalog(), span.docs.segment.doc(slot), next);
            span.between(span.order.lower_between(start, span.low, by_value), span.low)
        });
        Some(groups.collect())
    }
}
