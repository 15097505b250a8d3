//! Encodes values in a path by the runtime. Progenitor does not encode a backslash, which a URL treats as a slash, and lets a value
//! climb up a path.

use quote::{ToTokens as _, quote};
use syn::{Expr, Item, Lit, Path, Token, Type, parse_quote, punctuated::Punctuated};

use super::{send::receiver, table::Entry};
use crate::generate::prepare::TWIN;
use crate::rewrite::{find, walk::Rewrite};

/// The rewritten parts of one path.
pub(crate) struct Encodings<'a> {
    pub(crate) runtime: &'a Path,
    pub(crate) entry: &'a Entry,
    /// The parameters with the type of ids, which are valid in a path.
    pub(crate) ids: &'a [String],
    pub(crate) values: usize,
    pub(crate) twins: usize,
}

impl Rewrite for Encodings<'_> {
    fn macro_call(&mut self, node: &mut syn::Macro) {
        let Ok(mut arguments) = node.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated) else {
            return;
        };
        let (runtime, operation) = (self.runtime, &self.entry.id);
        for argument in &mut arguments {
            if let Expr::Call(call) = argument
                && quote!(#call).to_string().starts_with("encode_path")
                && let Some(Expr::Reference(text)) = call.args.first()
                && let Some(value) = receiver(&text.expr, "to_string")
            {
                let name = quote!(#value).to_string();
                let is_list = self.entry.compounds.iter().any(|compound| compound.is_in_path(&name));
                *argument = if is_list {
                    parse_quote!(#runtime::list_segment(#operation, #name, &#value)?)
                } else if self.entry.is_rest(&name) {
                    parse_quote!(#runtime::checked_path(#operation, #name, &#value)?)
                } else if self.ids.contains(&name) {
                    parse_quote!(#runtime::segment(#value.as_str()))
                } else {
                    parse_quote!(#runtime::checked_segment(#operation, #name, &#value)?)
                };
                self.values += 1;
            } else if let Expr::Lit(literal) = argument
                && let Lit::Str(text) = &literal.lit
                && let Some(path) = text.value().strip_suffix(TWIN)
            {
                *argument = parse_quote!(#path);
                self.twins += 1;
            }
        }
        node.tokens = arguments.into_token_stream();
    }
}

/// Returns the names of the fields of a builder that are ids.
pub(crate) fn ids(builders: &mut [Item], builder: &str) -> Vec<String> {
    let is_id = |ty: &Type| {
        find::argument_of(&mut ty.clone()).is_some_and(|inner| find::last_of(inner).as_deref() == Some("Id"))
    };
    let fields = find::structs(builders).filter(|item| item.ident == builder).flat_map(|item| &item.fields);
    let ids = fields.filter(|field| is_id(&field.ty)).filter_map(|field| field.ident.as_ref());
    ids.map(ToString::to_string).collect()
}
