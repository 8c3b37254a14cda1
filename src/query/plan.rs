//! The plan of a query: its clauses bound to the ordinals of a scope's catalog.

use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::contract::{AnyOf, Clause, DateField, Span};
use crate::index::{
    Catalog, Column, Index, MAX_COUNTED, Ordinal, RunPart, SignatureFilter, SignatureSet,
    masked_sum, spread_bits, sum_of_bits,
};

use super::text::Text;
use crate::threads::Pool;

/// The signatures that a plan leaves.
///
/// Useful for what counts and codes of segments and runs tell; they know the first `MAX_COUNTED`
/// signatures one by one, and all past them as one.
#[derive(Debug)]
pub(super) struct Signatures {
    set: SignatureSet,
    /// Whether it is every signature.
    pub(super) is_all: bool,
    /// How many signatures there are, left or not.
    length: usize,
    /// Made where they are first asked for.
    mask: OnceLock<Box<[u16]>>,
    codes: OnceLock<Codes>,
}

impl Signatures {
    /// `length` is that of all signatures.
    pub(super) fn of(set: SignatureSet, length: usize) -> Self {
        let is_all = set.len() == length;
        Self { set, is_all, length, mask: OnceLock::new(), codes: OnceLock::new() }
    }

    pub(super) fn set(&self) -> &SignatureSet {
        &self.set
    }

    /// Those that some case may have, ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = Ordinal> {
        self.set.counted().chain(self.set.past())
    }

    pub(super) fn len(&self) -> usize {
        self.set.len()
    }

    fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// Whether counts by code tell how many cases of these signatures there are: of those past the
    /// counted ones all are left, or none.
    pub(super) fn are_counted(&self) -> bool {
        let past = self.set.past_len();
        past == 0 || past == self.length - MAX_COUNTED
    }

    /// Whether a live case's signature is left.
    #[inline]
    pub(super) fn has(&self, signature: Ordinal) -> bool {
        self.set.has(signature)
    }

    /// By code, all bits where the signature is left, else none. The last is of all signatures past
    /// the counted ones, set where every one of them is left. It may be shorter than codes go:
    /// those past it are not left. Good only where they `are_counted`.
    fn mask(&self) -> &[u16] {
        self.mask.get_or_init(|| {
            let words = (self.length.min(MAX_COUNTED) + 1).div_ceil(64);
            let mut mask = vec![0; words * 64].into_boxed_slice();
            spread_bits(&self.codes().0, &mut mask);
            mask
        })
    }

    /// The same for walks.
    pub(super) fn codes(&self) -> &Codes {
        self.codes.get_or_init(|| Codes::of(&self.set))
    }

    /// How many of some slots of a run are left, and how many had to be looked at for that.
    pub(super) fn count_part(&self, part: &RunPart<'_>) -> (usize, usize) {
        if part.is_whole() {
            return (self.count_run(part.run.counts()), 0);
        }
        let (left, codes) = (self.codes(), part.codes());
        (codes.iter().filter(|code| left.has(**code)).count(), codes.len())
    }

    /// How many of a run's slots are left, by its counts.
    pub(super) fn count_run(&self, counts: &[u16]) -> usize {
        // A run has so few slots that their number fits: sums stay narrow, and many fit a register.
        masked_sum(counts, self.mask()).into()
    }

    /// How many cases are left, by counts of codes, in pages of whole words of bits.
    pub(super) fn count<'c>(&self, counts: impl Iterator<Item = &'c [u32]>) -> u64 {
        let mut words = &self.codes().0[..];
        let mut sum = 0;
        for page in counts {
            sum += u64::from(sum_of_bits(page, words));
            words = words.get(page.len() / 64..).unwrap_or_default();
        }
        sum
    }
}

/// How many words hold a bit for each code, made up to a power of two.
const CODE_WORDS: usize = (MAX_COUNTED + 1).div_ceil(64).next_power_of_two();

/// Which codes are left, for walks over many of them: a bit each.
#[derive(Debug)]
pub(super) struct Codes([u64; CODE_WORDS]);

impl Codes {
    fn of(set: &SignatureSet) -> Self {
        let mut words = [0; CODE_WORDS];
        words.iter_mut().zip(set.words()).for_each(|(own, word)| *own = *word);
        if set.past_len() > 0 {
            words[MAX_COUNTED / 64] |= 1 << (MAX_COUNTED % 64);
        }
        Self(words)
    }

