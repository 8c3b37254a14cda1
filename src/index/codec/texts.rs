//! Texts that nothing else in a document says, compressed with a dictionary of their scope's own.
//!
//! All such texts of one document are one frame of zstd. The first texts of a scope stay as they
//! are, and are the dictionary of those that follow: what comes again is found there. Where there
//! are many texts, some of them are made a dictionary that has codes for their letters besides:
//! frames are a tenth shorter with it, and twice as quick to read.
//!
//! Useful for texts of some words and more. Not for values that come again as a whole, which
//! entries say in a byte or two.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use zstd::zstd_safe::{CCtx, CDict, DCtx, DDict, compress_bound};

use super::bytes::ByteReader;
use super::format::Compression;
use super::pool::{ContextPool, Lent};
use super::zstd_dictionary;
use crate::index::collections::sized;
use crate::value::json::MAX_BYTES;

/// How much zstd tries: the least is as short as more where a dictionary is small, and its tables
/// are a sixth.
const LEVEL: i32 = 1;

/// From how many bytes on texts are compressed.
const COMPRESS_FROM: usize = 16;

/// How many bytes of texts are the first dictionary.
const CONTENT_BYTES: usize = sized(4 << 10, 512);

/// After how many bytes of texts a dictionary is prepared, and how long it may be: a shorter one's
/// tables are larger.
const PREPARE_AFTER: u64 = sized(512 << 10, 16 << 10) as u64;
const PREPARED_BYTES: usize = 16 << 10;

/// What part of the second half of those it is made of, and how much of one document counts: a long
/// one says little of others.
const SAMPLED: u64 = sized(8, 2) as u64;
const SAMPLE: usize = 4 << 10;

/// After how many texts in a row that compressing made no shorter only one in some is compressed,
/// until one is shorter again: texts such as random numbers never are.
const FUTILE: u32 = sized(256, 32) as u32;
const SELDOM: u32 = 16;

/// How every frame begins; it is not kept.
const MAGIC: [u8; 4] = 0xFD2F_B528_u32.to_le_bytes();

/// The dictionaries of a scope.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// How many bytes of texts there were, of one document no more than a sample.
    length: AtomicU64,
    /// How many texts in a row compressing made no shorter, about.
    futile: AtomicU32,
    /// What becomes the next dictionary.
    samples: Mutex<Vec<u8>>,
    first: OnceLock<Box<[u8]>>,
    /// Nothing where samples were too much alike.
    prepared: OnceLock<Option<Box<Prepared>>>,
}

/// A dictionary for either way.
struct Prepared {
    /// What both are of.
    content: Box<[u8]>,
    compress: CDict<'static>,
    decompress: DDict<'static>,
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared").field("bytes", &self.bytes()).finish()
    }
}

impl Prepared {
    /// Cost: some tenths of a millisecond.
    fn new(texts: &[u8]) -> Option<Self> {
        let sample = zstd_dictionary::sample(texts);
        let dictionary = COMPRESSORS.with(|Compressor { context, frame }| {
            frame.clear();
            frame.reserve(compress_bound(sample.len()));
            context.compress(frame, &sample, LEVEL).ok()?;
            zstd_dictionary::dictionary(texts, frame, PREPARED_BYTES)
        })?;
        Self::of(dictionary.into())
    }

    fn of(content: Box<[u8]>) -> Option<Self> {
        let compress = CDict::try_create(&content, LEVEL)?;
        let decompress = DDict::try_create(&content)?;
        Some(Self { content, compress, decompress })
    }

    fn bytes(&self) -> usize {
        let both = self.compress.sizeof() + self.decompress.sizeof();
        size_of::<Self>() + self.content.len() + both
    }
}

