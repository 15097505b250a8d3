//! The authorize endpoint: a person who always says yes.

use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use super::desk::{Desk, State};
use super::system::{Authorize, Scope};
use crate::answer::Refusal;
use crate::parameters::Parameters;
use crate::refused::Refused;

pub(crate) fn answer(desk: &Desk, authorize: &Authorize, parts: &Parts) -> Response {
    answered(desk, authorize, parts).unwrap_or_else(IntoResponse::into_response)
}

fn answered(desk: &Desk, authorize: &Authorize, parts: &Parts) -> Result<Response, Refusal> {
    let query = parts.uri.query().unwrap_or_default();
    let parameters = Parameters::read(query.as_bytes())
        .map_err(|refused| Refusal::bad_request(refused.error, refused.description))?;
    // Without a client and an address that are known nobody may be sent anywhere.
    if parameters.get("client_id") != Some(&desk.start.client_id) {
        return Err(Refusal::bad_request("unauthorized_client", "client_id is missing or not known"));
    }
    let redirect_uri = parameters
        .get("redirect_uri")
        .filter(|uri| without_port(uri) == without_port(&desk.start.redirect_uri))
        .ok_or_else(|| Refusal::bad_request("invalid_request", "redirect_uri is missing or not the registered one"))?;

    let mut back = form_urlencoded::Serializer::new(String::new());
    match code(desk, authorize, redirect_uri, &parameters) {
        Ok(code) => back.append_pair("code", &code),
        Err(refused) => back.append_pair("error", refused.error).append_pair("error_description", &refused.description),
    };
    if let Some(state) = parameters.get("state") {
        back.append_pair("state", state);
    }
    let joint = if redirect_uri.contains('?') { '&' } else { '?' };
    let location = HeaderValue::try_from(format!("{redirect_uri}{joint}{}", back.finish()))
        .map_err(|_| Refusal::bad_request("invalid_request", "redirect_uri cannot stand in a header"))?;
    let mut response = StatusCode::FOUND.into_response();
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

fn code(desk: &Desk, authorize: &Authorize, redirect_uri: &str, parameters: &Parameters) -> Result<String, Refused> {
    if parameters.need("response_type")? != "code" {
        return Err(Refused::new("unsupported_response_type", "response_type must be code"));
    }
    if parameters.get("response_mode").is_some_and(|mode| mode != "query") {
        return Err(Refused::new("invalid_request", "response_mode must be query"));
    }
    Scope::AnyOf(authorize.scopes).check(Some(parameters.need("scope")?))?;
    let challenge = parameters.get("code_challenge");
    if challenge.is_some() && parameters.get("code_challenge_method") != Some("S256") {
        return Err(Refused::new("invalid_request", "code_challenge_method must be S256"));
    }
    let State { codes, behavior, .. } = &mut *desk.state();
    Ok(codes.issue(redirect_uri, challenge.map(str::to_owned), behavior, desk.traffic.clock.now()))
}

/// A redirect URI on `localhost` without its port, which a client chooses as it likes (RFC 8252, section 7.3).
fn without_port(uri: &str) -> String {
    let Some(rest) = uri.strip_prefix("http://localhost:") else {
        return uri.to_owned();
    };
    format!("http://localhost{}", rest.trim_start_matches(|c: char| c.is_ascii_digit()))
}
