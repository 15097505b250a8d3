//! One walk over a syntax tree for all rewrites, since each visitor of its own would be compiled as hundreds of functions.

use syn::{Attribute, Expr, Ident, LitStr, Macro, Path, visit_mut, visit_mut::VisitMut};

/// A rewrite of the parts of a syntax tree. It sees each part after those inside.
pub(crate) trait Rewrite {
    fn attribute(&mut self, _: &mut Attribute) {}
    fn expr(&mut self, _: &mut Expr) {}
    fn ident(&mut self, _: &mut Ident) {}
    fn literal(&mut self, _: &mut LitStr) {}
    fn macro_call(&mut self, _: &mut Macro) {}
    fn path(&mut self, _: &mut Path) {}
}

/// The walk of a rewrite.
pub(crate) struct Walk<'a>(pub(crate) &'a mut dyn Rewrite);

impl VisitMut for Walk<'_> {
    fn visit_attribute_mut(&mut self, node: &mut Attribute) {
        visit_mut::visit_attribute_mut(self, node);
        self.0.attribute(node);
    }

    fn visit_expr_mut(&mut self, node: &mut Expr) {
        visit_mut::visit_expr_mut(self, node);
        self.0.expr(node);
    }

    fn visit_ident_mut(&mut self, node: &mut Ident) {
        self.0.ident(node);
    }

    fn visit_lit_str_mut(&mut self, node: &mut LitStr) {
        self.0.literal(node);
    }

    fn visit_macro_mut(&mut self, node: &mut Macro) {
        visit_mut::visit_macro_mut(self, node);
        self.0.macro_call(node);
    }

    fn visit_path_mut(&mut self, node: &mut Path) {
        visit_mut::visit_path_mut(self, node);
        self.0.path(node);
    }
}
