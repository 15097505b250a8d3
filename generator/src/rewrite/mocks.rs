//! Rewrites the typed mock: ids are compared as strings (the generator writes them into regular expressions), and its items are
//! documented.

use quote::quote;
use syn::{
    Expr, ExprMethodCall, Ident, ImplItemFn, Item, ItemImpl, LitStr, TraitItem, parse_quote, visit_mut::VisitMut,
};

use super::{docs::document_if_bare, find, send::pascal, table};
use crate::{
    fault::{Fault, count},
    model::Document,
};

/// Rewrites the expectations of every operation, and documents them.
pub(crate) fn compare_ids(file: &mut syn::File, document: &Document) -> Result<(), Fault> {
    let entries = table::entries(document)?;
    let operations = find::module(&mut file.items, &["operations"])?;
    // The documentation of the module replaces the generator's hints at `into_inner`.
    for entry in &entries {
        let (when, then) = (format!("{}When", pascal(&entry.generated)), format!("{}Then", pascal(&entry.generated)));
        let (mut whens, mut paths, mut limits) = (0, 0, 0);
        for item in find::inherent_impls(operations) {
            let of = find::last_of(&item.self_ty);
            if of.as_deref() == Some(&when) {
                let (matched, compared) = rewrite_when(item, entry)?;
                (whens, paths) = (whens + matched, paths + compared);
            } else if of.as_deref() == Some(&then) {
                limits += add_retry_after(item);
                find::functions(item).for_each(document_response);
            }
        }
        count(&entry.place, "paths of a mock", 1, whens)?;
        count(&entry.place, "ids of a mock", entry.path.matches('{').count(), paths)?;
        count(&entry.place, "rate limits of a mock", 1, limits)?;
        for item in find::structs(operations) {
            if item.ident == when {
                document_if_bare(&mut item.attrs, &format!("What a request of `{}` looks like.", entry.id));
            } else if item.ident == then {
                document_if_bare(&mut item.attrs, &format!("The response of `{}`.", entry.id));
            }
        }
    }
    let mut links = Links(0);
    links.visit_file_mut(file);
    count("", "links to `httpmock`", 4, links.0)?;
    document_traits(file, &entries)
}

/// Removes the leading `::` of links to `httpmock`, which rustdoc does not resolve.
struct Links(usize);

impl VisitMut for Links {
    fn visit_lit_str_mut(&mut self, text: &mut LitStr) {
        let value = text.value();
        let found = value.matches("](::httpmock::").count();
        if found > 0 {
            self.0 += found;
            *text = LitStr::new(&value.replace("](::httpmock::", "](httpmock::"), text.span());
        }
    }
}

fn rewrite_when(item: &mut ItemImpl, entry: &table::Entry) -> Result<(usize, usize), Fault> {
    let mut patterns = 0;
    let mut ids = 0;
    for function in find::functions(item) {
        let name = function.sig.ident.to_string();
        if name == "new" {
            let mut bare = Patterns(0);
            bare.visit_block_mut(&mut function.block);
            patterns += bare.0;
            document_if_bare(&mut function.attrs, "Expects the method and the path.");
        } else if name == "into_inner" {
            document_if_bare(&mut function.attrs, "What `httpmock` has of it, to expect more.");
        } else if quote!(#function).to_string().contains("path_matches") {
            *function = compare(entry)?;
            ids += 1;
        } else {
            let text = entry.text(&name).unwrap_or("The body.");
            document_if_bare(&mut function.attrs, &format!("Expects this value. {text}"));
        }
    }
    Ok((patterns, ids))
}

/// Compares the id in a path as it is received: percent-encoded once.
fn compare(entry: &table::Entry) -> Result<ImplItemFn, Fault> {
    let Some((before, rest)) = entry.path.split_once('{') else {
        return Err(Fault::missed(&entry.place, "id in the path", 1, 0));
    };
    let path = format!("{before}{{}}{}", rest.split_once('}').map_or("", |(_, after)| after));
    Ok(parse_quote! {
        /// Expects this id in the path. It may contain any characters.
        pub fn id(self, value: impl AsRef<str>) -> Self {
            Self(self.0.path(format!(#path, crate::records::segment(value.as_ref()))))
        }
    })
}

/// Replaces `Regex::new(pattern).unwrap()` by the pattern. `httpmock` compiles it, so this crate does not need `regex`.
struct Patterns(usize);

impl VisitMut for Patterns {
    fn visit_expr_method_call_mut(&mut self, node: &mut ExprMethodCall) {
        if node.method == "path_matches"
            && let Some(Expr::MethodCall(unwrapped)) = node.args.first()
            && let Expr::Call(made) = &*unwrapped.receiver
        {
            node.args = made.args.clone();
            self.0 += 1;
        }
        syn::visit_mut::visit_expr_method_call_mut(self, node);
    }
}

/// Adds `Retry-After` to the 429 response, for which the document has no headers.
fn add_retry_after(item: &mut ItemImpl) -> usize {
    let limits = find::functions(item).filter(|function| function.sig.ident == "too_many_requests");
    limits
        .map(|function| {
            *function = parse_quote! {
                /// Responds with status 429: the calls of this minute are used up. `Retry-After` has the time to wait in whole
                /// seconds, rounded up.
                pub fn too_many_requests(self, retry_after: ::std::time::Duration) -> Self {
                    Self(crate::mock::too_many_requests(self.0, retry_after))
                }
            };
        })
        .count()
}

fn document_response(function: &mut ImplItemFn) {
    let text = match function.sig.ident.to_string().as_str() {
        "new" => "Creates the response from that of `httpmock`.".to_string(),
        "into_inner" => "The underlying `httpmock` value, for further settings.".to_string(),
        "success" => "Responds with a status of 200 to 299.\n\n# Panics\nWith any other status.".to_string(),
        status => format!("Responds with status \"{}\".", status.replace('_', " ")),
    };
    document_if_bare(&mut function.attrs, &text);
}

fn document_traits(file: &mut syn::File, entries: &[table::Entry]) -> Result<(), Fault> {
    let summary =
        |name: &Ident| entries.iter().find(|entry| *name == entry.generated).map(|entry| entry.summary.as_str());
    let mut documented = 0;
    for item in &mut file.items {
        let Item::Trait(item) = item else { continue };
        for function in item.items.iter_mut() {
            if let TraitItem::Fn(function) = function
                && let Some(summary) = summary(&function.sig.ident)
            {
                document_if_bare(
                    &mut function.attrs,
                    &format!("{summary}: sets the expected request and its response."),
                );
                documented += 1;
            }
        }
    }
    count("/paths", "calls of the mock", entries.len(), documented)
}
