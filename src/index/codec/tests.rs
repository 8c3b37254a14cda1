use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;
use crate::case::Case;
use crate::index::collections::Ordinal;
use crate::value::json::{Json, MAX_BYTES};

/// Encodes a document and checks that it comes back; gives how long it was between.
fn round_trip(codec: &Codec, document: &str, id: &str) -> usize {
    let mut encoded = Vec::new();
    codec.encode(document, id, &mut Scratch::default(), &mut encoded);
    let mut decoded = Vec::with_capacity(decoded_len(&encoded));
    codec.decode(&encoded, id, &mut decoded);
    assert!(decoded == document.as_bytes(), "{} bytes do not come back", document.len());
    assert_eq!(decoded.capacity(), document.len(), "one allocation, no larger than need be");
    assert!(encoded.len() <= document.len() + 8, "{} of {}", encoded.len(), document.len());
    encoded.len()
}

/// A codec that shares from the first document on.
fn begun() -> Codec {
    Codec { text: AtomicU64::new(1 << 20), ..Codec::default() }
}

fn document(number: usize) -> (String, String) {
    let id = format!("ci-{:08x}-0f", number * 0x9e37_79b9 % 0xffff_ffff);
    let words = ["refund", "order", "late", "broken"];
    let text = (0..6).map(|at| words[(number * 7 + at * number) % 4]);
    let text = text.collect::<Vec<_>>().join(" ");
    let open = number.is_multiple_of(3);
    let status = if open { "Open" } else { "Closed" };
    let document = format!(
        r#"{{"_id":"{id}","name":"A {text}","lname":"a {text}","desc":"{text}",
            "status":{{"name":"{status}","open":{open},"constant":"with a long text"}},
            "queues":[{{"name":"Q{}"}}],"refId":"CS{number:06}",
            "created":"2024-05-{:02}T10:00:00.{:03}Z","due":{},
            "fields":[{{"meta":{{"type":"always the same"}},"value":{}}}]}}"#,
        number % 9,
        number % 28 + 1,
        number % 1000,
        1_735_540_000_000_usize + number * 977,
        if number.is_multiple_of(5) { "null".to_owned() } else { number.to_string() },
    );
    // The lines are this file's.
    let json = Json::read(document.as_bytes()).unwrap();
    let compact = json.compact(std::iter::empty()).into_owned();
    (compact, id)
}

