//! Values of parameters, and the fields of types that hold them.

pub(super) mod fields;
pub(super) mod value;
