//! The table of operations: what the bridge needs to know of each.

use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Ident, parse_quote};

use crate::steps::{
    document::Document,
    fault::Fault,
    prepare::{WITH_BODY, has_optional_body},
};

/// One generated call.
pub(crate) struct Entry {
    /// Where the operation stands in the document.
    pub(crate) place: String,
    /// The operation, as errors and logs call it.
    pub(crate) id: String,
    /// What the generator calls it.
    pub(crate) generated: String,
    /// Its constant.
    pub(crate) constant: Ident,
    /// How many values its builder takes.
    pub(crate) values: usize,
    /// Whether it stays inside the crate.
    pub(crate) sealed: bool,
    /// The documentation of each parameter, by its name on the wire.
    parameters: Vec<(String, String)>,
    /// What it does, in a few words.
    pub(crate) summary: String,
    /// Its path, with parameters in braces.
    pub(crate) path: String,
    /// Its method, in capitals.
    pub(crate) method: String,
    idempotency: Ident,
}

impl Entry {
    /// The documentation of a parameter, by its name in Rust: it differs from that on the wire in case and underscores.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let bare = |name: &str| name.replace('_', "").to_lowercase();
        self.parameters.iter().find(|(wire, _)| bare(wire) == bare(name)).map(|(_, text)| text.as_str())
    }
}

/// The calls that the generator makes of the document: two of an operation whose body is optional.
pub(crate) fn entries(document: &Document) -> Result<Vec<Entry>, Fault> {
    let mut entries = Vec::new();
    for operation in document.operations()? {
        let parameters: Vec<_> = operation.node["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|parameter| (text(&parameter["name"]), text(&parameter["description"])))
            .collect();
        let body = operation.node.get("requestBody").map(|body| ("body".to_string(), text(&body["description"])));
        let optional = has_optional_body(operation.node);
        let entry = |generated: String, body: Option<(String, String)>| {
            let parameters: Vec<_> = parameters.iter().cloned().chain(body).collect();
            Entry {
                place: operation.place.clone(),
                id: operation.id.to_string(),
                constant: format_ident!("{}", generated.to_uppercase()),
                generated,
                values: parameters.len(),
                sealed: operation.sealed,
                parameters,
                summary: text(&operation.node["summary"]),
                method: operation.method.to_uppercase(),
                path: operation.path.to_string(),
                idempotency: format_ident!("{}", super::send::pascal(&operation.idempotency.replace('-', "_"))),
            }
        };
        entries.push(entry(operation.id.to_string(), body.clone().filter(|_| !optional)));
        if optional {
            entries.push(entry(format!("{}{WITH_BODY}", operation.id), body));
        }
    }
    Ok(entries)
}

/// Adds the module `operations`.
pub(crate) fn of_operations(file: &mut syn::File, document: &Document) -> Result<(), Fault> {
    let entries = entries(document)?;
    let constants = entries.iter().map(|entry| &entry.constant);
    let rows = entries.iter().map(|Entry { constant, id, method, path, idempotency, .. }| {
        quote! {
            pub(crate) const #constant: Operation =
                Operation { id: #id, method: #method, path: #path, idempotency: Idempotency::#idempotency };
        }
    });
    file.items.push(parse_quote! {
        /// What the document says about each operation.
        pub(crate) mod operations {
            use perenso_auth::Idempotency;

            use crate::runtime::Operation;

            #(#rows)*

            pub(crate) const ALL: &[&Operation] = &[#(&#constants),*];
        }
    });
    Ok(())
}

fn text(node: &Value) -> String {
    node.as_str().unwrap_or_default().to_string()
}
