//! A case's JSON text: a fixed one with slots, such as `<name>`, for what differs.

use std::io::{self, Write};

use crate::case::Case;
use crate::people::Person;
use crate::{ACCOUNT_ID, STREAM_ID, Shape};

/// Fixed texts, each after a slot but for the first.
#[derive(Debug)]
pub(crate) struct Template {
    opening: String,
    rest: Vec<(Slot, String)>,
}

/// Appends one value of a case. No value needs an escape.
type Slot = fn(&Case<'_>, &mut Vec<u8>) -> io::Result<()>;

impl Template {
    /// # Panics
    /// If the template names a slot that is not known, which no test would let pass.
    pub(crate) fn new(shape: Shape) -> Self {
        let text = compact(match shape {
            Shape::Lean => include_str!("lean.json"),
            Shape::Seed => include_str!("seed.json"),
        });
        let mut pieces = text.split(['<', '>']);
        let opening = pieces.next().unwrap_or_default().to_owned();
        let mut rest = Vec::new();
        while let (Some(name), Some(fixed)) = (pieces.next(), pieces.next()) {
            rest.push((slot(name), fixed.to_owned()));
        }
        Self { opening, rest }
    }

    #[expect(clippy::expect_used, reason = "a Vec takes all that is written to it")]
    pub(crate) fn write(&self, case: &Case<'_>, out: &mut Vec<u8>) {
        out.extend_from_slice(self.opening.as_bytes());
        for (slot, fixed) in &self.rest {
            slot(case, out).expect("written to memory");
            out.extend_from_slice(fixed.as_bytes());
        }
    }
}

/// Without the white space outside of texts.
fn compact(text: &str) -> String {
    let mut in_text = false;
    let keep = |letter: &char| {
        in_text ^= *letter == '"';
        in_text || !letter.is_whitespace()
    };
    text.chars().filter(keep).collect()
}

fn slot(name: &str) -> Slot {
    match name {
        "account" => |_, out| write!(out, "{ACCOUNT_ID}"),
        "stream" => |_, out| write!(out, "{STREAM_ID}"),
        "id" => |case, out| write!(out, "{}", case.id),
        "form" => |case, out| write!(out, "{}", case.form),
        "name" => |case, out| write!(out, "{}", case.name),
        "lname" => |case, out| write!(out, "{}", case.name.to_lowercase()),
        "title" => |case, out| write!(out, "{}", case.title),
        "description" => |case, out| write!(out, "{}", case.description),
        "language" => |case, out| write!(out, "{}", case.language),
        "requester" => |case, out| write!(out, "{}", case.requester),
        "requester.name" => |case, out| write!(out, "{}", case.requester_name),
        "requester.mail" => |case, out| write!(out, "{}", case.requester_mail),
        "status" => |case, out| write!(out, "{}", case.status.id),
        "status.head" => |case, out| write!(out, "{}", head(case.status.id)),
        "status.name" => |case, out| write!(out, "{}", case.status.name),
        "status.lname" => |case, out| write!(out, "{}", case.status.lname),
        "status.category" => |case, out| write!(out, "{}", case.status.category),
        "status.about" => |case, out| write!(out, "{}", case.status.about),
        "priority" => |case, out| write!(out, "{}", case.priority.id),
        "priority.head" => |case, out| write!(out, "{}", head(case.priority.id)),
        "priority.name" => |case, out| write!(out, "{}", case.priority.name),
        "priority.lname" => |case, out| write!(out, "{}", case.priority.lname),
        "priority.score" => |case, out| write!(out, "{}", case.priority.score),
        "priority.about" => |case, out| write!(out, "{}", case.priority.about),
        "priority.color" => |case, out| write!(out, "{}", case.priority.color),
        "channel" => |case, out| write!(out, "{}", case.channel),
        "source" => write_source,
        "queues" => |case, out| write_queues(case, |id| id, out),
        "queues.head" => |case, out| write_queues(case, head, out),
        "assignee" => write_assignee,
        "assignee.type" => {
            |case, out| write!(out, "{}", if case.agent.is_some() { "agent" } else { "unassigned" })
        }
        // The seed's only case has the number 100.
        "number" => |case, out| write!(out, "{:06}", 100 + case.number),
        "task" => |case, out| write!(out, "{}", case.task),
        "creator" => |case, out| write!(out, "{}", case.created_by.id),
        "creator.name" => |case, out| write!(out, "{}", case.created_by.name),
        "updater" => |case, out| write!(out, "{}", case.updated_by.id),
        "updater.name" => |case, out| write!(out, "{}", case.updated_by.name),
        "breached" => |case, out| write!(out, "{}", case.is_breached()),
        "created" => |case, out| write!(out, "{}", case.created),
        // As far from createdAt as in the seed.
        "timestamp" => |case, out| write!(out, "{}", case.created.0 - 60),
        "updated" => |case, out| write!(out, "{}", case.updated),
        "due.value" => {
            |case, out| case.due.map_or(Ok(()), |due| write!(out, r#","selectedValue":"{due}""#))
        }
        "due" => |case, out| case.due.map_or(Ok(()), |due| write!(out, r#","dueDate":{}"#, due.0)),
        "eta" => |case, out| case.due.map_or(Ok(()), |due| write!(out, r#","ETA":"{due}""#)),
        _ => unreachable!("no slot is called {name}"),
    }
}

fn write_source(case: &Case<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    match case.channel {
        "email" => write!(out, "{}", case.mailbox),
        other => write!(out, "{other}"),
    }
}

fn write_queues(case: &Case<'_>, form: fn(&str) -> &str, out: &mut Vec<u8>) -> io::Result<()> {
    for (position, queue) in case.queues.iter().enumerate() {
        let (comma, id) = (if position > 0 { "," } else { "" }, form(&queue.id));
        write!(out, r#"{comma}{{"_id":"{id}","name":"Queue {}"}}"#, queue.number)?;
    }
    Ok(())
}

/// An id up to the end of its first group, as the lean shape has those that many cases share.
fn head(id: &str) -> &str {
    id.match_indices('-').nth(1).map_or(id, |(end, _)| &id[..end])
}

fn write_assignee(case: &Case<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    let Some(agent) = case.agent else { return Ok(()) };
    write!(out, r#""agentId":"agent-{agent}","name":"{}""#, Person::numbered(agent))
}
