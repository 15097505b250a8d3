//! The contract: every request is checked against the document before its handler runs.

use std::sync::Arc;

use axum::body::{Bytes, to_bytes};
use axum::extract::{Request, State as Context};
use axum::http::header::ALLOW;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::Response;
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::http::api_error::{ApiError, unprocessable, wrong_method};
use crate::http::body;
use crate::http::documented::Call;
use crate::model::document::{DOCUMENT, Location, Operation, Parameter, PathItem, RequestBody, Validator};
use crate::show::Show;

/// Rejects a request that breaks the contract. Paths that the document does not have pass. An operation of the sandbox's own
/// document that has no handler is responded to here.
pub(crate) async fn check(
    Context(show): Context<Arc<Show>>,
    request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let document = show.document();
    let Some(item) = document.path_item_with(request.uri().path(), request.method().as_str()) else {
        return Ok(next.run(request).await);
    };
    let (parts, body) = request.into_parts();
    // The exchange has limited the body and read all of it.
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let validator = document.validator(show.state().behavior.strict);
    let operation = check_request(&item, validator, &parts.method, &parts.uri, &parts.headers, &body)?;
    if !show.has_own_document() {
        return Ok(next.run(Request::from_parts(parts, body.into())).await);
    }
    let (method, path, headers) = (parts.method.as_str(), parts.uri.path(), &parts.headers);
    let call = Call { document, item: &item, method, path, headers, body: &body };
    // A resource that the vendored document has is read and written by the handlers of the sandbox, as far as they go.
    if DOCUMENT.has_resource(item.template) {
        let response = next.run(Request::from_parts(parts.clone(), body.clone().into())).await;
        let has_handler = ![StatusCode::NOT_IMPLEMENTED, StatusCode::METHOD_NOT_ALLOWED].contains(&response.status());
        if has_handler {
            return Ok(call.fit(operation, response).await);
        }
    }
    let state = &mut *show.state();
    let now = show.local_now(&state.behavior);
    call.respond(operation, state, now)
}

fn check_request<'a>(
    item: &PathItem<'a>,
    validator: Validator<'_>,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<&'a Operation, ApiError> {
    let Some(operation) = item.operation(method.as_str()) else {
        let error = wrong_method(method, uri);
        return Err(match HeaderValue::from_str(&item.allow()) {
            Ok(methods) => error.with_header(ALLOW, methods),
            Err(_) => error,
        });
    };
    for parameter in operation.parameters.iter().filter(|parameter| parameter.location == Location::Path) {
        for (_, value) in item.parameters.iter().filter(|(name, _)| *name == parameter.name) {
            let decoded = percent_decode_str(value).decode_utf8();
            let decoded = decoded.map_err(|_| ApiError::parameter(&parameter.name, "it is not UTF-8"))?;
            check_parameter(parameter, validator, &decoded)?;
        }
    }
    check_query(operation, validator, uri.query().unwrap_or_default())?;
    for parameter in operation.parameters.iter().filter(|parameter| parameter.location == Location::Header) {
        match headers.get(parameter.sent_name()).map(HeaderValue::to_str) {
            Some(Ok(value)) => check_parameter(parameter, validator, value)?,
            Some(Err(_)) => return Err(ApiError::parameter(&parameter.name, "it is not ASCII")),
            None if parameter.required => return Err(ApiError::parameter(&parameter.name, "it is missing")),
            None => {}
        }
    }
    if let Some(expected) = &operation.request_body {
        check_body(expected, item.is_bulk, validator, headers, body)?;
    }
    Ok(operation)
}

fn check_query(operation: &Operation, validator: Validator<'_>, query: &str) -> Result<(), ApiError> {
    let mut known: Vec<(&Parameter, Vec<String>)> = operation
        .parameters
        .iter()
        .filter(|parameter| parameter.location == Location::Query)
        .map(|parameter| (parameter, Vec::new()))
        .collect();
    let has_map = known.iter().any(|(parameter, _)| validator.is_object(&parameter.schema));
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match known.iter_mut().find(|(parameter, _)| parameter.sent_name() == name) {
            Some((parameter, values)) if validator.is_array(&parameter.schema) => match parameter.separator() {
                Some(separator) => values.extend(value.split(separator).map(str::to_owned)),
                None => values.push(value.into_owned()),
            },
            Some((_, values)) if !values.is_empty() => return Err(ApiError::parameter(&name, "it is given twice")),
            Some((parameter, values)) => {
                check_parameter(parameter, validator, &value)?;
                values.push(value.into_owned());
            }
            // A list that ignored it would look filtered.
            // A parameter that is a map has any names.
            None if has_map => {}
            None if operation.is_list() || validator.strict => {
                return Err(ApiError::parameter(&name, "the document has no such parameter here"));
            }
            None => {}
        }
    }
    for (parameter, values) in known {
        if values.is_empty() && parameter.required && !validator.is_object(&parameter.schema) {
            return Err(ApiError::parameter(parameter.sent_name(), "it is missing"));
        }
        if !values.is_empty() && validator.is_array(&parameter.schema) {
            let value = validator.parse_list(&parameter.schema, values.iter().map(String::as_str));
            check_value(parameter, validator, &value)?;
        }
    }
    Ok(())
}

fn check_parameter(parameter: &Parameter, validator: Validator<'_>, text: &str) -> Result<(), ApiError> {
    // In a path and in a header, commas separate the values of a list.
    let value = match validator.is_array(&parameter.schema) {
        true => validator.parse_list(&parameter.schema, text.split(',').map(str::trim)),
        false => validator.parse(&parameter.schema, text),
    };
    check_value(parameter, validator, &value)
}

fn check_value(parameter: &Parameter, validator: Validator<'_>, value: &Value) -> Result<(), ApiError> {
    match validator.check(&parameter.schema, value, "").first() {
        None => Ok(()),
        Some(problem) => Err(ApiError::parameter(parameter.sent_name(), &problem.message)),
    }
}

fn check_body(
    expected: &RequestBody,
    is_bulk: bool,
    validator: Validator<'_>,
    headers: &HeaderMap,
    body: &Bytes,
) -> Result<(), ApiError> {
    if body.is_empty() && !expected.required {
        return Ok(());
    }
    if let Some(media_type) = expected.other_media_type() {
        // Of other bodies the type alone is checked.
        return body::expect(headers, media_type);
    }
    let value = body::json(headers, body)?;
    let Some(schema) = expected.schema() else {
        return Ok(());
    };
    let wrong_shape = match &value {
        Value::Array(_) => validator.is_object(schema).then_some("object"),
        Value::Object(_) => validator.is_array(schema).then_some("array"),
        _ if validator.is_array(schema) => Some("array"),
        _ => validator.is_object(schema).then_some("object"),
    };
    if let Some(expected) = wrong_shape {
        return Err(body::wrong_shape(expected, &value));
    }
    // Each record of a bulk call succeeds or fails by itself.
    let problems = if is_bulk { Vec::new() } else { validator.check(schema, &value, "") };
    if problems.is_empty() { Ok(()) } else { Err(unprocessable(problems)) }
}
