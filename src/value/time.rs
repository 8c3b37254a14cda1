//! Instants, local days and offsets: the one parser of dates.
//!
//! Rules: docs/contract.md, *Dates*. The calendar (which days are real) is chrono's; the grammar is
//! ours, because every library accepts more than the contract does.

use chrono::NaiveDate;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub(crate) type Millis = i64;

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;
/// The widest zone.
const WIDEST: i64 = 1439 * MINUTE;
/// 0001-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z, the bounds of a date given as an integer.
const FIRST: Millis = -62_135_596_800_000;
const LAST: Millis = 253_402_300_799_999;

/// What a text or an integer says about time, before a zone is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Date {
    /// An instant.
    Instant(Millis),
    /// A time of day on a local calendar, as milliseconds since its 1970.
    Local(Millis),
    /// A whole local day, by its first millisecond on a local calendar.
    Day(Millis),
}

impl Date {
    /// Reads a text: a bare date, or a date and a time with or without a zone. Blanks around it
    /// count for nothing.
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let bytes = text.trim().as_bytes();
        let (date, rest) = bytes.split_at_checked(10)?;
        let day = day(date)?;
        let Some((separator, rest)) = rest.split_first() else { return Some(Self::Day(day)) };
        if !matches!(separator, b'T' | b't' | b' ') {
            return None;
        }
        let (time, rest) = rest.split_at_checked(5)?;
        let (seconds, zone) = seconds(rest)?;
        let local = day + hours_and_minutes(time)? * MINUTE + seconds;
        match zone {
            [] => Some(Self::Local(local)),
            [b'Z' | b'z'] => Some(Self::Instant(local)),
            [sign @ (b'+' | b'-'), zone @ ..] => {
                let east = if *sign == b'-' { -1 } else { 1 };
                Some(Self::Instant(local - east * zone_minutes(zone)? * MINUTE))
            }
            _ => None,
        }
    }

    /// Reads the text of a JSON number: an integer without fraction or exponent, in range.
    pub(crate) fn from_number(number: &str) -> Option<Self> {
        Self::from_millis(number.parse().ok()?)
    }

    /// Takes milliseconds since 1970 that are in range.
    pub(crate) fn from_millis(millis: Millis) -> Option<Self> {
        (FIRST..=LAST).contains(&millis).then_some(Self::Instant(millis))
    }

    /// The first and last millisecond it names, where utc = local + `offset` minutes. Never
    /// overflows: the years are 1 to 9999, and any offset is below 2^47 milliseconds.
    pub(crate) fn span(self, offset: i32) -> (Millis, Millis) {
        let utc = |local: Millis| local + i64::from(offset) * MINUTE;
        match self {
            Self::Instant(at) => (at, at),
            Self::Local(local) => (utc(local), utc(local)),
            Self::Day(local) => (utc(local), utc(local) + DAY - 1),
        }
    }

    /// A text that reads as the same.
    pub(crate) fn to_text(self) -> String {
        let local = |at: Millis| display(at).trim_end_matches('Z').to_owned();
        match self {
            // A zone may carry an instant past the years that can be written.
            Self::Instant(at) if at < FIRST => format!("{}+23:59", local(at + WIDEST)),
            Self::Instant(at) if at > LAST => format!("{}-23:59", local(at - WIDEST)),
            Self::Instant(at) => display(at),
            Self::Local(at) => local(at),
            Self::Day(at) => local(at).chars().take(10).collect(),
        }
    }

    /// The instant it names in a document: without a zone UTC, a bare date by its first instant.
    pub(crate) fn instant(self) -> Millis {
        self.span(0).0
    }
}

