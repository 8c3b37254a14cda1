//! Values that are numbers in disguise: dates, whole numbers, ids of digits.
//!
//! What is encoded here comes back letter by letter: whatever would not is no value of these kinds.

use chrono::{DateTime, Datelike, NaiveDate, Timelike};

use super::bytes::{ByteReader, put};

const SECOND: i64 = 1000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// From here on a number is taken for milliseconds since 1970, and is near the dates beside it.
const MILLIS: std::ops::Range<u64> = 1_000_000_000_000..10_000_000_000_000;

/// The milliseconds since 1970 of `"2025-05-29T08:00:00.000Z"`, quotes included; nothing for any
/// other spelling.
pub(super) fn date(text: &[u8]) -> Option<i64> {
    let [b'"', y @ .., b'"'] = text else { return None };
    let &[
        a,
        b,
        c,
        d,
        b'-',
        e,
        f,
        b'-',
        g,
        h,
        b'T',
        i,
        j,
        b':',
        k,
        l,
        b':',
        m,
        n,
        b'.',
        o,
        p,
        q,
        b'Z',
    ] = y
    else {
        return None;
    };
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |number: u32, digit| {
            digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
        })
    };
    let year = number(&[a, b, c, d])? as i32;
    let day = NaiveDate::from_ymd_opt(year, number(&[e, f])?, number(&[g, h])?)?;
    let (hour, minute, second) = (number(&[i, j])?, number(&[k, l])?, number(&[m, n])?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = i64::from(day.num_days_from_ce() - EPOCH);
    let time = i64::from(hour) * HOUR + i64::from(minute) * MINUTE + i64::from(second) * SECOND;
    Some(days * DAY + time + i64::from(number(&[o, p, q])?))
}

/// The number of 1970-01-01 among the days of the calendar.
const EPOCH: i32 = 719_163;

/// Writes what `date` read.
pub(super) fn write_date(millis: i64, out: &mut Vec<u8>) {
    let Some(date) = DateTime::from_timestamp_millis(millis) else { return };
    let mut text = *b"\"0000-00-00T00:00:00.000Z\"";
    let mut digits = |end: usize, length: usize, mut number: u32| {
        for digit in text[end - length..end].iter_mut().rev() {
            *digit += (number % 10) as u8;
            number /= 10;
        }
    };
    digits(5, 4, date.year() as u32);
    digits(8, 2, date.month());
    digits(11, 2, date.day());
    digits(14, 2, date.hour());
    digits(17, 2, date.minute());
    digits(20, 2, date.second());
    digits(24, 3, date.timestamp_subsec_millis());
    out.extend_from_slice(&text);
}

