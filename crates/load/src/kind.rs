//! What is not read, told by its name: one table, for files as they are and for what they unpack
//! to.

use crate::Error;

const UTF_16: (&str, &str) =
    ("text in UTF-16", "turn it into UTF-8: iconv -f UTF-16 -t UTF-8 FILE");
const UTF_32: (&str, &str) =
    ("text in UTF-32", "turn it into UTF-8: iconv -f UTF-32 -t UTF-8 FILE");
const TWICE: &str = "unpack it once first: zstd -dc FILE | getcases ... - (gzip -dc of .gz)";

/// What begins with what is not read, and what is to be done about it.
const OTHERS: [(&[u8], (&str, &str)); 18] = [
    (b"BZh", ("compressed with bzip2 (bz2)", "unpack it first: bunzip2 -c FILE | getcases ... -")),
    (b"\xFD7zXZ\0", ("compressed with xz", "unpack it first: xz -dc FILE | getcases ... -")),
    (b"PK\x03\x04", ("a zip archive, or a sheet (xlsx)", "unzip -p FILE, or export it as CSV")),
    (
        b"\x04\x22\x4D\x18",
        ("compressed with lz4", "unpack it first: lz4 -dc FILE | getcases ... -"),
    ),
    (b"\xD0\xCF\x11\xE0", ("an old Excel sheet (xls)", "export it as CSV")),
    (b"7z\xBC\xAF", ("a 7z archive", "unpack it first")),
    (
        b"\x1F\x9D",
        ("compressed with compress (Z)", "unpack it first: gzip -dc FILE | getcases ... -"),
    ),
    (b"LZIP", ("compressed with lzip", "unpack it first: lzip -dc FILE | getcases ... -")),
    (b"PAR1", ("a Parquet file", "export it as NDJSON")),
    (b"\xFF\xFE\0\0", UTF_32),
    (b"\0\0\xFE\xFF", UTF_32),
    (b"\xFF\xFE", UTF_16),
    (b"\xFE\xFF", UTF_16),
    (b"SQLite format 3", ("an SQLite database", "export it as NDJSON")),
    (b"Obj\x01", ("an Avro file", "export it as NDJSON")),
    (b"ARROW1", ("an Arrow file", "export it as NDJSON")),
    (b"%PDF", ("a PDF file", "export the cases as CSV or JSON")),
    (b"<", ("XML or HTML", "export the cases as CSV or JSON")),
];

/// Refuses a file that begins as none does that is read, packed or not.
///
/// # Errors
/// `Error::Kind`, with its name.
pub(crate) fn check_file(start: &[u8]) -> Result<(), Error> {
    match OTHERS.iter().find(|(magic, _)| start.starts_with(magic)) {
        Some((_, (what, wanted))) => Err(Error::Kind { what, wanted }),
        None => Ok(()),
    }
}

/// Refuses what is no text, too. Where it begins as JSON or a table does (`is_known`), a zero byte
/// is a fault of the record that it stands in.
///
/// # Errors
/// As of [`check_file`].
pub(crate) fn check_text(start: &[u8], is_known: bool) -> Result<(), Error> {
    check_file(start)?;
    let (what, wanted) = match start {
        [0x1F, 0x8B, ..] | [0x28, 0xB5, 0x2F, 0xFD, ..] => ("compressed twice", TWICE),
        [one, 0, other, 0, ..] | [0, one, 0, other, ..] if *one > 0 && *other > 0 => UTF_16,
        _ if !is_known && start.contains(&0) => ("no text", "a zero byte is in no JSON"),
        _ => return Ok(()),
    };
    Err(Error::Kind { what, wanted })
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use crate::{Options, read, unpack};

    /// Whether it comes packed or not.
    #[test]
    fn what_is_not_read_is_told_by_its_name() {
        let told: [(&[u8], &str); 15] = [
            (b"\x1F\x9D\x90abc", "compress (Z)"),
            (b"LZIP\x01", "lzip"),
            (b"\xFF\xFE\0\0{\0\0\0", "UTF-32"),
            (b"\xFF\xFE{\0", "UTF-16"),
            (b"BZh91AY", "bzip2"),
            (b"\xFD7zXZ\0\0", "xz"),
            (b"PK\x03\x04\x14", "zip"),
            (b"7z\xBC\xAF\x27\x1C", "7z"),
            (b"PAR1\x15\x04", "Parquet"),
            (b"SQLite format 3\0", "SQLite"),
            (b"{\0\"\0", "UTF-16"),
            (b"\x7FELF\0", "no text"),
            (b"i\0d\0,\0", "UTF-16"),
            (b"<?xml version", "XML"),
            (b"%PDF-1.7", "PDF"),
        ];
        let error = |file: &[u8]| {
            let read = unpack(file).and_then(|text| read(text, &Options::default(), |_| true));
            read.unwrap_err().to_string()
        };
        for (start, name) in told {
            let packed = zstd::encode_all(start, 1).unwrap();
            for file in [start, &packed] {
                assert!(error(file).contains(name), "{name}: {}", error(file));
            }
        }
        let twice = zstd::encode_all(&*zstd::encode_all(&b"{}"[..], 1).unwrap(), 1).unwrap();
        assert!(error(&twice).contains("compressed twice"), "{}", error(&twice));
        // What is read at all comes as it is.
        let mut text = String::new();
        unpack(&b"{}"[..]).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "{}");
    }
}
