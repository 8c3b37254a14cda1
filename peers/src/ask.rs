//! A request in the codes of the rows.

use std::ops::Range;

use getcases_plain::{By, Filter, Keyed, Request, Unsupported};
use getcases_workload::Class;

use crate::rows::{MISSING, Rows};

/// A request that every peer can be made ready for.
#[derive(Clone, Debug)]
pub struct Ask {
    /// As it was written.
    pub class: Class,
    /// As the plain designs read it.
    pub request: Request,
    /// Folded.
    pub text: Option<String>,
    /// Codes, any of them; none of them match where there are none.
    pub status: Option<Vec<u8>>,
    /// As above.
    pub priority: Option<Vec<u8>>,
    /// As above.
    pub channel: Option<Vec<u8>>,
    /// As above.
    pub queues: Option<Vec<u8>>,
    /// As above, of the assignee and the user.
    pub assignee: Option<Vec<u16>>,
    /// The numbers of cases that were created in time.
    pub numbers: Option<Range<u32>>,
    /// The same cases by their arrival.
    pub arrivals: Option<Range<u32>>,
    /// The ranks of due dates in time.
    pub due: Option<Range<u32>>,
    /// What must hold besides.
    pub filter: Option<Coded>,
    /// Whether the order is not the field's natural one.
    pub reverse: bool,
}

/// A node of a filter in the codes of the rows.
#[derive(Clone, Debug)]
pub enum Coded {
    /// Each of these.
    And(Vec<Self>),
    /// Any of these.
    Or(Vec<Self>),
    /// The complement.
    Not(Box<Self>),
    /// One of some codes of a column.
    Codes(Keyed, Vec<u16>),
    /// Neither resolved nor closed.
    Unresolved,
    /// Nobody's.
    Unassigned,
    /// What the texts hold, folded.
    Text(String),
    /// Created in time: numbers, and the same cases by their arrival.
    Created(Range<u32>, Range<u32>),
    /// Ranks of due dates.
    Due(Range<u32>),
}

impl Ask {
    /// Reads a class's body and finds the codes of its values.
    ///
    /// # Errors
    /// Where the body has a form that is not measured.
    pub fn new(rows: &Rows, class: &Class) -> Result<Self, Unsupported> {
        let request = Request::read(&class.body, class.user.as_deref())?;
        let assignee = (request.agents.is_some() || request.user.is_some()).then(|| {
            let has = |(keys, users): &(Vec<String>, Vec<String>)| {
                request.agents.as_ref().is_none_or(|own| keys.iter().any(|key| own.contains(key)))
                    && request.user.as_ref().is_none_or(|user| users.contains(user))
            };
            numbered(rows.assignee.keys.iter().map(has)).map(|code| code as u16).collect()
        });
        let numbers = request.created.map(|created| numbers(rows, created));
        Ok(Self {
            arrivals: numbers.as_ref().map(|own| arrivals(rows, own)),
            numbers,
            class: class.clone(),
            text: request.text.clone(),
            status: codes(request.status.as_ref(), &rows.status.keys),
            priority: codes(request.priority.as_ref(), &rows.priority.keys),
            channel: codes(request.channel.as_ref(), &rows.channel.keys),
            queues: request.queues.as_ref().map(|queues| queue_codes(rows, queues)),
            assignee,
            due: request.due.map(|due| due_ranks(rows, due)),
            filter: request.filter.as_ref().map(|filter| Coded::new(rows, filter)),
            reverse: request.by.naturally_descends() != request.descending,
            request,
        })
    }

    /// How many cases stand before the end of the page.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.request.skip.saturating_add(self.request.limit)
    }

    /// What a rank counts as in the asked direction; missing ones are last in both.
    #[must_use]
    pub fn key(&self, rank: u32) -> u32 {
        if self.reverse && rank != MISSING { MISSING - 1 - rank } else { rank }
    }
}

impl Coded {
    fn new(rows: &Rows, filter: &Filter) -> Self {
        let all = |parts: &[Filter]| parts.iter().map(|part| Self::new(rows, part)).collect();
        match filter {
            Filter::And(parts) => Self::And(all(parts)),
            Filter::Or(parts) => Self::Or(all(parts)),
            Filter::Not(inner) => Self::Not(Box::new(Self::new(rows, inner))),
            Filter::Keys(field, wanted) => {
                let bytes = |keys| codes(Some(wanted), keys).unwrap_or_default();
                let codes: Vec<u16> = match field {
                    Keyed::Status => widened(&bytes(&rows.status.keys)),
                    Keyed::Priority => widened(&bytes(&rows.priority.keys)),
                    Keyed::Channel => widened(&bytes(&rows.channel.keys)),
                    Keyed::Queue => widened(&queue_codes(rows, wanted)),
                    Keyed::Assignee => {
                        let own = rows.assignee.keys.iter().map(|(keys, _)| keys);
                        let has = own.map(|keys| keys.iter().any(|key| wanted.contains(key)));
                        numbered(has).map(|code| code as u16).collect()
                    }
                };
                Self::Codes(*field, codes)
            }
            Filter::Unresolved => Self::Unresolved,
            Filter::Unassigned => Self::Unassigned,
            Filter::Text(text) => Self::Text(text.clone()),
            Filter::Created(first, last) => {
                let numbers = numbers(rows, (*first, *last));
                let arrivals = arrivals(rows, &numbers);
                Self::Created(numbers, arrivals)
            }
            Filter::Due(first, last) => Self::Due(due_ranks(rows, (*first, *last))),
        }
    }
}

fn widened(codes: &[u8]) -> Vec<u16> {
    codes.iter().map(|code| u16::from(*code)).collect()
}

fn queue_codes(rows: &Rows, queues: &[String]) -> Vec<u8> {
    let mut codes: Vec<u8> =
        queues.iter().filter_map(|key| rows.queue_of.get(key)).copied().collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// The same cases, counted from the other end.
fn arrivals(rows: &Rows, numbers: &Range<u32>) -> Range<u32> {
    let count = rows.len() as u32;
    count - numbers.end..count - numbers.start
}

fn codes(wanted: Option<&Vec<String>>, keys: &[(Vec<String>, Vec<String>)]) -> Option<Vec<u8>> {
    let wanted = wanted?;
    let has = keys.iter().map(|(own, _)| own.iter().any(|key| wanted.contains(key)));
    Some(numbered(has).map(|code| code as u8).collect())
}

fn numbered(has: impl Iterator<Item = bool>) -> impl Iterator<Item = usize> {
    has.enumerate().filter(|(_, has)| *has).map(|(number, _)| number)
}

/// Numbers run from the newest case to the oldest.
fn numbers(rows: &Rows, (first, last): (i64, i64)) -> Range<u32> {
    let created = |place: &u32| rows.columns.dates(*place).0;
    let start = rows.places.partition_point(|place| created(place) > last) as u32;
    let end = rows.places.partition_point(|place| created(place) >= first) as u32;
    start..end.max(start)
}

/// The ranks that due dates of a span have.
fn due_ranks(rows: &Rows, (first, last): (i64, i64)) -> Range<u32> {
    let due = |number: &u32| rows.columns.dates(rows.places[*number as usize]).1;
    let is_in = |number: &u32| due(number).is_some_and(|due| (first..=last).contains(&due));
    let numbers = (0..rows.len() as u32).filter(is_in);
    let ranks = numbers.map(|number| rows.rank(By::Due, number));
    let (least, most) =
        ranks.fold((MISSING, 0), |(least, most), rank| (least.min(rank), most.max(rank + 1)));
    if least < most { least..most } else { 0..0 }
}