/// The bytes of encoded documents, as docs/documents.md says.
#[test]
fn the_format_is_as_the_tables_say() {
    let encoded = |codec: &Codec, document: &str, id: &str| {
        let mut bytes = Vec::new();
        codec.encode(document, id, &mut Scratch::default(), &mut bytes);
        let mut decoded = Vec::new();
        codec.decode(&bytes, id, &mut decoded);
        assert_eq!(decoded, document.as_bytes());
        bytes
    };
    // The first documents of a scope: the length, 0 and the document.
    assert_eq!(encoded(&Codec::default(), r#"{"a":1}"#, "1"), b"\x07\x00{\"a\":1}");
    let codec = begun();
    let values = &codec.shared.get_or_init(Box::default).dictionaries.values;
    for (entry, value) in [r#""Open","y":2"#, "\"CS\x01\x06\"", r#""VIP""#].iter().enumerate() {
        assert_eq!(values.intern(value), (entry as Ordinal, true));
    }
    let one = concat!(
        r#"{"_id":"1","at":"2025-05-29T08:00:00.000Z","by":{"x":"old","y":1},"n":7,"#,
        r#""t":1735540000000,"text":"a","ref":"b","low":"c","same":"d","entry":"e"}"#
    );
    let other = concat!(
        r#"{"_id":"2","at":"1970-01-01T00:00:01.000Z","by":{"x":"Open","y":2},"n":300,"#,
        r#""t":1735540000001,"text":"SOME TEXT","ref":"CS000599","low":"some text","#,
        r#""same":"CS000599","entry":"VIP"}"#
    );
    // A shape that is new, of texts that become no shorter: the length in two bytes, 0, as it is.
    let head = [one.len() as u8 | 0x80, 1, 0];
    assert_eq!(encoded(&codec, one, "1"), [&head, one.as_bytes()].concat());
    // One that comes again: template 0, no texts and no leaf.
    assert_eq!(encoded(&codec, one, "1"), [one.len() as u8 | 0x80, 1, 2, 0]);
    let right: &[&[u8]] = &[
        // The length; template 1; a text of 11 bytes.
        &[other.len() as u8 | 0x80, 1],
        &[3, 11 << 2],
        b"\"SOME TEXT\"",
        // The `_id`; one second since 1970, doubled for the sign.
        &[6],
        &[2, 0xd0, 0x0f],
        // Of a group, entry 0; the number 300.
        &[1],
        &[3, 0xac, 2],
        // 1,735,539,999,001 milliseconds later, doubled.
        &[4, 0xb2, 0x84, 0xf6, 0xe3, 0x82, 0x65],
        // The text's length; entry 1 as a pattern with six digits.
        &[0, 11],
        &[1, 1, 0x00, 0x05, 0x99],
        // Place 0 of the window in small letters; place 1; entry 2.
        &[7, 0],
        &[5, 1],
        &[10],
    ];
    assert_eq!(encoded(&codec, other, "2"), right.concat());
    // The first texts are a dictionary. A shape that is new: the length, 1, and a frame with it.
    let text = |key, times| format!(r#"{{"{key}":"{}"}}"#, "some words and others ".repeat(times));
    encoded(&codec, &text("long", 400), "3");
    let other = text("other", 9);
    let bytes = encoded(&codec, &other, "4");
    assert!(bytes[..3] == [other.len() as u8 | 0x80, 1, 1] && bytes[3] & 3 == 1, "{bytes:?}");
    assert!(bytes.len() * 3 < other.len(), "{bytes:?}");
}

#[test]
fn documents_of_one_shape_come_back_and_are_small() {
    let codec = Codec::default();
    let mut last = 0;
    for number in 0..5000 {
        let (document, id) = document(number);
        last = round_trip(&codec, &document, &id);
    }
    let plain = document(4999).0.len();
    assert!(last * 7 < plain, "{last} of {plain}");
    assert!(codec.len() < 200 && codec.bytes() < 120_000, "{} in {}", codec.len(), codec.bytes());
}

#[test]
fn documents_of_many_shapes_come_back() {
    let codec = begun();
    for round in 0..3 {
        for shape in 0..200 {
            let document = format!(r#"{{"k{shape}":{round},"b":["x y",{shape}],"c":"{shape}"}}"#);
            round_trip(&codec, &document, "none");
        }
    }
}

#[test]
fn any_text_comes_back() {
    let codec = begun();
    for text in ["", "{}", "null", "{\"a\":\"", "}}]", r#"{"a":"\\","b":"\u0041 x"}"#] {
        for _ in 0..3 {
            round_trip(&codec, text, "");
        }
    }
}

#[test]
fn values_that_come_again_in_one_document_alone_have_no_entries() {
    let codec = begun();
    let document = |number: u64| {
        let id = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let user = format!(r#"{{"id":"user {id:016x}","name":"Name {number} {id}"}}"#);
        format!(r#"{{"by":{user},"of":{user},"text":"{number}"}}"#)
    };
    for number in 0..1000 {
        round_trip(&codec, &document(number), "");
    }
    assert!(codec.len() < 20, "{} entries", codec.len());
}

#[test]
fn a_document_by_itself_takes_little_more() {
    let codec = Codec::default();
    let (document, id) = document(1);
    round_trip(&codec, &document, &id);
    assert!(codec.bytes() < 512, "{}", codec.bytes());
}

#[test]
fn templates_take_a_part_of_what_was_encoded() {
    let codec = begun();
    let text = "long text ".repeat(100);
    // Each shape comes twice, which makes a template of it.
    for number in 0..2000 {
        let document = format!(r#"{{"k{}":"{text}","n":{number}}}"#, number / 2);
        round_trip(&codec, &document, "");
    }
    let (templates, all) = (codec.shared.get().unwrap().templates.bytes(), 2000 * text.len());
    let most = TEMPLATE_BYTES as usize + (all + (1 << 20) + 100_000) / TEMPLATE_PART as usize;
    assert!(templates > most / 2 && templates <= most, "{templates} of {most}");
}

/// An object of members that `each` writes, as long as a document may be.
fn longest(mut each: impl FnMut(usize, &mut String)) -> String {
    let (mut text, mut number) = (String::from(r#"{"_id":"1""#), 0);
    loop {
        let before = text.len();
        text.push(',');
        each(number, &mut text);
        if text.len() >= MAX_BYTES {
            text.truncate(before);
            text.push('}');
            return text;
        }
        number += 1;
    }
}

/// Documents as long as may be, each the worst of its way.
fn degenerate() -> Vec<String> {
    let mix = |number: usize| number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20;
    let list = |each: &dyn Fn(usize) -> String| {
        longest(|number, text| match number {
            0 => {
                let values: Vec<_> = (0..100_000).map(each).collect();
                write!(text, r#""list":[{}]"#, values.join(",")).unwrap();
            }
            _ => text.push_str(&" ".repeat(MAX_BYTES)),
        })
    };
    vec![
        longest(|number, text| write!(text, r#""key{number:06}":"the same""#).unwrap()),
        longest(|number, text| write!(text, r#""key{number:06}":"{:x}""#, mix(number)).unwrap()),
        longest(|number, text| write!(text, r#""key{number:06}":-1"#).unwrap()),
        // Keys that look alike but for an escape.
        longest(|number, text| write!(text, r#""{number:06}\u0041\\":"\ud83d\ude00""#).unwrap()),
        // Each value in capitals, and then not.
        longest(|number, text| {
            let value = format!("VALUE {}", number / 2);
            let value = if number % 2 == 0 { value } else { value.to_lowercase() };
            write!(text, r#""k{number}":"{value}""#).unwrap();
        }),
        longest(|number, text| {
            let (open, close) = ("[".repeat(126), "]".repeat(126));
            write!(text, r#""k{number}":{open}{number}{close}"#).unwrap();
        }),
        longest(|number, text| match number {
            0 => write!(text, r#""text":"{}""#, "long ".repeat(MAX_BYTES / 5 - 50)).unwrap(),
            _ => text.push_str(&" ".repeat(MAX_BYTES)),
        }),
        list(&|_| "1".to_owned()),
        list(&|number| (number % 1000).to_string()),
        list(&|number| (mix(number) % 10_000_000).to_string()),
        list(&|number| format!("[[[{}]]]", number % 10)),
    ]
}

#[test]
fn degenerate_documents_come_back_and_stay_as_long_as_they_are() {
    for document in degenerate() {
        assert!(Case::from_json(document.as_bytes()).is_ok(), "{}", &document[..99]);
        let codec = Codec::default();
        let mut text = 0;
        for round in 0..4 {
            // The same shape, and the same but for a few values.
            let document = document.replacen("12", &format!("{}", 20 + round), 1 + round);
            round_trip(&codec, &document, "1");
            text += document.len();
            // What is shared does not outgrow the documents.
            assert!(codec.bytes() < 4 * text, "{} of {text}: {}", codec.bytes(), &document[..99]);
        }
    }
}

/// Leaves and objects, drawn from few so that they come again.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-zA-Z]{1,3}( [a-z]{1,8}){0,4}".prop_map(|text| format!("\"{text}\"")),
        "(TEXT|text)[0-9]{1,2}".prop_map(|text| format!("\"{text}\"")),
        "-?(0|[1-9][0-9]{0,18})(\\.[0-9]{1,3})?",
        "1[0-9]{12}",
        "\"20[0-9]{2}-0[1-9]-[0-3][0-9]T1[0-9]:00:[0-5][0-9]\\.[0-9]{3}Z\"",
        "\"[a-f0-9]{4,8}-[a-f0-9]{4}\"",
        "\"(\\\\u00[0-9a-f]{2}|\\\\n|\\\\\\\\|é|\u{1f600}|x){0,6}\"",
        Just("\"id\"".to_owned()),
        Just("null".to_owned()),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6)
                .prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec(inner, 0..6).prop_map(|all| {
                let members = all.iter().enumerate().map(|(at, own)| format!("\"k{at}\":{own}"));
                format!("{{{}}}", members.collect::<Vec<_>>().join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn documents_of_any_values_come_back(
        values in prop::collection::vec(value(), 1..8),
        picks in prop::collection::vec(prop::collection::vec(0..8_usize, 1..60), 1..30),
    ) {
        let codec = begun();
        for picks in &picks {
            let members = picks.iter().enumerate().map(|(at, pick)| {
                format!("\"m{at}\":{}", values[pick % values.len()])
            });
            let document = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
            for id in ["id", "other"] {
                round_trip(&codec, &document, id);
            }
        }
    }
}
