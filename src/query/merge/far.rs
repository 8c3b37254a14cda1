//! Where a far page begins, in any order: a search for a place that almost so many matches come
//! before as are to be skipped.
//!
//! A place is guessed in one segment, found in the others by search, and the matches before it are
//! counted; the next guess is between the nearest ones on both sides. Useful where matches are
//! whatever has some signatures: they are counted without being listed.

use std::cmp::Ordering;

use crate::index::{Order, Position, sized};

use super::super::docset::{DocSet, MatchesRef};
use super::super::signature_docs::counted;
use super::walk::{Walk, bounds, is_by_code};
use super::{Cursor, Merge, Way};

/// How many matches before the page are left to be passed one by one.
const NEAR: usize = sized(32, 1);

/// How many guesses there are at most, and how many in a row that tell nothing.
const GUESSES: usize = 48;
const IDLE: usize = 3;

/// How often a search goes on from where it came to.
const ROUNDS: usize = 4;

/// The slots of a segment among which the page begins. All before `low`, as the order is asked,
/// come before the page; none from `high` on does. Against a kept order `low` is the greater.
#[derive(Clone, Copy)]
struct Span {
    low: Position,
    high: Position,
}

impl Merge<'_> {
    /// Whether matches can be counted without being listed.
    pub(super) fn can_seek(&self) -> bool {
        let is_counted = |cursor: &Cursor<'_>| {
            matches!(cursor.found.matches, DocSet::Signatures | DocSet::Range(_))
        };
        self.compare.plan.text.is_none() && self.cursors.iter().all(is_counted)
    }

    /// Goes on to where almost as many matches were passed as are to be skipped. Cost: a few
    /// searches in each segment, and a look at each slot before the page where no counts tell.
    pub(super) fn seek(&mut self) {
        while self.take_waiting(None).is_some() {}
        let spans = self.cursors.iter().map(|cursor| self.whole(&cursor.found)).collect();
        let expected = |cursor: &Cursor<'_>| match cursor.found.matches {
            DocSet::Signatures => counted(cursor.found.segment, self.signatures),
            _ => cursor.found.count,
        };
        let ahead = self.cursors.iter().map(expected).sum::<u64>() as usize;
        self.search(spans, ahead);
    }

    /// The same from where cursors stand, a few runs on; only along the kept order.
    pub(super) fn seek_on(&mut self) {
        for _ in 0..ROUNDS {
            if self.skip <= NEAR {
                return;
            }
            let limit = self.limit();
            while self.take_waiting(Some(limit)).is_some() {}
            let spans: Vec<Span> = self.cursors.iter().map(|own| self.ahead(own, limit)).collect();
            if spans.iter().filter(|span| span.low < span.high).count() < 2 {
                // What is alone is passed by its codes.
                return;
            }
            let pairs = spans.iter().enumerate();
            let ahead = pairs.map(|(at, span)| self.count(at, span.low, span.high)).sum();
            self.search(spans, ahead);
        }
    }

    /// A key up to which there are as many matches as are to be skipped, where a segment has them
    /// by itself; else the last one of all.
    fn limit(&self) -> u64 {
        let compare = self.compare;
        let (mut least, mut last) = (u64::MAX, 0);
        for cursor in &self.cursors {
            let segment = cursor.found.segment;
            let Span { low, high } = self.ahead(cursor, u64::MAX);
            let order = segment.order(compare.field);
            let key = |at| order.before(at).map(|(_, slot)| compare.key(segment.spot(slot)));
            let mut count = 0;
            // Of the run where it stands, it is not known how much is left.
            for (at, run) in (low.run..high.run).filter_map(|at| Some((at, order.run(at)?))) {
                count += if at > low.run { self.signatures.count_run(run.counts()) } else { 0 };
                if count > self.skip {
                    let own = key(Position { run: at + 1, index: 0 });
                    least = least.min(own.unwrap_or(u64::MAX));
                    break;
                }
            }
            last = last.max(key(high).filter(|_| low < high).unwrap_or(0));
        }
        least.min(last)
    }

    /// What a cursor may still hand on, up to a key.
    fn ahead(&self, cursor: &Cursor<'_>, limit: u64) -> Span {
        let Span { low: start, high } = self.whole(&cursor.found);
        let low = if let Way::Forward(at) = cursor.way { at } else { start };
        let segment = cursor.found.segment;
        let own = |slot: u16| self.compare.key(segment.spot(slot));
        let until = match limit.checked_add(1) {
            Some(after) => segment.order(self.compare.field).at_key(after, own),
            None => high,
        };
        Span { low, high: until.clamp(low, high.max(low)) }
    }

    /// Narrows spans, and lets cursors go on from where they begin. `ahead` is about how many
    /// matches stand in them.
    fn search(&mut self, mut spans: Vec<Span>, mut ahead: usize) {
        // Matches before `low`.
        let mut before = 0;
        let mut idle = 0;
        for guess in 0..GUESSES {
            let wanted = self.skip - before;
            let widths = spans.iter().enumerate().map(|(at, span)| (self.width(at, *span), at));
            let Some((width, at)) = widths.max() else { break };
            if wanted <= NEAR || width < 2 || idle == IDLE {
                break;
            }
            let share = match guess % 3 {
                2 => 0.5,
                _ => wanted as f64 / ahead.max(1) as f64,
            };
            let offset = ((width as f64 * share) as usize).clamp(1, width - 1);
            let Some(found) = self.around(at, spans[at], offset, &spans) else { break };
            let pairs = spans.iter().zip(&found).enumerate();
            let count: usize = pairs.map(|(at, (span, own))| self.count(at, span.low, *own)).sum();
            let mut is_new = false;
            if before + count <= self.skip {
                (before, ahead) = (before + count, ahead.saturating_sub(count));
                for (span, own) in spans.iter_mut().zip(found) {
                    is_new |= span.low != own;
                    span.low = own;
                }
            } else {
                ahead = count;
                for (span, own) in spans.iter_mut().zip(found) {
                    is_new |= span.high != own;
                    span.high = own;
                }
            }
            idle = if is_new { 0 } else { idle + 1 };
        }
        for (at, Span { low, .. }) in spans.into_iter().enumerate() {
            self.cursors[at].way = self.way(&self.cursors[at].found, Some(low));
        }
        self.skip -= before;
    }

    fn order(&self, at: usize) -> &Order {
        self.cursors[at].found.segment.order(self.compare.field)
    }

    /// All that a segment may hand on; against the kept order, all that has a value.
    fn whole(&self, found: &MatchesRef<'_>) -> Span {
        let (from, to) = bounds(found, self.compare.field);
        if self.compare.is_reversed {
            Span { low: to.min(self.missing(found)), high: from }
        } else {
            Span { low: from, high: to }
        }
    }

    fn width(&self, at: usize, Span { low, high }: Span) -> usize {
        self.order(at).distance(low.min(high), low.max(high))
    }

    /// In each segment, within its span, the first slot that does not come before one of a
    /// segment's slots: so many after `low`. Slots of equal values stay together where other keys
    /// break their ties; so do they against the kept order, where the place is that of the greater
    /// ones.
    fn around(
        &self,
        at: usize,
        span: Span,
        offset: usize,
        spans: &[Span],
    ) -> Option<Vec<Position>> {
        let compare = self.compare;
        let order = self.order(at);
        let pivot = if compare.is_reversed {
            order.back(span.low, offset)
        } else {
            order.on(span.low, offset)
        };
        let pivot = self.cursors[at].found.segment.spot(order.get(pivot)?);
        let catalog = compare.catalog();
        let found = self.cursors.iter().zip(spans).map(|(cursor, span)| {
            let segment = cursor.found.segment;
            let order = segment.order(compare.field);
            order.lower_between(span.low.min(span.high), span.low.max(span.high), |slot| {
                let own = segment.spot(slot);
                if !compare.is_reversed && compare.has_kept_tail {
                    return compare.as_kept(own, pivot);
                }
                let by_value = compare.field.compare(catalog, own, pivot);
                // Against the order, equal ones are before what is looked for.
                if compare.is_reversed { by_value.then(Ordering::Less) } else { by_value }
            })
        });
        Some(found.collect())
    }

    /// How many matches stand between two positions of a segment.
    fn count(&self, at: usize, one: Position, other: Position) -> usize {
        let (from, to) = (one.min(other), one.max(other));
        let found = self.cursors[at].found;
        let order = self.order(at);
        if let DocSet::Signatures = found.matches {
            if self.signatures.is_all {
                return order.distance(from, to);
            }
            if is_by_code(&found, self.compare.field, order, self.signatures) {
                return self.count_between(found.segment, from, to);
            }
        }
        let plan = self.compare.plan;
        plan.meter.examine(order.distance(from, to));
        let slots = order.between(from, to);
        let walk = Walk::new(self.compare, self.signatures, found, None);
        slots.filter(|slot| walk.has(*slot)).count()
    }
}
