//! Moments in UTC, to the millisecond.

use std::fmt::{self, Display, Formatter};

pub(crate) const DAY_MS: i64 = 86_400_000;

/// 2024-01-01T00:00Z, when the first case is created.
pub(crate) const START: Instant = Instant(1_704_067_200_000);

/// How long cases are created for.
pub(crate) const SPAN_MS: i64 = 730 * DAY_MS;

/// Milliseconds since 1970; written as `2024-05-27T04:03:42.617Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Instant(pub(crate) i64);

impl Instant {
    pub(crate) fn plus_ms(self, ms: i64) -> Self {
        Self(self.0 + ms)
    }
}

impl Display for Instant {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.0.div_euclid(DAY_MS));
        let ms = self.0.rem_euclid(DAY_MS);
        let (hour, minute, second) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}")?;
        write!(f, "T{hour:02}:{minute:02}:{second:02}.{:03}Z", ms % 1000)
    }
}

/// Year, month and day of a day since 1970, as in Howard Hinnant's "chrono-Compatible Low-Level
/// Date Algorithms": years run from March there, so that a leap day is the last of its year.
fn date(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let (era, day) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + next, month, of_month)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_written_in_utc() {
        assert_eq!(START.to_string(), "2024-01-01T00:00:00.000Z");
        assert_eq!(START.plus_ms(SPAN_MS).to_string(), "2025-12-31T00:00:00.000Z");
        assert_eq!(START.plus_ms(60 * DAY_MS - 1).to_string(), "2024-02-29T23:59:59.999Z");
        assert_eq!(Instant(1_748_318_622_617).to_string(), "2025-05-27T04:03:42.617Z");
    }
}
