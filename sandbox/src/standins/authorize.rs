//! The authorize endpoint, whose user always consents.

use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::server::{State, VendorServer};
use super::vendor::{Authorize, Scope};
use crate::http::api_error::ApiError;
use crate::http::token::{OAuthError, Parameters};

/// Handles an authorization request.
pub(crate) fn respond(server: &VendorServer, authorize: &Authorize, parts: &Parts) -> Response {
    redirect(server, authorize, parts).unwrap_or_else(IntoResponse::into_response)
}

fn redirect(server: &VendorServer, authorize: &Authorize, parts: &Parts) -> Result<Response, ApiError> {
    let parameters = Parameters::parse(parts.uri.query().unwrap_or_default().as_bytes())
        .map_err(|error| ApiError::bad_request(error.error, error.description))?;
    // An unknown client or redirect URI must not cause a redirect (RFC 6749, section 4.1.2.1).
    if parameters.get("client_id") != Some(&server.credentials.client_id) {
        return Err(ApiError::bad_request("unauthorized_client", "client_id is missing or unknown"));
    }
    let redirect_uri = parameters
        .get("redirect_uri")
        .filter(|uri| without_port(uri) == without_port(&server.credentials.redirect_uri))
        .ok_or_else(|| ApiError::bad_request("invalid_request", "redirect_uri is missing or not the registered one"))?;

    let mut query = form_urlencoded::Serializer::new(String::new());
    match code(server, authorize, redirect_uri, &parameters) {
        Ok(code) => query.append_pair("code", &code),
        Err(error) => query.append_pair("error", error.error).append_pair("error_description", &error.description),
    };
    if let Some(state) = parameters.get("state") {
        query.append_pair("state", state);
    }
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    let location = HeaderValue::try_from(format!("{redirect_uri}{separator}{}", query.finish()))
        .map_err(|_| ApiError::bad_request("invalid_request", "redirect_uri is not a valid header value"))?;
    let mut response = StatusCode::FOUND.into_response();
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

fn code(
    server: &VendorServer,
    authorize: &Authorize,
    redirect_uri: &str,
    parameters: &Parameters,
) -> Result<String, OAuthError> {
    if parameters.require("response_type")? != "code" {
        return Err(OAuthError::new("unsupported_response_type", "response_type must be code"));
    }
    if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(OAuthError::new("invalid_request", "response_mode must be query"));
    }
    Scope::AnyOf(authorize.scopes).check(Some(parameters.require("scope")?))?;
    let challenge = parameters.get("code_challenge");
    if challenge.is_some() && parameters.get("code_challenge_method") != Some("S256") {
        return Err(OAuthError::new("invalid_request", "code_challenge_method must be S256"));
    }
    let State { codes, behavior, .. } = &mut *server.state();
    Ok(codes.issue(redirect_uri, challenge.map(str::to_owned), behavior, server.traffic.clock.now()))
}

/// Removes the port of a redirect URI on `localhost`, which the client chooses (RFC 8252, section 7.3).
fn without_port(uri: &str) -> String {
    let Some(rest) = uri.strip_prefix("http://localhost:") else {
        return uri.to_owned();
    };
    format!("http://localhost{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}
