//! A request in the codes of the rows.

use std::ops::Range;

use getcases_plain::{By, Request, Unsupported};
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
    /// Whether the order is not the field's natural one.
    pub reverse: bool,
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
        let count = rows.len() as u32;
        Ok(Self {
            arrivals: numbers.as_ref().map(|own| count - own.end..count - own.start),
            numbers,
            class: class.clone(),
            text: request.text.clone(),
            status: codes(request.status.as_ref(), &rows.status.keys),
            priority: codes(request.priority.as_ref(), &rows.priority.keys),
            channel: codes(request.channel.as_ref(), &rows.channel.keys),
            queues: request.queues.as_ref().map(|queues| {
                let mut codes: Vec<u8> =
                    queues.iter().filter_map(|key| rows.queue_of.get(key)).copied().collect();
                codes.sort_unstable();
                codes.dedup();
                codes
            }),
            assignee,
            due: request.due.map(|due| due_ranks(rows, due)),
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
