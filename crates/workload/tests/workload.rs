//! The cases follow the workload's rules.
#![allow(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::collections::{BTreeMap, HashSet};

use getcases_workload::{ACCOUNT_ID, STREAM_ID, Shape, Workload, classes};
use serde_json::Value;

const CASES: u64 = 20_000;

#[test]
fn a_case_is_the_same_bytes_every_time_and_in_any_order() {
    for shape in [Shape::Lean, Shape::Seed] {
        let forward = lines(&Workload::new(2_000, 7, shape), 0..2_000);
        let again = Workload::new(2_000, 7, shape);
        let mut backward: Vec<_> = (0..2_000).rev().flat_map(|i| lines(&again, i..i + 1)).collect();
        backward.reverse();
        assert_eq!(forward, backward);
        assert_ne!(forward, lines(&Workload::new(2_000, 8, shape), 0..2_000));
    }
}

/// The bytes are fixed: figures of two versions are of the same cases.
#[test]
fn the_bytes_do_not_change_with_the_version() {
    for (shape, expected) in [(Shape::Lean, LEAN_HASH), (Shape::Seed, SEED_HASH)] {
        let text = lines(&Workload::new(CASES, 42, shape), 0..CASES).concat();
        assert_eq!(fnv1a(text.as_bytes()), expected, "{shape:?}");
    }
}
const LEAN_HASH: u64 = 0xaa3e_5064_997a_7321;
const SEED_HASH: u64 = 0x0d4c_2b24_caff_be17;

#[test]
fn both_shapes_show_the_same_values() {
    let (lean, seed) = (cases(Shape::Lean, 500), cases(Shape::Seed, 500));
    for (lean, seed) in lean.iter().zip(&seed) {
        for (key, value) in lean.as_object().unwrap() {
            if !["status", "fields", "priority", "queues"].contains(&&**key) {
                assert_eq!(value, &seed[key], "{key}");
            }
        }
        let mut pairs = vec![(&lean["status"], &seed["status"])];
        pairs.push((&lean["priority"], &seed["priority"]));
        pairs.extend(list(&lean["queues"]).iter().zip(list(&seed["queues"])));
        for (lean, seed) in pairs {
            assert_eq!(lean["name"], seed["name"]);
            let (head, whole) = (lean["_id"].as_str().unwrap(), seed["_id"].as_str().unwrap());
            assert_eq!(whole.split('-').take(2).collect::<Vec<_>>().join("-"), head);
        }
        assert_eq!(list(&lean["queues"]).len(), list(&seed["queues"]).len());
        assert_eq!(lean["priority"]["score"], seed["priority"]["score"]);
        assert_eq!(lean["fields"][0]["selectedValue"], seed["fields"][0]["selectedValue"]);
    }
}

#[test]
fn shares_are_those_of_the_rules() {
    let cases = cases(Shape::Lean, CASES);
    let share = |of: &dyn Fn(&Value) -> bool| {
        cases.iter().filter(|case| of(case)).count() as f64 / cases.len() as f64
    };
    let near = |what: &str, share: f64, expected: f64| {
        // Four standard deviations of a share of so many cases.
        let room = 4.0 * (expected * (1.0 - expected) / CASES as f64).sqrt();
        assert!((share - expected).abs() < room, "{what}: {share} is not {expected}");
    };

    // The mean of 0.03 + 0.6·exp(-25·age) over all ages.
    let open = 0.03 + 0.6 / 25.0;
    let statuses = [
        ("new", open * 4.0 / 26.0),
        ("open", open * 8.0 / 26.0),
        ("in progress", open * 6.0 / 26.0),
        ("pending", open * 5.0 / 26.0),
        ("on hold", open * 2.0 / 26.0),
        ("reopened", open / 26.0),
        ("resolved", (1.0 - open) / 3.0),
        ("closed", (1.0 - open) * 2.0 / 3.0),
    ];
    for (name, expected) in statuses {
        near(name, share(&|case| case["status"]["lname"] == name), expected);
    }
    for (name, score, expected) in
        [("low", 5, 0.3), ("medium", 10, 0.45), ("high", 13, 0.2), ("urgent", 15, 0.05)]
    {
        let of = |case: &Value| case["priority"]["lname"] == name;
        near(name, share(&of), expected);
        assert!(
            cases.iter().filter(|case| of(case)).all(|case| case["priority"]["score"] == score)
        );
    }
    let channels = [
        ("email", 0.45),
        ("chat", 0.25),
        ("voice", 0.15),
        ("web", 0.08),
        ("social", 0.05),
        ("sms", 0.02),
    ];
    for (name, expected) in channels {
        near(name, share(&|case| case["channel"][0] == name), expected);
    }
    for (count, expected) in [(0, 0.1), (1, 0.8), (2, 0.1)] {
        let of = |case: &Value| list(&case["queues"]).len() == count;
        near("queues", share(&of), expected);
    }
    // 1 / H(200) = 17.0 % of the first queues.
    let first = share(&|case| case["queues"][0]["name"] == "Queue 0");
    near("Queue 0 first", first, 0.9 * 0.1701);
    let fresh = open * 12.0 / 26.0;
    let unassigned = share(&|case| case["assigneeType"] == "unassigned");
    near("unassigned", unassigned, fresh * 0.5 + (1.0 - fresh) * 0.08);
    // 1 / H(2,000) = 12.2 % of the assigned.
    let busiest = share(&|case| case["currAssignee"]["agentId"] == "agent-0");
    near("agent-0", busiest, (1.0 - unassigned) * 0.1222);
    near("due", share(&|case| case.get("dueDate").is_some()), 0.8);
    // A few Turkish names are ASCII by chance.
    let foreign = share(&|case| !case["name"].as_str().unwrap().is_ascii());
    near("foreign", foreign, 0.02);
}

