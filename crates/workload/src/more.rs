//! More query classes than the seventeen: what each leaves out, and what is hard for an index.
//!
//! Every value is drawn by the class's own seed, so the same count gives the same bodies.

use serde_json::{Value, json};

use crate::classes::Class;
use crate::draw::Draw;
use crate::instant::{DAY_MS, SPAN_MS};
use crate::labels::{DONE_STATUSES, OPEN_STATUSES};
use crate::variants::{date, some};
use crate::vocabulary::{CHINESE, TURKISH, phrase_in};
use crate::world::World;

/// The longest needle that has a class of its own, in code points.
const NEEDLE: usize = 10;
/// How many texts are drawn for one that holds a needle of the kind that is asked.
const TRIES: usize = 10_000;
/// Every order, in its natural direction.
const ORDERS: [&str; 9] = [
    "createdDate",
    "updatedDate",
    "dueDate",
    "priority",
    "status",
    "name",
    "refId",
    "assignee",
    "_id",
];

/// Makes one body of a class.
type Body = Box<dyn Fn(&World, &mut Draw) -> Value>;

/// Every further class, each with as many bodies as are asked for.
pub(crate) fn more(world: &World, bodies: u64) -> Vec<Vec<Class>> {
    let mut classes = Vec::new();
    let mut add = |name: String, body: Body| {
        let draw = world.variants(&name);
        let number = |number| Class {
            name: name.clone(),
            user: None,
            body: body(world, &mut draw.stream(number)).to_string(),
        };
        let mut all: Vec<Class> = (0..bodies).map(number).collect();
        all.dedup_by(|a, b| a.body == b.body);
        classes.push(all);
    };
    texts(&mut add);
    pages(&mut add);
    filtered_pages(&mut add);
    lists(&mut add);
    trees(&mut add);
    contrary(&mut add);
    classes
}

fn texts(add: &mut impl FnMut(String, Body)) {
    for length in 1..=NEEDLE {
        let name = format!("needle of {length:02}");
        add(name, Box::new(move |world, draw| needle(world, draw, length, Kind::Word)));
    }
    for length in [3, 5, 8] {
        let name = format!("needle of {length:02} across words");
        add(name, Box::new(move |world, draw| needle(world, draw, length, Kind::Across)));
    }
    for length in [1, 2, 4] {
        let name = format!("needle of {length:02}, Chinese");
        add(name, Box::new(move |world, draw| needle(world, draw, length, Kind::In(CHINESE))));
    }
    for length in [2, 4, 6] {
        let name = format!("needle of {length:02}, Turkish");
        add(name, Box::new(move |world, draw| needle(world, draw, length, Kind::In(TURKISH))));
    }
    // A made word has no x: the needle shares all its grams but the last ones with real names.
    let absent = |world: &World, draw: &mut Draw| {
        let text = part(world, draw, 5, Kind::Word);
        json!({"searchText": format!("{text}x")})
    };
    add("needle nobody has".to_owned(), Box::new(absent));
    let queue = |world: &World, draw: &mut Draw| {
        let length = draw.between(4, 8) as usize;
        let text = part(world, draw, length, Kind::Word);
        json!({"searchText": text, "queues": [own_queue(world, draw)]})
    };
    add("needle of 4 to 8, one queue".to_owned(), Box::new(queue));
}

fn pages(add: &mut impl FnMut(String, Body)) {
    let reverse = ["createdDate:asc", "dueDate:desc"];
    for skip in [10_000_u64, 100_000] {
        for order in ORDERS.into_iter().chain(reverse) {
            let first = move |_: &World, draw: &mut Draw| {
                let skip = skip + draw.below(skip / 10);
                json!({"sortBy": order, "skip": skip})
            };
            add(format!("after {skip} by {order}"), Box::new(first));
        }
    }
    let count = |world: &World, draw: &mut Draw| {
        let mut body = filters(world, draw);
        body["limit"] = json!(0);
        body
    };
    add("count only, status and priority".to_owned(), Box::new(count));
    let text = |world: &World, draw: &mut Draw| {
        let needle = part(world, draw, 4, Kind::Word);
        json!({"searchText": needle, "limit": 0})
    };
    add("count only, needle of 4".to_owned(), Box::new(text));
}

