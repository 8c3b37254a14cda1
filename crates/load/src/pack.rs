//! What a file is compressed with, taken off.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use flate2::bufread::GzDecoder;

use crate::{Error, kind};

/// How many first bytes tell what a file is compressed with.
const MAGIC: usize = 6;
/// How far back what is compressed by zstd may refer, as a power of two of bytes: 32 MiB.
const WINDOW_LOG: u32 = 25;
const FAR: &str = "it is compressed by zstd with a window of more than 32 MiB (--long, --ultra); \
    unpack it first: zstd -dc --long=31 FILE | getcases ... -";
const BEHIND: &str = "something stands behind what gzip compressed that is not compressed by it; \
    unpack it first: gzip -dc FILE | getcases ... -";
/// How much is read of a file at a time.
const READ: usize = 256 << 10;

/// Takes off what a file is compressed with: gzip, or zstd. What is unpacked is never held whole:
/// at most the 32 MiB that zstd may refer back to.
///
/// # Errors
/// Where the file cannot be read, or is compressed in another way, which is told by its name.
pub fn unpack<'r>(mut raw: impl Read + Send + 'r) -> Result<Box<dyn Read + Send + 'r>, Error> {
    let mut magic = Vec::new();
    raw.by_ref().take(MAGIC as u64).read_to_end(&mut magic)?;
    kind::check_file(&magic)?;
    let start = magic.clone();
    let raw = BufReader::with_capacity(READ, Cursor::new(magic).chain(raw));
    Ok(match *start {
        [0x1F, 0x8B, ..] => Box::new(Members { member: Some(GzDecoder::new(raw)), is_first: true }),
        // A frame, or one to be skipped, as parallel compressors write it first.
        [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => {
            let mut decoder = zstd::Decoder::with_buffer(raw)?;
            decoder.window_log_max(WINDOW_LOG)?;
            Box::new(Zstd(decoder))
        }
        _ => Box::new(raw),
    })
}

/// What zstd unpacks.
struct Zstd<R>(R);

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.read(into).map_err(|error| {
            // The library of C has no other way to tell its errors apart.
            match error.to_string().contains("too much memory") {
                true => io::Error::other(FAR),
                false => error,
            }
        })
    }
}

/// The members of a gzip file, one after the other, and zeros behind them, which pad blocks.
struct Members<R> {
    /// Nothing at the end.
    member: Option<GzDecoder<R>>,
    is_first: bool,
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = self.member.as_mut().filter(|_| !into.is_empty()) {
            let is_behind = !self.is_first && member.header().is_none();
            let read = member.read(into).map_err(|error| match is_behind {
                true => io::Error::new(error.kind(), BEHIND),
                false => error,
            })?;
            if read > 0 {
                return Ok(read);
            }
            let Some(mut raw) = self.member.take().map(GzDecoder::into_inner) else { break };
            if skip_zeros(&mut raw)? {
                self.member = Some(GzDecoder::new(raw));
                self.is_first = false;
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
        let mut input = unpack(io::Cursor::new(bytes)).map_err(|error| error.to_string())?;
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
        for behind in ["x", "\n{\"_id\":2}\n"] {
            let error = read([&*whole, behind.as_bytes()].concat()).unwrap_err();
            assert!(error.contains("behind what gzip"), "{error}");
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

    /// What comes byte by byte is unpacked all the same, and a window that would take more memory
    /// than there should be is told.
    #[test]
    fn pieces_and_windows() {
        struct Slow(io::Cursor<Vec<u8>>);
        impl Read for Slow {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                let length = into.len().min(1);
                self.0.read(&mut into[..length])
            }
        }
        let mut text = String::new();
        let slow = Slow(io::Cursor::new(gzip("{\"_id\":1}\n")));
        unpack(slow).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "{\"_id\":1}\n");

        let mut packed = zstd::Encoder::new(Vec::new(), 1).unwrap();
        packed.window_log(27).unwrap();
        packed.write_all(b"{}").unwrap();
        packed.flush().unwrap();
        packed.write_all(&vec![b' '; 1 << 20]).unwrap();
        assert!(read(packed.finish().unwrap()).unwrap_err().contains("32 MiB"));
    }
}
