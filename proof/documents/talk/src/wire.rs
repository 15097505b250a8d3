//! Compares a request with the values that were set, and with the parameters of the document.

use serde_json::Value;

use crate::{
    document::{Documents, Parameter},
    proxy::Exchange,
    values::Values,
};

/// Checks that a request has every value, as the vendor's document writes it.
///
/// # Errors
/// The difference.
pub(crate) fn check(documents: &Documents, values: &Values<'_>, exchange: &Exchange) -> Result<(), String> {
    let query: Vec<(String, String)> =
        form_urlencoded::parse(exchange.request.uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    let set = values.set.borrow();
    for (parameter, value) in set.iter() {
        let (name, expected) = (&parameter.name, parameter.text(value));
        match parameter.place {
            "query" => {
                let sent: Vec<_> =
                    query.iter().filter(|(key, _)| key == name).map(|(_, value)| value.clone()).collect();
                let wanted = match value {
                    Value::Array(values) if parameter.separator.is_none() => {
                        values.iter().map(|value| parameter.text(value)).collect()
                    }
                    _ => vec![expected],
                };
                if sent != wanted {
                    return Err(format!("query `{name}` is {sent:?} instead of {wanted:?}"));
                }
            }
            "header" => {
                let sent = exchange.request.headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
                if sent.as_deref() != Some(&expected) {
                    return Err(format!("header `{name}` is {sent:?} instead of {expected:?}"));
                }
            }
            _ => {}
        }
    }
    path(values, &set, exchange)?;
    if !values.is_least() {
        let is_set = |name: &str| {
            let deep = format!("{name}[");
            set.iter().any(|(parameter, _)| parameter.name == name || parameter.name.starts_with(&deep))
        };
        let gone = documents.declared(values.operation).into_iter().find(|node| {
            let place = node["in"].as_str().unwrap_or_default();
            let name = node["name"].as_str().unwrap_or_default().trim_matches([' ', '*', '+']);
            // A path parameter that the path lacks has no place.
            let is_sent = place != "path" || values.operation.path.contains(&format!("{{{name}}}"));
            let is_known = ["query", "header", "cookie", "path"].contains(&place);
            is_known && is_sent && !is_set(name) && !documents.is_spread(node)
        });
        if let Some(node) = gone {
            return Err(format!("{} `{}` cannot be set", node["in"], node["name"]));
        }
    }
    if let Some(expected) = &*values.body.borrow() {
        body(expected, exchange)?;
    }
    Ok(())
}

fn path(values: &Values<'_>, set: &[(Parameter<'_>, Value)], exchange: &Exchange) -> Result<(), String> {
    let template = values.operation.path.replace("{*", "{");
    let template = template.split('?').next().unwrap_or_default();
    let sent: Vec<_> = exchange.request.uri.path().split('/').map(decoded).collect();
    let wanted = template.split('/').map(|segment| {
        set.iter()
            .filter(|(parameter, _)| parameter.place == "path")
            .fold(segment.to_owned(), |segment, (parameter, value)| {
                segment.replace(&format!("{{{}}}", parameter.name), &parameter.text(value))
            })
    });
    let wanted: Vec<_> = wanted.collect();
    let is_equal = match values.operation.path.contains("{*") {
        // The rest of a path is several segments.
        true => sent.join("/") == wanted.join("/"),
        false => sent == wanted,
    };
    if is_equal { Ok(()) } else { Err(format!("path is {sent:?} instead of {wanted:?}")) }
}

fn body(expected: &Value, exchange: &Exchange) -> Result<(), String> {
    let content_type = exchange.request.headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("");
    let sent: Value = match content_type.split(';').next() {
        Some("application/x-www-form-urlencoded") => return Ok(()),
        Some("text/plain") => String::from_utf8_lossy(&exchange.request_body).into(),
        _ => serde_json::from_slice(&exchange.request_body).map_err(|error| format!("the body is no JSON: {error}"))?,
    };
    match difference(expected, &sent, String::new()) {
        None => Ok(()),
        Some(difference) => Err(format!("the body differs at {difference}")),
    }
}

/// Returns the first place where a sent body differs. Equal numbers may be written in two ways.
fn difference(expected: &Value, sent: &Value, at: String) -> Option<String> {
    match (expected, sent) {
        (Value::Object(expected), Value::Object(sent)) => {
            let names: std::collections::BTreeSet<_> = expected.keys().chain(sent.keys()).collect();
            names.into_iter().find_map(|name| match (expected.get(name), sent.get(name)) {
                (Some(expected), Some(sent)) => difference(expected, sent, format!("{at}/{name}")),
                (expected, sent) => Some(format!("{at}/{name}: {sent:?} instead of {expected:?}")),
            })
        }
        (Value::Array(expected), Value::Array(sent)) if expected.len() == sent.len() => {
            let mut pairs = expected.iter().zip(sent).enumerate();
            pairs.find_map(|(index, (expected, sent))| difference(expected, sent, format!("{at}/{index}")))
        }
        (Value::Number(expected), Value::Number(sent)) if expected.as_f64() == sent.as_f64() => None,
        _ if expected == sent => None,
        _ => Some(format!("{at}: {sent} instead of {expected}")),
    }
}

fn decoded(segment: &str) -> String {
    let pair = format!("a={}", segment.replace('+', "%2B").replace('&', "%26"));
    form_urlencoded::parse(pair.as_bytes()).next().map_or_else(String::new, |(_, value)| value.into_owned())
}
