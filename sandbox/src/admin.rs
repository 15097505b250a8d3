//! Admin calls: what a test in another language has instead of the library, as JSON below `/sandbox`.

mod origin;

use std::sync::Arc;

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

use crate::answer::{Refusal, wrong_method};
use crate::behavior::Behavior;
use crate::error::Error;
use crate::export::Export;
use crate::journal::Recorded;
use crate::list::parameter;
use crate::lobby::Lobby;
use crate::script::{Script, Step};
use crate::seconds::Seconds;
use crate::show::Show;
use crate::target::matches;
use crate::token;

const ROOT: &str = "/sandbox";

/// Whether a path is that of an admin call.
pub(crate) fn knows(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

pub(crate) fn routes(lobby: &Lobby) -> Router<Lobby> {
    Router::new()
        .route(ROOT, get(shows).fallback(wrong_method))
        .route("/sandbox/token", post(issue_token).fallback(wrong_method))
        .route("/sandbox/tokens/revoke", post(revoke_tokens).fallback(wrong_method))
        .route("/sandbox/journal", get(journal).delete(clear_journal).fallback(wrong_method))
        .route("/sandbox/faults", get(faults).post(order_faults).delete(clear_faults).fallback(wrong_method))
        .route("/sandbox/behavior", get(behavior).put(change_behavior).fallback(wrong_method))
        .route("/sandbox/exports", get(exports).put(add_exports).fallback(wrong_method))
        .route("/sandbox/exports/{id}", delete(remove_export).fallback(wrong_method))
        .route("/sandbox/clock", get(clock).post(advance_clock).fallback(wrong_method))
        .route("/sandbox/snapshots", get(snapshots).fallback(wrong_method))
        .route("/sandbox/snapshots/{name}", post(make_snapshot).delete(drop_snapshot).fallback(wrong_method))
        .route("/sandbox/snapshots/{name}/restore", post(restore_snapshot).fallback(wrong_method))
        .route("/sandbox/reset", post(reset).fallback(wrong_method))
        .route("/sandbox/{*rest}", any(unknown))
        .route("/sandbox/", any(unknown))
        // The exchange has bounded the body already.
        .layer(DefaultBodyLimit::disable())
        .layer(map_response(unstored))
        .layer(from_fn_with_state(lobby.clone(), check_origin))
}

async fn unknown() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "not_found", "there is no such admin call")
}

/// Secrets and tokens are in these answers.
async fn unstored(mut answer: Response) -> Response {
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

type Answer = Result<Json<Value>, Refusal>;
type Done = Result<StatusCode, Refusal>;

/// The show that a call is for, which may have these parameters beside `show`.
fn show<'a>(lobby: &'a Lobby, uri: &Uri, parameters: &[&str]) -> Result<&'a Show, Refusal> {
    let query = uri.query().unwrap_or_default();
    let unknown = |name: &str| name != "show" && !parameters.contains(&name);
    if let Some((name, _)) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| unknown(name)) {
        let known = ["show"].iter().chain(parameters).copied().collect::<Vec<_>>().join(", ");
        return Err(Refusal::parameter(&name, &format!("there is no such parameter, expected {known}")));
    }
    let found = match parameter(Some(query), "show") {
        None => lobby.shows.first(),
        Some(id) => lobby.shows.iter().find(|show| show.client_id() == id),
    };
    let id = parameter(Some(query), "show").unwrap_or_default();
    found.map(Arc::as_ref).ok_or_else(|| Refusal::not_found("show", &id))
}

fn refused(error: impl std::fmt::Display) -> Refusal {
    Refusal::bad_request("invalid_body", error.to_string())
}

/// What is wrong with data, which the source of the error says.
fn told(error: &Error) -> Refusal {
    refused(std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string))
}

/// A JSON body, whatever its content type is called.
fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body).map_err(refused)
}

async fn shows(Context(lobby): Context<Lobby>, uri: Uri, headers: HeaderMap) -> Answer {
    show(&lobby, &uri, &[])?;
    // It was looked at before anything else.
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let shows: Vec<Value> = lobby
        .shows
        .iter()
        .map(|show| {
            json!({
                "client_id": show.client_id(),
                "client_secret": show.client_secret(),
                "url": format!("http://{host}"),
                "token_url": format!("http://{host}{}", token::PATH),
            })
        })
        .collect();
    Ok(Json(json!({ "shows": shows })))
}

async fn issue_token(Context(lobby): Context<Lobby>, uri: Uri) -> Answer {
    let show = show(&lobby, &uri, &[])?;
    let seconds = show.behavior().token_lifetime.as_secs();
    Ok(Json(json!({ "access_token": show.issue_token(), "token_type": "Bearer", "expires_in": seconds })))
}

/// Which tokens die.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Revocation {
    kind: Option<Kind>,
}

#[derive(PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Access,
    Refresh,
}

