//! A class with other values: as many, of the same kind.

use serde_json::{Value, json};

use crate::classes::Class;
use crate::draw::Draw;
use crate::instant::{DAY_MS, SPAN_MS, START};
use crate::labels::{CHANNELS, DONE_STATUSES, OPEN_STATUSES, PRIORITIES};
use crate::world::World;

/// Pages that are drawn for a class that asks for a far one.
const PAGES: u64 = 400;
/// Code points of the longest needle.
const NEEDLE: u64 = 10;

/// A class with values drawn for it. What it does not ask is not asked.
pub(crate) fn vary(class: &Class, world: &World, draw: &mut Draw) -> serde_json::Result<Class> {
    let mut body: Value = serde_json::from_str(&class.body)?;
    let days = SPAN_MS / DAY_MS;
    for (key, value) in body.as_object_mut().into_iter().flatten() {
        let count = value.as_array().map_or(0, Vec::len);
        match key.as_str() {
            "status" => {
                let statuses = OPEN_STATUSES.iter().chain(&DONE_STATUSES);
                *value = some(count, statuses.map(|(_, status)| status.name.to_owned()), draw);
            }
            "priority" => {
                let priorities = PRIORITIES.iter();
                *value = some(count, priorities.map(|(_, own)| own.name.to_owned()), draw);
            }
            "channel" => {
                *value = some(count, CHANNELS.iter().map(|(_, own)| (*own).to_owned()), draw);
            }
            "queues" => {
                let queues = world.queues.iter();
                *value = some(count, queues.map(|queue| format!("Queue {}", queue.number)), draw);
            }
            "dueDate" => *value = json!(date(draw.below(days as u64) as i64)),
            "searchText" => *value = json!(needle(world, draw)),
            "page" => *value = json!(draw.between(1, PAGES)),
            _ => {}
        }
    }
    if let (Some(start), Some(end)) = (instant(&body["startDate"]), instant(&body["endDate"])) {
        let length = (end - start) / DAY_MS;
        let first = draw.below((days - length).max(1) as u64) as i64;
        body["startDate"] = json!(date(first));
        body["endDate"] = json!(date(first + length - 1));
    }
    let user = class.user.as_ref().map(|_| format!("agent-{}", world.agent_ranks.draw(draw)));
    Ok(Class { name: class.name.clone(), user, body: body.to_string() })
}

/// Some of a list, all different.
pub(crate) fn some(count: usize, items: impl Iterator<Item = String>, draw: &mut Draw) -> Value {
    let mut items: Vec<_> = items.collect();
    let mut chosen = Vec::new();
    while chosen.len() < count && !items.is_empty() {
        chosen.push(items.swap_remove(draw.below(items.len() as u64) as usize));
    }
    chosen.into()
}

/// A part of a name, its ends no white space.
fn needle(world: &World, draw: &mut Draw) -> String {
    let name: Vec<char> = world.name(draw.below(world.cases.max(1))).0.chars().collect();
    let length = draw.between(1, NEEDLE).min(name.len() as u64);
    let start = draw.between(0, name.len() as u64 - length) as usize;
    let part: String = name[start..start + length as usize].iter().collect();
    part.trim().to_owned()
}

/// The date of a day of the workload, from 0.
pub(crate) fn date(number: i64) -> String {
    START.plus_ms(number * DAY_MS).to_string()[..10].to_owned()
}

/// Milliseconds of a date of the classes, which are all midnights.
fn instant(written: &Value) -> Option<i64> {
    let written = written.as_str()?;
    let days = (0..2 * SPAN_MS / DAY_MS).find(|number| written.starts_with(&date(*number)))?;
    Some(days * DAY_MS)
}
