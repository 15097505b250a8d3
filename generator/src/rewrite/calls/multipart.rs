//! Bodies of several parts, which progenitor takes as bytes: the runtime writes them, with the boundary in the content type.

use syn::{Expr, ExprMethodCall, Item, Path, parse_quote, visit_mut::VisitMut};

use super::send::receiver;
use crate::rewrite::{
    find,
    walk::{Rewrite, Walk},
};

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