/// Far pages of what a filter leaves: counts of runs alone do not tell where they begin.
fn filtered_pages(add: &mut impl FnMut(String, Body)) {
    for order in ["updatedDate", "dueDate", "name", "refId", "assignee"] {
        let closed = move |_: &World, draw: &mut Draw| {
            let skip = 10_000 + draw.below(30_000);
            json!({"status": ["closed"], "sortBy": order, "skip": skip})
        };
        add(format!("closed, far by {order}"), Box::new(closed));
    }
    for order in ["updatedDate", "name"] {
        let queue = move |world: &World, draw: &mut Draw| {
            let skip = 1_000 + draw.below(1_000);
            json!({"queues": [own_queue(world, draw)], "sortBy": order, "skip": skip})
        };
        add(format!("one queue, far by {order}"), Box::new(queue));
        let text = move |world: &World, draw: &mut Draw| {
            let (needle, skip) = (part(world, draw, 4, Kind::Word), 200 + draw.below(200));
            json!({"searchText": needle, "sortBy": order, "skip": skip})
        };
        add(format!("needle of 04, far by {order}"), Box::new(text));
    }
}

/// Filters that no parameter asks.
fn trees(add: &mut impl FnMut(String, Body)) {
    let mut tree = |name: &str, filter: fn(&World, &mut Draw) -> Value| {
        let body = move |world: &World, draw: &mut Draw| json!({"filter": filter(world, draw)});
        add(name.to_owned(), Box::new(body));
    };
    tree(
        "filter: not two statuses",
        |_, draw| json!({"not": {"status": {"in": some(2, statuses(), draw)}}}),
    );
    tree("filter: unresolved and not email, or urgent", |_, _| {
        let not_email = json!({"not": {"channel": {"in": ["email"]}}});
        let first = json!({"and": [{"unresolved": true}, not_email]});
        json!({"or": [first, {"priority": {"in": ["urgent"]}}]})
    });
    tree(
        "filter: not a queue",
        |world, draw| json!({"not": {"queue": {"in": [own_queue(world, draw)]}}}),
    );
    tree("filter: a queue or an assignee", |world, draw| {
        let agent = format!("agent-{}", world.agent_ranks.draw(draw));
        let queue = json!({"queue": {"in": [own_queue(world, draw)]}});
        json!({"or": [queue, {"assignee": {"in": [agent]}}]})
    });
    tree("filter: needle of 03 or a status", |world, draw| {
        let text = json!({"text": {"contains": part(world, draw, 3, Kind::Word)}});
        json!({"or": [text, {"status": {"in": some(1, statuses(), draw)}}]})
    });
    tree(
        "filter: not a needle of 03",
        |world, draw| json!({"not": {"text": {"contains": part(world, draw, 3, Kind::Word)}}}),
    );
    tree("filter: created or due in a week", |_, draw| {
        let week = |draw: &mut Draw| {
            let first = draw.below((SPAN_MS / DAY_MS - 7) as u64) as i64;
            json!({"gte": date(first), "lte": date(first + 6)})
        };
        json!({"or": [{"created": week(draw)}, {"due": week(draw)}]})
    });
}

fn own_queue(world: &World, draw: &mut Draw) -> String {
    format!("Queue {}", world.queue_ranks.draw(draw))
}

/// One status and two priorities.
fn filters(_: &World, draw: &mut Draw) -> Value {
    let priorities = ["low", "medium", "high", "urgent"].map(str::to_owned);
    json!({"status": some(1, statuses(), draw), "priority": some(2, priorities.into_iter(), draw)})
}

fn statuses() -> impl Iterator<Item = String> {
    OPEN_STATUSES.iter().chain(&DONE_STATUSES).map(|(_, status)| status.name.to_owned())
}

