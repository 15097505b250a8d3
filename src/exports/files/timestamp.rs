//! Parsing of dates and timestamps without loss, up to microseconds.

use chrono::{Datelike, NaiveDate};

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// 1970-01-01, in days of the common era.
const EPOCH: i32 = 719_163;

/// A timestamp with a zone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct ZonedTimestamp {
    /// Microseconds since 1970 in UTC.
    pub(super) micros: i64,
    /// True if the string was in UTC. Otherwise the conversion loses its offset.
    pub(super) is_utc: bool,
}

/// Parses a date such as `2025-07-28` into days since 1970.
pub(super) fn date(text: &str) -> Option<i32> {
    match read_date(text.as_bytes())? {
        (days, []) => Some(days),
        _ => None,
    }
}

/// Parses a timestamp without a zone, such as `2025-01-20T04:50:03.61`, into microseconds since 1970.
pub(super) fn local_time(text: &str) -> Option<i64> {
    match read_time(text)? {
        (micros, []) => Some(micros),
        _ => None,
    }
}

/// Parses a timestamp with a zone, such as `2025-01-20T04:50:03.61Z`.
pub(super) fn time(text: &str) -> Option<ZonedTimestamp> {
    match read_time(text)? {
        (micros, b"Z" | b"+00:00") => Some(ZonedTimestamp { micros, is_utc: true }),
        (micros, [sign @ (b'+' | b'-'), hour @ .., b':', m1, m2]) => {
            let (hour, minute) = (number(hour, 2, 23)?, number(&[*m1, *m2], 2, 59)?);
            let offset = i64::from(hour * 60 + minute) * 60 * SECOND;
            Some(ZonedTimestamp {
                micros: if *sign == b'+' { micros - offset } else { micros + offset },
                is_utc: false,
            })
        }
        _ => None,
    }
}

fn read_date(text: &[u8]) -> Option<(i32, &[u8])> {
    let (date, rest) = text.split_at_checked(10)?;
    let [year @ .., b'-', m1, m2, b'-', d1, d2] = date else { return None };
    let year = i32::try_from(number(year, 4, 9999)?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&[*m1, *m2], 2, 12)?, number(&[*d1, *d2], 2, 31)?)?;
    Some((date.num_days_from_ce() - EPOCH, rest))
}

fn read_time(text: &str) -> Option<(i64, &[u8])> {
    let (days, rest) = read_date(text.as_bytes())?;
    let (clock, rest) = rest.split_at_checked(9)?;
    let [b'T' | b' ', h1, h2, b':', m1, m2, b':', s1, s2] = clock else { return None };
    let seconds = number(&[*h1, *h2], 2, 23)? * 3600 + number(&[*m1, *m2], 2, 59)? * 60 + number(&[*s1, *s2], 2, 59)?;
    let (micros, rest) = match rest {
        [b'.', rest @ ..] => read_fraction(rest)?,
        _ => (0, rest),
    };
    Some((i64::from(days) * DAY + i64::from(seconds) * SECOND + micros, rest))
}

/// Parses a fraction of a second in microseconds. Further digits must be zeros, which some systems write.
fn read_fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, rest) = text.split_at(digits);
    let (kept, lost) = fraction.split_at(digits.min(6));
    if digits == 0 || lost.iter().any(|digit| *digit != b'0') {
        return None;
    }
    let zeros = u32::try_from(6 - kept.len()).ok()?;
    Some((i64::from(number(kept, kept.len(), 999_999)?) * 10_i64.pow(zeros), rest))
}

fn number(digits: &[u8], length: usize, most: u32) -> Option<u32> {
    if digits.len() != length || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'));
    (number <= most).then_some(number)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, FixedOffset, NaiveDateTime, TimeZone};
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dates_and_timestamps_are_parsed() {
        assert_eq!(date("2025-07-28"), Some(20_297));
        assert_eq!(date("1969-12-31"), Some(-1));
        assert_eq!(local_time("2025-01-20T04:50:03.61"), Some(1_737_348_603_610_000));
        assert_eq!(local_time("1969-12-31 23:59:59.999999"), Some(-1));
        assert_eq!(local_time("2025-01-20T04:50:03.6100000"), Some(1_737_348_603_610_000));
        assert_eq!(time("1970-01-01T00:00:00Z"), Some(ZonedTimestamp { micros: 0, is_utc: true }));
        assert_eq!(time("1970-01-01T01:30:00+01:30"), Some(ZonedTimestamp { micros: 0, is_utc: false }));
        assert_eq!(time("1969-12-31T19:00:00.000001-05:00"), Some(ZonedTimestamp { micros: 1, is_utc: false }));
    }

    #[test]
    fn invalid_and_too_precise_strings_are_rejected() {
        for text in [
            "",
            "2025-7-28",
            "2025-02-30",
            "2025-13-01",
            "20250728",
            "2025/07/28",
            "2025-07-28 ",
            " 2025-07-28",
            "+025-07-28",
            "0940",
            "12025-07-28",
            "2025-07-2é",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
        for text in [
            "2025-01-20",
            "2025-01-20T04:50",
            "2025-01-20T24:00:00",
            "2025-01-20T04:60:00",
            "2016-12-31T23:59:60",
            "2025-01-20T04:50:03.",
            "2025-01-20T04:50:03.1234567",
            "2025-01-20t04:50:03",
            "2025-01-20T04:50:03Z",
            "2025-01-20T04:50:03 ",
            "2025-01-20T04:50:03,5",
            "2025-01-20  04:50:03",
        ] {
            assert_eq!(local_time(text), None, "{text}");
        }
        for text in [
            "2025-01-20T04:50:03",
            "2025-01-20T04:50:03z",
            "2025-01-20T04:50:03+24:00",
            "2025-01-20T04:50:03+01:60",
            "2025-01-20T04:50:03+0100",
            "2025-01-20T04:50:03+01",
            "2025-01-20T04:50:03+1:00",
            "2025-01-20T04:50:03.1234567Z",
            "2025-01-20T04:50:03 Z",
            "2025-01-20T04:50:03é01:00",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn timestamps_are_parsed_as_by_chrono(micros in -62_167_219_200_000_000_i64..253_402_300_800_000_000, minutes in -23 * 60..23 * 60_i32) {
            let moment = DateTime::from_timestamp_micros(micros).unwrap();
            let local: NaiveDateTime = moment.naive_utc();
            prop_assert_eq!(local_time(&local.format("%Y-%m-%dT%H:%M:%S%.f").to_string()), Some(micros));
            let east = FixedOffset::east_opt(minutes * 60).unwrap().from_utc_datetime(&local);
            let text = east.to_rfc3339();
            if text.len() >= 25 && text.as_bytes()[4] == b'-' && !text.starts_with(['-', '+']) {
                prop_assert_eq!(time(&text).map(|zoned| zoned.micros), Some(micros), "{}", text);
            }
            prop_assert_eq!(date(&local.date().to_string()).map(i64::from), Some(micros.div_euclid(DAY)));
        }

        #[test]
        fn no_string_makes_the_parsers_panic(text: String, like in "[-+0-9TZ:. é]{0,30}") {
            for text in [text, like] {
                let _ = (date(&text), local_time(&text), time(&text));
            }
        }
    }
}