    /// Whether a code's signatures are left; good only where they `are_counted`.
    #[inline]
    pub(super) fn has(&self, code: u16) -> bool {
        // No code is as great as that: there is nothing to check.
        self.0[usize::from(code >> 6) % CODE_WORDS] >> (code & 63) & 1 == 1
    }
}

/// A field with a list for each value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    Queues,
    Assignees,
}

/// What a case must be, in ordinals and instants. Nothing in a field: it is not asked.
#[derive(Debug)]
pub(super) struct Plan<'i> {
    pub(super) index: &'i Index,
    pub(super) signatures: Signatures,
    /// Whether unresolved, and whether done cases can match.
    pub(super) halves: (bool, bool),
    /// Whether every case of those halves has a signature that is left.
    pub(super) halves_say_all: bool,
    /// Both bounds included, as the next.
    pub(super) created: Option<(i64, i64)>,
    pub(super) due: Option<(i64, i64)>,
    /// Ascending; so the next.
    pub(super) queues: Option<Vec<Ordinal>>,
    pub(super) assignees: Option<Vec<Ordinal>>,
    pub(super) text: Option<Text<'i>>,
    /// What long questions are spread over.
    pub(super) pool: &'i Pool,
    /// How many slots were looked at.
    examined: AtomicU64,
    /// What segments have cost so far, in nanoseconds, about; told by counts and not by a clock.
    spent: AtomicU64,
}

