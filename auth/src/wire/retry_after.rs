//! Reads `Retry-After`, in seconds or as a date (RFC 9110 section 10.2.3), or a date in the body of a 429.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, NaiveDateTime, Utc};
use http::{
    HeaderMap,
    header::{DATE, RETRY_AFTER},
};

use super::body::without_mark;
use crate::profile::Throttle;

/// Returns the time to wait, counted from the `Date` header if there is one, otherwise from `wall`. Returns `None` if there is
/// no valid `Retry-After`.
pub(crate) fn retry_after(headers: &HeaderMap, wall: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Some(seconds) = seconds(text) {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| httpdate::parse_http_date(text).ok();
    // A server whose clock is wrong is wrong in both headers.
    let now = headers.get(DATE).and_then(|value| date(value.to_str().ok()?.trim())).unwrap_or(wall);
    Some(date(text)?.duration_since(now).unwrap_or_default())
}

/// Reads seconds, with a fraction as some servers write them. Rounds up, and saturates.
fn seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(whole) || !is_number(fraction) {
        return None;
    }
    let rest = u64::from(fraction.bytes().any(|digit| digit != b'0'));
    Some(whole.parse::<u64>().unwrap_or(u64::MAX).saturating_add(rest))
}

impl Throttle {
    /// Returns the time to wait after a 429 with this body: until the date in its field, which is read as UTC since it has no
    /// zone. If the date is invalid, past or beyond the window, returns the whole window.
    pub(crate) fn cooldown(&self, body: &[u8], wall: SystemTime) -> Duration {
        let date = serde_json::from_slice::<serde_json::Value>(without_mark(body)).ok().and_then(|body| {
            let text = body.get(&self.field)?.as_str()?.trim().to_owned();
            // The weekday may be wrong, and is redundant.
            let date = text.rsplit_once(", ").map_or(text.as_str(), |(_, date)| date).trim_end_matches(" GMT");
            NaiveDateTime::parse_from_str(date, "%d %b %Y %H:%M:%S").ok()
        });
        let left = date.and_then(|date| (date.and_utc() - DateTime::<Utc>::from(wall)).to_std().ok());
        left.filter(|left| *left <= self.window).unwrap_or(self.window)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(text: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
        // 2026-01-01T00:00:00Z
        retry_after(&headers, SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600))
    }

    #[test]
    fn seconds_and_dates_are_read() {
        assert_eq!(read("120"), Some(Duration::from_secs(120)));
        assert_eq!(read(" 0 "), Some(Duration::ZERO));
        assert_eq!(read("Thu, 01 Jan 2026 00:00:07 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(read("Thu, 01 Jan 2015 00:00:07 GMT"), Some(Duration::ZERO));
        for (text, seconds) in [
            ("2.0", 2),
            ("1.5", 2),
            ("0.001", 1),
            ("1.000", 1),
            ("99999999999999999999", u64::MAX),
            ("18446744073709551615.5", u64::MAX),
            ("Thursday, 01-Jan-26 00:00:07 GMT", 7),
            ("Thu Jan  1 00:00:07 2026", 7),
        ] {
            assert_eq!(read(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["soon", "-3", "+3", "1.", ".5", "1.5.0", "1,5", "1e3", ""] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), SystemTime::UNIX_EPOCH), None);
    }

    #[test]
    fn an_invalid_date_in_the_body_counts_as_the_whole_window() {
        let throttle = Throttle { field: "retry-after".to_owned(), window: Duration::from_secs(300) };
        // 2026-01-01T00:00:00Z, a Thursday.
        let wall = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let cooldown = |body: &str| throttle.cooldown(body.as_bytes(), wall).as_secs();
        for (body, seconds) in [
            (r#"{"error": "x", "limits": "y", "retry-after": "Thu, 01 Jan 2026 00:02:00"}"#, 120),
            (r#"{"retry-after": "Mon, 01 Jan 2026 00:02:00"}"#, 120),
            (r#"{"retry-after": "Thu, 01 Jan 2026 00:02:00 GMT"}"#, 120),
            (r#"{"retry-after": "01 Jan 2026 00:00:01"}"#, 1),
            ("\u{feff}{\"retry-after\": \"01 Jan 2026 00:00:01\"}", 1),
            // In another zone, or of another year.
            (r#"{"retry-after": "Thu, 01 Jan 2026 10:02:00"}"#, 300),
            (r#"{"retry-after": "Thu, 18 Nov 2014 14:03:00"}"#, 300),
            (r#"{"retry-after": "soon"}"#, 300),
            (r#"{"retry-after": 12}"#, 300),
            ("{“retry-after”: “Thu, 01 Jan 2026 00:02:00”}", 300),
            ("", 300),
        ] {
            assert_eq!(cooldown(body), seconds, "{body}");
        }
    }
}