/// A whole number as it is usually spelled, of at most 18 digits.
pub(super) fn whole(text: &[u8]) -> Option<u64> {
    let plain = !text.is_empty() && text.len() <= 18 && (text[0] != b'0' || text.len() == 1);
    let digits = || text.iter().all(u8::is_ascii_digit);
    (plain && digits())
        .then(|| text.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

/// Milliseconds since 1970, where a number looks like them.
pub(super) fn millis(number: u64) -> Option<i64> {
    MILLIS.contains(&number).then_some(number as i64)
}

pub(super) fn write_whole(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let (mut rest, mut at) = (number, digits.len());
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

/// Appends how far a date is from the one before it.
pub(super) fn put_after(into: &mut Vec<u8>, before: &mut i64, millis: i64) {
    let apart = millis.wrapping_sub(*before);
    *before = millis;
    put(into, (apart << 1 ^ apart >> 63) as u64);
}

pub(super) fn read_after(packed: &mut ByteReader<'_>, before: &mut i64) -> i64 {
    let apart = packed.number();
    *before = before.wrapping_add((apart >> 1) as i64 ^ -((apart & 1) as i64));
    *before
}

/// Stands in a pattern for digits; the next character says how many. No JSON has it unescaped.
const DIGITS: u8 = 1;
/// From how many letters on a run of hexadecimal digits is no word.
const HEX_RUN: usize = 4;
/// From how many decimal digits on they are worth packing.
const DECIMAL_RUN: usize = 2;
/// How long one run is at most.
const RUN_DIGITS: usize = 100;

/// The pattern of a text with many digits, and the digits: `"CS000599"` is `"CS` six digits `"`.
/// Nothing where there are few.
pub(super) fn pattern(text: &[u8], pattern: &mut Vec<u8>, digits: &mut Vec<u8>) -> bool {
    pattern.clear();
    digits.clear();
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_alphanumeric() {
            pattern.push(text[at]);
            at += 1;
            continue;
        }
        let end = |is: fn(&u8) -> bool, from: usize| {
            let rest = text[from..].iter().take(RUN_DIGITS).position(|byte| !is(byte));
            rest.map_or(text.len().min(from + RUN_DIGITS), |length| from + length)
        };
        let run = end(u8::is_ascii_alphanumeric, at);
        if run - at >= HEX_RUN && text[at..run].iter().all(|byte| is_hex(*byte)) {
            pattern.extend_from_slice(&[DIGITS, (run - at) as u8]);
            digits.extend_from_slice(&text[at..run]);
            at = run;
            continue;
        }
        while at < run {
            let decimals = end(u8::is_ascii_digit, at).min(run);
            if decimals - at >= DECIMAL_RUN {
                pattern.extend_from_slice(&[DIGITS, (decimals - at) as u8]);
                digits.extend_from_slice(&text[at..decimals]);
            } else {
                pattern.extend_from_slice(&text[at..decimals]);
            }
            at = decimals;
            let letters = text[at..run].iter().position(u8::is_ascii_digit);
            let letters = letters.map_or(run, |length| at + length);
            pattern.extend_from_slice(&text[at..letters]);
            at = letters;
        }
    }
    digits.len() >= 4
}

fn is_hex(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

/// Appends digits, two a byte.
pub(super) fn put_digits(into: &mut Vec<u8>, digits: &[u8]) {
    let value = |digit: u8| if digit > b'9' { digit - b'a' + 10 } else { digit & 15 };
    for pair in digits.chunks(2) {
        let low = pair.get(1).map_or(0, |digit| value(*digit));
        into.push(value(pair[0]) << 4 | low);
    }
}

/// Writes a pattern with its digits.
pub(super) fn write_pattern(pattern: &[u8], packed: &mut ByteReader<'_>, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut rest = pattern;
    // The half of a byte that is not written yet.
    let mut half = None;
    while let Some(start) = memchr::memchr(DIGITS, rest) {
        out.extend_from_slice(&rest[..start]);
        let length = rest.get(start + 1).copied().unwrap_or(0);
        for _ in 0..length {
            let digit = match half.take() {
                Some(low) => low,
                None => {
                    let byte = packed.bytes(1).first().copied().unwrap_or(0);
                    half = Some(byte & 15);
                    byte >> 4
                }
            };
            out.push(HEX[usize::from(digit)]);
        }
        rest = rest.get(start + 2..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut bytes = Vec::new();
        write(&mut bytes);
        bytes
    }

    #[test]
    fn dates_come_back_and_nothing_else_is_one() {
        for text in [
            "\"1970-01-01T00:00:00.000Z\"",
            "\"2024-02-29T23:59:59.999Z\"",
            "\"0000-01-01T00:00:00.001Z\"",
            "\"9999-12-31T12:30:45.678Z\"",
        ] {
            let millis = date(text.as_bytes()).unwrap();
            let written = written(|out| write_date(millis, out));
            assert_eq!(String::from_utf8(written).unwrap(), text);
        }
        for text in [
            "\"2023-02-29T00:00:00.000Z\"",
            "\"2024-02-29T24:00:00.000Z\"",
            "\"2024-02-29T23:59:60.000Z\"",
            "\"2024-02-29T23:59:59.99Z\"",
            "\"2024-02-29\"",
            "2024-02-29T23:59:59.999Z",
            "\"2024-02-2 T23:59:59.999Z\"",
        ] {
            assert_eq!(date(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn whole_numbers_come_back() {
        for text in ["0", "7", "1735540127940", "999999999999999999"] {
            let number = whole(text.as_bytes()).unwrap();
            let written = written(|out| write_whole(number, out));
            assert_eq!(written, text.as_bytes());
        }
        for text in ["", "00", "01", "-1", "1.0", "1e3", "1234567890123456789", "\"1\""] {
            assert_eq!(whole(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn distances_come_back() {
        let (mut packed, mut before) = (Vec::new(), 0);
        let dates = [5, -7, i64::MAX, i64::MIN, 0];
        dates.iter().for_each(|millis| put_after(&mut packed, &mut before, *millis));
        let (mut reader, mut before) = (ByteReader::new(&packed), 0);
        assert_eq!(dates.map(|_| read_after(&mut reader, &mut before)), dates);
    }

    #[test]
    fn patterns_come_back_with_their_digits() {
        let long = format!("\"{}\"", "0123456789abcdef".repeat(20));
        for text in [
            "\"ci-5b288da-4237-438a-b3bd-00b7e5d24498\"",
            "\"CS000599\"",
            "[\"ti-5a646bd-b933-40c7-bfdf-1e4901be42cb\",\"x12y345\"]",
            "\"felix.nowak1012@example.org\"",
            "1234567890123456789012345",
            &long,
        ] {
            let (mut shape, mut digits) = (Vec::new(), Vec::new());
            assert!(pattern(text.as_bytes(), &mut shape, &mut digits), "{text}");
            let mut packed = Vec::new();
            put_digits(&mut packed, &digits);
            let written = written(|out| write_pattern(&shape, &mut ByteReader::new(&packed), out));
            assert_eq!(String::from_utf8(written).unwrap(), *text);
        }
        let mut shape = Vec::new();
        assert!(!pattern(b"\"no digits to speak of\"", &mut shape, &mut Vec::new()));
        assert!(pattern(b"\"CS000599\"", &mut shape, &mut Vec::new()));
        assert_eq!(shape, b"\"CS\x01\x06\"");
    }
}
