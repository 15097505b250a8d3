//! The table of operations for the bridge.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Ident, LitStr, parse_quote};

use super::{
    compounds::Compound,
    multipart::{Form, Part},
    success::Others,
};
use crate::{
    document::operations::REST_OF_PATH,
    generate::prepare::{WITH_BODY, has_optional_body},
    generate::settings::Settings,
    model::{Model, Operation, text},
    normalize::{names::snake, operations::forms::SEPARATORS},
    rewrite::walk::Rewrite,
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
    /// True if it is the second call of an operation with an optional body.
    pub(crate) is_twin: bool,
    /// True if it has parameters that are headers or cookies.
    pub(crate) has_headers: bool,
    /// True if its body has several parts.
    pub(crate) is_multipart: bool,
    /// The separators of lists, if its body is a form.
    pub(crate) form: Option<Vec<(String, String)>>,
    /// The successful responses that are of another type.
    pub(crate) others: Others,
    /// The strings in its code that differ from what is sent: names of parameters, and the media type of a body of bytes.
    pub(crate) literals: Vec<(String, String)>,
    /// The parameters that the runtime writes, since they are lists, maps or cookies.
    pub(crate) compounds: Vec<Compound>,
    /// The documentation of each parameter, by its name in the document.
    parameters: Vec<(String, String)>,
    /// The summary.
    pub(crate) summary: String,
    /// The path, with parameters in braces, and an asterisk before one that is the rest of the path.
    pub(crate) path: String,
    /// The method, in upper case.
    pub(crate) method: String,
    idempotency: Ident,
}

