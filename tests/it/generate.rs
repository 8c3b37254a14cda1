//! Random odd documents and requests, drawn from bytes, so that proptest shrinks them and a fuzzer
//! steers them.

use arbitrary::{Result, Unstructured};
use serde_json::{Map, Value, json};

use super::oracle;

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
            agents: owned(&["u-1", "U-1", "u-2", "Ann", "ann ", "İpek", "ipek", "Ōta", "👩‍🔧"]),
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
            columns: owned(&["_id", "name", "status", "a.b", "nobody has this", "", "createdAt"]),
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
        }
    }
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
    if let Value::Object(map) = &mut status {
        let categories = [
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
        ];
        if u.ratio(2, 3)? {
            map.insert("statusCategory".into(), json!(one(u, &categories)?));
        }
    }
    Ok(status)
}

fn priority(u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<Value> {
    let mut priority = entity(u, &v.priorities)?;
    let scores = [
        json!(5),
        json!(10),
        json!(10.0),
        json!(10.5),
        json!(-3),
        json!(0),
        json!(-0.0),
        json!(1e300),
        json!("10"),
        json!(null),
        json!(9_007_199_254_740_993_i64),
    ];
    if let Value::Object(map) = &mut priority {
        map.insert("score".into(), one(u, &scores)?.clone());
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
    field["selectedValue"] = match u.int_in_range(0..=4)? {
        0 => nothing(u)?,
        1 => wrong_kind(u)?,
        2 => one(u, &v.dates)?.clone(),
        _ => json!(one(u, &v.titles)?),
    };
    Ok(field)
}

fn date(u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<Value> {
    if u.ratio(1, 10)? { nothing(u) } else { Ok(one(u, &v.dates)?.clone()) }
}

const WRONG_DATES: [&str; 12] = [
    "2024-02-30",
    "2023-02-29",
    "24-01-01",
    "2025-05-27T24:00:00Z",
    "2025-05-27T23:59:60Z",
    "2025-05-27T10:00",
    "2025-05-27T10:00:00.1234567890Z",
    "2025-05-27T10:00:00+24:00",
    "soon",
    "0000-01-01",
    "10000-01-01",
    "2025-05-27T10:00:00 Z",
];

fn wrong_date(u: &mut Unstructured<'_>) -> Result<Value> {
    Ok(match u.int_in_range(0..=3)? {
        0 => json!(1.5),
        1 => json!(253_402_300_800_000_i64),
        _ => json!(one(u, &WRONG_DATES)?),
    })
}

/// A document; about one in twelve must be refused.
pub fn document(u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<Value> {
    let mut members: Vec<(&str, Value)> = Vec::new();
    let id = if u.ratio(1, 3)? { u.int_in_range(0..=20)? } else { u.int_in_range(0..=4000)? };
    members
        .push(("_id", json!(if u.ratio(1, 9)? { format!("é {id}") } else { format!("ci-{id}") })));
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
    Ok(members.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
}

/// A member for which a document is refused.
fn refused_member(u: &mut Unstructured<'_>) -> Result<(&'static str, Value)> {
    Ok(match u.int_in_range(0..=6)? {
        0 => ("_id", one(u, &[json!(7), json!(" "), json!(null), json!(["1"])])?.clone()),
        1 => ("status", one(u, &[json!(5), json!(true), json!(["open"])])?.clone()),
        2 => ("priority", json!([1])),
        3 => ("currAssignee", json!(false)),
        4 => (*one(u, &["accountId", "iId"])?, json!("other")),
        _ => {
            let name = one(u, &["createdAt", "timestampValue", "updatedAt", "dueDate", "ETA"])?;
            (*name, if u.ratio(1, 4)? { wrong_kind(u)? } else { wrong_date(u)? })
        }
    })
}

/// A piece of a title, in some letter case, or a word nobody has.
fn needle(u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<String> {
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

fn values(u: &mut Unstructured<'_>, list: &[String]) -> Result<Value> {
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
        "sortBy",
        "selectedColumns",
        "page",
        "skip",
        "limit",
    ];
    let (name, value) = match u.int_in_range(0..=6)? {
        0 => {
            let kinds = [
                json!(1),
                json!({}),
                json!(true),
                json!("x"),
                json!([1, "a", null]),
                json!({"a": 1}),
            ];
            (*one(u, &filters)?, one(u, &kinds)?.clone())
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
            ];
            (*one(u, &["page", "skip", "limit"])?, one(u, &integers)?.clone())
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
        4 => ("searchText", json!("é".repeat(1025))),
        5 => {
            let names = ["filter", "cursor", "facets", "now", "customFields", "ETAlist", "whyNot"];
            (
                *one(u, &names)?,
                one(u, &[json!(0), json!(" "), json!({"a": 1}), json!([0])])?.clone(),
            )
        }
        _ => {
            body.insert("page".into(), json!(2));
            ("skip", json!(1))
        }
    };
    body.insert(name.to_string(), value);
    Ok(())
}

/// A request's body; about one in five must be refused.
pub fn request(u: &mut Unstructured<'_>, v: &Vocabulary) -> Result<Value> {
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
        body.insert("selectedColumns".into(), values(u, &v.columns)?);
    }
    if u.ratio(1, 8)? {
        let unknown = ["foo", "a b", "Status", "", "1st", "名", "_x"];
        body.insert((*one(u, &unknown)?).to_string(), wrong_kind(u)?);
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
    Ok(Value::Object(body))
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
