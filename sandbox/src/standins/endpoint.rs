//! The token endpoint of all stand-ins.

use axum::Json;
use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::behavior::{StandInBehavior, TokenBody};
use super::server::{State, VendorServer};
use super::vendor::{CredentialsLocation, GrantType};
use crate::http::token::{OAuthError, Parameters, basic};

/// Handles a token request.
pub(crate) fn respond(server: &VendorServer, parts: &Parts, body: &Bytes) -> Response {
    let mut response = match grant(server, &parts.headers, body) {
        Ok(body) => Json(body).into_response(),
        Err(error) => (server.vendor.error_response)(&error, server.traffic.clock.now()),
    };
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn grant(server: &VendorServer, headers: &HeaderMap, content: &[u8]) -> Result<Map<String, Value>, OAuthError> {
    let VendorServer { vendor, credentials, .. } = server;
    let State { behavior, tokens, codes, .. } = &mut *server.state();
    (vendor.token_headers)(headers)?;
    let parameters = match behavior.token_body {
        TokenBody::Json => Parameters::json(headers, content)?,
        TokenBody::Form if vendor.needs_charset && !is_utf8(headers) => {
            return Err(OAuthError::new("invalid_request", "the content type must say charset=utf-8"));
        }
        TokenBody::Form => Parameters::form(headers, content)?,
    };
    let grant_type = parameters.require("grant_type")?;
    check_client(server, behavior, headers, &parameters)?;
    let Some(grant) = vendor.grants.iter().find(|grant| grant.grant_type.name() == grant_type) else {
        return Err(OAuthError::new("unsupported_grant_type", "this grant type is not supported"));
    };
    grant.scope.check(parameters.get("scope"))?;
    if grant.needs_redirect_uri && parameters.require("redirect_uri")? != credentials.redirect_uri {
        return Err(OAuthError::new("invalid_grant", "the redirect_uri is not the registered one"));
    }

    let now = server.traffic.clock.now();
    let terms = behavior.token_terms();
    let (family, next_refresh) = match grant.grant_type {
        GrantType::RefreshToken => tokens
            .refresh(parameters.require("refresh_token")?, &terms, now)
            .ok_or_else(OAuthError::invalid_refresh_token)?,
        GrantType::ClientCredentials | GrantType::AuthorizationCode | GrantType::Password => {
            let family = match grant.grant_type {
                GrantType::AuthorizationCode => codes.exchange(&parameters, behavior, tokens, now)?,
                GrantType::Password => {
                    let given = (parameters.require("username")?, parameters.require("password")?);
                    if given != (&credentials.username, &credentials.password) {
                        return Err(OAuthError::new("invalid_grant", "the user name or the password is wrong"));
                    }
                    tokens.new_family()
                }
                GrantType::ClientCredentials | GrantType::RefreshToken => tokens.new_family(),
            };
            let next = grant.is_refreshable && behavior.refresh_tokens;
            (family, next.then(|| tokens.issue_refresh(family, &terms, now)))
        }
    };
    let mut body = Map::new();
    body.insert("access_token".into(), tokens.issue_access(family, &terms, now).into());
    body.insert("expires_in".into(), behavior.token_lifetime.as_secs().into());
    if let Some(token_type) = vendor.token_type {
        body.insert("token_type".into(), token_type.into());
    }
    if let Some(token) = next_refresh {
        body.insert("refresh_token".into(), token.into());
    }
    (vendor.extend)(grant, &mut body);
    Ok(body)
}

fn check_client(
    server: &VendorServer,
    behavior: &StandInBehavior,
    headers: &HeaderMap,
    parameters: &Parameters,
) -> Result<(), OAuthError> {
    let (id, secret) = (server.credentials.client_id.as_str(), server.credentials.client_secret.as_str());
    let header = headers.get(AUTHORIZATION);
    let is_right = match server.vendor.credentials_location {
        CredentialsLocation::Body if header.is_some() => {
            return Err(OAuthError::new("invalid_request", "the credentials must be in the body, not in a header"));
        }
        CredentialsLocation::Basic if parameters.get("client_secret").is_some() => {
            return Err(OAuthError::new(
                "invalid_request",
                "the credentials must be in a Basic header, not in the body",
            ));
        }
        CredentialsLocation::Body => {
            parameters.require("client_id")? == id && parameters.require("client_secret")? == secret
        }
        CredentialsLocation::Basic => {
            let expected = match behavior.form_encoded_basic {
                true => format!("{}:{}", form_encoded(id), form_encoded(secret)),
                false => format!("{id}:{secret}"),
            };
            header.and_then(basic) == Some(expected)
        }
    };
    if is_right {
        return Ok(());
    }
    let error = OAuthError::new("invalid_client", "the client id or the secret is wrong");
    Err(error.with_status(server.vendor.invalid_client_status))
}

fn form_encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// Returns true if the content type has `charset=utf-8`.
fn is_utf8(headers: &HeaderMap) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parameters = value.split(';').skip(1).filter_map(|parameter| parameter.trim().split_once('='));
    parameters.any(|(name, value)| {
        name.eq_ignore_ascii_case("charset") && value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    })
}
