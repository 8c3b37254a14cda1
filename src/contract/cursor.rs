//! Cursors: where a page ends, as a text that goes out and comes back.
//!
//! Rules: docs/contract.md, *Cursors*. A cursor is an encoded position and, behind it, a tag that
//! only who has the key can make: of the position, the version, the scope, the user and the
//! question. So what opens was sealed for the same question, and its values fit the order.

use std::fmt;
use std::hash::{Hash, Hasher};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use siphasher::sip128::{Hasher128, SipHasher24};

use super::query::Query;
use crate::value::shown::quoted;

/// Which of the pages that follow one another is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// The first one; in a body `true`.
    First,
    /// The one after the page that gave this text.
    After(String),
}

/// The body's value.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("true"),
            Self::After(text) => f.write_str(&quoted(text)),
        }
    }
}

/// What the bytes of a cursor begin with.
const FORMAT: u8 = 1;
/// How many bytes the tag has.
const TAG: usize = 16;
/// How many characters a cursor may have.
const MAX_LENGTH: usize = 8192;
/// Up to how many bytes a text is in the cursor; of a longer one its digest.
const MAX_TEXT: usize = 512;

/// What cursors are sealed with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct CursorKey([u8; 16]);

impl CursorKey {
    pub(crate) fn new(key: [u8; 16]) -> Self {
        Self(key)
    }
}

impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey")
    }
}

/// A valid request's cursor.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Continuation {
    /// Who asks.
    pub(super) user: Option<String>,
    pub(super) position: Position,
    /// As JSON, where it is a text.
    pub(super) spelled: String,
}

/// Between two results.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Position {
    /// Of the snapshot that the page before came from, if this engine had it.
    pub(crate) generation: Option<u64>,
    /// How many cases the pages before gave.
    pub(crate) passed: u64,
    /// The last one of these.
    pub(crate) last: Option<LastSeen>,
}

/// Where a case stands in a total order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastSeen {
    /// A value for each key of the order but the last, which is `_id`.
    pub(crate) values: Vec<SortValue>,
    pub(crate) id: Box<str>,
}

/// What a case is ordered by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SortValue {
    Missing,
    /// Milliseconds.
    Date(i64),
    Text(SortText),
    /// A number, and a text where that ties.
    Ranked(u64, SortText),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SortText {
    Whole(Box<str>),
    /// Of a text that is too long for a cursor.
    Digest(u128),
}

impl SortText {
    /// The text, or what stands for it in a cursor.
    pub(crate) fn of(text: &str) -> Self {
        if text.len() <= MAX_TEXT {
            return Self::Whole(text.into());
        }
        let mut hasher = SipHasher24::new();
        hasher.write(text.as_bytes());
        Self::Digest(hasher.finish128().as_u128())
    }

    fn encode(&self, into: &mut Vec<u8>) {
        match self {
            Self::Whole(text) => encode_text(text, into),
            Self::Digest(digest) => {
                into.extend(u16::MAX.to_le_bytes());
                into.extend(digest.to_le_bytes());
            }
        }
    }

    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        if bytes.starts_with(&u16::MAX.to_le_bytes()) {
            *bytes = &bytes[2..];
            return Some(Self::Digest(u128::from_le_bytes(take(bytes)?)));
        }
        decode_text(bytes).map(Self::Whole)
    }
}

impl SortValue {
    pub(crate) fn is_digest(&self) -> bool {
        matches!(self, Self::Text(SortText::Digest(_)) | Self::Ranked(_, SortText::Digest(_)))
    }

    fn encode(&self, into: &mut Vec<u8>) {
        match self {
            Self::Missing => into.push(0),
            Self::Date(date) => {
                into.push(1);
                into.extend(date.to_le_bytes());
            }
            Self::Text(text) => {
                into.push(2);
                text.encode(into);
            }
            Self::Ranked(rank, text) => {
                into.push(3);
                into.extend(rank.to_le_bytes());
                text.encode(into);
            }
        }
    }

