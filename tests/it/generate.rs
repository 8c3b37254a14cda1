//! Random odd documents and requests, drawn from bytes, so that proptest shrinks them and a fuzzer
//! steers them.

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value, json};

#[path = "generate/body.rs"]
mod body;
#[path = "generate/filter.rs"]
mod filter;

pub use body::{context, request};

/// Values that documents are made of and requests ask for.
pub struct Vocabulary {
    statuses: Vec<String>,
    priorities: Vec<String>,
    queues: Vec<String>,
    channels: Vec<String>,
    agents: Vec<String>,
    titles: Vec<String>,
    dates: Vec<Value>,
    columns: Vec<String>,
    categories: Vec<String>,
    scores: Vec<Value>,
    ref_ids: Vec<String>,
    ids: Vec<String>,
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_string()).collect()
}

/// How many values of a kind are drawn from real documents.
const MOST: usize = 400;

impl Vocabulary {
    /// A few values of every kind that has ever been trouble.
    pub fn odd() -> Self {
        Self {
            statuses: owned(&[
                "Open",
                "open",
                "In-Progress",
                "in_progress",
                "In Progress",
                "RESOLVED ",
                "Closed",
                "closed",
                "On Hold",
                "on--hold",
                "-",
                "_",
                " new",
                "Geöffnet",
                "打开",
                "sts-1",
                "ΚΛΕΙΣΤΌΣ",
                "Nuevo\u{a0}",
            ]),
            priorities: owned(&[
                "High", "high ", "LOW", "Medium", "pr-1", "Kritisch", "緊急", "p-1",
            ]),
            queues: owned(&["Queue 1", "queue 1 ", "QUEUE 2", "qu-1", "Ωραίος", "ωραίοσ", "客服"]),
            channels: owned(&["email", "Email ", "chat", "rtm", "emailInst-7", "VOICE", "ch-1"]),
            agents: owned(&[
                "u-1",
                "U-1",
                "u-2",
                "Ann",
                "ann ",
                "İpek",
                "ipek",
                "Ōta",
                "👩‍🔧",
                "\u{0}",
            ]),
            titles: owned(&[
                "Late delivery",
                "late DELIVERY of refund",
                "Refund",
                "ΟΔΟΣ ὀδός",
                "İstanbul ışık",
                "straße STRAẞE",
                "无法登录 账户",
                "ログインできない",
                "لا يمكن تسجيل الدخول",
                "café",
                "cafe\u{301}",
                "emoji 👩‍🔧 🧾",
                "%_.*[a-z]\\ \"quoted\"",
                "two  spaces",
                "nul \u{0} and \u{1}\u{10ffff}",
                "to  refund\tof  a d",
                "refund of a delivery of refunds of a delivered refund",
                "refund\u{3000}of\u{2003}delivery",
                "far      apart",
                "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab aab",
                "退款退款退款无法登录无法登录账户退款退款退款无法登录无法登录账户",
                "ıI iİ Iı ΣΑΣ σας",
                " padded ",
                "𝒜stral",
                "ﬀ",
                "a",
                "Z",
                "z",
            ]),
            dates: vec![
                json!("2025-05-27"),
                json!("2025-05-27T00:00:00Z"),
                json!("2025-05-27T23:59:59.999Z"),
                json!("2025-05-28T00:00:00.000000001Z"),
                json!("2025-05-27 05:30:00+05:30"),
                json!("2025-05-27t12:00:00z"),
                json!("2025-05-27T12:00:00"),
                json!(" 2024-02-29 "),
                json!("2024-02-29T23:59:59.9-23:59"),
                json!(1_748_304_000_000_i64),
                json!(0),
                json!(-1),
                json!("0001-01-01"),
                json!("9999-12-31T23:59:59.999Z"),
                json!(-62_135_596_800_000_i64),
                json!(253_402_300_799_999_i64),
                json!("1969-12-31"),
                json!("2025-05-26T18:30:00.000Z"),
            ],
            columns: owned(&[
                "_id",
                "name",
                "status",
                "a.b",
                "nobody has this",
                "",
                "createdAt",
                &"c".repeat(300),
            ]),
            categories: owned(&[
                "open",
                "Open",
                "In-Progress",
                "in progress",
                "ON_HOLD",
                "resolved",
                "Resolved ",
                "closed",
                "pending",
                " ",
                "-",
                "",
            ]),
            scores: vec![
                json!(5),
                json!(10),
                json!(10.0),
                json!(10.5),
                json!(-3),
                json!(0),
                json!(-0.0),
                json!(1e300),
                raw("5e-324"),
                raw("1.7976931348623157e308"),
                json!("10"),
                json!(null),
                json!(9_007_199_254_740_993_i64),
            ],
            ref_ids: owned(&[
                "CS1", "CS10", "CS11", "cs12", "CS2", " CS2", "CS20 ", "Σ7", "ς70", "I\u{307}", "É",
            ]),
            ids: (0..=20)
                .map(|id| format!("ci-{id}"))
                .chain(owned(&["é 1", "é 12", " CI-1 "]))
                .collect(),
        }
    }

