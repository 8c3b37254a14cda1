//! Every case looked at, every match sorted: what all answers are held against.

use std::cmp::Ordering;

use memchr::memmem::Finder;

use crate::Answer;
use crate::columns::{Columns, NO_DATE};
use crate::filter::{Filter, Keyed};
use crate::request::{By, Request};

/// Answers a request by looking at every case.
#[must_use]
pub fn scan(columns: &Columns, request: &Request) -> Answer {
    let finder = request.text.as_ref().map(|text| Finder::new(text.as_bytes()));
    let listed = |wanted: &Option<Vec<String>>, lists: &crate::columns::Lists| {
        let wanted = wanted.as_ref()?;
        let has = |keys: &Vec<String>| keys.iter().any(|key| wanted.contains(key));
        Some(lists.lists.iter().map(has).collect::<Vec<bool>>())
    };
    let status = listed(&request.status, &columns.statuses);
    let priority = listed(&request.priority, &columns.priorities);
    let channel = listed(&request.channel, &columns.channels);
    let queues = listed(&request.queues, &columns.queue_sets);
    let agents = listed(&request.agents, &columns.agent_sets);
    let users = listed(&request.user.clone().map(|user| vec![user]), &columns.user_sets);
    let among = |allowed: &Option<Vec<bool>>, own: u32| {
        allowed.as_ref().is_none_or(|allowed| allowed[own as usize])
    };
    let within = |range: Option<(i64, i64)>, date: i64| {
        range.is_none_or(|(first, last)| date != NO_DATE && first <= date && date <= last)
    };
    let holds = |place: &u32| {
        let at = *place as usize;
        (!request.unresolved || columns.unresolved[at])
            && (!request.unassigned || columns.unassigned[at])
            && among(&status, columns.status[at])
            && among(&priority, columns.priority[at])
            && among(&channel, columns.channel[at])
            && among(&queues, columns.queues[at])
            && among(&agents, columns.agents[at])
            && among(&users, columns.users[at])
            && within(request.created, columns.created[at])
            && within(request.due, columns.due[at])
            && finder.as_ref().is_none_or(|f| f.find(columns.texts(*place).as_bytes()).is_some())
            && request.filter.as_ref().is_none_or(|filter| passes(columns, filter, *place))
    };
    let mut places: Vec<u32> = (0..columns.len() as u32).filter(holds).collect();
    let total = places.len() as u64;
    let first = usize::try_from(request.skip).unwrap_or(usize::MAX).min(places.len());
    let end = first.saturating_add(request.limit as usize).min(places.len());
    let compare = |a: &u32, b: &u32| compare(columns, request, *a, *b);
    if end < places.len() {
        places.select_nth_unstable_by(end, compare);
        places.truncate(end);
    }
    places.sort_unstable_by(compare);
    Answer { places: places.split_off(first), total }
}

/// Whether a case is as a filter asks.
fn passes(columns: &Columns, filter: &Filter, place: u32) -> bool {
    let at = place as usize;
    let within =
        |date: i64, first: i64, last: i64| date != NO_DATE && first <= date && date <= last;
    match filter {
        Filter::And(parts) => parts.iter().all(|part| passes(columns, part, place)),
        Filter::Or(parts) => parts.iter().any(|part| passes(columns, part, place)),
        Filter::Not(inner) => !passes(columns, inner, place),
        Filter::Keys(field, wanted) => {
            let (column, lists) = match field {
                Keyed::Status => (&columns.status, &columns.statuses),
                Keyed::Priority => (&columns.priority, &columns.priorities),
                Keyed::Channel => (&columns.channel, &columns.channels),
                Keyed::Queue => (&columns.queues, &columns.queue_sets),
                Keyed::Assignee => (&columns.agents, &columns.agent_sets),
            };
            lists.lists[column[at] as usize].iter().any(|key| wanted.contains(key))
        }
        Filter::Unresolved => columns.unresolved[at],
        Filter::Unassigned => columns.unassigned[at],
        Filter::Text(text) => columns.texts(place).contains(text.as_str()),
        Filter::Created(first, last) => within(columns.created[at], *first, *last),
        Filter::Due(first, last) => within(columns.due[at], *first, *last),
    }
}

/// The total order of a request.
pub(crate) fn compare(columns: &Columns, request: &Request, a: u32, b: u32) -> Ordering {
    by(columns, request.by, request.descending, a, b)
        .then_with(|| columns.created[b as usize].cmp(&columns.created[a as usize]))
        .then_with(|| columns.ids[a as usize].cmp(&columns.ids[b as usize]))
}

/// The order of one field, missing values last.
pub(crate) fn by(columns: &Columns, by: By, descending: bool, a: u32, b: u32) -> Ordering {
    fn ordered<T: PartialOrd>(a: Option<T>, b: Option<T>, descending: bool) -> Ordering {
        match (a, b) {
            (Some(a), Some(b)) => {
                let ordering = a.partial_cmp(&b).unwrap_or(Ordering::Equal);
                if descending { ordering.reverse() } else { ordering }
            }
            (a, b) => b.is_some().cmp(&a.is_some()),
        }
    }
    let (x, y) = (a as usize, b as usize);
    let date = |column: &[i64]| {
        let present = |date: i64| (date != NO_DATE).then_some(date);
        ordered(present(column[x]), present(column[y]), descending)
    };
    match by {
        By::Created => date(&columns.created),
        By::Updated => date(&columns.updated),
        By::Due => date(&columns.due),
        By::Priority => ordered(columns.score[x], columns.score[y], descending),
        By::Status => ordered(columns.status_order(a), columns.status_order(b), descending),
        By::Name => ordered(columns.name(a), columns.name(b), descending),
        By::RefId => ordered(columns.ref_ids[x].as_ref(), columns.ref_ids[y].as_ref(), descending),
        By::Assignee => ordered(columns.assignee(a), columns.assignee(b), descending),
        By::Id => ordered(Some(&columns.ids[x]), Some(&columns.ids[y]), descending),
    }
}