/// As the bytes of its dictionaries.
#[cfg(feature = "checkpoint")]
mod by_serde {
    use std::sync::atomic::Ordering;
    use std::sync::{OnceLock, PoisonError};

    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Prepared, Texts};

    #[derive(Serialize, Deserialize)]
    struct Saved<B> {
        length: u64,
        samples: B,
        first: Option<B>,
        /// Nothing where none was made yet, or none could be made.
        prepared: Option<Option<B>>,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Bytes(#[serde(with = "crate::index::collections::bytes")] Box<[u8]>);

    impl Serialize for Texts {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let bytes = |own: &[u8]| Bytes(own.into());
            // What names a dictionary was written before it is: they only come.
            let prepared = self.prepared.get();
            let saved = Saved {
                length: self.length.load(Ordering::Relaxed),
                samples: bytes(&self.samples.lock().unwrap_or_else(PoisonError::into_inner)),
                first: self.first.get().map(|own| bytes(own)),
                prepared: prepared.map(|own| own.as_ref().map(|own| bytes(&own.content))),
            };
            saved.serialize(serializer)
        }
    }

    impl<'de> Deserialize<'de> for Texts {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            let saved = Saved::<Bytes>::deserialize(deserializer)?;
            let known = |own: Bytes| {
                let prepared = Prepared::of(own.0).map(Box::new);
                prepared.ok_or_else(|| D::Error::custom("no dictionary"))
            };
            let prepared = saved.prepared.map(|own| own.map(known).transpose()).transpose()?;
            Ok(Self {
                length: saved.length.into(),
                samples: saved.samples.0.into_vec().into(),
                first: saved.first.map_or_else(OnceLock::new, |own| own.0.into()),
                prepared: prepared.map_or_else(OnceLock::new, OnceLock::from),
                ..Self::default()
            })
        }
    }
}

static COMPRESSORS: ContextPool<Compressor> = ContextPool::new();
static DECOMPRESSORS: ContextPool<Decompressor> = ContextPool::new();

/// Frees what is kept at hand for whoever compresses texts or reads them next. Cost: the next one
/// makes it anew, some microseconds.
pub(crate) fn free_contexts() {
    COMPRESSORS.clear();
    DECOMPRESSORS.clear();
}

struct Compressor {
    context: CCtx<'static>,
    frame: Vec<u8>,
}

struct Decompressor {
    context: DCtx<'static>,
    frame: Vec<u8>,
    texts: Vec<u8>,
}

impl Default for Compressor {
    fn default() -> Self {
        Self { context: CCtx::create(), frame: Vec::new() }
    }
}

impl Default for Decompressor {
    fn default() -> Self {
        Self { context: DCtx::create(), frame: Vec::new(), texts: Vec::new() }
    }
}

impl Lent for Compressor {
    fn bytes(&self) -> usize {
        self.context.sizeof() + self.frame.capacity()
    }
}

impl Lent for Decompressor {
    fn bytes(&self) -> usize {
        self.context.sizeof() + self.frame.capacity() + self.texts.capacity()
    }
}

impl Texts {
    /// Appends the texts of a document: no longer than they are, but for a head. Cost grows with
    /// their length.
    pub(super) fn put(&self, texts: &[u8], into: &mut Vec<u8>) {
        let mut put = |compression: Compression, bytes: &[u8]| {
            compression.put(bytes.len(), into);
            into.extend_from_slice(bytes);
        };
        if texts.len() < COMPRESS_FROM {
            return put(Compression::None, texts);
        }
        let futile = self.futile.load(Ordering::Relaxed);
        let is_tried = futile < FUTILE || futile.is_multiple_of(SELDOM);
        let has_dictionary = self.first.get().is_some();
        let is_shorter = has_dictionary
            && is_tried
            && COMPRESSORS.with(|compressor| {
                let frame = self.compressed(texts, compressor);
                let shorter = frame.filter(|(_, frame)| frame.len() < texts.len());
                shorter.map(|(compression, frame)| put(compression, frame)).is_some()
            });
        if !is_shorter {
            put(Compression::None, texts);
        }
        // Where each text becomes shorter nothing is written, which threads would take turns at.
        let count = if is_shorter || !has_dictionary { 0 } else { futile.wrapping_add(1) };
        if count != futile {
            self.futile.store(count, Ordering::Relaxed);
        }
        self.note(texts);
    }

