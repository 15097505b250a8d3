//! Bodies of several parts, which progenitor takes as bytes: the runtime writes them, with the boundary in the content type.

use std::collections::BTreeSet;

use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Expr, ExprMethodCall, Item, ItemStruct, Path, parse_quote, visit_mut::VisitMut};

use super::send::receiver;
use crate::{
    document::{
        pointer::{COMPONENTS, schema_name, segment},
        schemas::MULTIPART,
    },
    error::Fault,
    generate::settings::Settings,
    model::{Model, schema, text},
    normalize::operations::parts::PART_TYPES,
    rewrite::{
        find,
        walk::{Rewrite, Walk},
    },
};

/// The parts of a body that has several.
pub(crate) struct Form {
    /// The record with a field for each part, if there is one.
    pub(crate) record: Option<String>,
    pub(crate) parts: Vec<Part>,
}

/// A part of a body.
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) is_required: bool,
    /// True for a file, or a list of files.
    pub(crate) is_file: bool,
    media_type: Option<String>,
}

impl Form {
    /// Returns the form of a request body, if it is one of several parts.
    pub(crate) fn of(model: &Model, body: &Value) -> Option<Self> {
        let schema = body.get(MULTIPART)?;
        let resolve = |schema: &Value| {
            let name = schema_name(schema).or_else(|| schema_name(&schema["allOf"][0]));
            let named = name.and_then(|name| model.root.pointer(&format!("{COMPONENTS}{}", segment(&name))));
            named.unwrap_or(schema).clone()
        };
        let form = resolve(schema);
        let required = schema::texts(&form, "required");
        let is_file = |part: &Value| schema::marked(part) == Some("file") || text(part, "format") == "binary";
        let parts = form.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, part)| {
            let target = resolve(part);
            Part {
                name: name.clone(),
                description: text(part, "description").to_string(),
                is_required: required.contains(name),
                is_file: is_file(&target) || target.get("items").is_some_and(|item| is_file(&resolve(item))),
                media_type: body[PART_TYPES][name].as_str().map(str::to_string),
            }
        });
        Some(Self { parts: parts.collect(), record: schema_name(schema).filter(|_| schema::is_record(&form)) })
    }
}

/// Makes the record of each form, and its builder, a body of several parts.
pub(crate) fn take_records(file: &mut syn::File, model: &Model, settings: &Settings) -> Result<(), Fault> {
    let types = find::module(&mut file.items, &["types"])?;
    let mut done = BTreeSet::new();
    for operation in model.operations() {
        let Some(form) = operation.node.get("requestBody").and_then(|body| Form::of(model, body)) else { continue };
        let Some(name) = form.record.clone().filter(|name| done.insert(name.clone())) else { continue };
        let item = find::structs(types).find(|item| item.ident == name).map(|item| item.clone());
        let item = item.ok_or_else(|| Fault::missed(&operation.place, &format!("record `{name}`"), 1, 0))?;
        types.extend(conversions(&item, &form, settings));
    }
    Ok(())
}

/// Returns the conversions of a record and of its builder to a body of several parts.
fn conversions(item: &ItemStruct, form: &Form, settings: &Settings) -> [Item; 2] {
    let (runtime, record) = (&settings.runtime, &item.ident);
    let fields = item.fields.iter().filter(|field| !find::is_extra(field)).filter_map(|field| {
        let (wire, ident) = (find::wire_name(field), field.ident.as_ref()?);
        let part = form.parts.iter().find(|part| part.name == wire)?;
        let is_optional = find::last_of(&field.ty).as_deref() == Some("Field");
        let inner =
            if is_optional { find::argument_of(&mut field.ty.clone()).cloned() } else { Some(field.ty.clone()) };
        let is_list = inner.is_some_and(|ty| find::last_of(&ty).as_deref() == Some("Vec"));
        let value = match (is_optional, is_list && part.is_file) {
            (true, true) => quote!(record.#ident.as_slice()),
            (true, false) => quote!(record.#ident.get()),
            (false, true) => quote!(&record.#ident),
            (false, false) => quote!(Some(&record.#ident)),
        };
        let media_type = match &part.media_type {
            Some(media_type) => quote!(Some(#media_type)),
            None => quote!(None),
        };
        Some(match part.is_file {
            true => quote!(parts.files(#wire, #value);),
            false => quote!(parts.value(#wire, #value, #media_type);),
        })
    });
    let builder = format_ident!("builder");
    [
        parse_quote! {
            impl ::std::convert::TryFrom<#record> for #runtime::Multipart {
                type Error = self::error::ConversionError;

                fn try_from(record: #record) -> ::std::result::Result<Self, self::error::ConversionError> {
                    let mut parts = #runtime::PartWriter::default();
                    #(#fields)*
                    parts.extra(&record.extra);
                    Ok(parts.finish()?)
                }
            }
        },
        parse_quote! {
            impl ::std::convert::TryFrom<#builder::#record> for #runtime::Multipart {
                type Error = self::error::ConversionError;

                fn try_from(value: #builder::#record) -> ::std::result::Result<Self, self::error::ConversionError> {
                    #record::try_from(value)?.try_into()
                }
            }
        },
    ]
}

/// Changes the type of the body in a builder. Returns the number of changes.
pub(crate) fn take_parts(builders: &mut [Item], builder: &str, runtime: &Path) -> usize {
    let mut bodies = Bodies { runtime, found: 0 };
    for item in builders {
        match item {
            Item::Struct(item) if item.ident == builder => Walk(&mut bodies).visit_item_struct_mut(item),
            Item::Impl(item) if find::last_of(&item.self_ty).as_deref() == Some(builder) => {
                Walk(&mut bodies).visit_item_impl_mut(item);
            }
            _ => {}
        }
    }
    bodies.found
}

/// Replaces `reqwest::Body` by the body of several parts.
struct Bodies<'a> {
    runtime: &'a Path,
    found: usize,
}

impl Rewrite for Bodies<'_> {
    fn path(&mut self, node: &mut Path) {
        let names: Vec<_> = node.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names == ["reqwest", "Body"] {
            let runtime = self.runtime;
            *node = parse_quote!(#runtime::Multipart);
            self.found += 1;
        }
    }
}

/// Replaces the header and the body of a request by several parts.
pub(crate) struct Parts<'a> {
    pub(crate) runtime: &'a Path,
    pub(crate) found: usize,
}

impl Rewrite for Parts<'_> {
    fn expr(&mut self, node: &mut Expr) {
        if let Expr::MethodCall(ExprMethodCall { method, args, .. }) = &*node
            && method == "body"
            && let Some(before) = receiver(node, "body").and_then(|headed| receiver(headed, "header"))
        {
            let runtime = self.runtime;
            *node = parse_quote!(#runtime::multipart(#before, &#args));
            self.found += 1;
        }
    }
}
