//! The last request on another page.

use std::collections::BTreeMap;

use getcases::Page;
use serde_json::json;
use serde_json::value::RawValue;

use crate::words::Wrong;

/// Which page is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Next,
    Prev,
    To(u64),
}

/// A body that was answered with a page, with another one asked. Its values stay as they are
/// spelled.
pub(super) fn turned(body: &[u8], turn: Turn, page: &Page) -> Result<Vec<u8>, Wrong> {
    let none = |msg: &str| Err(Wrong::new("no_page", 0, msg));
    match turn {
        _ if page.limit == 0 => return none("the last request asks for a count, and has no pages"),
        Turn::Next if !page.has_more => return none("this is the last page"),
        _ => {}
    }
    let blank = body.trim_ascii().is_empty();
    // A body that was answered is an object; serde_json reads all that are not nested very deep.
    let members: Result<BTreeMap<String, Box<RawValue>>, _> =
        serde_json::from_slice(if blank { b"{}" } else { body });
    let Ok(mut members) = members else { return none("the last request is nested too deep") };
    let text = |text: String| RawValue::from_string(text).ok();
    if let Some(cursor) = &page.next_cursor {
        // Whatever was asked, what follows is behind this one.
        if turn != Turn::Next {
            return none("pages by cursor are turned by next alone");
        }
        members.extend(text(json!(cursor).to_string()).map(|own| ("cursor".to_owned(), own)));
        return Ok(serde_json::to_vec(&members).unwrap_or_default());
    }
    if members.get("cursor").is_some_and(|own| !matches!(own.get(), "null" | "false" | "\"\"")) {
        return none("pages by cursor are turned by next alone, and this is the last one");
    }
    let number = |own: Box<RawValue>| own.get().parse::<u64>().ok();
    let skip = members.remove("skip").and_then(number);
    let own = members.remove("page").and_then(number);
    // Both may be given where they agree.
    let (key, asked) = match (turn, skip.filter(|_| own.is_none())) {
        (Turn::To(number), _) => ("page", Some(number)),
        (Turn::Next, None) => ("page", page.page.checked_add(1)),
        (Turn::Prev, None) => ("page", page.page.checked_sub(1).filter(|page| *page > 0)),
        (Turn::Next, Some(skip)) => ("skip", skip.checked_add(page.limit)),
        (Turn::Prev, Some(skip)) => ("skip", (skip > 0).then(|| skip.saturating_sub(page.limit))),
    };
    let Some(asked) = asked else { return none("this is the first page") };
    let Some(asked) = text(asked.to_string()) else { return none("no such page") };
    members.insert(key.to_owned(), asked);
    // Writing texts into memory never fails.
    Ok(serde_json::to_vec(&members).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use getcases::{Context, Engine, Scope};

    use super::*;

    #[test]
    fn pages_are_turned_both_ways() {
        let (engine, scope) = (Engine::new(), Scope::new("a", "s"));
        let case = |number: u32| format!("{{\"_id\":\"{number}\"}}");
        engine.write(|batch| (0..9).try_for_each(|n| batch.upsert(&scope, case(n)))).unwrap();
        let snapshot = engine.snapshot(&scope);
        let turned = |body: &str, turn| {
            let query = snapshot.query_json(body.as_bytes(), &Context::default()).unwrap();
            let body = turned(body.as_bytes(), turn, &snapshot.search(&query));
            body.map(|body| String::from_utf8(body).unwrap()).ok()
        };
        let body = r#"{"limit":4,"filter":{"not":{"priorityScore":{"gt":1e3}}}}"#;
        let second = r#"{"filter":{"not":{"priorityScore":{"gt":1e3}}},"limit":4,"page":2}"#;
        assert_eq!(turned(body, Turn::Next).as_deref(), Some(second));
        assert_eq!(turned(second, Turn::Prev), Some(second.replace("2}", "1}")));
        assert_eq!(turned(body, Turn::To(7)), Some(second.replace("2}", "7}")));
        assert_eq!((turned(body, Turn::Prev), turned("{\"page\":1}", Turn::Next)), (None, None));
        assert_eq!(turned("{\"limit\":0}", Turn::To(2)), None);
        let skipped = r#"{"limit":4,"skip":3}"#;
        assert_eq!(turned(skipped, Turn::Next).as_deref(), Some(r#"{"limit":4,"skip":7}"#));
        assert_eq!(turned(skipped, Turn::Prev).as_deref(), Some(r#"{"limit":4,"skip":0}"#));
        assert_eq!(turned(skipped, Turn::To(2)).as_deref(), Some(r#"{"limit":4,"page":2}"#));
        assert_eq!(turned("", Turn::To(2)).as_deref(), Some(r#"{"page":2}"#));
        // By cursor it goes on to the end, and nowhere else.
        let first = r#"{"cursor":true,"limit":4}"#.to_owned();
        let pages: Vec<_> =
            std::iter::successors(Some(first), |own| turned(own, Turn::Next)).collect();
        assert_eq!(pages.len(), 3, "{pages:?}");
        let other = |turn| pages.iter().find_map(|own| turned(own, turn));
        assert_eq!((other(Turn::Prev), other(Turn::To(2))), (None, None));
    }
}
