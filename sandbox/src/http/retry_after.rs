//! The 429 of a sandbox, and its `Retry-After` header.

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use chrono::{DateTime, TimeDelta, Utc};

use super::api_error::ApiError;
use crate::model::timestamp::saturating_add;
use crate::show::behavior::RetryAfter;

/// Returns a 429. The wait is rounded up to whole seconds.
pub(crate) fn too_many_requests(
    message: &str,
    wait: Duration,
    retry_after: RetryAfter,
    now: DateTime<Utc>,
) -> ApiError {
    let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message);
    let value = match retry_after {
        RetryAfter::Missing => None,
        RetryAfter::Seconds => Some(HeaderValue::from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0))),
        RetryAfter::Date => {
            // A date has no fraction. Rounded down it would be too early.
            let date = saturating_add(now, wait);
            http_date(date.checked_add_signed(TimeDelta::nanoseconds(999_999_999)).unwrap_or(date))
        }
    };
    match value {
        Some(value) => error.with_header(RETRY_AFTER, value),
        None => error,
    }
}

/// Formats a date for HTTP, to the second.
pub(crate) fn http_date(time: DateTime<Utc>) -> Option<HeaderValue> {
    HeaderValue::from_str(&time.format("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use axum::response::IntoResponse;

    use super::*;

    fn retry_after(millis: u64, retry_after: RetryAfter, now: &str) -> Option<String> {
        let response = too_many_requests("", Duration::from_millis(millis), retry_after, now.parse().unwrap());
        let response = response.into_response();
        assert_eq!(response.status(), 429);
        Some(response.headers().get("retry-after")?.to_str().unwrap().to_owned())
    }

    #[test]
    fn retry_after_is_never_too_early() {
        let now = "2026-02-28T23:59:58.5Z";
        for (millis, seconds, date) in [
            (0, "0", "Sat, 28 Feb 2026 23:59:59 GMT"),
            (500, "1", "Sat, 28 Feb 2026 23:59:59 GMT"),
            (501, "1", "Sun, 01 Mar 2026 00:00:00 GMT"),
            (30_000, "30", "Sun, 01 Mar 2026 00:00:29 GMT"),
            (30_001, "31", "Sun, 01 Mar 2026 00:00:29 GMT"),
        ] {
            assert_eq!(retry_after(millis, RetryAfter::Seconds, now).as_deref(), Some(seconds), "{millis}");
            assert_eq!(retry_after(millis, RetryAfter::Date, now).as_deref(), Some(date), "{millis}");
            assert_eq!(retry_after(millis, RetryAfter::Missing, now), None);
        }
    }

    #[test]
    fn an_endless_wait_is_a_date() {
        let response = too_many_requests("", Duration::MAX, RetryAfter::Date, Utc::now()).into_response();
        assert_eq!(response.status(), 429);
    }
}
