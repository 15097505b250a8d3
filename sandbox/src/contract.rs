//! The contract: a request is checked against the document before anybody looks at what it wants.

use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State as Context};
use axum::http::header::ALLOW;
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::answer::{Refusal, refuse_method, unprocessable};
use crate::body;
use crate::document::{DOCUMENT, Found, Operation, Parameter, Place, RequestBody};
use crate::schema::Look;
use crate::show::Show;

/// Lets a request through that the document allows, and one of whose path it knows nothing.
pub(crate) async fn check(
    Context(show): Context<Arc<Show>>,
    request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let Some(found) = DOCUMENT.find(request.uri().path()) else {
        return Ok(next.run(request).await);
    };
    let (parts, body) = request.into_parts();
    // The exchange has bounded the body, and has it whole already.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let look = DOCUMENT.look(show.state().behavior.strict);
    allowed(&found, look, &parts.method, &parts.uri, &parts.headers, &body)?;
    Ok(next.run(Request::from_parts(parts, body.into())).await)
}

fn allowed(
    found: &Found<'_>,
    look: Look<'_>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<(), Refusal> {
    let Some(operation) = found.operation(method) else {
        let refusal = refuse_method(method, uri);
        return Err(match HeaderValue::from_str(&found.allowed()) {
            Ok(methods) => refusal.with_header(ALLOW, methods),
            Err(_) => refusal,
        });
    };
    for parameter in operation.parameters.iter().filter(|parameter| parameter.place == Place::Path) {
        for (_, value) in found.values.iter().filter(|(name, _)| *name == parameter.name) {
            let decoded = percent_decode_str(value).decode_utf8();
            let decoded = decoded.map_err(|_| Refusal::parameter(&parameter.name, "it is not UTF-8"))?;
            judge(parameter, look, &decoded)?;
        }
    }
    query(operation, look, uri.query().unwrap_or_default())?;
    match &operation.request_body {
        Some(expected) => content(expected, found.is_bulk, look, headers, body),
        None => Ok(()),
    }
}

fn query(operation: &Operation, look: Look<'_>, query: &str) -> Result<(), Refusal> {
    let mut known: Vec<(&Parameter, bool)> = operation
        .parameters
        .iter()
        .filter(|parameter| parameter.place == Place::Query)
        .map(|parameter| (parameter, false))
        .collect();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match known.iter_mut().find(|(parameter, _)| parameter.name == name) {
            Some((_, true)) => return Err(Refusal::parameter(&name, "it is given twice")),
            Some((parameter, is_given)) => {
                *is_given = true;
                judge(parameter, look, &value)?;
            }
            // Passed over, it would make a list that looks filtered.
            None if operation.is_list() || look.strict => {
                return Err(Refusal::parameter(&name, "the document has no such parameter here"));
            }
            None => {}
        }
    }
    match known.iter().find(|(parameter, is_given)| parameter.required && !is_given) {
        Some((parameter, _)) => Err(Refusal::parameter(&parameter.name, "it is missing")),
        None => Ok(()),
    }
}

fn judge(parameter: &Parameter, look: Look<'_>, text: &str) -> Result<(), Refusal> {
    let problems = look.problems(&parameter.schema, &look.value(&parameter.schema, text), "");
    match problems.first() {
        None => Ok(()),
        Some(problem) => Err(Refusal::parameter(&parameter.name, &problem.message)),
    }
}

fn content(
    expected: &RequestBody,
    is_bulk: bool,
    look: Look<'_>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<(), Refusal> {
    if body.is_empty() && !expected.required {
        return Ok(());
    }
    let value = body::json(headers, body)?;
    let Some(schema) = expected.schema() else {
        return Ok(());
    };
    let is_right_as_a_whole =
        matches!((schema.is_array(), &value), (true, Value::Array(_)) | (false, Value::Object(_)));
    if !is_right_as_a_whole {
        return Err(body::wrong_shape(if schema.is_array() { "array" } else { "object" }, &value));
    }
    // Each record of a bulk call succeeds or fails for itself.
    let problems = if is_bulk { Vec::new() } else { look.problems(schema, &value, "") };
    if problems.is_empty() { Ok(()) } else { Err(unprocessable(problems)) }
}