    /// Values that stand in real documents.
    pub fn of(documents: &[Value]) -> Self {
        let odd = Self::odd();
        let texts = |paths: &[&str], odd: Vec<String>| {
            let found = documents.iter().flat_map(|document| {
                paths.iter().filter_map(|path| document.pointer(path)).filter_map(Value::as_str)
            });
            let mut texts: Vec<String> = found.map(str::to_string).take(MOST).collect();
            texts.sort();
            texts.dedup();
            texts.extend(odd.into_iter().take(2));
            texts
        };
        let dates = documents.iter().take(MOST).flat_map(|document| {
            let names = ["createdAt", "updatedAt", "dueDate", "ETA"];
            names.iter().filter_map(|name| document.get(*name)).cloned().collect::<Vec<_>>()
        });
        // Days, which catch many cases, beside instants, which catch one.
        let days = documents.iter().step_by(7).filter_map(|document| {
            document["createdAt"].as_str().and_then(|text| text.get(..10)).map(Value::from)
        });
        Self {
            dates: dates.chain(days).collect(),
            statuses: texts(&["/status/name", "/status/_id"], odd.statuses),
            priorities: texts(&["/priority/name", "/priority/_id"], odd.priorities),
            queues: texts(&["/queues/0/name", "/queues/0/_id"], odd.queues),
            channels: texts(&["/channel/0"], odd.channels),
            agents: texts(&["/currAssignee/_id", "/currAssignee/name"], odd.agents),
            titles: texts(&["/name"], odd.titles),
            columns: owned(&["name", "status", "createdAt", "nobody has this"]),
            categories: texts(&["/status/statusCategory"], odd.categories),
            scores: documents
                .iter()
                .filter_map(|document| document.pointer("/priority/score").cloned())
                .chain(odd.scores.into_iter().take(2))
                .take(MOST)
                .collect(),
            ref_ids: texts(&["/refId"], odd.ref_ids),
            ids: texts(&["/_id"], odd.ids),
        }
    }
}

/// A JSON text that serde_json's values cannot hold as it is spelled; `spelled` writes it out.
fn raw(json: &str) -> Value {
    json!(format!("{RAW}{json}{RAW}"))
}

/// Stands around what `raw` holds. A private character: no text of a vocabulary has it.
const RAW: char = '\u{e000}';

/// A value as JSON text, sometimes with white space between its parts.
fn spelled(u: &mut Unstructured<'_>, value: &Value) -> Result<String> {
    let text = match u.ratio(1, 8)? {
        true => format!(" {value:#}\n"),
        false => value.to_string(),
    };
    Ok(text.replace(&format!("\"{RAW}"), "").replace(&format!("{RAW}\""), ""))
}

