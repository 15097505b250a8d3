//! The document as the page shows it: this sandbox as its server, sources in words, and examples that work here and now.

use axum::http::uri::Authority;
use serde_json::{Map, Value, json};

use super::examples::Examples;
use crate::show::Show;
use crate::token;

const VENDORED: &str = include_str!("../../openapi/perenso.json");

/// The document for a show, as JSON. Without a host that makes sense its addresses are relative.
pub(super) fn served(show: &Show, host: Option<&str>) -> serde_json::Result<Vec<u8>> {
    let origin =
        host.and_then(|host| host.parse::<Authority>().ok()).map_or(String::new(), |at| format!("http://{at}"));
    let mut document: Value = serde_json::from_str(VENDORED)?;
    let server = if origin.is_empty() { "/" } else { &origin };
    document["servers"] = json!([{ "url": server, "description": "This sandbox. It is not the Perenso service." }]);
    let flow = &mut document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"];
    for address in ["tokenUrl", "refreshUrl"] {
        flow[address] = format!("{origin}{}", token::PATH).into();
    }
    let examples = Examples::of(show);
    let pages = document["x-pages"].clone();
    let schemas = document["components"]["schemas"].clone();
    for operation in operations(&mut document) {
        name_source(operation, &pages);
        fill_in(operation, &examples, &schemas);
    }
    show_errors(&mut document["components"]["responses"]);
    serde_json::to_vec(&document)
}

fn operations(document: &mut Value) -> impl Iterator<Item = &mut Map<String, Value>> {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    let methods = paths.filter_map(Value::as_object_mut).flat_map(Map::values_mut);
    methods.filter_map(Value::as_object_mut).filter(|operation| operation.contains_key("operationId"))
}

/// Says below the description where an operation is known from, and whether it was seen or inferred.
fn name_source(operation: &mut Map<String, Value>, pages: &Value) {
    let source = operation.get("x-source").cloned().unwrap_or_default();
    let keys = source["pages"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let link = |key: &str| match pages[key].as_str() {
        Some(address) if address.starts_with("https://") => format!("the vendor's page [{key}]({address})"),
        _ => "the vendor's guide".to_owned(),
    };
    let links = keys.map(link).collect::<Vec<_>>().join(" and ");
    let note = source["note"].as_str().unwrap_or_default();
    let line = match source["status"].as_str() {
        Some("seen") => format!("**Seen** in {links}."),
        _ if note.is_empty() => format!("**Inferred** from {links}."),
        _ => "**Inferred.**".to_owned(),
    };
    let named = pages.as_object().into_iter().flatten().filter(|(_, page)| page.as_str() != pages["seed"].as_str());
    let note = named.fold(note.to_owned(), |note, (key, page)| {
        note.replace(key, &format!("[{key}]({})", page.as_str().unwrap_or_default()))
    });
    let description = operation.get("description").and_then(Value::as_str).unwrap_or_default();
    let text = format!("{description}\n\n{line} {note}");
    operation.insert("description".to_owned(), text.trim().into());
}

/// Fills in what works. Examples of the schemas stay out of the parameters: they belong to no record of this show, and
/// the page would send every one of them.
fn fill_in(operation: &mut Map<String, Value>, examples: &Examples, schemas: &Value) {
    let Some(id) = operation.get("operationId").and_then(Value::as_str).map(str::to_owned) else {
        return;
    };
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let reference = parameter["schema"]["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
        if let Some(name) = reference {
            parameter["schema"] = schemas[name].clone();
        }
        if let Some(schema) = parameter["schema"].as_object_mut() {
            schema.remove("example");
        }
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        if let Some(value) = examples.parameter(&id, &name) {
            parameter["example"] = value;
        }
    }
    let bodies = examples.bodies(&id);
    if let Some(media) = operation.get_mut("requestBody").map(|body| &mut body["content"]["application/json"]) {
        match bodies.as_slice() {
            [] => {}
            [(_, body)] => media["example"] = body.clone(),
            several => {
                let named =
                    several.iter().map(|(name, body)| (name.clone(), json!({ "summary": name, "value": body })));
                media["examples"] = Value::Object(named.collect());
            }
        }
    }
}

/// Errors in the form that this sandbox gives them, which is a guess.
fn show_errors(responses: &mut Value) {
    let errors = [
        ("BadRequest", "bad_parameter", "`page`: expected a whole number from 1"),
        ("Unauthorized", "unauthorized", "the access token is unknown, expired or revoked"),
        ("NotFound", "not_found", "there is no customer \"zzzzzz\""),
        ("Unprocessable", "invalid_record", "warehouseID: there is no warehouse \"WH9999\""),
        ("TooManyRequests", "too_many_requests", "more than 300 requests in 60 seconds"),
    ];
    for (name, error, message) in errors {
        if let Some(response) = responses.get_mut(name) {
            response["content"]["application/json"]["example"] = json!({ "error": error, "message": message });
        }
    }
}
