//! `Retry-After`, in seconds or as a date (RFC 9110 section 10.2.3).

use std::time::{Duration, SystemTime};

use http::{HeaderMap, header::RETRY_AFTER};

/// How long the server asks to wait, `wall` being the time now; `None` when it does not say, or cannot be understood.
pub(crate) fn retry_after(headers: &HeaderMap, wall: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(wall).unwrap_or_default())
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
        assert_eq!(read("soon"), None);
        assert_eq!(read("-3"), None);
        assert_eq!(retry_after(&HeaderMap::new(), SystemTime::UNIX_EPOCH), None);
    }
}