#[test]
fn dates_follow_the_rules() {
    const DAY: i64 = 86_400_000;
    let cases = cases(Shape::Seed, CASES);
    let mut delays = Vec::new();
    for (number, case) in (0..).zip(&cases) {
        let created = 1_704_067_200_000 + 730 * DAY * number / CASES as i64;
        assert_eq!(case["timestampValue"], created - 60);
        delays.push(ms(&case["updatedAt"]) - created);
        assert_eq!(ms(&case["createdAt"]), created);
        let days = match case["priority"]["score"].as_i64().unwrap() {
            5 => 10,
            10 => 5,
            13 => 2,
            _ => 1,
        };
        if let Some(due) = case.get("dueDate") {
            let due = due.as_i64().unwrap();
            assert!((days * DAY..(days + 1) * DAY).contains(&(due - created)));
            assert_eq!(ms(&case["ETA"]), due);
            assert_eq!(case["fields"][2]["selectedValue"], case["ETA"]);
        } else {
            assert!(case.get("ETA").is_none() && case["fields"][2].get("selectedValue").is_none());
        }
    }
    let mean = delays.iter().sum::<i64>() as f64 / CASES as f64 / DAY as f64;
    assert!((4.85..5.15).contains(&mean), "{mean}");
    assert!(delays.iter().all(|&delay| delay >= 0));
}

#[test]
fn no_name_has_the_needle_of_class_15_and_its_trigrams_occur() {
    let workload = Workload::new(50_000, 42, Shape::Lean);
    let mut seen = BTreeMap::from([("nis", 0), ("isa", 0), ("sav", 0), ("avo", 0)]);
    let (mut names, mut same_title) = (HashSet::new(), 0);
    for line in lines(&workload, 0..workload.len()) {
        assert!(!line.contains("nisavo"));
        let case: Value = serde_json::from_str(&line).unwrap();
        let name = case["name"].as_str().unwrap();
        for (trigram, count) in &mut seen {
            *count += u32::from(name.contains(trigram));
        }
        same_title += u32::from(case["fields"][0]["selectedValue"] == name);
        names.insert(name.to_owned());
    }
    assert!(seen.values().all(|&count| count > 0), "{seen:?}");
    assert!((39_500..40_500).contains(&same_title), "{same_title}");
    // One in a hundred repeats; short foreign names and short names of frequent words do by chance.
    assert!((48_500..49_500).contains(&names.len()), "{}", names.len());
}

#[test]
fn ids_are_unique() {
    let workload = Workload::new(50_000, 42, Shape::Seed);
    let mut ids = HashSet::new();
    for line in lines(&workload, 0..workload.len()) {
        let case: Value = serde_json::from_str(&line).unwrap();
        for id in [&case["_id"], &case["taskIds"][0], &case["userInfo"]["_id"], &case["refId"]] {
            assert!(ids.insert(id.as_str().unwrap().to_owned()), "{id}");
        }
    }
    assert_eq!(ids.len(), 4 * 50_000);
}

