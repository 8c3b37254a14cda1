//! Texts one after the other in large chunks: read without waiting while one writer adds.
//!
//! A text by itself costs an allocation, and leaves holes where short-lived ones were beside it;
//! here it costs its own bytes, its length, and eight bytes to find it. Useful for millions of
//! texts that stay. Not for any that goes.
//!
//! This is one of the few files with `unsafe` code: a chunk is written where nobody reads yet,
//! while others read where it is written.

#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use smallvec::SmallVec;

use super::append_vec::{Numbers, Values};

/// How long the first chunk is and the longest ones, in bytes: few texts should cost little. A
/// longer text has a chunk of its own.
const FIRST: usize = 1 << 4;
const LARGEST: usize = 1 << 18;

/// Texts by number; it only grows.
#[derive(Debug, Default)]
pub(super) struct Arena {
    chunks: Values<Chunk>,
    /// Where each text starts: its chunk, and its place there.
    starts: Numbers<1>,
    /// How many bytes of the last chunk are written. Held by whoever writes.
    written: Mutex<u32>,
    /// How many bytes the chunks have, and the texts.
    length: AtomicUsize,
    filled: AtomicUsize,
}

/// About as many as are asked for at a time.
type Together<T> = SmallVec<[T; 32]>;

/// Bytes that are written once.
#[derive(Debug)]
struct Chunk(Box<[UnsafeCell<u8>]>);

// SAFETY: a byte is written by the one who holds `Arena::written`, before the start of its text is
// published, and is read only after that: nobody reads and writes the same byte at once.
unsafe impl Sync for Chunk {}

impl Arena {
    /// Adds a text; gives its number. Cost grows with its length.
    ///
    /// # Panics
    /// Where it is longer than 4 GiB: documents are far shorter.
    pub(super) fn push(&self, text: &str) -> usize {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let mut head = [0; 10];
        let head = head_of(text.len(), &mut head);
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
        // Each chunk has a text: there are fewer than 2³².
        let number = self.starts.push([(chunk as u64) << 32 | start as u64]);
        *written = end.unwrap_or(u32::MAX);
        self.filled.fetch_add(needed, Ordering::Relaxed);
        number
    }

    /// Adds a chunk that has room for a text.
    fn add_chunk(&self, needed: usize) -> usize {
        let usual = FIRST << self.chunks.len().min((LARGEST / FIRST).ilog2() as usize);
        let length = needed.max(usual);
        self.length.fetch_add(length, Ordering::Relaxed);
        self.chunks.push(Chunk((0..length).map(|_| UnsafeCell::new(0)).collect()))
    }

    /// A text by its number.
    ///
    /// # Panics
    /// Where the number was not given.
    #[inline]
    pub(super) fn get(&self, number: usize) -> &str {
        let [start] = self.starts.get(number);
        self.at(start)
    }

    /// Some texts by their numbers: memory that is far is waited for together, first where they
    /// start and then what they are.
    ///
    /// # Panics
    /// Where a number was not given.
    pub(super) fn get_all(
        &self,
        numbers: impl Iterator<Item = usize>,
    ) -> impl Iterator<Item = &str> {
        let starts: Together<u64> = numbers.map(|number| self.starts.get(number)[0]).collect();
        let texts: Together<&str> = starts.into_iter().map(|start| self.at(start)).collect();
        texts.into_iter()
    }

    /// The text at a start that was published.
    #[inline]
    fn at(&self, start: u64) -> &str {
        let cells = &self.chunks.get((start >> 32) as usize).0[start as u32 as usize..];
        let (mut length, mut shift, mut at) = (0, 0, 0);
        loop {
            // SAFETY: the start was published, so the text's head and the text are written, and
            // are never written again.
            let byte = unsafe { *cells[at].get() };
            length |= usize::from(byte & 0x7f) << shift;
            (shift, at) = (shift + 7, at + 1);
            if byte & 0x80 == 0 {
                break;
            }
        }
        let cells = &cells[at..at + length];
        // SAFETY: `UnsafeCell<u8>` has the layout of `u8`; the bytes are written, as above, and
        // are those of a `str`.
        unsafe {
            let bytes = std::slice::from_raw_parts(cells.as_ptr().cast::<u8>(), length);
            std::str::from_utf8_unchecked(bytes)
        }
    }

    pub(super) fn has_enough(&self) -> bool {
        self.starts.has_enough()
    }

    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// How many bytes the texts are, their lengths included.
    pub(super) fn text_bytes(&self) -> usize {
        self.filled.load(Ordering::Relaxed)
    }

    /// About how many bytes the texts take, and what finds them. Cost: none that grows.
    pub(super) fn weight(&self) -> usize {
        self.filled.load(Ordering::Relaxed) + self.len() * size_of::<u64>()
    }

    /// Bytes that are allocated. Cost: none that grows.
    pub(super) fn bytes(&self) -> usize {
        let chunks = self.length.load(Ordering::Relaxed) + self.chunks.bytes();
        chunks + self.starts.bytes()
    }
}

/// A length in seven bits a byte, the lowest first.
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

    #[test]
    fn texts_come_back_from_any_chunk() {
        let arena = Arena::default();
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
    fn readers_see_whole_texts_while_one_writes() {
        let arena = Arena::default();
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
    #[should_panic(expected = "nothing has index 1")]
    fn a_number_that_was_not_given_is_refused() {
        let arena = Arena::default();
        arena.push("one");
        arena.get(1);
    }
}
