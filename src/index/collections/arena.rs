//! Texts one after the other in large chunks: read without waiting while one writer adds.
//!
//! A text by itself costs an allocation, and leaves holes where short-lived ones were beside it;
//! here it costs its own bytes, its length, and eight bytes to find it; or where only one in some
//! is found at once and the others from there on, as much less. Useful for millions of texts that
//! stay. Not for any that goes.
//!
//! This is one of the few files with `unsafe` code: a chunk is written where nobody reads yet,
//! while others read where it is written.

#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use smallvec::SmallVec;

use super::append_vec::{ENOUGH, MAX_VALUES, Numbers, Values, missing};

/// How long the first chunk is, and the longest ones, in bytes; and from `SMALL_CHUNK` on,
/// which part of all chunks a new one is: few texts should cost little, and many little more than
/// they are. A longer text has a chunk of its own.
const FIRST_CHUNK: usize = 1 << 4;
const SMALL_CHUNK: usize = 1 << 6;
const LARGEST_CHUNK: usize = 1 << 18;
const GROWTH_PART: usize = 32;

/// Texts by number, one in `EVERY` of them found at once; it only grows.
#[derive(Debug, Default)]
pub(crate) struct Arena<const EVERY: usize = 1> {
    chunks: Values<Chunk>,
    /// Where one text in `EVERY` starts: its chunk, and its place there.
    starts: Numbers<1>,
    /// How many texts there are.
    count: AtomicUsize,
    /// How many bytes of the last chunk are written. Held by whoever writes.
    written: Mutex<u32>,
    /// How many bytes the chunks have, and the texts.
    length: AtomicUsize,
    filled: AtomicUsize,
}

/// About as many as are asked for at a time.
type Together<T> = SmallVec<[T; 32]>;

/// Bytes that are written once. A text's head is never 0: where that comes instead, or the end, the
/// next text is at the front of the next chunk.
#[derive(Debug)]
struct Chunk(Box<[UnsafeCell<u8>]>);

// SAFETY: a byte is written by the one who holds `Arena::written`, before the start of its text is
// published, and is read only after that, or is never written: nobody reads and writes the same
// byte at once.
unsafe impl Sync for Chunk {}

impl<const EVERY: usize> Arena<EVERY> {
    /// Adds a text; gives its number. Cost grows with its length.
    ///
    /// # Panics
    /// Where it is longer than 4 GiB, or there are 2³² - 1 texts: documents are far shorter, and
    /// writes that could come to that are refused before.
    pub(crate) fn push(&self, text: &str) -> usize {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let mut head = [0; 10];
        let head = head_of(text.len() + 1, &mut head);
        let needed = head.len() + text.len();
        let start = *written as usize;
        let last = self.chunks.len().checked_sub(1);
        let last = last.filter(|last| self.chunks.get(*last).0.len() - start >= needed);
        let (chunk, start) = match last {
            Some(last) => (last, start),
            None => (self.add_chunk(needed), 0),
        };
        // Texts come from documents, which have at most 1 MiB.
        let end = u32::try_from(start + needed);
        assert!(end.is_ok(), "a text of {} bytes", text.len());
        let cells = &self.chunks.get(chunk).0[start..start + needed];
        let (own_head, own_text) = cells.split_at(head.len());
        for (cells, bytes) in [(own_head, head), (own_text, text.as_bytes())] {
            let to = UnsafeCell::raw_get(cells.as_ptr());
            // SAFETY: there are as many cells as bytes. These lie behind all that is published, and
            // only the holder of `written` touches such ones.
            unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        }
        let number = self.count.load(Ordering::Relaxed);
        assert!(number < MAX_VALUES, "no number is left");
        if number.is_multiple_of(EVERY) {
            // Each chunk has a text: there are fewer than 2³².
            self.starts.push([(chunk as u64) << 32 | start as u64]);
        }
        *written = end.unwrap_or(u32::MAX);
        self.filled.fetch_add(needed, Ordering::Relaxed);
        self.count.store(number + 1, Ordering::Release);
        number
    }

    /// Makes one chunk for all texts that come first, so many bytes with their lengths; nothing
    /// where there are some already.
    pub(crate) fn make_room(&self, bytes: usize) {
        let _written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if self.chunks.len() == 0 && bytes <= LARGEST_CHUNK {
            self.add_chunk(bytes);
        }
    }

    /// Adds a chunk that has room for a text.
    fn add_chunk(&self, needed: usize) -> usize {
        let all = self.length.load(Ordering::Relaxed);
        let length = needed
            .max((all / GROWTH_PART).max(all.min(SMALL_CHUNK)).clamp(FIRST_CHUNK, LARGEST_CHUNK));
        self.length.fetch_add(length, Ordering::Relaxed);
        self.chunks.push(Chunk((0..length).map(|_| UnsafeCell::new(0)).collect()))
    }

    /// A text by its number.
    ///
    /// # Panics
    /// Where the number was not given.
    #[inline]
    pub(crate) fn get(&self, number: usize) -> &str {
        self.read(self.start(number)).0
    }

    /// Where a text starts.
    #[inline]
    fn start(&self, number: usize) -> u64 {
        // Where each has a start, there is none of a number that was not given.
        if EVERY > 1 && number >= self.len() {
            missing(number);
        }
        let [mut start] = self.starts.get(number / EVERY);
        for _ in 0..number % EVERY {
            start = self.read(start).1;
        }
        start
    }