fn day(text: &[u8]) -> Option<Millis> {
    let [y @ .., b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let (year, month, day) = (digits(y)?, digits(&[*m1, *m2])?, digits(&[*d1, *d2])?);
    if year == 0 {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    Some((date - NaiveDate::default()).num_days() * DAY)
}

/// The minutes that `hh:mm` names, at most 23:59.
fn hours_and_minutes(text: &[u8]) -> Option<i64> {
    let [h1, h2, b':', m1, m2] = text else { return None };
    minutes([*h1, *h2], [*m1, *m2])
}

fn minutes(h: [u8; 2], m: [u8; 2]) -> Option<i64> {
    let (h, m) = (digits(&h)?, digits(&m)?);
    (h <= 23 && m <= 59).then(|| i64::from(h) * 60 + i64::from(m))
}

/// Optional seconds, with an optional fraction, and what follows them.
fn seconds(text: &[u8]) -> Option<(Millis, &[u8])> {
    let Some(text) = text.strip_prefix(b":") else { return Some((0, text)) };
    let (seconds, rest) = text.split_at_checked(2)?;
    let seconds = digits(seconds).filter(|seconds| *seconds <= 59)?;
    let (fraction, rest) = fraction(rest)?;
    Some((i64::from(seconds) * 1000 + fraction, rest))
}

/// An optional fraction of 1 to 9 digits, cut to milliseconds, and what follows it.
fn fraction(text: &[u8]) -> Option<(Millis, &[u8])> {
    let Some((b'.' | b',', text)) = text.split_first() else { return Some((0, text)) };
    let length = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if !(1..=9).contains(&length) {
        return None;
    }
    let (fraction, rest) = text.split_at(length);
    let digit = |at: usize| fraction.get(at).map_or(0, |b| i64::from(b - b'0'));
    Some((digit(0) * 100 + digit(1) * 10 + digit(2), rest))
}

/// The minutes of a zone after its sign: `hh:mm`, `hhmm` or `hh`.
fn zone_minutes(text: &[u8]) -> Option<i64> {
    match text {
        [h1, h2, m1, m2] => minutes([*h1, *h2], [*m1, *m2]),
        [h1, h2] => minutes([*h1, *h2], *b"00"),
        _ => hours_and_minutes(text),
    }
}

fn digits(text: &[u8]) -> Option<u32> {
    text.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
}

/// An instant as people read it, `2025-05-27T04:03:42.617Z`.
pub(crate) fn display(at: Millis) -> String {
    chrono::DateTime::from_timestamp_millis(at).map_or_else(
        || at.to_string(),
        |at| at.to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Millis> {
        Date::from_text(text).map(Date::instant)
    }

    #[test]
    fn reads_each_form() {
        let due = Some(1_748_491_380_000);
        for text in [
            "2025-05-29T04:03:00.000Z",
            "2025-05-29t04:03:00z",
            "2025-05-29 04:03:00",
            " 2025-05-29T09:33:00+05:30\u{a0}",
            "2025-05-29T04:03:00.000999999-00:00",
            "2025-05-29T04:03Z",
            "2025-05-29 04:03",
            "2025-05-29T04:03:00,000999Z",
            "2025-05-29T09:33+0530",
            "2025-05-28T21:03:00.0-07",
            "2025-05-29T04:03:00,0+00",
        ] {
            assert_eq!(at(text), due, "{text}");
        }
        assert_eq!(Date::from_number("1748491380000").map(Date::instant), due);
        assert_eq!(at("1969-12-31T23:59:59.999Z"), Some(-1));
        assert_eq!(at("0001-01-01"), Some(FIRST));
        assert_eq!(at("9999-12-31T23:59:59.999"), Some(LAST));
        assert_eq!(at("0001-01-01T00:00:00+23:59"), Some(FIRST - 1439 * MINUTE));
    }

    #[test]
    fn a_date_reads_as_it_is_written() {
        for text in [
            "2025-05-29T04:03:00.007Z",
            "2025-05-29T09:33:00+05:30",
            "2025-05-29 04:03",
            "2025-05-29",
            "0001-01-01",
            "9999-12-31",
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59.999-23:59",
            "0001-01-01T00:00:00",
        ] {
            let date = Date::from_text(text).unwrap();
            assert_eq!(Date::from_text(&date.to_text()), Some(date), "{text}: {}", date.to_text());
        }
    }

    #[test]
    fn refuses_what_is_no_date() {
        for text in [
            "",
            "2025",
            "2025-5-29",
            "2024-02-30",
            "2023-02-29",
            "0000-01-01",
            "+2025-05-29",
            "2025-05-29T",
            "2025-05-29T24:00:00",
            "2025-05-29T23:59:60Z",
            "2025-05-29T04",
            "2025-05-29T04:",
            "2025-05-29T04:3",
            "2025-05-29T04:03:",
            "2025-05-29T04:03:0",
            "2025-05-29T04:03.5Z",
            "2025-05-29T04:03,5Z",
            "2025-05-29T04:60",
            "2025-05-29T0403Z",
            "2025-05-29  04:03:00",
            "2025-05-29T04:03:00.Z",
            "2025-05-29T04:03:00.1234567890Z",
            "2025-05-29T04:03:00,Z",
            "2025-05-29T04:03:00;5Z",
            "2025-05-29T04:03:00+24:00",
            "2025-05-29T04:03:00+2400",
            "2025-05-29T04:03:00+24",
            "2025-05-29T04:03:00+0560",
            "2025-05-29T04:03:00+5",
            "2025-05-29T04:03:00+530",
            "2025-05-29T04:03:00+05:3",
            "2025-05-29T04:03:00+05:",
            "2025-05-29T04:03:00+05:30:00",
            "2025-05-29T04:03:00+",
            "2025-05-29T04:03:00Z+05",
            "2025-05-29T04:03:00 Z",
            "２０２５-05-29",
            "2025-05-29Z",
            "20250-05-29",
            "２025-05-29",
        ] {
            assert_eq!(Date::from_text(text), None, "{text}");
        }
        for number in ["1.5", "1e3", "253402300800000", "-62135596800001", "99999999999999999999"] {
            assert_eq!(Date::from_number(number), None, "{number}");
        }
    }

    #[test]
    fn no_offset_leaves_the_instants() {
        for date in [Date::from_text("0001-01-01"), Date::from_text("9999-12-31T23:59:59.999")] {
            for offset in [i32::MIN, -840, 720, i32::MAX] {
                let (first, last) = date.unwrap().span(offset);
                assert!(i64::MIN / 2 < first && first <= last && last < i64::MAX / 2);
            }
        }
        for millis in [i64::MIN, FIRST - 1, LAST + 1, i64::MAX] {
            assert_eq!(Date::from_millis(millis), None);
        }
    }

    #[test]
    fn a_day_is_local_and_whole() {
        let day = Date::from_text("2025-05-29").unwrap();
        let (first, last) = day.span(-330);
        assert_eq!(display(first), "2025-05-28T18:30:00.000Z");
        assert_eq!(display(last), "2025-05-29T18:29:59.999Z");
    }
}
