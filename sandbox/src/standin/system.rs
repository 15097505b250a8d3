//! A system: what is particular to one vendor, as data.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::behavior::StandInBehavior;
use super::desk::Start;
use crate::answer::Refusal;
use crate::fault::Fault;
use crate::refused::Refused;

pub(crate) struct System {
    pub(crate) name: &'static str,
    /// Where the API begins, below the server's address.
    pub(crate) base: &'static str,
    pub(crate) token_path: &'static str,
    pub(crate) authorize: Option<Authorize>,
    pub(crate) client_id: &'static str,
    pub(crate) redirect_uri: &'static str,
    /// The names of the values that a client must be told.
    pub(crate) values: &'static [&'static str],
    pub(crate) behavior: fn() -> StandInBehavior,

    /// A form must say `charset=utf-8`.
    pub(crate) needs_charset: bool,
    pub(crate) place: Place,
    pub(crate) wrong_client: StatusCode,
    pub(crate) grants: &'static [Grant],
    pub(crate) token_type: Option<&'static str>,
    /// Checks what the system wants in the head of a token request besides the rest.
    pub(crate) token_headers: fn(&HeaderMap) -> Result<(), Refused>,
    /// Adds to the answer of a grant.
    pub(crate) more: fn(&Grant, &mut Map<String, Value>),
    pub(crate) refusal: fn(&Refused, DateTime<Utc>) -> Response,

    pub(crate) example: Example,
    pub(crate) too_many_requests: fn(Duration, DateTime<Utc>) -> Fault,
}

/// Where a person is sent, and for which scopes.
pub(crate) struct Authorize {
    pub(crate) path: &'static str,
    pub(crate) scopes: &'static [&'static str],
}

/// Where the client's credentials go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Body,
    Basic,
}

pub(crate) struct Grant {
    pub(crate) kind: GrantType,
    pub(crate) scope: Scope,
    /// The answer holds a refresh token.
    pub(crate) is_refreshable: bool,
    /// The registered redirect URI must come along.
    pub(crate) needs_redirect_uri: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum GrantType {
    ClientCredentials,
    AuthorizationCode,
    Password,
    RefreshToken,
}

impl GrantType {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::ClientCredentials => "client_credentials",
            Self::AuthorizationCode => "authorization_code",
            Self::Password => "password",
            Self::RefreshToken => "refresh_token",
        }
    }
}

#[derive(Clone, Copy)]
pub(crate) enum Scope {
    /// The system has none; one that comes all the same is passed over, as RFC 6749 wants it.
    Unknown,
    /// This one, and it must come.
    Exactly(&'static str),
    /// None, or any of these.
    AnyOf(&'static [&'static str]),
}

impl Scope {
    pub(crate) fn check(self, given: Option<&str>) -> Result<(), Refused> {
        match (self, given) {
            (Self::Unknown, _) | (Self::AnyOf(_), None) => Ok(()),
            (Self::Exactly(scope), given) if given == Some(scope) => Ok(()),
            (Self::Exactly(scope), _) => Err(Refused::new("invalid_scope", format!("the scope must be {scope}"))),
            (Self::AnyOf(known), Some(given)) if given.split(' ').all(|word| known.contains(&word)) => Ok(()),
            (Self::AnyOf(known), _) => {
                Err(Refused::new("invalid_scope", format!("the scope can only hold {}", known.join(" "))))
            }
        }
    }
}

/// The one call of the API that a stand-in knows.
pub(crate) struct Example {
    pub(crate) method: Method,
    /// The path below the base; one that ends in `{id}` takes any last segment.
    pub(crate) path: &'static str,
    /// The refusal of a call whose head lacks what the system wants there besides the access token.
    pub(crate) headers: fn(&HeaderMap, &Start) -> Option<Response>,
    /// The refusal of a call without a live access token.
    pub(crate) unauthorized: fn(&'static str) -> Response,
    pub(crate) answer: fn(&Call<'_>) -> Result<Value, Refusal>,
}

/// What an example call is about.
pub(crate) struct Call<'a> {
    pub(crate) id: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
}

impl Example {
    /// The id in a path that fits; empty where the call has none.
    pub(crate) fn id<'a>(&self, path: &'a str) -> Option<&'a str> {
        match self.path.strip_suffix("{id}") {
            Some(before) => path.strip_prefix(before).filter(|id| !id.is_empty() && !id.contains('/')),
            None => (path == self.path).then_some(""),
        }
    }
}
