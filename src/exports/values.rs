//! Values of parameters, and the fields of types that hold them.

pub(super) mod fields;
pub(super) mod key;
pub(super) mod name;
pub(super) mod value;
