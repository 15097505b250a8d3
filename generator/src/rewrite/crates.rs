//! Names other crates through the runtime, so that the user's crate depends on none of them.

use quote::quote;
use syn::{
    Attribute, ExprPath, ItemEnum, ItemStruct, ItemUse, Path, QSelf, Token, TypePath, parse_quote, parse_quote_spanned,
    punctuated::Punctuated, spanned::Spanned, visit_mut::VisitMut,
};

use super::find;
use crate::generate::settings::Settings;

/// The crates that generated code names.
const CRATES: [&str; 5] = ["httpmock", "progenitor_client", "reqwest", "serde", "serde_json"];

/// Rewrites every path, and tells the derives of serde where it is.
pub(crate) fn through_the_runtime(file: &mut syn::File, settings: &Settings) {
    Crates { runtime: &settings.runtime, serde: settings.of_runtime("serde") }.visit_file_mut(file);
}

struct Crates<'a> {
    runtime: &'a Path,
    serde: String,
}

impl Crates<'_> {
    fn derived(&self, attributes: &mut Vec<Attribute>) {
        if find::derives(attributes, &["Serialize", "Deserialize"]) {
            let serde = &self.serde;
            attributes.push(parse_quote!(#[serde(crate = #serde)]));
        }
    }
}

/// Counts the added segments as those of the trait in `<T as Trait>::item`.
fn lengthen(qself: &mut Option<QSelf>, added: usize) {
    if let Some(qself) = qself
        && qself.position > 0
    {
        qself.position += added;
    }
}

impl VisitMut for Crates<'_> {
    fn visit_path_mut(&mut self, node: &mut Path) {
        syn::visit_mut::visit_path_mut(self, node);
        let first = node.segments.first().map(|segment| segment.ident.to_string());
        if node.segments.len() > 1 && first.is_some_and(|first| CRATES.contains(&first.as_str())) {
            let (runtime, rest) = (self.runtime, &node.segments);
            *node = parse_quote_spanned!(rest.span() => #runtime::#rest);
        }
    }

    fn visit_expr_path_mut(&mut self, node: &mut ExprPath) {
        let before = node.path.segments.len();
        syn::visit_mut::visit_expr_path_mut(self, node);
        lengthen(&mut node.qself, node.path.segments.len() - before);
    }

    fn visit_type_path_mut(&mut self, node: &mut TypePath) {
        let before = node.path.segments.len();
        syn::visit_mut::visit_type_path_mut(self, node);
        lengthen(&mut node.qself, node.path.segments.len() - before);
    }

    fn visit_attribute_mut(&mut self, node: &mut Attribute) {
        if node.path().is_ident("derive")
            && let Ok(mut paths) = node.parse_args_with(Punctuated::<Path, Token![,]>::parse_terminated)
        {
            paths.iter_mut().for_each(|path| self.visit_path_mut(path));
            *node = parse_quote!(#[derive(#paths)]);
        }
    }

    fn visit_item_struct_mut(&mut self, node: &mut ItemStruct) {
        self.derived(&mut node.attrs);
        if !find::derives(&node.attrs, &["Serialize", "Deserialize"]) {
            // The names of a record's fields were kept here for the steps before.
            node.fields
                .iter_mut()
                .for_each(|field| field.attrs.retain(|attribute| !attribute.path().is_ident("serde")));
        }
        syn::visit_mut::visit_item_struct_mut(self, node);
    }

    fn visit_item_enum_mut(&mut self, node: &mut ItemEnum) {
        self.derived(&mut node.attrs);
        syn::visit_mut::visit_item_enum_mut(self, node);
    }

    fn visit_item_use_mut(&mut self, node: &mut ItemUse) {
        // A small document does not use each of them.
        if !find::allows(&node.attrs, "unused_imports") {
            node.attrs.push(parse_quote!(#[allow(unused_imports)]));
        }
        syn::visit_mut::visit_item_use_mut(self, node);
    }

    fn visit_macro_mut(&mut self, node: &mut syn::Macro) {
        if let Ok(mut arguments) = node.parse_body_with(Punctuated::<syn::Expr, Token![,]>::parse_terminated) {
            arguments.iter_mut().for_each(|argument| self.visit_expr_mut(argument));
            node.tokens = quote!(#arguments);
        }
    }
}