    fn compressed<'c>(
        &self,
        texts: &[u8],
        compressor: &'c mut Compressor,
    ) -> Option<(Compression, &'c [u8])> {
        let Compressor { context, frame } = compressor;
        frame.clear();
        frame.reserve(compress_bound(texts.len()));
        let compression = if let Some(prepared) = self.prepared() {
            context.compress_using_cdict(frame, texts, &prepared.compress).ok()?;
            Compression::Prepared
        } else {
            context.compress_using_dict(frame, texts, self.first.get()?, LEVEL).ok()?;
            Compression::First
        };
        Some((compression, frame.strip_prefix(&MAGIC)?))
    }

    fn prepared(&self) -> Option<&Prepared> {
        self.prepared.get()?.as_deref()
    }

    /// Reads what `put` has put, of a document of some length; gives it and what follows to a
    /// function.
    pub(super) fn read(
        &self,
        mut encoded: ByteReader<'_>,
        document: usize,
        then: impl FnOnce(&[u8], ByteReader<'_>),
    ) {
        let (compression, length) = Compression::read(&mut encoded);
        let own = encoded.bytes(length);
        if compression == Compression::None {
            return then(own, encoded);
        }
        DECOMPRESSORS.with(|decompressor| {
            let Decompressor { context, frame, texts } = decompressor;
            frame.clear();
            frame.extend_from_slice(&MAGIC);
            frame.extend_from_slice(own);
            texts.clear();
            texts.reserve(document.min(MAX_BYTES));
            // What is no frame reads as nothing, as all that is not there.
            _ = match (compression, self.first.get(), self.prepared()) {
                (Compression::Prepared, _, Some(own)) => {
                    context.decompress_using_ddict(texts, frame, &own.decompress)
                }
                (_, Some(first), _) => context.decompress_using_dict(texts, frame, first),
                _ => Ok(0),
            };
            then(texts, encoded);
        });
    }

    /// Takes of texts what a dictionary is made of, until there are both. A writer that another one
    /// is before goes on.
    fn note(&self, texts: &[u8]) {
        let sample = &texts[..texts.len().min(SAMPLE)];
        let before = self.length.fetch_add(sample.len() as u64, Ordering::Relaxed);
        let has_first = self.first.get().is_some();
        if has_first && (before < PREPARE_AFTER / 2 || self.prepared.get().is_some()) {
            return;
        }
        let Ok(mut samples) = self.samples.try_lock() else { return };
        if !has_first {
            samples.extend_from_slice(sample);
            if samples.len() >= CONTENT_BYTES {
                samples.truncate(CONTENT_BYTES);
                _ = self.first.set(std::mem::take(&mut *samples).into());
            }
        } else if before >= PREPARE_AFTER {
            let own = Prepared::new(&std::mem::take(&mut *samples));
            _ = self.prepared.set(own.map(Box::new));
        } else if (samples.len() as u64) < (before - PREPARE_AFTER / 2) / SAMPLED {
            samples.extend_from_slice(sample);
        }
    }

    /// Bytes that are allocated. Cost: none that grows.
    pub(super) fn bytes(&self) -> usize {
        let samples = self.samples.lock().unwrap_or_else(PoisonError::into_inner).capacity();
        let first = self.first.get().map_or(0, |first| first.len());
        samples + first + self.prepared().map_or(0, Prepared::bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: u64) -> Vec<u8> {
        let word = |at: u64| format!("{:x}", (number * 31 + at * at).wrapping_mul(at) % 3000);
        let words: Vec<_> = (0..number % 60).map(word).collect();
        words.join(" ").into_bytes()
    }

    /// Texts as they were put, and as they are read.
    fn round_trip(own: &Texts, text: &[u8]) -> usize {
        let mut encoded = Vec::new();
        own.put(text, &mut encoded);
        let length = encoded.len();
        assert!(length <= text.len() + 4, "{length} of {}", text.len());
        encoded.push(77);
        own.read(ByteReader::new(&encoded), text.len(), |texts, mut rest| {
            assert!(texts == text && rest.number() == 77, "{} bytes do not come back", text.len());
        });
        length
    }

    #[test]
    fn texts_come_back_with_every_dictionary() {
        let own = Texts::default();
        let mut kept = Vec::new();
        for number in 0.. {
            let text = text(number);
            round_trip(&own, &text);
            let mut encoded = Vec::new();
            own.put(&text, &mut encoded);
            kept.push((text, encoded));
            if own.prepared().is_some() && number % 1000 == 0 {
                break;
            }
        }
        for (text, encoded) in &kept {
            own.read(ByteReader::new(encoded), text.len(), |texts, _| assert_eq!(texts, text));
        }
        let (last, encoded) = &kept[kept.len() - 20];
        assert!(encoded.len() * 10 < last.len() * 9, "{} of {}", encoded.len(), last.len());
        assert!(own.bytes() < sized(130, 160) << 10, "{} bytes", own.bytes());
        for text in [&b""[..], b"x", &[0; 100_000], "\u{1f600}\u{37}".as_bytes()] {
            round_trip(&own, text);
        }
    }

    #[test]
    fn few_texts_cost_nothing_but_themselves() {
        let own = Texts::default();
        assert_eq!(own.bytes(), 0);
        round_trip(&own, &text(59));
        assert!(own.bytes() < 512, "{} bytes", own.bytes());
    }

    #[test]
    fn texts_all_alike_have_no_codes_of_their_own() {
        let own = Texts::default();
        let last = (0..PREPARE_AFTER / 500).map(|_| round_trip(&own, &[b' '; 1000])).last();
        assert!(own.prepared.get().is_some() && last.is_some_and(|length| length < 30));
    }

    #[test]
    fn texts_that_never_become_shorter_are_seldom_tried() {
        let own = Texts::default();
        // As many bits of chance as bytes can have.
        let random = |number: u64| -> Vec<u8> {
            let word = |at: u64| (number * 8 + at).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (1..5).flat_map(|at| word(word(at)).to_be_bytes()).collect()
        };
        let futile = |from: u64| {
            (from..from + 1000).for_each(|number| _ = round_trip(&own, &random(number)));
            own.futile.load(Ordering::Relaxed)
        };
        futile(0);
        assert!(futile(1000) >= 1000);
        // One of those that are tried is shorter.
        (0..SELDOM).for_each(|_| _ = round_trip(&own, &[b' '; 1000]));
        assert!(own.futile.load(Ordering::Relaxed) < SELDOM);
        assert!(round_trip(&own, &[b' '; 1000]) < 100);
    }

    #[test]
    fn a_long_text_keeps_no_other_from_a_dictionary() {
        let own = Texts::default();
        round_trip(&own, &text(50).repeat(2 * PREPARE_AFTER as usize / 100));
        for number in 0..100 * PREPARE_AFTER / 512 {
            round_trip(&own, &text(number));
        }
        assert!(own.prepared().is_some());
    }

    #[test]
    fn what_is_no_frame_reads_as_little_and_takes_no_more_than_a_document() {
        let own = Texts::default();
        let kept: Vec<_> = (0..200).map(text).collect();
        kept.iter().for_each(|text| _ = round_trip(&own, text));
        let mut encoded = Vec::new();
        own.put(&kept[55], &mut encoded);
        for at in 0..encoded.len() {
            for other in [0, 0x55, 0xff] {
                let mut wrong = encoded.clone();
                wrong[at] ^= other;
                own.read(ByteReader::new(&wrong), usize::MAX, |texts, _| {
                    assert!(texts.len() <= MAX_BYTES);
                });
            }
            own.read(ByteReader::new(&encoded[..at]), kept[55].len(), |_, _| {});
        }
    }
}
