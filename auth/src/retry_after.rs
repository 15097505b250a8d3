//! `Retry-After`, in seconds or as a date (RFC 9110 section 10.2.3).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{HeaderMap, header::RETRY_AFTER};

/// How long the server asks to wait, `wall` being the time now; `None` when it does not say, or cannot be understood.
pub(crate) fn retry_after(headers: &HeaderMap, wall: Duration) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date: SystemTime = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(UNIX_EPOCH).ok()?.saturating_sub(wall))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(text: &'static str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static(text));
        // 2026-01-01T00:00:00Z
        retry_after(&headers, Duration::from_secs(1_767_225_600))
    }

    #[test]
    fn seconds_and_dates_are_read() {
        assert_eq!(read("120"), Some(Duration::from_secs(120)));
        assert_eq!(read(" 0 "), Some(Duration::ZERO));
        assert_eq!(read("Thu, 01 Jan 2026 00:00:07 GMT"), Some(Duration::from_secs(7)));
        assert_eq!(read("Thu, 01 Jan 2015 00:00:07 GMT"), Some(Duration::ZERO));
        assert_eq!(read("soon"), None);
        assert_eq!(read("-3"), None);
        assert_eq!(retry_after(&HeaderMap::new(), Duration::ZERO), None);
    }
}
