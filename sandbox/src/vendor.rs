//! Vendors: their fields.

use crate::field::{Field, Shape};

const fn text(name: &'static str) -> Field {
    Field { name, shape: Shape::Text }
}

pub(crate) const FIELDS: &[Field] = &[
    text("street1"),
    text("street2"),
    text("city"),
    text("state"),
    text("zipCode"),
    text("vendorID"),
    text("vendorName"),
    text("phone"),
    text("fax"),
    text("emailAddress"),
    text("deliveryGroup"),
    Field { name: "brokers", shape: Shape::Texts },
    Field { name: "active", shape: Shape::Boolean },
    Field { name: "canNegotiateAtShow", shape: Shape::Boolean },
    Field { name: "testVendor", shape: Shape::Boolean },
    Field { name: "allottedUserCount", shape: Shape::Integer },
    Field { name: "booths", shape: Shape::Texts },
];