async fn revoke_tokens(Context(lobby): Context<Lobby>, uri: Uri, body: Bytes) -> Done {
    let show = show(&lobby, &uri, &[])?;
    let Revocation { kind } = if body.is_empty() { Revocation::default() } else { read(&body)? };
    if kind != Some(Kind::Refresh) {
        show.revoke_tokens();
    }
    if kind != Some(Kind::Access) {
        show.revoke_refresh_tokens();
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn journal(Context(lobby): Context<Lobby>, uri: Uri) -> Result<Json<Vec<Recorded>>, Refusal> {
    let show = show(&lobby, &uri, &["method", "path", "last"])?;
    let get = |name| parameter(uri.query(), name);
    let (method, path) = (get("method"), get("path"));
    let last = get("last").map(|last| last.parse::<usize>()).transpose();
    let last = last.map_err(|_| Refusal::parameter("last", "expected a whole number"))?;
    let is_wanted = |entry: &Recorded| {
        method.as_ref().is_none_or(|method| entry.method.eq_ignore_ascii_case(method))
            && path.as_ref().is_none_or(|path| matches(path, entry.without_query()))
    };
    let mut entries = show.traffic.log().journal.entries(is_wanted);
    if let Some(last) = last {
        entries.drain(..entries.len().saturating_sub(last));
    }
    Ok(Json(entries))
}

async fn clear_journal(Context(lobby): Context<Lobby>, uri: Uri) -> Done {
    show(&lobby, &uri, &[])?.clear_journal();
    Ok(StatusCode::NO_CONTENT)
}

async fn faults(Context(lobby): Context<Lobby>, uri: Uri) -> Result<Json<Script>, Refusal> {
    Ok(Json(show(&lobby, &uri, &[])?.faults()))
}

async fn order_faults(Context(lobby): Context<Lobby>, uri: Uri, body: Bytes) -> Result<Json<Script>, Refusal> {
    let show = show(&lobby, &uri, &[])?;
    let is_list = body.trim_ascii_start().starts_with(b"[");
    show.script(if is_list { read::<Script>(&body)? } else { read::<Step>(&body)?.into() });
    Ok(Json(show.faults()))
}

async fn clear_faults(Context(lobby): Context<Lobby>, uri: Uri) -> Done {
    show(&lobby, &uri, &[])?.clear_faults();
    Ok(StatusCode::NO_CONTENT)
}

async fn behavior(Context(lobby): Context<Lobby>, uri: Uri) -> Result<Json<Behavior>, Refusal> {
    Ok(Json(show(&lobby, &uri, &[])?.behavior()))
}

async fn change_behavior(Context(lobby): Context<Lobby>, uri: Uri, body: Bytes) -> Result<Json<Behavior>, Refusal> {
    let show = show(&lobby, &uri, &[])?;
    let fields: Map<String, Value> = read(&body)?;
    // Under one lock, so that no change of somebody else is lost.
    let known = &mut show.state().behavior;
    *known = known.with(fields).map_err(|error| told(&error))?;
    Ok(Json(known.clone()))
}

async fn exports(Context(lobby): Context<Lobby>, uri: Uri) -> Answer {
    Ok(catalog(&show(&lobby, &uri, &[])?.exports()))
}

async fn add_exports(Context(lobby): Context<Lobby>, uri: Uri, body: Bytes) -> Answer {
    let show = show(&lobby, &uri, &[])?;
    let text = std::str::from_utf8(&body).map_err(refused)?;
    let exports = Export::from_json(text).map_err(|error| told(&error))?;
    let known = &mut show.state().exports;
    for export in exports {
        match known.iter_mut().find(|known| known.id == export.id) {
            Some(known) => *known = export,
            None => known.push(export),
        }
    }
    Ok(catalog(known))
}

async fn remove_export(Context(lobby): Context<Lobby>, uri: Uri, Path(id): Path<String>) -> Done {
    let show = show(&lobby, &uri, &[])?;
    let known = &mut show.state().exports;
    let before = known.len();
    known.retain(|export| export.id != id);
    if known.len() == before { Err(Refusal::not_found("export", &id)) } else { Ok(StatusCode::NO_CONTENT) }
}

fn catalog(exports: &[Export]) -> Json<Value> {
    Json(exports.iter().map(Export::json).collect())
}

async fn clock(Context(lobby): Context<Lobby>, uri: Uri) -> Answer {
    Ok(now(show(&lobby, &uri, &[])?))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    advance: Seconds,
}

async fn advance_clock(Context(lobby): Context<Lobby>, uri: Uri, body: Bytes) -> Answer {
    let show = show(&lobby, &uri, &[])?;
    let Advance { advance: Seconds(by) } = read(&body)?;
    show.advance(by);
    Ok(now(show))
}

fn now(show: &Show) -> Json<Value> {
    Json(json!({ "now": show.clock().now() }))
}

async fn snapshots(Context(lobby): Context<Lobby>, uri: Uri) -> Answer {
    let show = show(&lobby, &uri, &[])?;
    let shelf = lobby.shelf();
    let names = shelf.keys().filter(|(id, _)| id == show.client_id()).map(|(_, name)| Value::from(name.as_str()));
    Ok(Json(names.collect()))
}

async fn make_snapshot(Context(lobby): Context<Lobby>, uri: Uri, Path(name): Path<String>) -> Done {
    let show = show(&lobby, &uri, &[])?;
    lobby.shelf().insert((show.client_id().to_owned(), name), show.snapshot());
    Ok(StatusCode::NO_CONTENT)
}

async fn restore_snapshot(Context(lobby): Context<Lobby>, uri: Uri, Path(name): Path<String>) -> Done {
    let show = show(&lobby, &uri, &[])?;
    let key = (show.client_id().to_owned(), name);
    let snapshot = lobby.shelf().get(&key).cloned().ok_or_else(|| Refusal::not_found("snapshot", &key.1))?;
    show.restore(&snapshot);
    Ok(StatusCode::NO_CONTENT)
}

async fn drop_snapshot(Context(lobby): Context<Lobby>, uri: Uri, Path(name): Path<String>) -> Done {
    let key = (show(&lobby, &uri, &[])?.client_id().to_owned(), name);
    let was_there = lobby.shelf().remove(&key).is_some();
    was_there.then_some(StatusCode::NO_CONTENT).ok_or_else(|| Refusal::not_found("snapshot", &key.1))
}

async fn reset(Context(lobby): Context<Lobby>, uri: Uri) -> Done {
    show(&lobby, &uri, &[])?.reset();
    Ok(StatusCode::NO_CONTENT)
}
