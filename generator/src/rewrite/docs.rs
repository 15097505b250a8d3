//! Adds documentation where the generator writes none: setters, constructors, helpers.

use syn::{
    Attribute, Expr, Item, ItemMod, ItemStruct, ItemTrait, Lit, LitStr, Meta, TraitItem, parse_quote,
    visit_mut::VisitMut,
};

use super::{
    calls::{send::pascal, table},
    find,
    walk::{Rewrite, Walk},
};
use crate::{
    error::{Fault, count},
    generate::prepare::TWIN,
    generate::settings::Settings,
    model::{Model, schema},
};

/// The documentation of the generated modules. `RUNTIME` is the path of the runtime.
const MODULES: [(&str, &str); 3] = [
    (
        "types",
        "The records of the API.\n\nA field that the vendor does not document as required is a \
         [`Field`](RUNTIME::Field): missing, `null`, or a value. Undocumented fields are kept in `extra`. `Debug` hides \
         personal data; [`Reveal`](RUNTIME::Reveal) shows it.",
    ),
    ("builder", "Builders of calls: a setter for each parameter, then `send`."),
    ("prelude", "The traits of all operations, which must be in scope for calls."),
];

/// Documents public items without documentation.
pub(crate) fn on_everything(file: &mut syn::File, model: &Model, settings: &Settings) -> Result<(), Fault> {
    let records = schema::records(model);
    let types = find::module(&mut file.items, &["types"])?;
    let mut texts = Vec::new();
    for item in find::structs(types) {
        for field in &mut item.fields {
            if find::is_extra(field) {
                document_if_bare(&mut field.attrs, "Fields that the document does not name, as they came.");
            }
            let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
            texts.push((item.ident.to_string(), name, find::docs(&field.attrs)));
        }
    }
    for item in types.iter_mut() {
        match item {
            Item::Impl(item) if item.trait_.is_none() => find::functions(item)
                .filter(|function| function.sig.ident == "builder")
                .for_each(|function| document_if_bare(&mut function.attrs, "Builds a record field by field.")),
            Item::Mod(item) if item.ident == "builder" => document_if_bare(&mut item.attrs, "Builders of records."),
            Item::Mod(item) if item.ident == "error" => document_if_bare(&mut item.attrs, "Why a value is refused."),
            Item::Enum(item) => {
                document_if_bare(&mut item.attrs, "One of several kinds of values.");
                for variant in &mut item.variants {
                    document_if_bare(&mut variant.attrs, "A value of this kind.");
                }
            }
            Item::Struct(item) if !records.iter().any(|record| item.ident == record.name) => {
                item.fields.iter_mut().for_each(|field| document_if_bare(&mut field.attrs, "The value."))
            }
            _ => {}
        }
    }
    let builders = find::module_if_any(types, "builder").map_or(&mut [][..], Vec::as_mut_slice);
    for item in find::structs(builders) {
        let text = format!("Builds a [`{0}`](super::{0}) field by field.", item.ident);
        document_if_bare(&mut item.attrs, &text);
    }
    for item in find::inherent_impls(builders) {
        let of = find::last_of(&item.self_ty).unwrap_or_default();
        for function in find::functions(item) {
            let name = function.sig.ident.to_string();
            if let Some((_, _, text)) = texts.iter().find(|(record, field, _)| *record == of && *field == name) {
                document_if_bare(&mut function.attrs, text);
            }
        }
    }
    on_calls(file, model)?;
    on_modules(file, settings)?;
    cut_examples(file, model)?;
    Walk(&mut Marks).visit_file_mut(file);
    tolerate(file, model);
    Ok(())
}

/// Lets rustdoc pass the vendor's texts, whatever they look like to it. Links of our own are checked.
fn tolerate(file: &mut syn::File, model: &Model) {
    let own = model.operations().iter().any(|operation| operation.node.get("x-perenso-method").is_some());
    let mut lints: Attribute = parse_quote!(#[allow(rustdoc::bare_urls, rustdoc::invalid_html_tags)]);
    if !own {
        lints = parse_quote! {
            #[allow(rustdoc::bare_urls, rustdoc::broken_intra_doc_links, rustdoc::invalid_html_tags)]
        };
    }
    for item in &mut file.items {
        match item {
            Item::Mod(ItemMod { attrs, .. })
            | Item::Trait(ItemTrait { attrs, .. })
            | Item::Struct(ItemStruct { attrs, .. }) => {
                attrs.push(lints.clone());
            }
            _ => {}
        }
    }
}

/// Removes the mark of the second path of an operation.
struct Marks;

impl Rewrite for Marks {
    fn attribute(&mut self, node: &mut Attribute) {
        if let Meta::NameValue(pair) = &mut node.meta
            && let Expr::Lit(literal) = &mut pair.value
            && let Lit::Str(text) = &mut literal.lit
            && text.value().contains(TWIN)
        {
            *text = LitStr::new(&text.value().replace(TWIN, ""), text.span());
        }
    }
}

fn on_modules(file: &mut syn::File, settings: &Settings) -> Result<(), Fault> {
    let mut documented = 0;
    for item in &mut file.items {
        let Item::Mod(item) = item else { continue };
        if let Some((_, text)) = MODULES.iter().find(|(name, _)| item.ident == name) {
            item.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
            let text = text.replace("RUNTIME", &settings.runtime_text());
            item.attrs.push(parse_quote!(#[doc = #text]));
            documented += 1;
        }
    }
    count("/", "modules", MODULES.len(), documented)
}

/// Removes the generator's examples from the documentation. They do not compile, and do not show this crate.
fn cut_examples(file: &mut syn::File, model: &Model) -> Result<(), Fault> {
    let mut cut = 0;
    for item in &mut file.items {
        let Item::Trait(item) = item else { continue };
        document_if_bare(&mut item.attrs, "Calls of the API.");
        for function in &mut item.items {
            let TraitItem::Fn(function) = function else { continue };
            let text = find::docs(&function.attrs);
            if let Some((before, _)) = text.split_once("```ignore") {
                let before = before.trim_end();
                function.attrs = vec![parse_quote!(#[doc = #before])];
                cut += 1;
            }
        }
    }
    count("/paths", "examples of calls", table::entries(model).len(), cut)
}

fn on_calls(file: &mut syn::File, model: &Model) -> Result<(), Fault> {
    let builders = find::module(&mut file.items, &["builder"])?;
    for entry in table::entries(model) {
        let name = pascal(&entry.generated);
        for item in find::inherent_impls(builders).filter(|item| find::last_of(&item.self_ty).as_ref() == Some(&name)) {
            for function in find::functions(item) {
                match function.sig.ident.to_string().as_str() {
                    "new" => document_if_bare(&mut function.attrs, "Starts the call; nothing is sent yet."),
                    "body_map" => document_if_bare(&mut function.attrs, "Changes the body by its builder."),
                    setter => {
                        let text = entry.text(setter);
                        document_if_bare(&mut function.attrs, &text);
                    }
                }
            }
        }
    }
    Ok(())
}

/// Quotes a value of the document. A control character would break the comment.
pub(crate) fn quoted(value: &str) -> String {
    let letters = value.chars().map(|c| if c.is_control() { c.escape_default().to_string() } else { c.to_string() });
    format!("`{}`", letters.collect::<String>())
}

/// Adds documentation to an item without any.
pub(crate) fn document_if_bare(attributes: &mut Vec<Attribute>, text: &str) {
    if find::docs(attributes).is_empty() {
        attributes.insert(0, parse_quote!(#[doc = #text]));
    }
}
