//! Bytes as a file of cases, read in any pieces, as any of its forms: the same cases and the same
//! faults, each at its place.
#![no_main]

#[path = "../../crates/load/tests/same/mod.rs"]
mod same;

use getcases_load::{Mapping, Options};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Vec<usize>, u8, &[u8])| {
    let (mut sizes, form, text) = input;
    sizes.iter_mut().for_each(|size| *size = 1 + *size % 64);
    sizes.push(1 + usize::from(form));
    let map = ["", "_id=.id", "_id=.id,name=.a.b,createdAt=.t * 1000", "_id=_id,name=name"];
    let map = map[usize::from(form) % 4];
    let records = [None, Some(".issues[]"), Some(".[]"), Some(".")][usize::from(form) / 4 % 4];
    let options = Options {
        map: if map.is_empty() { Mapping::default() } else { map.parse().unwrap() },
        records: records.map(|path| path.parse().unwrap()),
        is_table: form >= 128,
    };
    same::same_however_it_comes(text, &sizes, &options);
    if let Ok(unpacked) = getcases_load::unpack(same::Pieces::new(text.to_vec(), &sizes)) {
        let _ = same::report(unpacked, &options);
    }
});