/// Spoils a text as such: it is no JSON any more, or none of an accepted form.
fn spoil_text(u: &mut Unstructured<'_>, text: &str) -> Result<String> {
    let mut places = text.char_indices().map(|(at, _)| at);
    let at = places.nth(u.int_in_range(0..=text.chars().count().saturating_sub(1))?).unwrap_or(0);
    let (before, after) = text.split_at(at);
    let deep = u.int_in_range(120..=135)?;
    Ok(match u.int_in_range(0..=9)? {
        0 => before.to_owned(),
        1 => format!("{before}{after}]"),
        2 => format!("\u{feff}{text}"),
        3 => format!("[{text}]"),
        // A key of the object, or one within it, stands twice.
        4 | 5 => text.replacen('{', "{\"name\":1,\"b c\":[{\"x\":1,\"\\u0078\":2}],", 1),
        6 => format!("{before}{}{}{after}", "[".repeat(deep), "]".repeat(deep)),
        7 => {
            text.replacen('{', &format!("{{\"deep\":{}1{},", "[".repeat(deep), "]".repeat(deep)), 1)
        }
        8 => format!(
            "{before}{}{after}",
            one(u, &["\\ud800", "\u{1}", "\\x", "\"", "01", ",", ":"])?
        ),
        _ => format!("{text}{}", " ".repeat(1 << 20)),
    })
}

/// Numbers that are JSON, and that readers like to change.
const NUMBERS: [&str; 12] = [
    "1e999",
    "-1E400",
    "-0",
    "-0.0",
    "0e0",
    "123456789012345678901234567890",
    "-123456789012345678901234567890.5e-3",
    "1E5",
    "1.50",
    "18446744073709551616",
    "1e-999",
    "[1e999, {\"a\": -0}]",
];

fn number(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(raw(one(u, &NUMBERS)?))
}

/// A date of any form of docs/contract.md, *Dates*, and now and then one that misses it by little.
fn written_date(u: &mut Unstructured<'_>) -> Result<Value> {
    let day = one(u, &["2025-05-27", "2024-02-29", "0001-01-01", "9999-12-31", "1970-01-01"])?;
    let miss = u.ratio(1, 4)?;
    if u.ratio(1, 4)? {
        return Ok(json!(if miss { format!("{day}Z") } else { format!(" {day} ") }));
    }
    let between = *one(u, if miss { &["T", "t", " ", "", "  ", "_"] } else { &["T", "t", " "] })?;
    let times: &[&str] = match miss {
        true => {
            &["00:00", "23:59", "24:00", "12:60", "1:00", "12:0", "1200", "12", "12:00:", "12:00:5"]
        }
        false => &["00:00", "23:59", "12:00"],
    };
    let mut time = (*one(u, times)?).to_owned();
    if u.ratio(2, 3)? {
        time += one(u, if miss { &[":00", ":60", ":5", ""] } else { &[":00", ":30", ":59"] })?;
        let right = [".0", ",0", ".5", ",999", ".000999999", ",123456789", ".1234"];
        let wrong = [".", ",", ";5", ".1234567890", ",,1", ". 5", ".5,5"];
        if u.ratio(1, 2)? {
            time += one(u, if miss { &wrong } else { &right })?;
        }
    }
    let right =
        ["", "Z", "z", "+05:30", "-05:30", "+0530", "-2359", "+05", "-00", "-00:00", "+23:59"];
    let wrong = [
        "+",
        "-5",
        "+530",
        "+24",
        "+2400",
        "+24:00",
        "+0560",
        "+05:60",
        "+05:3",
        "+05:",
        "ZZ",
        " Z",
        "+05:30:00",
        "Z+05",
        "+05:300",
        "+05 30",
        "UTC",
        "±05",
    ];
    let zone = one(u, if miss { &wrong[..] } else { &right[..] })?;
    Ok(json!(format!("{day}{between}{time}{zone}")))
}

fn one<'v, T>(u: &mut Unstructured<'_>, list: &'v [T]) -> Result<&'v T> {
    u.choose(list)
}

/// A text as it stands, or in other letter case, or padded.
fn varied(u: &mut Unstructured<'_>, list: &[String]) -> Result<String> {
    let text = one(u, list)?;
    Ok(match u.int_in_range(0..=9)? {
        0 => text.to_uppercase(),
        1 => text.to_lowercase(),
        2 => format!(" {text}\u{3000}"),
        3 => text.replace(' ', "-"),
        _ => text.clone(),
    })
}

/// What counts as missing.
fn nothing(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(one(u, &[json!(null), json!(""), json!(" \u{a0}"), json!([]), json!({})])?.clone())
}