    fn decode(bytes: &mut &[u8]) -> Option<Self> {
        Some(match take::<1>(bytes)? {
            [0] => Self::Missing,
            [1] => Self::Date(i64::from_le_bytes(take(bytes)?)),
            [2] => Self::Text(SortText::decode(bytes)?),
            [3] => Self::Ranked(u64::from_le_bytes(take(bytes)?), SortText::decode(bytes)?),
            _ => return None,
        })
    }
}

impl Position {
    /// Whether some text is not there.
    pub(crate) fn has_digest(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.values.iter().any(SortValue::is_digest))
    }

    fn encode(&self, engine: u64) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        bytes.extend(engine.to_le_bytes());
        bytes.extend(self.generation.unwrap_or_default().to_le_bytes());
        bytes.extend(self.passed.to_le_bytes());
        if let Some(LastSeen { values, id }) = &self.last {
            bytes.push(values.len() as u8);
            values.iter().for_each(|value| value.encode(&mut bytes));
            encode_text(id, &mut bytes);
        }
        bytes
    }

    /// Nothing for bytes that `encode` does not make; no snapshot of another engine.
    fn decode(mut bytes: &[u8], engine: u64) -> Option<Self> {
        let bytes = &mut bytes;
        if take(bytes)? != [FORMAT] {
            return None;
        }
        let is_own = u64::from_le_bytes(take(bytes)?) == engine;
        let generation = Some(u64::from_le_bytes(take(bytes)?)).filter(|_| is_own);
        let passed = u64::from_le_bytes(take(bytes)?);
        if bytes.is_empty() {
            return Some(Self { generation, passed, last: None });
        }
        let [count] = take(bytes)?;
        let values = (0..count).map(|_| SortValue::decode(bytes)).collect::<Option<_>>()?;
        let last = Some(LastSeen { values, id: decode_text(bytes)? });
        bytes.is_empty().then_some(Self { generation, passed, last })
    }
}

fn encode_text(text: &str, into: &mut Vec<u8>) {
    into.extend((text.len() as u16).to_le_bytes());
    into.extend(text.as_bytes());
}

fn decode_text(bytes: &mut &[u8]) -> Option<Box<str>> {
    let length = usize::from(u16::from_le_bytes(take(bytes)?));
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    std::str::from_utf8(text).ok().map(Into::into)
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (own, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*own)
}

/// Makes and reads the cursors of one scope.
#[derive(Clone, Copy)]
pub(crate) struct Sealer<'s> {
    pub(crate) key: CursorKey,
    /// A number of the engine's own: generations of another one say nothing here.
    pub(crate) engine: u64,
    pub(crate) account: &'s str,
    pub(crate) stream: &'s str,
}

impl Sealer<'_> {
    /// A question's cursor at a position.
    pub(crate) fn seal(&self, query: &Query, position: &Position) -> String {
        let mut bytes = position.encode(self.engine);
        bytes.extend(self.tag(query, &bytes));
        BASE64.encode(bytes)
    }

    /// Where a cursor stands; nothing for a text that is no cursor of this question.
    pub(super) fn open(&self, text: &str, query: &Query) -> Option<Position> {
        let bytes = BASE64.decode(Some(text).filter(|text| text.len() <= MAX_LENGTH)?).ok()?;
        let (position, tag) = bytes.split_last_chunk::<TAG>()?;
        // Compared as numbers, in the same time wherever they differ.
        let is_own = u128::from_le_bytes(*tag) == u128::from_le_bytes(self.tag(query, position));
        is_own.then(|| Position::decode(position, self.engine)).flatten()
    }

    fn tag(&self, query: &Query, position: &[u8]) -> [u8; TAG] {
        let mut hasher = SipHasher24::new_with_key(&self.key.0);
        (env!("CARGO_PKG_VERSION"), self.account, self.stream, position).hash(&mut hasher);
        query.hash_question(&mut hasher);
        hasher.finish128().as_u128().to_le_bytes()
    }
}