fn lists(add: &mut impl FnMut(String, Body)) {
    let queues = |world: &World, draw: &mut Draw| {
        let names = world.queues.iter().map(|queue| format!("Queue {}", queue.number));
        json!({"queues": some(world.queues.len() / 2 + 1, names, draw)})
    };
    add("half the queues".to_owned(), Box::new(queues));
    let agents = |_: &World, draw: &mut Draw| {
        let names = (0..2000).map(|number| format!("agent-{number}"));
        json!({"agents": some(1000, names, draw)})
    };
    add("half the assignees".to_owned(), Box::new(agents));
    let half = |_: &World, draw: &mut Draw| json!({"status": some(5, statuses(), draw)});
    add("over half the statuses".to_owned(), Box::new(half));
    let both = |world: &World, draw: &mut Draw| {
        let names = world.queues.iter().map(|queue| format!("Queue {}", queue.number));
        let queues = some(world.queues.len() / 2 + 1, names, draw);
        json!({"queues": queues, "status": some(5, statuses(), draw), "sortBy": "dueDate"})
    };
    add("half the queues and statuses, due first".to_owned(), Box::new(both));
}

/// Orders that begin where no match is.
fn contrary(add: &mut impl FnMut(String, Body)) {
    let days = (SPAN_MS / DAY_MS) as u64;
    let old = move |_: &World, draw: &mut Draw| {
        let day = draw.between(5, days / 10);
        json!({"dueDate": date(day as i64), "sortBy": "createdDate"})
    };
    add("due long ago, newest".to_owned(), Box::new(old));
    let last = move |_: &World, draw: &mut Draw| {
        let first = days - draw.between(2, 20);
        json!({"startDate": date(first as i64), "sortBy": "dueDate"})
    };
    add("created last, due first".to_owned(), Box::new(last));
    let oldest = |_: &World, draw: &mut Draw| {
        let fresh = ["new", "open", "in progress", "pending"].map(str::to_owned);
        json!({"status": some(2, fresh.into_iter(), draw), "sortBy": "createdDate:asc"})
    };
    add("two open statuses, oldest".to_owned(), Box::new(oldest));
    // No filter reads when a case was updated: the order does, within a span of created days.
    let updated = move |_: &World, draw: &mut Draw| {
        let first = draw.below(days - 30) as i64;
        json!({"startDate": date(first), "endDate": date(first + 29), "sortBy": "updatedDate"})
    };
    add("30 days, updated last".to_owned(), Box::new(updated));
}

/// Where a needle comes from.
#[derive(Clone, Copy, Debug)]
enum Kind {
    /// Within a word of a case's name.
    Word,
    /// A case's name, with a space inside.
    Across,
    /// A phrase of this script, with no space.
    In(usize),
}

fn needle(world: &World, draw: &mut Draw, length: usize, kind: Kind) -> Value {
    json!({"searchText": part(world, draw, length, kind)})
}

/// So many code points of a name, white space only where it is asked for.
fn part(world: &World, draw: &mut Draw, length: usize, kind: Kind) -> String {
    for _ in 0..TRIES {
        let name = match kind {
            Kind::In(script) => phrase_in(script, draw),
            Kind::Word | Kind::Across => world.name(draw.below(world.cases.max(1))).0,
        };
        let name: Vec<char> = name.chars().collect();
        let Some(last) = name.len().checked_sub(length) else { continue };
        let start = draw.between(0, last as u64) as usize;
        let part = &name[start..start + length];
        let spaces = part.iter().filter(|letter| letter.is_whitespace()).count();
        let is_trimmed = !part[0].is_whitespace() && !part[length - 1].is_whitespace();
        if is_trimmed && (spaces > 0) == matches!(kind, Kind::Across) {
            return part.iter().collect();
        }
    }
    // No name is that long, where there are few.
    "refund delayed".chars().take(length).collect()
}