    /// Some texts by their numbers: memory that is far is waited for together, first where they
    /// start and then what they are.
    ///
    /// # Panics
    /// Where a number was not given.
    pub(crate) fn get_all(
        &self,
        numbers: impl Iterator<Item = usize>,
    ) -> impl Iterator<Item = &str> {
        let starts: Together<u64> = numbers.map(|number| self.start(number)).collect();
        let texts: Together<&str> = starts.into_iter().map(|start| self.read(start).0).collect();
        texts.into_iter()
    }

    /// The text at a start that was published, or where the one before it ends; and where it ends
    /// itself.
    #[inline]
    fn read(&self, start: u64) -> (&str, u64) {
        let (mut chunk, mut at) = ((start >> 32) as usize, start as u32 as usize);
        let mut cells = &self.chunks.get(chunk).0;
        // SAFETY: a text that was published stands at the start or at the front of the next chunk,
        // and in the latter case nobody writes to this one any more.
        let is_end = |cell: &UnsafeCell<u8>| unsafe { *cell.get() } == 0;
        // Where each has a start, it stands there.
        if EVERY > 1 && cells.get(at).is_none_or(is_end) {
            (chunk, at) = (chunk + 1, 0);
            cells = &self.chunks.get(chunk).0;
        }
        let (mut length, mut shift) = (0, 0);
        loop {
            // SAFETY: the text was published, so its head and the text are written, and are never
            // written again.
            let byte = unsafe { *cells[at].get() };
            length |= usize::from(byte & 0x7f) << shift;
            (shift, at) = (shift + 7, at + 1);
            if byte & 0x80 == 0 {
                break;
            }
        }
        let end = at + length - 1;
        let cells = &cells[at..end];
        // SAFETY: `UnsafeCell<u8>` has the layout of `u8`; the bytes are written, as above, and
        // are those of a `str`.
        let text = unsafe {
            let bytes = std::slice::from_raw_parts(cells.as_ptr().cast::<u8>(), cells.len());
            std::str::from_utf8_unchecked(bytes)
        };
        (text, (chunk as u64) << 32 | end as u64)
    }

    pub(crate) fn has_enough(&self) -> bool {
        self.len() >= ENOUGH
    }

    pub(crate) fn len(&self) -> usize {
        self.count.load(Ordering::Acquire)
    }

    /// How many bytes the texts are, their lengths included.
    pub(crate) fn text_bytes(&self) -> usize {
        self.filled.load(Ordering::Relaxed)
    }

    /// About how many bytes the texts take, and what finds them. Cost: none that grows.
    pub(crate) fn value_bytes(&self) -> usize {
        self.filled.load(Ordering::Relaxed) + self.len() * size_of::<u64>() / EVERY
    }

    /// Bytes that are allocated. Cost: none that grows.
    pub(crate) fn bytes(&self) -> usize {
        let chunks = self.length.load(Ordering::Relaxed) + self.chunks.bytes();
        chunks + self.starts.bytes()
    }
}

/// A length, one greater than it is, in seven bits a byte, the lowest first.
fn head_of(mut length: usize, head: &mut [u8; 10]) -> &[u8] {
    let mut at = 0;
    while length >= 0x80 {
        head[at] = length as u8 | 0x80;
        length >>= 7;
        at += 1;
    }
    head[at] = length as u8;
    &head[..=at]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: usize) -> String {
        "é-".repeat(number % 97) + &number.to_string()
    }

    fn come_back<const EVERY: usize>() {
        let arena = Arena::<EVERY>::default();
        let (long, count) = if cfg!(miri) { (2000, 60) } else { (300_000, 20_000) };
        let long = "x".repeat(long);
        for number in 0..count {
            assert_eq!(arena.push(&text(number)), number);
        }
        assert_eq!(arena.push(&long), count);
        assert_eq!(arena.push(""), count + 1);
        assert!((0..count).all(|number| arena.get(number) == text(number)));
        assert_eq!((arena.get(count), arena.get(count + 1)), (&*long, ""));
        assert_eq!(arena.len(), count + 2);
        assert!(arena.chunks.len() > if cfg!(miri) { 2 } else { 9 });
        assert!(arena.bytes() > long.len());
    }

    #[test]
    fn texts_come_back_from_any_chunk() {
        come_back::<1>();
        come_back::<4>();
    }

    fn are_seen_whole<const EVERY: usize>() {
        let arena = Arena::<EVERY>::default();
        let count = if cfg!(miri) { 60 } else { 50_000 };
        std::thread::scope(|threads| {
            for _ in 0..2 {
                threads.spawn(|| {
                    let mut seen = 0;
                    while seen < count {
                        let length = arena.len();
                        (seen..length)
                            .for_each(|number| assert_eq!(arena.get(number), text(number)));
                        seen = length;
                        std::thread::yield_now();
                    }
                });
            }
            (0..count).for_each(|number| _ = arena.push(&text(number)));
        });
    }

    #[test]
    fn readers_see_whole_texts_while_one_writes() {
        are_seen_whole::<1>();
        are_seen_whole::<4>();
    }

    #[test]
    fn little_is_allocated_ahead() {
        let arena = Arena::<4>::default();
        let texts = || (0..20_000).map(|at| at.to_string());
        texts().for_each(|text| _ = arena.push(&text));
        let length: usize = texts().map(|text| text.len() + 1).sum();
        // Two bytes for each start, an eighth of all, and what stands for chunks and buckets.
        let most = (length + 2 * 20_000) * 9 / 8 + (16 << 10);
        assert!(arena.bytes() < most, "{} of {most}", arena.bytes());
    }

    #[test]
    #[should_panic(expected = "nothing has index 1")]
    fn a_number_that_was_not_given_is_refused() {
        let arena = Arena::<4>::default();
        arena.push("one");
        arena.get(1);
    }
}
