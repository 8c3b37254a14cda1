//! What proves a record and a scope unchanged: checksums, and an order-free sum of them.

use getcases::Scope;
use xxhash_rust::xxh3::xxh3_128;

/// The checksum of a record, or the sum of those of a scope modulo 2^128.
pub(crate) type Digest = u128;

/// A text, its length before it, so that no two lists of texts are the same bytes.
fn push(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

/// A document's part in the checksum of its record: what of it grows with the document.
pub(crate) fn fingerprint(document: &str) -> Digest {
    xxh3_128(document.as_bytes())
}

/// Makes the checksums of one scope's records.
pub(crate) struct Checksums {
    /// Begins with the scope's names.
    bytes: Vec<u8>,
    names: usize,
}

impl Checksums {
    pub(crate) fn of(scope: &Scope) -> Self {
        let mut bytes = Vec::with_capacity(256);
        push(&mut bytes, scope.account());
        push(&mut bytes, scope.stream());
        Self { names: bytes.len(), bytes }
    }

    /// The checksum of a record, of its document's length and fingerprint.
    pub(crate) fn record(
        &mut self,
        id: &str,
        version: u64,
        length: usize,
        document: Digest,
    ) -> Digest {
        self.bytes.truncate(self.names);
        push(&mut self.bytes, id);
        self.bytes.extend_from_slice(&version.to_le_bytes());
        self.bytes.extend_from_slice(&(length as u64).to_le_bytes());
        self.bytes.extend_from_slice(&document.to_le_bytes());
        xxh3_128(&self.bytes)
    }
}

/// The checksum of a scope's own row.
pub(crate) fn scope_row(
    scope: &Scope,
    number: i64,
    cases: u64,
    digest: Digest,
    generation: u64,
) -> Digest {
    let mut bytes = Vec::with_capacity(256);
    push(&mut bytes, scope.account());
    push(&mut bytes, scope.stream());
    bytes.extend_from_slice(&number.to_le_bytes());
    bytes.extend_from_slice(&cases.to_le_bytes());
    bytes.extend_from_slice(&digest.to_le_bytes());
    bytes.extend_from_slice(&generation.to_le_bytes());
    xxh3_128(&bytes)
}

/// The checksum of the store's own row.
pub(crate) fn store_row(scopes: u64, dropped: u64, log: u64) -> Digest {
    xxh3_128(&[scopes, dropped, log].map(u64::to_le_bytes).concat())
}

/// A digest as it is kept.
pub(crate) fn to_bytes(digest: Digest) -> [u8; 16] {
    digest.to_be_bytes()
}

/// A digest that was kept, where it is one.
pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Digest> {
    bytes.try_into().ok().map(Digest::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_record_counts_and_no_two_borders_look_the_same() {
        let of = |account, stream, id, version, document: &str| {
            let mut checksums = Checksums::of(&Scope::new(account, stream));
            // One that was made before changes nothing.
            checksums.record("another", 9, 9, 9);
            checksums.record(id, version, document.len(), fingerprint(document))
        };
        let all = [
            of("a", "b", "c", 1, "{}"),
            of("", "ab", "c", 1, "{}"),
            of("ab", "", "c", 1, "{}"),
            of("a", "bc", "", 1, "{}"),
            of("a", "b", "c", 2, "{}"),
            of("a", "b", "c", 1, "{ }"),
            of("a", "b", "d", 1, "{}"),
        ];
        for (at, own) in all.iter().enumerate() {
            assert!(!all[..at].contains(own), "{at}");
        }
    }

    /// The bytes that docs/format.md tells of.
    #[test]
    fn checksums_stay_what_they_are() {
        let desk = Scope::new("account", "stream");
        let document = r#"{"_id":"1"}"#;
        let own = Checksums::of(&desk).record("1", 7, document.len(), fingerprint(document));
        let bytes: [&[u8]; 10] = [
            &7u64.to_le_bytes(),
            b"account",
            &6u64.to_le_bytes(),
            b"stream",
            &1u64.to_le_bytes(),
            b"1",
            &7u64.to_le_bytes(),
            &11u64.to_le_bytes(),
            &xxh3_128(document.as_bytes()).to_le_bytes(),
            b"",
        ];
        assert_eq!(own, xxh3_128(&bytes.concat()));
    }
}
