//! The rate limit of the API.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State as Context};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};

use super::bearer;
use crate::http::api_error::ApiError;
use crate::http::retry_after::http_date;
use crate::show::Show;
use crate::show::behavior::{Rate, RateHeaders, RatePer, RetryAfter};
use crate::show::rate_limiter::{RateKey, RateStatus};
use crate::show::state::State;

/// The address of the client, as an extension of the request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Counts an API call, and rejects it if the limit is reached.
pub(crate) async fn check(Context(show): Context<Arc<Show>>, request: Request, next: Next) -> Response {
    let now = show.clock().now();
    let checked = {
        let State { rate_limiter, behavior, .. } = &mut *show.state();
        behavior.rate.map(|rate| {
            let key = key(&request, behavior.rate_per);
            let status = rate_limiter.check(key, rate, behavior.rate_counts_refused, now);
            let error = status.rejected_until.map(|free| error(now, free, behavior.retry_after));
            (error, headers(status, rate, behavior.rate_headers, now))
        })
    };
    let (error, headers) = checked.unwrap_or_default();
    let mut response = match error {
        None => next.run(request).await,
        Some(error) => error.into_response(),
    };
    response.headers_mut().extend(headers);
    response
}

fn key(request: &Request, per: RatePer) -> RateKey {
    match per {
        RatePer::Show => RateKey::Show,
        RatePer::Token => RateKey::Token(bearer::token(request.headers()).unwrap_or_default().to_owned()),
        RatePer::Address => RateKey::Address(request.extensions().get::<Peer>().map(|peer| peer.0)),
    }
}

fn headers(status: RateStatus, rate: Rate, format: RateHeaders, now: DateTime<Utc>) -> Vec<(HeaderName, HeaderValue)> {
    let reset = match format {
        RateHeaders::Missing => return Vec::new(),
        RateHeaders::Seconds => whole_seconds(status.reset - now),
        RateHeaders::Epoch => status.reset.timestamp() + i64::from(status.reset.timestamp_subsec_nanos() > 0),
    };
    vec![
        (HeaderName::from_static("x-ratelimit-limit"), HeaderValue::from(rate.requests)),
        (HeaderName::from_static("x-ratelimit-remaining"), HeaderValue::from(status.remaining)),
        (HeaderName::from_static("x-ratelimit-reset"), HeaderValue::from(reset)),
    ]
}

/// Rounds up to whole seconds.
fn whole_seconds(time: TimeDelta) -> i64 {
    time.num_seconds() + i64::from(time.subsec_nanos() > 0)
}

fn error(now: DateTime<Utc>, free: DateTime<Utc>, retry_after: RetryAfter) -> ApiError {
    let error = ApiError::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", "the rate limit is exceeded");
    let seconds = whole_seconds(free - now).max(1);
    let value = match retry_after {
        RetryAfter::Missing => return error,
        RetryAfter::Seconds => HeaderValue::from(seconds),
        RetryAfter::Date => {
            let date = now + TimeDelta::seconds(seconds + 1);
            match http_date(date) {
                Some(value) => value,
                None => return error,
            }
        }
    };
    error.with_header(RETRY_AFTER, value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(n)
    }

    #[test]
    fn a_reset_is_rounded_up() {
        let now = second(100);
        let reset = second(107) + TimeDelta::milliseconds(1);
        let status = RateStatus { rejected_until: None, remaining: 2, reset };
        for (form, expected) in [(RateHeaders::Seconds, "8"), (RateHeaders::Epoch, "108")] {
            let headers = headers(status, Rate::new(3, std::time::Duration::from_secs(10)), form, now);
            let values: Vec<&[u8]> = headers.iter().map(|(_, value)| value.as_bytes()).collect();
            assert_eq!(values, [b"3", b"2", expected.as_bytes()]);
        }
    }
}
