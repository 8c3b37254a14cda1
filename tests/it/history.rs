//! Random histories of one scope: batches, upkeep and requests in turns, each step held against the
//! oracle.

use arbitrary::{Result, Unstructured};

use super::compare::{Desk, Edit};
use super::generate::{self, Vocabulary};

/// How many changes a batch has at most.
const MOST: usize = 40;

/// Plays what the bytes say until they run out; says where engine and oracle differ, or what is
/// wrong with the index.
pub fn play(bytes: &[u8]) -> Result<(), String> {
    let vocabulary = Vocabulary::odd();
    let mut desk = Desk::new("a", "s");
    let mut u = Unstructured::new(bytes);
    while !u.is_empty() {
        match step(&mut u, &vocabulary, &mut desk) {
            Ok(outcome) => outcome?,
            // The bytes do not make up a whole step any more.
            Err(_) => break,
        }
    }
    desk.validate()
}

fn step(
    u: &mut Unstructured<'_>,
    vocabulary: &Vocabulary,
    desk: &mut Desk,
) -> Result<Result<(), String>> {
    Ok(match u.int_in_range(0..=15)? {
        0..=5 => {
            let texts = documents(u, vocabulary)?;
            let edits: Vec<_> = texts
                .iter()
                .map(|text| match text {
                    Some(text) => Ok(Edit::Upsert(text.as_bytes())),
                    None => Ok(Edit::DeleteAny(u.arbitrary()?)),
                })
                .collect::<Result<_>>()?;
            desk.write(&edits).and_then(|()| desk.validate())
        }
        6 => {
            desk.engine.maintain(u.int_in_range(0..=200)?);
            desk.validate()
        }
        7 => {
            // What changed while a scope was built anew may be worth another time, and no more.
            let rebuilt = [0; 3].map(|_| desk.engine.maintain(usize::MAX).rebuilt);
            if rebuilt[2] > 0 {
                return Ok(Err(format!("upkeep without end: {rebuilt:?}")));
            }
            desk.validate()
        }
        8 if u.ratio(1, 4)? => desk.clear(),
        8 => {
            let context = generate::context(u, vocabulary)?;
            desk.remember(&generate::request(u, vocabulary)?, &context);
            Ok(())
        }
        _ => {
            let context = generate::context(u, vocabulary)?;
            desk.ask(&generate::request(u, vocabulary)?, &context).map(|_| ())
        }
    })
}

/// Documents to upsert; nothing where a case is to be deleted instead. The bytes of a document are
/// drawn from few: whole batches fit into a fuzzer's input.
fn documents(u: &mut Unstructured<'_>, vocabulary: &Vocabulary) -> Result<Vec<Option<String>>> {
    let count = u.int_in_range(1..=MOST)?;
    let mut documents = Vec::with_capacity(count);
    for _ in 0..count {
        let seed: u32 = u.arbitrary()?;
        documents.push(if seed.is_multiple_of(8) {
            None
        } else {
            let bytes = spread(seed);
            Some(generate::document(&mut Unstructured::new(&bytes), vocabulary)?)
        });
    }
    Ok(documents)
}

/// Bytes that a seed stands for.
fn spread(seed: u32) -> [u8; 600] {
    let mut state = u64::from(seed) << 32 | 0x9e37_79b9;
    std::array::from_fn(|_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
}
