//! Admin calls: the library's functions for tests in other languages, as JSON below `/sandbox`.

mod origin;

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State as Context};
use axum::http::header::{CACHE_CONTROL, HOST};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{any, delete, get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

pub(crate) use origin::check as check_origin;

use super::state::SystemState;
use crate::error::Error;
use crate::http::api_error::{ApiError, method_not_allowed};
use crate::model::exports::Export;
use crate::show::behavior::Behavior;
use crate::show::faults::{Script, Step, path_matches};
use crate::show::journal::{RecordedRequest, query_parameter};
use crate::show::seconds::Seconds;
use crate::show::{Show, TOKEN_PATH};

const ROOT: &str = "/sandbox";

/// Returns true for the path of an admin call.
pub(crate) fn handles(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(crate) fn routes(state: &SystemState) -> Router<SystemState> {
    Router::new()
        .route(ROOT, get(shows).fallback(method_not_allowed))
        .route("/sandbox/token", post(issue_token).fallback(method_not_allowed))
        .route("/sandbox/tokens/revoke", post(revoke_tokens).fallback(method_not_allowed))
        .route("/sandbox/journal", get(journal).delete(clear_journal).fallback(method_not_allowed))
        .route("/sandbox/faults", get(faults).post(order_faults).delete(clear_faults).fallback(method_not_allowed))
        .route("/sandbox/behavior", get(behavior).put(change_behavior).fallback(method_not_allowed))
        .route("/sandbox/exports", get(exports).put(add_exports).fallback(method_not_allowed))
        .route("/sandbox/exports/{id}", delete(remove_export).fallback(method_not_allowed))
        .route("/sandbox/clock", get(clock).post(advance_clock).fallback(method_not_allowed))
        .route("/sandbox/snapshots", get(snapshots).fallback(method_not_allowed))
        .route("/sandbox/snapshots/{name}", post(make_snapshot).delete(drop_snapshot).fallback(method_not_allowed))
        .route("/sandbox/snapshots/{name}/restore", post(restore_snapshot).fallback(method_not_allowed))
        .route("/sandbox/reset", post(reset).fallback(method_not_allowed))
        .route("/sandbox/{*rest}", any(unknown))
        .route("/sandbox/", any(unknown))
        // The exchange has already limited the body.
        .layer(DefaultBodyLimit::disable())
        .layer(map_response(no_store))
        .layer(from_fn_with_state(state.clone(), check_origin))
}

async fn unknown() -> ApiError {
    ApiError::new(StatusCode::NOT_FOUND, "not_found", "there is no such admin call")
}

/// Forbids caches, since these responses contain secrets.
async fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

type JsonResult = Result<Json<Value>, ApiError>;
type EmptyResult = Result<StatusCode, ApiError>;

/// Returns the show that a call names. Besides `show` the call accepts these parameters.
fn show<'a>(state: &'a SystemState, uri: &Uri, parameters: &[&str]) -> Result<&'a Show, ApiError> {
    let query = uri.query().unwrap_or_default();
    let unknown = |name: &str| name != "show" && !parameters.contains(&name);
    if let Some((name, _)) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| unknown(name)) {
        let known = ["show"].iter().chain(parameters).copied().collect::<Vec<_>>().join(", ");
        return Err(ApiError::parameter(&name, &format!("there is no such parameter, expected {known}")));
    }
    state.show(query_parameter(Some(query), "show").as_deref())
}

fn invalid_body(error: impl std::fmt::Display) -> ApiError {
    ApiError::bad_request("invalid_body", error.to_string())
}

/// The 400 for invalid data. The source of the error names the mistake.
fn invalid_data(error: &Error) -> ApiError {
    invalid_body(std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string))
}

/// Parses a JSON body of any content type.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    serde_json::from_slice(body).map_err(invalid_body)
}

async fn shows(Context(state): Context<SystemState>, uri: Uri, headers: HeaderMap) -> JsonResult {
    show(&state, &uri, &[])?;
    // The origin check has already validated it.
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let shows: Vec<Value> = state
        .shows
        .iter()
        .map(|show| {
            json!({
                "client_id": show.client_id(),
                "client_secret": show.client_secret(),
                "url": format!("http://{host}"),
                "token_url": format!("http://{host}{}", TOKEN_PATH),
            })
        })
        .collect();
    Ok(Json(json!({ "shows": shows })))
}

async fn issue_token(Context(state): Context<SystemState>, uri: Uri) -> JsonResult {
    let show = show(&state, &uri, &[])?;
    let seconds = show.behavior().token_lifetime.as_secs();
    Ok(Json(json!({ "access_token": show.issue_token(), "token_type": "Bearer", "expires_in": seconds })))
}

/// The tokens to revoke.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    kind: Option<TokenKind>,
}

#[derive(PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TokenKind {
    Access,
    Refresh,
}

