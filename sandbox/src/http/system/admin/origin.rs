//! The origin check: pages of other origins must not reach a sandbox through the browser of a developer.

use std::net::IpAddr;

use axum::extract::{Request, State as Context};
use axum::http::header::{HOST, ORIGIN};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use crate::http::api_error::ApiError;
use crate::http::system::state::SystemState;

pub(crate) async fn check(
    Context(state): Context<SystemState>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    is_own(request.headers(), state.remote)?;
    Ok(next.run(request).await)
}

/// Rejects foreign host names, which DNS rebinding would use, and foreign origins.
fn is_own(headers: &HeaderMap, remote: bool) -> Result<(), ApiError> {
    let forbidden = |message: &str| ApiError::new(StatusCode::FORBIDDEN, "foreign_origin", message);
    let host = text(headers, &HOST).and_then(|host| host.parse::<Authority>().ok());
    let Some(host) = host.filter(|host| remote || is_loopback(host.host())) else {
        return Err(forbidden("only localhost and loopback addresses are allowed; `--allow-remote` allows others"));
    };
    let Some(origin) = headers.get(ORIGIN) else {
        return Ok(());
    };
    let own = ["http://", "https://"].iter().any(|scheme| {
        let at = origin.to_str().ok().and_then(|origin| origin.strip_prefix(scheme));
        at.is_some_and(|at| at.eq_ignore_ascii_case(host.as_str()))
    });
    own.then_some(()).ok_or_else(|| forbidden("pages of another origin cannot make admin calls"))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address: IpAddr| address.is_loopback())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn is_let_in(host: Option<&str>, origin: Option<&str>, remote: bool) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in [(HOST, host), (ORIGIN, origin)] {
            headers.extend(value.map(|value| (name, value.parse().unwrap())));
        }
        is_own(&headers, remote).is_ok()
    }

    #[test]
    fn only_this_machine_is_let_in() {
        for (host, here, remote) in [
            (Some("127.0.0.1:8080"), true, true),
            (Some("127.0.0.2"), true, true),
            (Some("localhost:8080"), true, true),
            (Some("LocalHost"), true, true),
            (Some("[::1]:8080"), true, true),
            (Some("sandbox.example"), false, true),
            (Some("localhost.attacker.example:8080"), false, true),
            (Some("127.0.0.1.attacker.example"), false, true),
            (Some("10.0.0.1:8080"), false, true),
            (Some("[::2]"), false, true),
            (Some(""), false, false),
            (Some("a b"), false, false),
            (None, false, false),
        ] {
            assert_eq!(is_let_in(host, None, false), here, "{host:?}");
            assert_eq!(is_let_in(host, None, true), remote, "{host:?}");
        }
    }

    #[test]
    fn only_pages_of_the_sandbox_are_let_in() {
        for (host, origin, is_own) in [
            ("127.0.0.1:8080", "http://127.0.0.1:8080", true),
            ("localhost:8080", "http://LOCALHOST:8080", true),
            ("sandbox.example", "https://sandbox.example", true),
            ("127.0.0.1:8080", "http://localhost:8080", false),
            ("127.0.0.1:8080", "http://127.0.0.1:3000", false),
            ("127.0.0.1:8080", "http://127.0.0.1", false),
            ("127.0.0.1:8080", "https://attacker.example", false),
            ("127.0.0.1:8080", "ftp://127.0.0.1:8080", false),
            ("127.0.0.1:8080", "127.0.0.1:8080", false),
            ("127.0.0.1:8080", "null", false),
            ("127.0.0.1:8080", "", false),
        ] {
            assert_eq!(is_let_in(Some(host), Some(origin), true), is_own, "{host} {origin}");
        }
    }
}
