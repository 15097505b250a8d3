//! The table of operations for the bridge.

use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Ident, parse_quote};

use crate::{
    fault::Fault,
    model::Document,
    prepare::{WITH_BODY, has_optional_body},
};

/// One generated call.
pub(crate) struct Entry {
    /// The place of the operation in the document.
    pub(crate) place: String,
    /// The operation id, which errors and logs show.
    pub(crate) id: String,
    /// The name in the generated code.
    pub(crate) generated: String,
    /// The name of its constant.
    pub(crate) constant: Ident,
    /// The number of values that its builder takes.
    pub(crate) values: usize,
    /// True if it is private to the crate.
    pub(crate) sealed: bool,
    /// The documentation of each parameter, by its name in the document.
    parameters: Vec<(String, String)>,
    /// The summary.
    pub(crate) summary: String,
    /// The path, with parameters in braces.
    pub(crate) path: String,
    /// The method, in upper case.
    pub(crate) method: String,
    idempotency: Ident,
}

impl Entry {
    /// Returns the documentation of a parameter by its Rust name, which differs in case and underscores.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        let bare = |name: &str| name.replace('_', "").to_lowercase();
        self.parameters.iter().find(|(wire, _)| bare(wire) == bare(name)).map(|(_, text)| text.as_str())
    }
}

/// Returns the generated calls: two for an operation whose body is optional.
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
        /// The properties of each operation in the document.
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