async fn revoke_tokens(Context(state): Context<SystemState>, uri: Uri, body: Bytes) -> EmptyResult {
    let show = show(&state, &uri, &[])?;
    let Revocation { kind } = if body.is_empty() { Revocation::default() } else { parse(&body)? };
    if kind != Some(TokenKind::Refresh) {
        show.revoke_tokens();
    }
    if kind != Some(TokenKind::Access) {
        show.revoke_refresh_tokens();
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn journal(Context(state): Context<SystemState>, uri: Uri) -> Result<Json<Vec<RecordedRequest>>, ApiError> {
    let show = show(&state, &uri, &["method", "path", "last"])?;
    let get = |name| query_parameter(uri.query(), name);
    let (method, path) = (get("method"), get("path"));
    let last = get("last").map(|last| last.parse::<usize>()).transpose();
    let last = last.map_err(|_| ApiError::parameter("last", "expected a whole number"))?;
    let is_wanted = |entry: &RecordedRequest| {
        method.as_ref().is_none_or(|method| entry.method.eq_ignore_ascii_case(method))
            && path.as_ref().is_none_or(|path| path_matches(path, entry.without_query()))
    };
    let mut entries = show.traffic.log().journal.entries(is_wanted);
    if let Some(last) = last {
        entries.drain(..entries.len().saturating_sub(last));
    }
    Ok(Json(entries))
}

async fn clear_journal(Context(state): Context<SystemState>, uri: Uri) -> EmptyResult {
    show(&state, &uri, &[])?.clear_journal();
    Ok(StatusCode::NO_CONTENT)
}

async fn faults(Context(state): Context<SystemState>, uri: Uri) -> Result<Json<Script>, ApiError> {
    Ok(Json(show(&state, &uri, &[])?.faults()))
}

async fn order_faults(Context(state): Context<SystemState>, uri: Uri, body: Bytes) -> Result<Json<Script>, ApiError> {
    let show = show(&state, &uri, &[])?;
    let is_list = body.trim_ascii_start().starts_with(b"[");
    show.script(if is_list { parse::<Script>(&body)? } else { parse::<Step>(&body)?.into() });
    Ok(Json(show.faults()))
}

async fn clear_faults(Context(state): Context<SystemState>, uri: Uri) -> EmptyResult {
    show(&state, &uri, &[])?.clear_faults();
    Ok(StatusCode::NO_CONTENT)
}

async fn behavior(Context(state): Context<SystemState>, uri: Uri) -> Result<Json<Behavior>, ApiError> {
    Ok(Json(show(&state, &uri, &[])?.behavior()))
}

async fn change_behavior(
    Context(state): Context<SystemState>,
    uri: Uri,
    body: Bytes,
) -> Result<Json<Behavior>, ApiError> {
    let show = show(&state, &uri, &[])?;
    let fields: Map<String, Value> = parse(&body)?;
    // Under one lock, so that no concurrent change is lost.
    let known = &mut show.state().behavior;
    *known = known.with(fields).map_err(|error| invalid_data(&error))?;
    Ok(Json(known.clone()))
}

async fn exports(Context(state): Context<SystemState>, uri: Uri) -> JsonResult {
    Ok(catalog(&show(&state, &uri, &[])?.exports()))
}

async fn add_exports(Context(state): Context<SystemState>, uri: Uri, body: Bytes) -> JsonResult {
    let show = show(&state, &uri, &[])?;
    let text = std::str::from_utf8(&body).map_err(invalid_body)?;
    let exports = Export::from_json(text).map_err(|error| invalid_data(&error))?;
    let known = &mut show.state().exports;
    for export in exports {
        match known.iter_mut().find(|known| known.id == export.id) {
            Some(known) => *known = export,
            None => known.push(export),
        }
    }
    Ok(catalog(known))
}

async fn remove_export(Context(state): Context<SystemState>, uri: Uri, Path(id): Path<String>) -> EmptyResult {
    let show = show(&state, &uri, &[])?;
    let known = &mut show.state().exports;
    let before = known.len();
    known.retain(|export| export.id != id);
    if known.len() == before { Err(ApiError::not_found("export", &id)) } else { Ok(StatusCode::NO_CONTENT) }
}

fn catalog(exports: &[Export]) -> Json<Value> {
    Json(exports.iter().map(Export::json).collect())
}

async fn clock(Context(state): Context<SystemState>, uri: Uri) -> JsonResult {
    Ok(now(show(&state, &uri, &[])?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance: Seconds,
}

async fn advance_clock(Context(state): Context<SystemState>, uri: Uri, body: Bytes) -> JsonResult {
    let show = show(&state, &uri, &[])?;
    let Advance { advance: Seconds(by) } = parse(&body)?;
    show.advance(by);
    Ok(now(show))
}

fn now(show: &Show) -> Json<Value> {
    Json(json!({ "now": show.clock().now() }))
}

async fn snapshots(Context(state): Context<SystemState>, uri: Uri) -> JsonResult {
    let show = show(&state, &uri, &[])?;
    let snapshots = state.snapshots();
    let names = snapshots.keys().filter(|(id, _)| id == show.client_id()).map(|(_, name)| Value::from(name.as_str()));
    Ok(Json(names.collect()))
}

async fn make_snapshot(Context(state): Context<SystemState>, uri: Uri, Path(name): Path<String>) -> EmptyResult {
    let show = show(&state, &uri, &[])?;
    state.snapshots().insert((show.client_id().to_owned(), name), show.snapshot());
    Ok(StatusCode::NO_CONTENT)
}

async fn restore_snapshot(Context(state): Context<SystemState>, uri: Uri, Path(name): Path<String>) -> EmptyResult {
    let show = show(&state, &uri, &[])?;
    let key = (show.client_id().to_owned(), name);
    let snapshot = state.snapshots().get(&key).cloned().ok_or_else(|| ApiError::not_found("snapshot", &key.1))?;
    show.restore(&snapshot);
    Ok(StatusCode::NO_CONTENT)
}

async fn drop_snapshot(Context(state): Context<SystemState>, uri: Uri, Path(name): Path<String>) -> EmptyResult {
    let key = (show(&state, &uri, &[])?.client_id().to_owned(), name);
    let was_there = state.snapshots().remove(&key).is_some();
    was_there.then_some(StatusCode::NO_CONTENT).ok_or_else(|| ApiError::not_found("snapshot", &key.1))
}

async fn reset(Context(state): Context<SystemState>, uri: Uri) -> EmptyResult {
    show(&state, &uri, &[])?.reset();
    Ok(StatusCode::NO_CONTENT)
}