impl<'i> Plan<'i> {
    /// Binds clauses to the catalog. Cost: the signatures of the values that are asked; without
    /// such a clause none.
    pub(super) fn new<'c>(
        clauses: impl IntoIterator<Item = &'c Clause>,
        index: &'i Index,
        pool: &'i Pool,
    ) -> Self {
        let catalog = index.catalog();
        let mut plan = Self {
            index,
            signatures: Signatures::of(SignatureSet::default(), 0),
            halves: (true, true),
            halves_say_all: true,
            created: None,
            due: None,
            queues: None,
            assignees: None,
            text: None,
            pool,
            examined: AtomicU64::new(0),
            spent: AtomicU64::new(0),
        };
        let mut asked = SignatureFilter::default();
        for clause in clauses {
            plan.bind(clause, &mut asked, catalog);
        }
        plan.leave(&asked);
        plan
    }

    /// Leaves the signatures that every clause holds for.
    fn leave(&mut self, asked: &SignatureFilter) {
        let (all, sets) = (self.index.signatures(), self.index.signature_sets());
        let length = all.len();
        if asked.is_nothing() {
            self.signatures = Signatures::of(SignatureSet::up_to(length), length);
            return;
        }
        let left = sets.leave(asked, length, |ordinal| all.get(ordinal as usize));
        let unresolved = sets.unresolved_among(&left);
        let done = left.len() - unresolved;
        let (all_unresolved, all_done) = (sets.unresolved_len(), length - sets.unresolved_len());
        self.halves = (unresolved > 0, done > 0);
        self.halves_say_all = [(unresolved, all_unresolved), (done, all_done)]
            .into_iter()
            .all(|(left, all)| left == 0 || left == all);
        self.signatures = Signatures::of(left, length);
    }

    fn bind(&mut self, clause: &Clause, asked: &mut SignatureFilter, catalog: &Catalog) {
        match clause {
            Clause::Text(needle) => self.text = Some(Text::of(needle, self.index)),
            Clause::Unresolved => asked.unresolved = true,
            Clause::Unassigned => asked.unassigned = true,
            Clause::Status(any) => {
                asked.values[Column::Status as usize] = Some(catalog.statuses_named(keys(any)));
            }
            Clause::Priority(any) => {
                asked.values[Column::Priority as usize] = Some(catalog.priorities_named(keys(any)));
            }
            Clause::Channel(any) => {
                asked.values[Column::Channels as usize] = Some(catalog.channels_named(keys(any)));
            }
            Clause::Mine(user) => self.keep_assignees(catalog.holders(user.as_str())),
            Clause::Agents(any) => self.keep_assignees(catalog.agents(keys(any))),
            Clause::Queues(any) => {
                let mut queues: Vec<_> =
                    keys(any).filter_map(|key| catalog.queues.find(key)).collect();
                queues.sort_unstable();
                self.queues = Some(queues);
            }
            Clause::Date(DateField::Created, span) => {
                let known = self.created.map(|(first, last)| Span { first, last });
                let Span { first, last } = known.unwrap_or(Span::ALWAYS).and(*span);
                self.created = Some((first, last));
            }
            Clause::Date(DateField::Due, span) => self.due = Some((span.first, span.last)),
            // What no parameter asks.
            Clause::Date(DateField::Updated, _)
            | Clause::StatusCategory(_)
            | Clause::Score(_)
            | Clause::RefId(_)
            | Clause::Id(_)
            | Clause::StartsWith(..)
            | Clause::Exists(_) => {}
        }
    }

    /// Both `mycase` and `agents` ask who has a case.
    fn keep_assignees(&mut self, mut wanted: Vec<Ordinal>) {
        if let Some(known) = &self.assignees {
            wanted.retain(|assignee| known.binary_search(assignee).is_ok());
        }
        self.assignees = Some(wanted);
    }

    /// Whether counts of signatures say all.
    pub(super) fn is_counted(&self) -> bool {
        self.asks_only_dates() && self.created.is_none() && self.due.is_none()
    }

    /// Whether nothing is asked but signatures and dates.
    pub(super) fn asks_only_dates(&self) -> bool {
        self.asks_no_list() && self.text.is_none()
    }

    /// The values of a field with lists that are asked; ascending.
    pub(super) fn values(&self, field: Listed) -> Option<&[Ordinal]> {
        match field {
            Listed::Queues => self.queues.as_deref(),
            Listed::Assignees => self.assignees.as_deref(),
        }
    }

    /// The value whose list's unresolved half, or done half, is all that is asked in any segment.
    pub(super) fn only_half_list(&self) -> Option<(Listed, Ordinal)> {
        let is_half = self.halves_say_all && self.halves.0 != self.halves.1;
        let is_alone = self.text.is_none() && self.created.is_none() && self.due.is_none();
        match (self.queues.as_deref(), self.assignees.as_deref()) {
            (Some([queue]), None) if is_half && is_alone => Some((Listed::Queues, *queue)),
            (None, Some([own])) if is_half && is_alone => Some((Listed::Assignees, *own)),
            _ => None,
        }
    }

    fn asks_no_list(&self) -> bool {
        self.queues.is_none() && self.assignees.is_none()
    }

    /// How many cases match, where a text is asked whose own counts tell.
    pub(super) fn counted_text(&self) -> Option<u64> {
        let text = self.text.as_ref()?;
        let is_alone = self.asks_no_list() && self.due.is_none() && self.created.is_none();
        let [unresolved, done] = text.counts().filter(|_| is_alone && self.halves_say_all)?;
        let (takes_unresolved, takes_done) = self.halves;
        Some(u64::from(takes_unresolved) * unresolved + u64::from(takes_done) * done)
    }

    /// Whether no case can match, whatever the segments hold.
    pub(super) fn is_empty(&self) -> bool {
        let none = |list: &Option<Vec<Ordinal>>| list.as_ref().is_some_and(Vec::is_empty);
        self.signatures.is_empty()
            || none(&self.queues)
            || none(&self.assignees)
            || self.created.is_some_and(|(first, last)| first > last)
            || self.text.as_ref().is_some_and(|text| text.at_most() == 0)
    }

    pub(super) fn spend(&self, nanoseconds: u64) {
        self.spent.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    pub(super) fn spent(&self) -> u64 {
        self.spent.load(Ordering::Relaxed)
    }

    pub(super) fn examine(&self, slots: usize) {
        self.examined.fetch_add(slots as u64, Ordering::Relaxed);
    }

    pub(super) fn examined(&self) -> u64 {
        self.examined.load(Ordering::Relaxed)
    }
}

fn keys(any: &AnyOf) -> impl Iterator<Item = &str> {
    any.as_slice().iter().map(String::as_str)
}

impl fmt::Display for Plan<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (left, all) = (self.signatures.len(), self.index.signatures().len());
        if self.is_empty() {
            return f.write_str("nothing can match");
        }
        write!(f, "{left} of {all} signatures left; ")?;
        if self.is_counted() {
            return f.write_str("total from their counts");
        }
        if self.counted_text().is_some() {
            return f.write_str("total from the counts of the text; segments as the page needs");
        }
        let asked = [
            (self.created.is_some(), "created order"),
            (self.due.is_some(), "due order"),
            (self.queues.is_some(), "queue lists"),
            (self.assignees.is_some(), "assignee lists"),
            (self.text.is_some(), "words"),
        ];
        let by: Vec<_> = asked.iter().filter(|(asked, _)| *asked).map(|(_, by)| *by).collect();
        let segments = self.index.segments().len();
        write!(f, "matches of {segments} segments by the shortest of signatures, {}", by.join(", "))
    }
}
