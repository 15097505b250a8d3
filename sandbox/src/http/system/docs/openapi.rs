//! The document of the page: this sandbox as its server, sources in prose, and examples that work.

use axum::http::uri::Authority;
use serde_json::{Value, json};

use super::examples::Examples;
use super::node::Node;
use crate::show::{Show, TOKEN_PATH};

/// The note on a repeated create.
const CREATED_TWICE: &str = "In this sandbox a second call with the same body creates a second customer of the same \
    `customerID`; with the switch `unique_customer_id` it is rejected.";

/// Returns the document for a show, as JSON. Without a valid host its addresses are relative.
pub(super) fn served(show: &Show, host: Option<&str>) -> serde_json::Result<Vec<u8>> {
    let origin =
        host.and_then(|host| host.parse::<Authority>().ok()).map_or(String::new(), |at| format!("http://{at}"));
    let mut document: Node = serde_json::from_str(show.document().text())?;
    let server = if origin.is_empty() { "/" } else { &origin };
    document.set("servers", json!([{ "url": server, "description": "This sandbox. It is not the Perenso service." }]));
    if let Some(flow) = document.at(&["components", "securitySchemes", "oauth2", "flows", "clientCredentials"]) {
        for address in ["tokenUrl", "refreshUrl"] {
            flow.set(address, format!("{origin}{}", TOKEN_PATH));
        }
    }
    if show.has_own_document() {
        return serde_json::to_vec(&document);
    }
    let examples = Examples::of(show);
    let part = |document: &mut Node, path: &[&str]| document.at(path).cloned().unwrap_or(Node::Other(Value::Null));
    let pages = part(&mut document, &["x-pages"]);
    let schemas = part(&mut document, &["components", "schemas"]);
    let paths = document.at(&["paths"]).into_iter().flat_map(Node::children);
    for operation in paths.flat_map(Node::children).filter(|operation| operation.get("operationId").is_some()) {
        name_source(operation, &pages);
        if !show.behavior().unique_customer_id && operation.text("operationId") == "customer_create" {
            let description = format!("{}\n\n{CREATED_TWICE}", operation.text("description"));
            operation.set("description", description);
        }
        name_statuses(operation);
        fill_in(operation, &examples, &schemas);
    }
    serde_json::to_vec(&document)
}

/// Replaces `2XX` by the statuses that the sandbox returns, since the page looks for the exact one.
fn name_statuses(operation: &mut Node) {
    let Some(responses) = operation.at(&["responses"]) else { return };
    let Some(success) = responses.get("2XX").cloned() else { return };
    responses.remove("2XX");
    for status in ["200", "204"] {
        responses.set(status, success.clone());
    }
}

/// Appends the source of an operation to its description, and whether it was seen or inferred.
fn name_source(operation: &mut Node, pages: &Node) {
    let source = operation.get("x-source").cloned().unwrap_or(Node::Other(Value::Null));
    let link = |key: &str| match pages.text(key) {
        address if address.starts_with("https://") => format!("the vendor's page [{key}]({address})"),
        _ => "the vendor's guide".to_owned(),
    };
    let keys = match source.get("pages") {
        Some(Node::List(keys)) => keys.as_slice(),
        _ => &[],
    };
    let keys = keys.iter().filter_map(|key| if let Node::Other(key) = key { key.as_str() } else { None });
    let links = keys.map(link).collect::<Vec<_>>().join(" and ");
    let note = source.text("note");
    let line = match source.text("status") {
        "seen" => format!("**Seen** in {links}."),
        _ if note.is_empty() => format!("**Inferred** from {links}."),
        _ => "**Inferred.**".to_owned(),
    };
    let named = pages.members().map(|(key, _)| (key, pages.text(key))).filter(|(_, page)| page.starts_with("https://"));
    let note = named.fold(note.to_owned(), |note, (key, page)| note.replace(key, &format!("[{key}]({page})")));
    let description = format!("{}\n\n{line} {note}", operation.text("description"));
    operation.set("description", description.trim());
}

/// Adds examples that work. Examples of the schemas are removed from the parameters: they match no record of this show,
/// and the page would send all of them.
fn fill_in(operation: &mut Node, examples: &Examples, schemas: &Node) {
    let id = operation.text("operationId").to_owned();
    for parameter in operation.at(&["parameters"]).into_iter().flat_map(Node::children) {
        let schema = parameter.get("schema").and_then(|schema| schemas.get(schema.text("$ref").rsplit('/').next()?));
        if let Some(schema) = schema.cloned() {
            parameter.set("schema", schema);
        }
        if let Some(schema) = parameter.at(&["schema"]) {
            schema.remove("example");
        }
        match examples.parameter(&id, parameter.text("name")) {
            Some(value) => parameter.set("example", value),
            None => parameter.remove("example"),
        }
    }
    if let Some(media) = operation.at(&["requestBody", "content", "application/json"]) {
        match examples.body(&id) {
            Some(body) => media.set("example", body),
            None => media.remove("example"),
        }
    }
}