/// A value of a kind that most rows do not read.
fn wrong_kind(u: &mut Unstructured<'_>) -> Result<Value> {
    if u.ratio(1, 4)? {
        return number(u);
    }
    let values = [json!(7), json!(true), json!([1]), json!({"x": 1}), json!(1.5), json!([[]])];
    Ok(one(u, &values)?.clone())
}

fn entity(u: &mut Unstructured<'_>, names: &[String]) -> Result<Value> {
    match u.int_in_range(0..=9)? {
        0 => nothing(u),
        1 | 2 => Ok(json!(varied(u, names)?)),
        _ => {
            let mut map = Map::new();
            for member in ["name", "lname", "_id"] {
                match u.int_in_range(0..=5)? {
                    0 => _ = map.insert(member.into(), nothing(u)?),
                    1 => _ = map.insert(member.into(), json!(7)),
                    2 | 3 => _ = map.insert(member.into(), json!(varied(u, names)?)),
                    _ => {}
                }
            }
            Ok(Value::Object(map))
        }
    }
}

fn status(u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<Value> {
    let mut status = entity(u, &v.statuses)?;
    if let Value::Object(map) = &mut status
        && u.ratio(2, 3)?
    {
        map.insert("statusCategory".into(), json!(one(u, &v.categories)?));
    }
    Ok(status)
}

fn priority(u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<Value> {
    let mut priority = entity(u, &v.priorities)?;
    if let Value::Object(map) = &mut priority {
        let score = if u.ratio(1, 5)? { number(u)? } else { one(u, &v.scores)?.clone() };
        map.insert("score".into(), score);
    }
    Ok(priority)
}

fn assignee(u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<Value> {
    if u.ratio(1, 4)? {
        return entity(u, &v.agents);
    }
    let mut map = Map::new();
    for member in ["agentId", "aId", "_id", "name"] {
        if u.ratio(2, 5)? {
            let value = if u.ratio(1, 6)? { nothing(u)? } else { json!(one(u, &v.agents)?) };
            map.insert(member.into(), value);
        }
    }
    Ok(Value::Object(map))
}

/// A list, or the one thing that stands for one, with things of other kinds in it.
fn several(
    u: &mut Unstructured<'_>,
    mut make: impl FnMut(&mut Unstructured<'_>) -> Result<Value>,
) -> Result<Value> {
    match u.int_in_range(0..=7)? {
        0 => nothing(u),
        1 => make(u),
        2 => wrong_kind(u),
        _ => {
            let mut list = Vec::new();
            for _ in 0..u.int_in_range(0..=3)? {
                list.push(if u.ratio(1, 8)? { wrong_kind(u)? } else { make(u)? });
            }
            Ok(Value::Array(list))
        }
    }
}

fn field(u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<Value> {
    let lnames = ["title", " TITLE", "due date", "Due Date ", "other", ""];
    let mut field = json!({"lname": one(u, &lnames)?});
    if u.ratio(1, 4)? {
        field["metaData"] = json!({"name": one(u, &["dueDate", "DueDate", "title"])?});
    }
    field["selectedValue"] = match u.int_in_range(0..=5)? {
        0 => nothing(u)?,
        1 => wrong_kind(u)?,
        2 => written_date(u)?,
        3 => one(u, &v.dates)?.clone(),
        _ => json!(one(u, &v.titles)?),
    };
    Ok(field)
}

fn date(u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<Value> {
    match u.int_in_range(0..=199)? {
        0..=19 => nothing(u),
        // About one in four of these is none, and refuses the document.
        20..=23 => written_date(u),
        _ => Ok(one(u, &v.dates)?.clone()),
    }
}

const WRONG_DATES: [&str; 11] = [
    "2024-02-30",
    "2023-02-29",
    "24-01-01",
    "2025-05-27T24:00:00Z",
    "2025-05-27T23:59:60Z",
    "2025-05-27T10:00:00.1234567890Z",
    "2025-05-27T10:00:00+24:00",
    "soon",
    "0000-01-01",
    "10000-01-01",
    "2025-05-27T10:00:00 Z",
];

fn wrong_date(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match u.int_in_range(0..=5)? {
        0 => json!(1.5),
        1 => json!(253_402_300_800_000_i64),
        2 => number(u)?,
        3 => written_date(u)?,
        _ => json!(one(u, &WRONG_DATES)?),
    })
}

/// A document's text; about one in twelve must be refused.
pub fn document(u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<String> {
    let mut members: Vec<(&str, Value)> = Vec::new();
    let id = if u.ratio(1, 3)? { u.int_in_range(0..=20)? } else { u.int_in_range(0..=4000)? };
    members.push((
        "_id",
        json!(match u.int_in_range(0..=17)? {
            0 => format!("é {id}"),
            1 => format!(" CI-{} ", id % 20),
            _ => format!("ci-{id}"),
        }),
    ));
    let names = [
        "name",
        "status",
        "priority",
        "currAssignee",
        "assigneeType",
        "channel",
        "source",
        "queues",
        "currQueue",
        "fields",
        "refId",
        "createdAt",
        "timestampValue",
        "updatedAt",
        "dueDate",
        "ETA",
        "accountId",
        "iId",
        "extra",
    ];
    for name in names {
        if u.ratio(1, 4)? {
            continue;
        }
        let value = match name {
            "name" | "refId" if u.ratio(1, 8)? => wrong_kind(u)?,
            "name" => json!(varied(u, &v.titles)?),
            "refId" if u.ratio(1, 3)? => json!(varied(u, &v.ref_ids)?),
            "refId" => json!(format!("CS{}", u.int_in_range(0..=99)?)),
            "status" => status(u, v)?,
            "priority" => priority(u, v)?,
            "currAssignee" => assignee(u, v)?,
            "assigneeType" => {
                let kinds = ["unassigned", "Unassigned ", "agent", "AGENT", "queues", ""];
                json!(one(u, &kinds)?)
            }
            "channel" => several(u, |u| {
                let name = json!(varied(u, &v.channels)?);
                let kind = one(u, &["name", "_id", "type", "lname"])?;
                if u.ratio(1, 2)? { Ok(name) } else { Ok(json!({ *kind: name })) }
            })?,
            "source" => json!(varied(u, &v.channels)?),
            "queues" => several(u, |u| entity(u, &v.queues))?,
            "currQueue" if u.ratio(1, 8)? => wrong_kind(u)?,
            "currQueue" => entity(u, &v.queues)?,
            "fields" => several(u, |u| field(u, v))?,
            "accountId" => one(u, &[json!("a"), json!("a"), json!(7), json!(" ")])?.clone(),
            "iId" => one(u, &[json!("s"), json!("s"), json!(null), json!([])])?.clone(),
            "extra" => json!({"deep": [{"er": wrong_kind(u)?}], "é\n\"": null}),
            _ => date(u, v)?,
        };
        members.push((name, value));
    }
    if u.ratio(1, 12)? {
        for _ in 0..u.int_in_range(1..=2)? {
            members.push(refused_member(u)?);
        }
    }
    if u.ratio(1, 3)? {
        let by = u.int_in_range(0..=members.len() - 1)?;
        members.rotate_left(by);
    }
    let document = members.into_iter().map(|(name, value)| (name.to_string(), value)).collect();
    let text = spelled(u, &document)?;
    if u.ratio(1, 300)? { spoil_text(u, &text) } else { Ok(text) }
}

/// A member for which a document is refused.
fn refused_member(u: &mut Unstructured<'_>) -> Result<(&'static str, Value)> {
    Ok(match u.int_in_range(0..=6)? {
        0 => ("_id", one(u, &[json!(7), json!(" "), json!(null), json!(["1"])])?.clone()),
        1 => ("status", one(u, &[json!(5), json!(true), json!(["open"])])?.clone()),
        2 => ("priority", json!([1])),
        3 => ("currAssignee", json!(false)),
        4 => {
            let others = [json!("other"), raw("\"\\u0041 \\/\""), json!("x".repeat(200))];
            (*one(u, &["accountId", "iId"])?, one(u, &others)?.clone())
        }
        _ => {
            let name = one(u, &["createdAt", "timestampValue", "updatedAt", "dueDate", "ETA"])?;
            (*name, if u.ratio(1, 4)? { wrong_kind(u)? } else { wrong_date(u)? })
        }
    })
}
