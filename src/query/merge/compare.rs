//! How matches compare: by the keys of an order, and as kept orders have them.

use std::cmp::Ordering;

use crate::contract::{Direction, SortField};
use crate::index::{Catalog, DocAddress, DocRef, Field, Segment};

use super::super::after::After;
use super::super::plan::Plan;

/// The keys of an order, first to last.
pub(in crate::query) type Keys<'q> = &'q [(SortField, Direction)];

/// The kept order by which a field's order is found.
pub(in crate::query) fn kept(field: SortField) -> Field {
    match field {
        SortField::Updated => Field::Updated,
        SortField::Due => Field::Due,
        SortField::Name => Field::Name,
        SortField::RefId => Field::RefId,
        SortField::Assignee => Field::Assignee,
        SortField::Id => Field::Id,
        SortField::Created | SortField::Priority | SortField::Status => Field::Created,
    }
}

/// How matches compare.
pub(in crate::query) struct Compare<'a> {
    pub(super) plan: &'a Plan<'a>,
    pub(super) keys: Keys<'a>,
    pub(super) field: Field,
    /// Whether the asked direction is not the kept one.
    pub(super) is_reversed: bool,
    /// Whether the keys after the first are those by which kept orders break their ties.
    pub(super) has_kept_tail: bool,
    /// Where a merge begins, if not with the first match.
    pub(super) start: Option<Start<'a>>,
}

/// Where a merge begins: behind a case that was seen last, or where other keys break ties, behind
/// all that the first key finds equal to it.
pub(super) struct Start<'a> {
    pub(super) after: After<'a>,
    /// Of the case's first value: nothing ahead has a better one.
    pub(super) key: u64,
    is_by_all: bool,
}

impl Start<'_> {
    /// Whether a match is still to come.
    pub(super) fn is_ahead(&self, doc: DocRef<'_>) -> bool {
        let ordering = if self.is_by_all { self.after.compare(doc) } else { self.after.first(doc) };
        ordering.is_gt()
    }
}

impl<'a> Compare<'a> {
    pub(in crate::query) fn new(plan: &'a Plan<'a>, keys: Keys<'a>) -> Option<Self> {
        let ((field, direction), rest) = keys.split_first()?;
        let field = kept(*field);
        let tail = [(SortField::Created, Direction::Desc), (SortField::Id, Direction::Asc)];
        Some(Self {
            plan,
            keys,
            field,
            is_reversed: (*direction == Direction::Desc) != field.is_kept_descending(),
            has_kept_tail: rest == tail
                || rest.is_empty()
                || field == Field::Created && rest == &tail[1..],
            start: None,
        })
    }

    /// The same, of a merge that begins behind a case, if one is given.
    pub(super) fn behind(mut self, after: Option<After<'a>>) -> Self {
        let start = |after: After<'a>| Start {
            key: self.directed(after.key(self.field)),
            is_by_all: self.has_kept_tail,
            after,
        };
        self.start = after.map(start);
        self
    }

    /// The best key that a match may have whose segment has this one.
    pub(super) fn best_ahead(&self, key: u64) -> u64 {
        self.start.as_ref().map_or(key, |start| start.key.max(key))
    }

    pub(super) fn catalog(&self) -> &'a Catalog {
        self.plan.index.catalog()
    }

    pub(super) fn doc(&self, address: DocAddress) -> DocRef<'a> {
        DocRef { address, row: self.plan.index.row(address) }
    }

    /// A number that orders as the first key does in the asked direction, missing values last.
    #[inline]
    pub(super) fn key(&self, doc: DocRef<'_>) -> u64 {
        self.directed(self.field.key(self.catalog(), doc))
    }

    /// A key of the kept order as one of the asked direction.
    #[inline]
    pub(super) fn directed(&self, key: u64) -> u64 {
        if self.is_reversed && key != u64::MAX { !key } else { key }
    }

    /// Compares by the first key, missing values last.
    pub(super) fn first(&self, a: DocRef<'_>, b: DocRef<'_>) -> Ordering {
        directed(self.catalog(), self.field, self.is_reversed, a, b)
    }

    /// Compares as the kept orders do, in the asked direction.
    pub(super) fn as_kept(&self, a: DocRef<'_>, b: DocRef<'_>) -> Ordering {
        self.first(a, b)
            .then_with(|| Field::Created.compare(self.catalog(), a, b))
            .then_with(|| Field::Id.compare(self.catalog(), a, b))
    }

    /// Compares as the merge has them: where other keys break ties, the first key alone decides.
    pub(super) fn merged(&self, a: DocRef<'_>, b: DocRef<'_>) -> Ordering {
        if self.has_kept_tail { self.as_kept(a, b) } else { self.first(a, b) }
    }

    /// The same of two slots of a segment. Sorts call it for equal keys only: those are few, and
    /// without it what they do at each step is little.
    #[inline(never)]
    pub(super) fn merged_slots(&self, segment: &Segment, a: u16, b: u16) -> Ordering {
        self.merged(segment.doc(a), segment.doc(b))
    }

    /// Compares by all keys.
    pub(in crate::query) fn all(&self, a: DocAddress, b: DocAddress) -> Ordering {
        let (a, b) = (self.doc(a), self.doc(b));
        let by = |(field, direction): &(SortField, Direction)| self.by(*field, *direction, a, b);
        self.keys.iter().map(by).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// The same of two with their keys.
    pub(super) fn keyed(&self, a: (u64, DocAddress), b: (u64, DocAddress)) -> Ordering {
        a.0.cmp(&b.0).then_with(|| self.all(a.1, b.1))
    }

    fn by(&self, field: SortField, direction: Direction, a: DocRef<'_>, b: DocRef<'_>) -> Ordering {
        let catalog = self.catalog();
        let signature = |doc: DocRef<'_>| catalog.signatures.get(doc.row.signature);
        let ordered = |ordering: Ordering, present: (bool, bool)| match present {
            (true, true) if direction == Direction::Desc => ordering.reverse(),
            (true, true) => ordering,
            (a, b) => b.cmp(&a),
        };
        match field {
            SortField::Priority => {
                let [a, b] =
                    [a, b].map(|doc| catalog.priorities.get(signature(doc).priority).score);
                ordered(a.cmp(&b), (a.is_some(), b.is_some()))
            }
            SortField::Status => {
                let [a, b] =
                    [a, b].map(|doc| catalog.statuses.get(signature(doc).status).sort.as_ref());
                ordered(a.cmp(&b), (a.is_some(), b.is_some()))
            }
            _ => {
                let field = kept(field);
                let is_reversed = (direction == Direction::Desc) != field.is_kept_descending();
                directed(catalog, field, is_reversed, a, b)
            }
        }
    }
}

fn directed(
    catalog: &Catalog,
    field: Field,
    is_reversed: bool,
    a: DocRef<'_>,
    b: DocRef<'_>,
) -> Ordering {
    let ordering = field.compare(catalog, a, b);
    let both = || field.is_present(catalog, a.row) && field.is_present(catalog, b.row);
    if is_reversed && both() { ordering.reverse() } else { ordering }
}
