//! The differences between vendors, as data.

use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::behavior::StandInBehavior;
use crate::http::api_error::ApiError;
use crate::http::token::OAuthError;
use crate::show::faults::Fault;

/// One vendor.
pub(crate) struct Vendor {
    pub(crate) name: &'static str,
    /// The path of the API below the server's address.
    pub(crate) base: &'static str,
    pub(crate) token_path: &'static str,
    pub(crate) authorize: Option<Authorize>,
    pub(crate) client_id: &'static str,
    pub(crate) redirect_uri: &'static str,
    /// The names of the values that a client needs.
    pub(crate) values: &'static [&'static str],
    pub(crate) behavior: fn() -> StandInBehavior,

    /// A form must say `charset=utf-8`.
    pub(crate) needs_charset: bool,
    pub(crate) credentials_location: CredentialsLocation,
    pub(crate) invalid_client_status: StatusCode,
    pub(crate) grants: &'static [Grant],
    pub(crate) token_type: Option<&'static str>,
    /// Checks the additional headers of a token request.
    pub(crate) token_headers: fn(&HeaderMap) -> Result<(), OAuthError>,
    /// Adds fields to the response to a grant.
    pub(crate) extend: fn(&Grant, &mut Map<String, Value>),
    pub(crate) error_response: fn(&OAuthError, DateTime<Utc>) -> Response,

    pub(crate) example: Example,
    pub(crate) too_many_requests: fn(Duration, DateTime<Utc>) -> Fault,
}

/// The credentials and identifiers that a client needs.
pub(crate) struct Credentials {
    pub(crate) client_id: String,
    pub(crate) client_secret: String,
    pub(crate) redirect_uri: String,
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) tenant_id: String,
    pub(crate) subscription_key: String,
}

/// The authorize endpoint, and its scopes.
pub(crate) struct Authorize {
    pub(crate) path: &'static str,
    pub(crate) scopes: &'static [&'static str],
}

/// The part of a token request that holds the client's credentials.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum CredentialsLocation {
    Body,
    Basic,
}

pub(crate) struct Grant {
    pub(crate) grant_type: GrantType,
    pub(crate) scope: Scope,
    /// The response contains a refresh token.
    pub(crate) is_refreshable: bool,
    /// The request must contain the registered redirect URI.
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
    /// The vendor has no scopes. A given one is ignored (RFC 6749, section 3.3).
    Unknown,
    /// This scope is required.
    Exactly(&'static str),
    /// Optional; any of these.
    AnyOf(&'static [&'static str]),
}

impl Scope {
    pub(crate) fn check(self, given: Option<&str>) -> Result<(), OAuthError> {
        match (self, given) {
            (Self::Unknown, _) | (Self::AnyOf(_), None) => Ok(()),
            (Self::Exactly(scope), given) if given == Some(scope) => Ok(()),
            (Self::Exactly(scope), _) => Err(OAuthError::new("invalid_scope", format!("the scope must be {scope}"))),
            (Self::AnyOf(known), Some(given)) if given.split(' ').all(|word| known.contains(&word)) => Ok(()),
            (Self::AnyOf(known), _) => {
                Err(OAuthError::new("invalid_scope", format!("the scope may only contain {}", known.join(" "))))
            }
        }
    }
}

/// The one call of the API that a stand-in has.
pub(crate) struct Example {
    pub(crate) method: Method,
    /// The path below the base. A final `{id}` matches any segment.
    pub(crate) path: &'static str,
    /// Rejects a call that lacks a header besides the access token.
    pub(crate) headers: fn(&HeaderMap, &Credentials) -> Option<Response>,
    /// The response to a call without a valid access token.
    pub(crate) unauthorized: fn(&'static str) -> Response,
    pub(crate) respond: fn(&Call<'_>) -> Result<Value, ApiError>,
}

/// The input of an example call.
pub(crate) struct Call<'a> {
    pub(crate) id: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a Bytes,
}

impl Example {
    /// Returns the id in a path that matches. It is empty if the call has none.
    pub(crate) fn id<'a>(&self, path: &'a str) -> Option<&'a str> {
        match self.path.strip_suffix("{id}") {
            Some(before) => path.strip_prefix(before).filter(|id| !id.is_empty() && !id.contains('/')),
            None => (path == self.path).then_some(""),
        }
    }
}
