//! Random requests: bodies and who asks them.

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value, json};

use super::super::oracle;
use super::filter::filter;
use super::{
    Vocabulary, number, one, raw, spelled, spoil_text, varied, written_date, wrong_date, wrong_kind,
};

/// A piece of a title, in some letter case, or a word nobody has.
pub(super) fn needle(u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<String> {
    if u.ratio(1, 10)? {
        return Ok(one(u, &["nisavo", "  ", "%", "e\u{301}", "Σ", "i", "ß"])?.to_string());
    }
    let title: Vec<char> = varied(u, &v.titles)?.chars().collect();
    if title.is_empty() {
        return Ok(String::new());
    }
    let from = u.int_in_range(0..=title.len() - 1)?;
    let length = match u.int_in_range(0..=7)? {
        0 => title.len(),
        _ => u.int_in_range(1..=10)?,
    };
    let part: String = title[from..].iter().take(length).collect();
    Ok(match u.int_in_range(0..=15)? {
        0 => format!(" {part}  "),
        1 => part.replace(' ', "  "),
        2 => part.replacen(' ', "\t", 1),
        3 => format!("{part} {}", one(u, &["re", "d", "of refund", "账户"])?),
        _ => part,
    })
}

/// What says that a filter is not asked.
fn absent(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(one(u, &[json!(null), json!(""), json!([]), json!(false)])?.clone())
}

pub(super) fn values(u: &mut Unstructured<'_>, list: &[String]) -> Result<Value> {
    if u.ratio(1, 5)? {
        return Ok(json!(varied(u, list)?));
    }
    let mut values = Vec::new();
    for _ in 0..u.int_in_range(1..=4)? {
        values.push(match u.int_in_range(0..=15)? {
            0 => json!(" "),
            1 => json!("nobody has this"),
            _ => json!(varied(u, list)?),
        });
    }
    if u.ratio(1, 300)? {
        values.resize(1001, json!("x"));
    }
    Ok(Value::Array(values))
}

const NAMES: [&str; 18] = [
    "createdDate",
    "createdAt",
    "created",
    "updatedDate",
    "updatedAt",
    "lastUpdated",
    "dueDate",
    "ETA",
    "priority",
    "status",
    "name",
    "title",
    "refId",
    "assignee",
    "_id",
    "DUEDATE",
    "Priority",
    "eta",
];

fn sort_text(u: &mut Unstructured<'_>) -> Result<Value> {
    let name = one(u, &NAMES)?;
    Ok(json!(match u.int_in_range(0..=5)? {
        0 => format!("-{name}"),
        1 => format!("{name}:asc"),
        2 => format!(" {name} : DESC "),
        3 => format!("- {name}"),
        _ => (*name).to_string(),
    }))
}

fn sort_object(u: &mut Unstructured<'_>) -> Result<Value> {
    let mut map = Map::new();
    for _ in 0..u.int_in_range(0..=3)? {
        let direction = one(u, &[json!("asc"), json!("Desc"), json!(1), json!(-1)])?.clone();
        map.insert((*one(u, &NAMES)?).to_string(), direction);
    }
    Ok(Value::Object(map))
}

fn sort_by(u: &mut Unstructured<'_>) -> Result<Value> {
    match u.int_in_range(0..=4)? {
        0 => sort_object(u),
        1 | 2 => {
            let mut list = Vec::new();
            for _ in 0..u.int_in_range(0..=3)? {
                list.push(if u.ratio(1, 4)? { sort_object(u)? } else { sort_text(u)? });
            }
            Ok(Value::Array(list))
        }
        _ => sort_text(u),
    }
}

fn paging(u: &mut Unstructured<'_>, body: &mut Map<String, Value>) -> Result<()> {
    let limit: u64 = *one(u, &[0, 1, 2, 3, 7, 50, 2000, (1 << 53) - 1])?;
    let page: u64 = *one(u, &[1, 1, 1, 2, 3, 9, (1 << 53) - 1])?;
    if u.ratio(2, 3)? {
        body.insert("limit".into(), json!(limit));
    }
    match u.int_in_range(0..=5)? {
        0 | 1 => _ = body.insert("page".into(), json!(page)),
        2 => _ = body.insert("skip".into(), json!(u.int_in_range(0..=30)?)),
        3 => {
            body.insert("page".into(), json!(page));
            let skip = (page - 1).saturating_mul(limit.min(1000)).min((1 << 53) - 1);
            body.insert("skip".into(), json!(skip));
        }
        4 => {
            body.insert("cursor".into(), json!(true));
            if u.ratio(1, 8)? {
                body.insert((*one(u, &["page", "skip"])?).into(), json!(1));
            }
        }
        _ => {}
    }
    Ok(())
}

/// Something for which a request is refused.
fn spoil(u: &mut Unstructured<'_>, body: &mut Map<String, Value>) -> Result<()> {
    let filters = [
        "searchText",
        "unresolved",
        "unassigned",
        "mycase",
        "mytask",
        "priority",
        "status",
        "queues",
        "channel",
        "agents",
        "startDate",
        "endDate",
        "dueDate",
        "filter",
        "sortBy",
        "selectedColumns",
        "page",
        "skip",
        "cursor",
        "limit",
    ];
    let (name, value) = match u.int_in_range(0..=7)? {
        0 => {
            let kinds = [
                json!(1),
                json!({}),
                json!(true),
                json!("x"),
                json!([1, "a", null]),
                json!({"a": 1}),
                json!({"a": "é".repeat(130), "b": raw("-0")}),
            ];
            let kind = if u.ratio(1, 4)? { number(u)? } else { one(u, &kinds)?.clone() };
            (*one(u, &filters)?, kind)
        }
        1 => {
            let integers = [
                json!(-1),
                json!(1.5),
                json!(1_u64 << 53),
                json!("3"),
                json!(false),
                json!(1e3),
                json!([]),
                json!("x".repeat(200)),
            ];
            let integer = if u.ratio(1, 2)? { number(u)? } else { one(u, &integers)?.clone() };
            (*one(u, &["page", "skip", "limit"])?, integer)
        }
        2 => (*one(u, &["startDate", "endDate", "dueDate"])?, wrong_date(u)?),
        3 => {
            let sorts = [
                json!("nobody"),
                json!("name:up"),
                json!("-name:asc"),
                json!(" "),
                json!({"": 1}),
                json!(["name", ""]),
                json!([{"name": 2}, "x y"]),
                json!({"a b": "asc"}),
                json!([[]]),
                json!([null]),
                json!({"name": null}),
                json!("updated"),
                json!("due"),
                json!("-"),
            ];
            ("sortBy", one(u, &sorts)?.clone())
        }
        4 => ("searchText", json!(format!(" \t{}", one(u, &["é", "\u{1}"])?.repeat(1025)))),
        5 => {
            let names = ["cursor", "facets", "now", "customFields", "ETAlist", "whyNot"];
            (
                *one(u, &names)?,
                one(u, &[json!(0), json!("x"), json!({"a": 1}), json!([0]), raw("-0e1")])?.clone(),
            )
        }
        6 if u.ratio(1, 4)? => {
            let text = one(u, &[" ", "AQ", "\u{1}", "AQAA_-", "é", "true"])?;
            ("cursor", json!(text.repeat(*one(u, &[1, 40, 3000, 9000])?)))
        }
        6 => many_wrong(u)?,
        _ => {
            body.insert("page".into(), json!(2));
            ("skip", json!(1))
        }
    };
    body.insert(name.to_string(), value);
    Ok(())
}

/// A member with about as many problems as an answer tells of.
fn many_wrong(u: &mut Unstructured<'_>) -> Result<(&'static str, Value)> {
    let count = *one(u, &[2, 99, 100, 101, 102, 250])?;
    Ok(match u.int_in_range(0..=2)? {
        0 => ("status", Value::Array((0..count).map(|n| json!(n)).collect())),
        1 => {
            let long = "k".repeat(*one(u, &[1, 240, 250, 300])?);
            let part = |n: usize| (format!("{long}{n}"), json!(n));
            ("sortBy", Value::Object((0..count).map(part).collect()))
        }
        _ => {
            let part = |n: usize| json!({format!("k {n}"): 1, "name": raw("1.0"), "ETA": "asc"});
            ("sortBy", Value::Array((0..count).map(part).collect()))
        }
    })
}

/// A key that no field has, and that answers must shorten or quote.
fn unknown_key(u: &mut Unstructured<'_>) -> Result<String> {
    let length = *one(u, &[249, 254, 255, 256, 257, 400])?;
    Ok(match u.int_in_range(0..=9)? {
        0 => "k".repeat(length),
        1 => "客".repeat(length),
        2 => "\n\"\u{1}".repeat(length / 3),
        _ => {
            (*one(u, &["foo", "a b", "Status", "", "1st", "名", "_x", "…", "a\u{0}b"])?).to_owned()
        }
    })
}

/// A request's body; about one in five must be refused.
pub fn request(u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<String> {
    let mut body = Map::new();
    for _ in 0..u.int_in_range(0..=3)? {
        let name = one(
            u,
            &[
                "searchText",
                "unresolved",
                "unassigned",
                "mycase",
                "mytask",
                "priority",
                "status",
                "queues",
                "channel",
                "agents",
                "startDate",
                "endDate",
                "dueDate",
                "status",
                "searchText",
            ],
        )?;
        let value = match *name {
            _ if u.ratio(1, 8)? => absent(u)?,
            "searchText" => json!(needle(u, v)?),
            "priority" => values(u, &v.priorities)?,
            "status" => values(u, &v.statuses)?,
            "queues" => values(u, &v.queues)?,
            "channel" => values(u, &v.channels)?,
            "agents" => values(u, &v.agents)?,
            "startDate" | "endDate" | "dueDate" if u.ratio(1, 4)? => written_date(u)?,
            "startDate" | "endDate" | "dueDate" => one(u, &v.dates)?.clone(),
            _ => json!(true),
        };
        body.insert((*name).to_string(), value);
    }
    if u.ratio(1, 2)? {
        let sort = if u.ratio(1, 9)? { json!({}) } else { sort_by(u)? };
        body.insert("sortBy".into(), sort);
    }
    if u.ratio(1, 2)? {
        paging(u, &mut body)?;
    }
    if u.ratio(1, 8)? {
        let columns = match u.ratio(1, 100)? {
            true => Value::Array((0..150).map(|n| json!(format!("none {}", n % 120))).collect()),
            false => values(u, &v.columns)?,
        };
        body.insert("selectedColumns".into(), columns);
    }
    if u.ratio(1, 2)? {
        let is_empty = u.ratio(1, 30)?;
        body.insert("filter".into(), if is_empty { json!({}) } else { filter(u, v)? });
    }
    if u.ratio(1, 8)? {
        body.insert(unknown_key(u)?, wrong_kind(u)?);
    }
    if u.ratio(1, 100)? {
        let count = *one(u, &[99, 100, 101, 300])?;
        body.extend((0..count).map(|n| (format!("{n} unknown"), raw("-0"))));
    }
    if u.ratio(1, 8)? {
        let empty = [json!(null), json!(""), json!([]), json!({}), json!(false)];
        body.insert((*one(u, &["customFields", "tabs"])?).to_string(), one(u, &empty)?.clone());
    }
    if u.ratio(1, 5)? {
        for _ in 0..u.int_in_range(1..=2)? {
            spoil(u, &mut body)?;
        }
    }
    let text = spelled(u, &Value::Object(body))?;
    if u.ratio(1, 200)? { spoil_text(u, &text) } else { Ok(text) }
}

/// Who asks, and how.
pub fn context(u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<oracle::Context> {
    let user = match u.int_in_range(0..=9)? {
        0 => None,
        1 => Some(" ".to_string()),
        2 => Some("nobody".to_string()),
        _ => Some(one(u, &v.agents)?.clone()),
    };
    Ok(oracle::Context {
        user,
        offset: *one(u, &[0, 0, -330, 300, -840, 720, -1, 0, 0, 0, 60, 721])?,
        strict: u.ratio(1, 12)?,
        low_is_severe: u.ratio(1, 3)?,
        max_limit: *one(u, &[3, 10, 1000, 1000])?,
    })
}
