//! Where a far page begins against a kept order.
//!
//! Values run backwards there, but cases of one value stand as they are kept, and so do those
//! without a value, which come last. So a search against the order ends at a value, and where many
//! cases have that one, another search goes on among them, along the order. Useful where one value
//! is that of many cases: none of them has to be handed on. Not where other keys break ties.

use super::Merge;
use super::rank_seek::{NEAR, RankSeek, Span};
use super::scan::Place;

/// How many values are passed after a search: it ends before the one that has the rank, or before
/// one of few cases.
const PASSED: usize = 8;

impl<'a> Merge<'a> {
    /// Passes almost as many matches as are to be skipped, of so many that there are; gives where
    /// each segment's walk goes on.
    pub(super) fn seek_back(&mut self, spans: Vec<Span<'a>>, total: usize) -> Vec<Place> {
        let field = self.compare.field;
        let missing = spans.iter();
        let missing = missing.map(|own| own.between(own.docs.missing(field), own.order.end()));
        let missing: Vec<_> = missing.collect();
        let count = |spans: &[Span<'_>]| -> usize {
            spans.iter().map(|span| span.count_to(span.high)).sum()
        };
        let width = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
        let with_value = match width(&missing) < width(&spans) {
            true => total - count(&missing),
            false => count(&spans),
        };
        if with_value <= self.skip {
            self.skip -= with_value;
            return self.seek_missing(missing, total - with_value);
        }
        let mut search = RankSeek { compare: self.compare, is_reversed: true, spans };
        self.skip -= search.seek(self.skip, with_value);
        self.seek_in_value(search.spans)
    }

    /// The same among those without a value.
    fn seek_missing(&mut self, spans: Vec<Span<'a>>, total: usize) -> Vec<Place> {
        let field = self.compare.field;
        let mut search = RankSeek { compare: self.compare, is_reversed: false, spans };
        self.skip -= search.seek(self.skip, total);
        let place = |span: &Span<'_>| {
            let (start, _) = span.docs.bounds(field);
            Place { at: span.low, group_end: span.order.end(), next_end: start }
        };
        search.spans.iter().map(place).collect()
    }

    /// Goes on from where a search against the order has ended: over values whose cases all come
    /// before the page, and into the one that the page begins with. Cost: a few searches in each
    /// segment for each value, and the counts of its slots.
    fn seek_in_value(&mut self, mut spans: Vec<Span<'a>>) -> Vec<Place> {
        for _ in 0..PASSED {
            if self.skip <= NEAR || !self.compare.has_kept_tail {
                break;
            }
            let Some(groups) = self.next_value(&spans) else { break };
            let count: usize = groups.iter().map(|own| own.count_to(own.high)).sum();
            if count > self.skip {
                let ends: Vec<_> = groups.iter().map(|own| (own.low, own.high)).collect();
                let (compare, is_reversed) = (self.compare, false);
                let mut search = RankSeek { compare, is_reversed, spans: groups };
                self.skip -= search.seek(self.skip, count);
                let place = |(span, (from, to)): (&Span<'_>, (_, _))| match from == to {
                    true => Place::at(to),
                    false => Place { at: span.low, group_end: to, next_end: from },
                };
                return search.spans.iter().zip(ends).map(place).collect();
            }
            self.skip -= count;
            spans.iter_mut().zip(groups).for_each(|(span, own)| span.low = own.low);
        }
        spans.iter().map(|span| Place::at(span.low)).collect()
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
