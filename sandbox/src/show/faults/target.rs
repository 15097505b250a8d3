//! Targets: the calls that a step of a script matches.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::error::Error;

/// The calls that a [`Step`](crate::Step) matches. `/health`, `/docs` and the paths below `/sandbox` have no faults.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// All API calls; `"api"` when serialised.
    Api,
    /// All token requests; `"token"` when serialised.
    Token,
    /// Token requests with a refresh token; `"refresh"` when serialised.
    Refresh,
    /// Requests with this method and path, including token requests.
    Call {
        /// The method in capitals, or `None` for all methods.
        method: Option<String>,
        /// The path without a query. `*` matches one segment, and a final `**` any number of segments.
        path: String,
    },
}

/// The kind of endpoint that a path belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndpointKind {
    Token,
    Api,
    /// Neither. No fault applies to it.
    Other,
}

/// The properties of a request that targets match.
pub(crate) struct Call<'a> {
    pub(crate) kind: EndpointKind,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) is_refresh: bool,
}

impl Target {
    /// Matches calls with this method and path, as `Target::call("GET", "/Customer/*")`. `*` matches one segment, and a final
    /// `**` any number of segments. Case and a trailing slash are ignored.
    #[must_use]
    pub fn call(method: &str, path: impl Into<String>) -> Self {
        Self::Call { method: Some(method.to_ascii_uppercase()), path: path.into() }
    }

    /// Matches calls with this path and any method.
    #[must_use]
    pub fn path(path: impl Into<String>) -> Self {
        Self::Call { method: None, path: path.into() }
    }

    pub(crate) fn matches(&self, call: &Call<'_>) -> bool {
        match self {
            Self::Api => call.kind == EndpointKind::Api,
            Self::Token => call.kind == EndpointKind::Token,
            Self::Refresh => call.kind == EndpointKind::Token && call.is_refresh,
            Self::Call { method, path } => {
                method.as_ref().is_none_or(|method| method == call.method) && path_matches(path, call.path)
            }
        }
    }
}

/// Returns true if a path matches a pattern.
pub(crate) fn path_matches(pattern: &str, path: &str) -> bool {
    // Without this a pattern that lacks the leading slash would match nothing, and its test would pass.
    let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
    let mut segments = path.strip_prefix('/').unwrap_or(path).trim_end_matches('/').split('/');
    let mut pattern = pattern.trim_end_matches('/').split('/').peekable();
    while let Some(expected) = pattern.next() {
        if expected == "**" && pattern.peek().is_none() {
            return true;
        }
        match segments.next() {
            Some(found) if expected.eq_ignore_ascii_case(found) => {}
            Some(found) if expected == "*" && !found.is_empty() => {}
            _ => return false,
        }
    }
    segments.next().is_none()
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Api => f.write_str("api"),
            Self::Token => f.write_str("token"),
            Self::Refresh => f.write_str("refresh"),
            Self::Call { method: Some(method), path } => write!(f, "{method} {path}"),
            Self::Call { method: None, path } => f.write_str(path),
        }
    }
}

impl Target {
    fn read(text: &str) -> Result<Self, String> {
        let is_method = |text: &str| !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphabetic());
        match (text, text.split_once(' ')) {
            ("api", _) => Ok(Self::Api),
            ("token", _) => Ok(Self::Token),
            ("refresh", _) => Ok(Self::Refresh),
            (_, Some((method, path))) if is_method(method) && path.starts_with('/') => Ok(Self::call(method, path)),
            (path, None) if path.starts_with('/') => Ok(Self::path(path)),
            _ => Err(format!(
                "{text:?} is not a target: expected api, token, refresh, or a path with or without a method, as \
                 `POST /v2/customers/bulk` or `/Customer/*`"
            )),
        }
    }
}

impl FromStr for Target {
    type Err = Error;

    /// Parses the serialised form, as `POST /v2/customers/bulk`.
    ///
    /// # Errors
    /// [`Error::Data`] for an invalid target.
    fn from_str(text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|error| Error::data("the target", serde_json::Error::custom(error)))
    }
}

impl Serialize for Target {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn token(is_refresh: bool) -> Call<'static> {
        Call { kind: EndpointKind::Token, method: "POST", path: "/auth/oauth/token", is_refresh }
    }

    #[test]
    fn patterns_match_paths() {
        for (pattern, path, expected) in [
            ("GET /Customer", "/Customer", true),
            ("get /customer/", "/Customer", true),
            ("GET /Customer", "/Customer/", true),
            ("GET /Customer", "/Customer/1", false),
            ("GET /Customer/1", "/Customer", false),
            ("POST /Customer", "/Customer", false),
            ("/Customer", "/Customer", true),
            ("/Customer/*", "/Customer/1", true),
            ("/Customer/*", "/Customer", false),
            ("/Customer/*", "/Customer/1/2", false),
            ("/Customer/*/x", "/Customer//x", false),
            ("/v2/*/bulk", "/v2/customers/bulk", true),
            ("/v2/*/bulk", "/v2/customers/all", false),
            ("/v2/**", "/v2/customers/bulk", true),
            ("/v2/**", "/v2", true),
            ("/v2/**", "/v3/customers", false),
            ("/v2/**/bulk", "/v2/customers/all", false),
            ("/**", "/Customer", true),
            ("/*", "/", false),
            ("/", "/", true),
        ] {
            let target: Target = pattern.parse().unwrap();
            assert_eq!(
                target.matches(&Call { kind: EndpointKind::Api, method: "GET", path, is_refresh: false }),
                expected,
                "{pattern} {path}"
            );
        }
    }

    #[test]
    fn a_pattern_may_lack_the_leading_slash() {
        for (pattern, path, expected) in [
            ("Customer/*", "/Customer/1", true),
            ("v2/**", "/v2/customers/bulk", true),
            ("Customer", "/v2/Customer", false),
        ] {
            let call = Call { kind: EndpointKind::Api, method: "GET", path, is_refresh: false };
            assert_eq!(Target::call("GET", pattern).matches(&call), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn a_path_matches_token_requests_too() {
        assert!(Target::call("post", "/auth/oauth/token").matches(&token(false)));
        assert!(!Target::Refresh.matches(&token(false)));
        assert!(!Target::Api.matches(&token(false)));
        let not_a_refresh = Call { kind: EndpointKind::Api, is_refresh: true, ..token(true) };
        assert!(!Target::Refresh.matches(&not_a_refresh));
    }
}