#[test]
fn the_seeds_shape_has_the_seeds_keys_and_forms() {
    let keys = "_id caseTmp name lname desc tags userInfo sessIds accountId iId orgId convIds \
                status source language conversationType fields participants queues priority refId \
                assigneeType isActive taskIds attachments feedback createdBy updatedBy \
                timestampValue activityIds commentIds resolutionCmts dueDate isBreached \
                supportCustomTasks channel createdAt updatedAt currAssignee ETA";
    let workload = Workload::new(1_000, 42, Shape::Seed);
    for line in lines(&workload, 0..1_000) {
        let case: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(serde_json::from_str::<Value>(&case.to_string()).unwrap(), case);
        let due = case.get("dueDate").is_some();
        let expected =
            keys.split_whitespace().filter(|key| due || !["dueDate", "ETA"].contains(key));
        let mut from = 0;
        for key in expected.clone() {
            let at = line[from..].find(&format!(r#""{key}":"#));
            from += at.unwrap_or_else(|| panic!("{key} is missing or too early in {line}"));
        }
        assert_eq!(case.as_object().unwrap().len(), expected.count());
        assert_eq!(case["accountId"], ACCOUNT_ID);
        assert_eq!(case["iId"], STREAM_ID);
        assert_eq!(case["desc"], case["fields"][1]["selectedValue"]);
        assert!((15..=35).contains(&case["desc"].as_str().unwrap().split(' ').count()));
        let mail = case["source"].as_str().unwrap().starts_with("emailInst-");
        assert_eq!(mail, case["channel"][0] == "email");
        assert_eq!(groups(&case["_id"]), ["ci", "7", "4", "4", "4", "12"]);
        assert_eq!(groups(&case["taskIds"][0]), ["ti", "7", "4", "4", "4", "12"]);
        assert_eq!(groups(&case["userInfo"]["_id"]), ["u", "8", "4", "4", "4", "12"]);
    }
}

#[test]
fn cases_have_the_size_that_the_rules_name() {
    for (shape, expected) in [(Shape::Lean, 550..680), (Shape::Seed, 2_800..3_500)] {
        let bytes: usize =
            lines(&Workload::new(CASES, 42, shape), 0..CASES).iter().map(String::len).sum();
        let mean = bytes / CASES as usize;
        assert!(expected.contains(&mean), "{shape:?}: {mean}");
    }
}

#[test]
fn all_classes_are_read() {
    let classes = classes();
    assert_eq!(classes.len(), 17);
    for (number, class) in (1..).zip(&classes) {
        assert!(class.name.starts_with(&format!("{number:02} ")));
        assert!(serde_json::from_str::<Value>(&class.body).unwrap().is_object());
        assert_eq!(class.user.as_deref(), (number == 6).then_some("agent-5"));
    }
    assert_eq!(
        classes[3].body,
        r#"{"status":["closed"],"priority":["medium"],"channel":["email"]}"#
    );
}

#[test]
fn a_workload_may_be_empty_or_small() {
    assert!(Workload::new(0, 1, Shape::Lean).is_empty());
    assert_eq!(lines(&Workload::new(1, 1, Shape::Seed), 0..1).len(), 1);
}

/// For one's own figures: 100,000 cases of the seed's shape on a file, to be compressed.
#[test]
#[ignore = "writes 300 MB"]
fn write_cases_to_compress() {
    for shape in [Shape::Lean, Shape::Seed] {
        let workload = Workload::new(100_000, 42, shape);
        let (start, mut text) = (std::time::Instant::now(), Vec::new());
        for number in 0..workload.len() {
            workload.write_case(number, &mut text);
            text.push(b'\n');
        }
        let (took, mean) = (start.elapsed(), text.len() / 100_000);
        let path = std::env::temp_dir().join(format!("{shape:?}100k.ndjson").to_lowercase());
        std::fs::write(&path, text).unwrap();
        println!("{}: {mean} bytes a case, made in {took:?}", path.display());
    }
}

fn lines(workload: &Workload, numbers: std::ops::Range<u64>) -> Vec<String> {
    let line = |number| {
        let mut line = Vec::new();
        workload.write_case(number, &mut line);
        String::from_utf8(line).unwrap()
    };
    numbers.map(line).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn cases(shape: Shape, count: u64) -> Vec<Value> {
    let lines = lines(&Workload::new(count, 42, shape), 0..count);
    lines.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// An id's prefix, and how long its groups of hexadecimal digits are.
fn groups(id: &Value) -> Vec<String> {
    let mut parts = id.as_str().unwrap().split('-');
    let prefix = parts.next().unwrap().to_owned();
    let digits = parts.map(|part| {
        assert!(part.bytes().all(|digit| digit.is_ascii_hexdigit()));
        part.len().to_string()
    });
    std::iter::once(prefix).chain(digits).collect()
}

/// Milliseconds since 1970 of a text of the years 2024 to 2026, by counting its days.
fn ms(text: &Value) -> i64 {
    let text = text.as_str().unwrap();
    let part = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let (year, month) = (part(0..4), part(5..7));
    let leap = i64::from(year == 2024);
    let months = [31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let years = match year {
        2024 => 0,
        2025 => 366,
        _ => 731,
    };
    let days = 19_723 + years + months[..month as usize - 1].iter().sum::<i64>() + part(8..10) - 1;
    ((days * 24 + part(11..13)) * 60 + part(14..16)) * 60_000 + part(17..19) * 1000 + part(20..23)
}

fn fnv1a(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}
