//! One case, drawn by the workload's rules.

use crate::Shape;
use crate::draw::Draw;
use crate::id::Id;
use crate::instant::{DAY_MS, Instant, SPAN_MS, START};
use crate::labels::{
    CHANNELS, DONE_STATUSES, FORMS, LANGUAGES, OPEN_STATUSES, PRIORITIES, Priority, Status,
};
use crate::people::{MailAddress, Person};
use crate::world::{Queue, User, World};

#[derive(Debug)]
pub(crate) struct Case<'w> {
    pub(crate) number: u64,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) id: Id,
    pub(crate) created: Instant,
    pub(crate) updated: Instant,
    pub(crate) due: Option<Instant>,
    pub(crate) status: &'static Status,
    pub(crate) priority: &'static Priority,
    pub(crate) channel: &'static str,
    pub(crate) queues: Vec<&'w Queue>,
    pub(crate) agent: Option<usize>,
    pub(crate) form: &'static str,
    pub(crate) language: &'static str,
    pub(crate) mailbox: &'w Id,
    pub(crate) task: Id,
    pub(crate) requester: Id,
    pub(crate) requester_name: Person,
    pub(crate) requester_mail: MailAddress,
    pub(crate) created_by: &'w User,
    pub(crate) updated_by: &'w User,
    /// Empty in the lean shape, which does not show it.
    pub(crate) description: String,
}

impl<'w> Case<'w> {
    /// The draws come in the order of the lines, so a new one belongs at the end. The description
    /// is the last, because only one shape draws it.
    pub(crate) fn draw(world: &'w World, number: u64, shape: Shape) -> Self {
        let (name, mut stream) = world.name(number);
        let draw = &mut stream;
        let title = if draw.percent(80) { name.clone() } else { world.short_phrase(draw) };
        let id = Id::short("ci", draw);
        let created = created(number, world.cases);
        let updated = created.plus_ms(draw.exponential(5.0 * DAY_MS as f64) as i64);
        let priority = draw.weighted(&PRIORITIES);
        let due = due(created, priority, draw);
        let status = status(number, world.cases, draw);
        let channel = draw.weighted(&CHANNELS);
        let queues = queues(world, draw);
        let unassigned = draw.percent(if status.is_fresh() { 50 } else { 8 });
        let agent = (!unassigned).then(|| world.agent_ranks.draw(draw));
        let form = *draw.pick(&FORMS);
        let language = draw.weighted(&LANGUAGES);
        let mailbox = draw.pick(&world.mailboxes);
        let task = Id::short("ti", draw);
        let requester = Id::whole("u", draw);
        let requester_name = Person::numbered(draw.below(2000) as usize);
        let requester_mail = MailAddress::draw(requester_name, draw);
        let created_by = draw.pick(&world.users);
        let updated_by = draw.pick(&world.users);
        let description = match shape {
            Shape::Lean => String::new(),
            Shape::Seed => world.vocabulary.phrase(draw.between(15, 35), draw),
        };
        Self {
            number,
            name,
            title,
            id,
            created,
            updated,
            due,
            status,
            priority,
            channel,
            queues,
            agent,
            form,
            language,
            mailbox,
            task,
            requester,
            requester_name,
            requester_mail,
            created_by,
            updated_by,
            description,
        }
    }

    /// Whether the case was done, or is still open when the last case comes in, after it was due.
    pub(crate) fn is_breached(&self) -> bool {
        let end = if self.status.is_done() { self.updated } else { START.plus_ms(SPAN_MS) };
        self.due.is_some_and(|due| due < end)
    }
}

fn created(number: u64, cases: u64) -> Instant {
    START.plus_ms((i128::from(SPAN_MS) * i128::from(number) / i128::from(cases)) as i64)
}

fn due(created: Instant, priority: &Priority, draw: &mut Draw) -> Option<Instant> {
    let part_of_day = draw.below(DAY_MS as u64) as i64;
    let absent = draw.percent(20);
    (!absent).then(|| created.plus_ms(priority.due_days * DAY_MS + part_of_day))
}

fn status(number: u64, cases: u64, draw: &mut Draw) -> &'static Status {
    let age = 1.0 - number as f64 / cases as f64;
    let open = draw.chance(0.03 + 0.6 * libm::exp(-25.0 * age));
    if open { draw.weighted(&OPEN_STATUSES) } else { draw.weighted(&DONE_STATUSES) }
}

fn queues<'w>(world: &'w World, draw: &mut Draw) -> Vec<&'w Queue> {
    let count = match draw.below(10) {
        0 => 0,
        1 => 2,
        _ => 1,
    };
    let mut ranks = Vec::new();
    while ranks.len() < count {
        let rank = world.queue_ranks.draw(draw);
        if !ranks.contains(&rank) {
            ranks.push(rank);
        }
    }
    ranks.into_iter().map(|rank| &world.queues[rank]).collect()
}