impl Entry {
    /// Returns the separators of lists in a form, as an argument of the runtime.
    pub(crate) fn separators(&self) -> TokenStream {
        let (names, separators): (Vec<_>, Vec<_>) = self.form.iter().flatten().cloned().unzip();
        quote!(&[#((#names, #separators)),*])
    }

    /// Returns true for the parameter with this Rust name that is the rest of the path.
    pub(crate) fn is_rest(&self, name: &str) -> bool {
        let rest = self.path.split("{*").nth(1).and_then(|rest| rest.split('}').next());
        rest.is_some_and(|rest| snake(rest) == name.trim_end_matches('_'))
    }

    /// Returns the documentation of a parameter by its Rust name, which differs in case and punctuation.
    pub(crate) fn text(&self, name: &str) -> String {
        let bare = |name: &str| name.replace(|c: char| !c.is_alphanumeric(), "").to_lowercase();
        let parameter = self.parameters.iter().find(|(wire, _)| bare(wire) == bare(name));
        match parameter {
            Some((_, text)) if !text.is_empty() => text.clone(),
            Some((wire, _)) => format!("Sets `{wire}`."),
            None => format!("Sets `{name}`."),
        }
    }
}

/// Returns the generated calls: two for an operation whose body is optional.
pub(crate) fn entries(model: &Model) -> Vec<Entry> {
    let mut entries = Vec::new();
    for operation in model.operations() {
        let given = operation.node["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        let described = |node, name: &str| (name.to_string(), text(node, "description").to_string());
        let parameters: Vec<_> = given.iter().map(|parameter| described(parameter, text(parameter, "name"))).collect();
        let body = operation.node.get("requestBody").map(|body| {
            let (name, text) = described(body, "body");
            (name, [text, parts(model, body)].join("\n\n").trim().to_string())
        });
        let optional = has_optional_body(operation.node);
        let entry = |generated: String, body: Option<(String, String)>, is_twin: bool| {
            let is_multipart = body.is_some() && operation.node.pointer("/requestBody/x-perenso-multipart").is_some();
            let parameters: Vec<_> = parameters.iter().cloned().chain(body).collect();
            Entry {
                place: operation.place.clone(),
                id: operation.id.to_string(),
                constant: format_ident!("{}", generated.to_uppercase()),
                generated,
                values: parameters.len(),
                sealed: operation.is_sealed(),
                is_twin,
                has_headers: given.iter().any(|parameter| parameter["in"] == "header" || parameter["in"] == "cookie"),
                is_multipart,
                form: form(operation.node),
                others: Others::of(&operation),
                literals: literals(operation.node),
                compounds: given.iter().filter_map(Compound::of).collect(),
                parameters,
                summary: operation.summary(),
                method: operation.method.to_uppercase(),
                path: path(&operation),
                idempotency: format_ident!("{}", super::send::pascal(&operation.idempotency().replace('-', "_"))),
            }
        };
        entries.push(entry(operation.id.to_string(), body.clone().filter(|_| !optional), false));
        if optional {
            entries.push(entry(format!("{}{WITH_BODY}", operation.id), body, true));
        }
    }
    entries
}

/// Returns the path of an operation, with a mark on the parameter that is the rest of it.
fn path(operation: &Operation<'_>) -> String {
    let parameters = operation.node.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let rest = parameters.filter(|parameter| parameter.get(REST_OF_PATH) == Some(&Value::Bool(true)));
    rest.fold(operation.path.to_string(), |path, parameter| {
        let name = text(parameter, "name");
        path.replace(&format!("{{{name}}}"), &format!("{{*{name}}}"))
    })
}

/// Returns the separators of lists in a body that is a form.
fn form(operation: &Value) -> Option<Vec<(String, String)>> {
    let body = operation.get("requestBody")?;
    body.pointer("/content/application~1x-www-form-urlencoded")?;
    let separators = body.get(SEPARATORS).and_then(Value::as_object).into_iter().flatten();
    Some(separators.filter_map(|(name, separator)| Some((name.clone(), separator.as_str()?.to_string()))).collect())
}

/// Returns the documentation of the parts of a body that has several.
fn parts(model: &Model, body: &Value) -> String {
    let Some(Form { record, parts }) = Form::of(model, body).filter(|form| !form.parts.is_empty()) else {
        return String::new();
    };
    let parts = parts.into_iter().map(|Part { name, description, is_required, is_file, .. }| {
        let need = if is_required { ", required" } else { "" };
        let kind = if is_file { "a file" } else { "a field" };
        format!("- `{name}`: {kind}{need}. {description}").trim().to_string()
    });
    let parts = parts.collect::<Vec<_>>().join("\n");
    match record {
        Some(record) => format!("A [`types::{record}`], or any `Multipart`, with these parts:\n{parts}"),
        None => format!("Parts of the form:\n{parts}"),
    }
}

/// Returns the strings that the generated code has, with those that it has to send instead.
fn literals(operation: &Value) -> Vec<(String, String)> {
    let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
    let renamed = parameters.map(|parameter| (text(parameter, "name"), text(parameter, "x-perenso-wire-name")));
    let media_type = operation.get("requestBody").map(|body| text(body, "x-perenso-media-type")).unwrap_or_default();
    let is_valid = media_type.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    renamed
        .chain(is_valid.then_some(("application/octet-stream", media_type)))
        .filter(|(_, sent)| !sent.is_empty())
        .map(|(name, sent)| (name.to_string(), sent.to_string()))
        .collect()
}

/// Replaces the strings of one call by those that are sent.
pub(crate) struct Literals<'a>(pub(crate) &'a [(String, String)]);

impl Rewrite for Literals<'_> {
    fn literal(&mut self, node: &mut LitStr) {
        if let Some((_, sent)) = self.0.iter().find(|(name, _)| *name == node.value()) {
            *node = LitStr::new(sent, node.span());
        }
    }
}

/// Adds the module `operations`.
pub(crate) fn of_operations(file: &mut syn::File, model: &Model, settings: &Settings) {
    let runtime = &settings.runtime;
    let entries = entries(model);
    let rows = entries.iter().map(|Entry { constant, id, method, path, idempotency, .. }| {
        quote! {
            pub(crate) const #constant: Operation = Operation::new(#id, #method, #path, Idempotency::#idempotency);
        }
    });
    file.items.push(parse_quote! {
        /// The properties of each operation in the document.
        #[allow(dead_code)]
        pub(crate) mod operations {
            use #runtime::{Operation, auth::Idempotency};

            #(#rows)*
        }
    });
}
