//! What a file is by its first bytes: unpacked where it is compressed in a way that is read, and
//! told by its name where it is something else.

use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::GzDecoder;

/// How much of a text is looked at to tell what it is.
const LOOK: usize = 64 << 10;

/// What files begin with that are not read, and what is to be done about it.
const OTHERS: [(&[u8], &str, &str); 8] = [
    (b"BZh", "compressed with bzip2 (bz2)", "unpack it first: bunzip2 -c FILE | getcases ... -"),
    (b"\xFD7zXZ\0", "compressed with xz", "unpack it first: xz -dc FILE | getcases ... -"),
    (b"PK\x03\x04", "a zip archive", "unpack it first: unzip -p FILE | getcases ... -"),
    (b"7z\xBC\xAF", "a 7z archive", "unpack it first"),
    (b"PAR1", "a Parquet file", "export it as NDJSON"),
    (b"\xFF\xFE", "text in UTF-16", "turn it into UTF-8: iconv -f UTF-16 -t UTF-8 FILE"),
    (b"\xFE\xFF", "text in UTF-16", "turn it into UTF-8: iconv -f UTF-16 -t UTF-8 FILE"),
    (b"SQLite format 3", "an SQLite database", "export it as NDJSON"),
];

/// Takes off what an input is compressed with: gzip, or zstd.
///
/// # Errors
/// Where it is something that is told by its name, and is not read.
pub(crate) fn unpacked(
    mut raw: impl BufRead + Send + 'static,
) -> anyhow::Result<Box<dyn Read + Send>> {
    let start = raw.fill_buf()?;
    let unpacked: Box<dyn Read + Send> = match start {
        [0x1F, 0x8B, ..] => Box::new(Members { member: Some(GzDecoder::new(raw)) }),
        // A frame, or one to be skipped, as parallel compressors write it first.
        [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => {
            Box::new(zstd::Decoder::with_buffer(raw)?)
        }
        _ => Box::new(raw),
    };
    let mut text = BufReader::with_capacity(LOOK, unpacked);
    if let Some((what, wanted)) = other(text.fill_buf()?) {
        anyhow::bail!("it is {what}; cases are read from NDJSON or JSON: {wanted}");
    }
    Ok(Box::new(text))
}

/// What a text is that begins so, if it is none that is read; and what is wanted.
fn other(start: &[u8]) -> Option<(&'static str, &'static str)> {
    if let Some((_, what, wanted)) = OTHERS.iter().find(|(magic, ..)| start.starts_with(magic)) {
        return Some((what, wanted));
    }
    match start {
        [b'{' | b'[', 0, ..] | [0, b'{' | b'[', ..] => {
            Some(("text in UTF-16", "turn it into UTF-8: iconv -f UTF-16 -t UTF-8 FILE"))
        }
        _ if start.contains(&0) => Some(("no text", "a zero byte is in no JSON")),
        _ if is_table(start) => Some(("a table (CSV)", "turn each row into an object")),
        _ => None,
    }
}

/// Whether a first line is names with commas, semicolons or tabs between them.
fn is_table(start: &[u8]) -> bool {
    let is_cut = |byte: &u8| matches!(byte, b',' | b';' | b'\t');
    let Some(end) = memchr::memchr(b'\n', start) else { return false };
    let line = start[..end].strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&start[..end]);
    let mut names = line.trim_ascii().split(is_cut);
    let is_name = |name: &[u8]| {
        let quoted = name.strip_prefix(b"\"").and_then(|name| name.strip_suffix(b"\""));
        let name = quoted.unwrap_or(name).trim_ascii();
        let is_of_names = |byte: &u8| byte.is_ascii_alphanumeric() || b" _-.()#/".contains(byte);
        name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(is_of_names)
    };
    names.clone().count() > 1 && names.all(is_name)
}

/// The members of a gzip file, one after the other, and zeros behind them, which pad blocks.
struct Members<R> {
    /// Nothing at the end.
    member: Option<GzDecoder<R>>,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = self.member.as_mut().filter(|_| !into.is_empty()) {
            let read = member.read(into)?;
            if read > 0 {
                return Ok(read);
            }
            let Some(mut raw) = self.member.take().map(GzDecoder::into_inner) else { break };
            if skip_zeros(&mut raw)? {
                self.member = Some(GzDecoder::new(raw));
            }
        }
        Ok(0)
    }
}

/// Goes past zeros; says whether something else follows.
fn skip_zeros(raw: &mut impl BufRead) -> io::Result<bool> {
    loop {
        let rest = raw.fill_buf()?;
        let (zeros, length) = (rest.iter().take_while(|byte| **byte == 0).count(), rest.len());
        raw.consume(zeros);
        if length == 0 || zeros < length {
            return Ok(length > 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn read(bytes: Vec<u8>) -> Result<String, String> {
        let mut text = String::new();
        let mut input = unpacked(io::Cursor::new(bytes)).map_err(|error| error.to_string())?;
        input.read_to_string(&mut text).map_err(|error| error.to_string())?;
        Ok(text)
    }

    fn gzip(text: &str) -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(text.as_bytes()).unwrap();
        packed.finish().unwrap()
    }

    #[test]
    fn what_is_compressed_is_unpacked() {
        let whole = gzip("{\"_id\":1}\n");
        for zeros in [0, 1, 512, 2 << 20] {
            let mut two = whole.clone();
            two.resize(whole.len() + zeros, 0);
            assert_eq!(read(two.clone()).unwrap(), "{\"_id\":1}\n", "{zeros}");
            two.extend(gzip("{}"));
            assert_eq!(read(two).unwrap(), "{\"_id\":1}\n{}", "{zeros}");
        }
        // A torn one is not read as whole.
        assert!(read(whole[..whole.len() - 3].to_vec()).is_err());
        let mut packed = b"\x50\x2A\x4D\x18\x04\0\0\0rest".to_vec();
        packed.extend(zstd::encode_all(&b"{}\n"[..], 1).unwrap());
        packed.extend(zstd::encode_all(&b"[]"[..], 1).unwrap());
        assert_eq!(read(packed.clone()).unwrap(), "{}\n[]");
        packed.pop();
        assert!(read(packed).is_err());
        assert_eq!(read(Vec::new()).unwrap(), "");
    }

    #[test]
    fn what_is_not_read_is_told_by_its_name() {
        let told: [(&[u8], &str); 9] = [
            (b"BZh91AY", "bzip2"),
            (b"\xFD7zXZ\0\0", "xz"),
            (b"PK\x03\x04\x14", "zip"),
            (b"PAR1\x15\x04", "Parquet"),
            (b"\xFF\xFE{\0", "UTF-16"),
            (b"{\0\"\0", "UTF-16"),
            (b"\x7FELF\0", "no text"),
            (b"id,name,status\n1,one,open\n", "CSV"),
            (b"\"Issue key\";\"Summary\"\r\nA-1;late\n", "CSV"),
        ];
        for (start, name) in told {
            let error = read(start.to_vec()).unwrap_err();
            assert!(error.contains(name), "{error}");
        }
        assert!(read(gzip("id,name\n1,2\n")).unwrap_err().contains("CSV"));
        for text in
            ["{\"a\":1,\"b\":2}\n{}", "[1,2]\n", "\u{FEFF}{}\n", "rubbish\n{}", "1,2\n3,4\n"]
        {
            assert_eq!(read(text.into()).unwrap(), text);
        }
    }
}
