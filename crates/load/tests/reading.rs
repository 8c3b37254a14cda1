//! What a file holds does not depend on the pieces that it comes in, on how it is compressed, or on
//! how its cases are laid out.
#![allow(clippy::unwrap_used)]

mod same;

use std::io::Write;

use getcases_load::Options;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use same::{Pieces, report, same_however_it_comes};

/// Pieces of files: of JSON, whole and torn, of tables, and of what is neither.
const TOKENS: [&str; 44] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\n",
    "\r\n",
    " ",
    "\t",
    "é",
    "客",
    "\u{feff}",
    "1",
    "-0.5e9",
    "true",
    "tru",
    "null",
    "\"a\"",
    "\"_id\":",
    "\"_id\":\"1\"",
    "{\"_id\":\"1\"}",
    "{\"_id\":\"2\",\"name\":\"x\"}",
    "{\"results\":[",
    "\"results\":[",
    "\"page\":1",
    "{\"issues\":[",
    "\"issues\"",
    "{\"id\":7}",
    "{}",
    "[]",
    "_id,name\n",
    "_id;name",
    "1,x\n",
    "\"a,\"\"b\"",
    "createdAt",
    "\"createdAt\":\"soon\"",
    "\u{1b}[31m",
    "\"\\u001b\"",
    "{\"_id\":\"3\",\"status\":5}",
    "\\\"",
    "2025 restarted",
];

fn options() -> impl Strategy<Value = Options> {
    const MAPS: [&str; 4] =
        ["", "_id=.id", "_id=.id,name=.a.b,createdAt=.t * 1000", "_id=_id,name=name"];
    const RECORDS: [&str; 5] = ["", ".issues[]", ".[]", ".results[0]", "."];
    (select(&MAPS[..]), select(&RECORDS[..]), any::<bool>()).prop_map(|(map, records, is_table)| {
        Options {
            map: if map.is_empty() { Default::default() } else { map.parse().unwrap() },
            records: (!records.is_empty()).then(|| records.parse().unwrap()),
            is_table,
        }
    })
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let any_bytes = vec(any::<u8>(), 0..40);
    let joined = vec(select(&TOKENS[..]), 0..40).prop_map(|tokens| tokens.concat().into_bytes());
    prop_oneof![1 => any_bytes, 9 => joined]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_pieces_give_the_same(
        text in text(),
        sizes in vec(1..9usize, 1..9),
        options in options(),
    ) {
        same_however_it_comes(&text, &sizes, &options);
    }

    #[test]
    fn compressed_files_give_the_same(text in text(), sizes in vec(1..9usize, 1..9)) {
        let options = Options::default();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&text).unwrap();
        let zst = zstd::encode_all(&text[..], 1).unwrap();
        // A text that begins as what is compressed does is taken for that.
        let plain = getcases_load::unpack(Pieces::new(text.clone(), &sizes));
        prop_assume!(plain.is_ok() && !text.starts_with(b"\x1F\x8B"));
        let expected = report(&text[..], &options);
        for packed in [gz.finish().unwrap(), zst] {
            let unpacked = getcases_load::unpack(Pieces::new(packed, &sizes)).unwrap();
            prop_assert_eq!(&report(unpacked, &options), &expected);
        }
    }

    /// Whatever the layout, the same cases are found, each as it is spelled.
    #[test]
    fn any_layout_gives_the_same(
        cases in vec(case(), 2..9),
        space in select(vec!["", " ", "\n", "\r\n  "]),
    ) {
        let joined = |by: &str| cases.join(by);
        let comma = format!("{space},{space}");
        let layouts = [
            joined("\n"),
            joined("\r\n\n"),
            format!("[{space}{}{space}]", joined(&comma)),
            format!("{{\"page\":1,\"results\":[{}],\"more\":[]}}", joined(&comma)),
            joined(&format!("\n{space}")),
            format!("{{\"results\":[{}]}}\n{{\"results\":[{}]}}", joined(","), joined(",")),
        ];
        for (at, layout) in layouts.iter().enumerate() {
            let texts: Vec<_> = report(layout.as_bytes(), &Options::default()).unwrap();
            let texts: Vec<_> = texts.into_iter().map(|record| record.text.unwrap()).collect();
            let count = if at == 5 { 2 * cases.len() } else { cases.len() };
            prop_assert!(texts.iter().eq(cases.iter().cycle().take(count)), "{layout}\n{texts:?}");
        }
    }
}

/// The text of a case on one line.
fn case() -> impl Strategy<Value = String> {
    let name = "[a-zé客\\[\\]{},: ]{0,9}";
    (0..99u32, name, any::<bool>()).prop_map(|(id, name, has_results)| {
        let results = if has_results { ",\"results\":[{\"\\\"\":\"]\"}]" } else { "" };
        format!("{{\"_id\":\"{id}\",\"name\":\"{name}\\\\\"{results}}}")
    })
}
