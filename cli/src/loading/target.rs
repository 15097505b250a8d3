//! The resources that can be loaded, and their fields.

use super::field::{Field, FieldKind};

/// A resource with a bulk call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LoadTarget {
    /// The bulk call.
    pub(crate) call: BulkCall,
    /// The rows in a sentence.
    pub(crate) noun: &'static str,
    pub(crate) fields: &'static [Field],
    /// The path of the list in which the records are read; `None` if they cannot be read.
    pub(crate) list: Option<&'static str>,
    /// The list within a record of that list whose items are the records.
    pub(crate) items: Option<&'static str>,
    /// The field by which a record is found; `None` for records without one.
    pub(crate) key: Option<&'static str>,
    /// True if a row without a key cannot be sent.
    pub(crate) needs_key: bool,
    /// The number of rows of a batch.
    pub(crate) batch_size: usize,
}

/// A bulk call of the SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BulkCall {
    Customers,
    Vendors,
    OrderLines,
    OrderHistory,
}

const fn text(name: &'static str, read_at: &'static str) -> Field {
    Field { name, kind: FieldKind::Text, read_at: Some(read_at) }
}

const fn field(name: &'static str, kind: FieldKind, read_at: &'static str) -> Field {
    Field { name, kind, read_at: Some(read_at) }
}

pub(crate) const CUSTOMERS: LoadTarget = LoadTarget {
    call: BulkCall::Customers,
    noun: "customer",
    list: Some("/Customer"),
    items: None,
    fields: &[
        text("customerID", "/customerID"),
        text("customerName", "/customerName"),
        text("email", "/email"),
        text("phone", "/phone"),
        text("fax", "/fax"),
        field("priceZone", FieldKind::Integer, "/priceZone"),
        field("test", FieldKind::Boolean, "/test"),
        field("placeholder", FieldKind::Boolean, "/placeholder"),
        text("street1", "/street1"),
        text("street2", "/street2"),
        text("city", "/city"),
        text("state", "/state"),
        text("zipCode", "/zipCode"),
        text("allowanceGroup", "/allowanceGroup"),
        text("deliveryGroup", "/deliveryGroup"),
        text("warehouseID", "/warehouseID"),
        text("customerClassID", "/customerClassID"),
        field("orderPermissionKey", FieldKind::Integer, "/orderPermissionKey"),
        text("primarySalesRep", "/primarySalesRep"),
        field("salesReps", FieldKind::TextList, "/salesReps"),
        // Lists have groups in another shape than the bulk call takes.
        Field { name: "orderingGroups", kind: FieldKind::Json, read_at: None },
        text("extra1", "/extra1"),
        text("extra2", "/extra2"),
        text("extra3", "/extra3"),
        text("extra4", "/extra4"),
        text("extra5", "/extra5"),
    ],
    key: Some("customerID"),
    needs_key: true,
    batch_size: 500,
};

pub(crate) const VENDORS: LoadTarget = LoadTarget {
    call: BulkCall::Vendors,
    noun: "vendor",
    list: Some("/Vendor"),
    items: None,
    fields: &[
        text("vendorID", "/vendorID"),
        text("vendorName", "/vendorName"),
        text("street1", "/street1"),
        text("street2", "/street2"),
        text("city", "/city"),
        text("state", "/state"),
        text("zipCode", "/zipCode"),
        text("phone", "/phone"),
        text("fax", "/fax"),
        text("emailAddress", "/emailAddress"),
        text("deliveryGroup", "/deliveryGroup"),
        field("brokers", FieldKind::TextList, "/brokers"),
        field("active", FieldKind::Boolean, "/active"),
        field("canNegotiateAtShow", FieldKind::Boolean, "/canNegotiateAtShow"),
        field("testVendor", FieldKind::Boolean, "/testVendor"),
        field("allottedUserCount", FieldKind::Integer, "/allottedUserCount"),
        field("booths", FieldKind::TextList, "/booths"),
    ],
    key: Some("vendorID"),
    needs_key: false,
    batch_size: 500,
};

pub(crate) const ORDER_LINES: LoadTarget = LoadTarget {
    call: BulkCall::OrderLines,
    noun: "order line",
    list: Some("/Order"),
    items: Some("items"),
    fields: &[
        text("id", "/orderLineID"),
        field("deliveryDate", FieldKind::Timestamp, "/deliveryDate"),
        field("orderQty", FieldKind::Integer, "/quantity"),
        text("notes", "/purchaseOrder/notes"),
        text("purchaseOrderId", "/purchaseOrder/id"),
    ],
    key: Some("id"),
    needs_key: true,
    batch_size: 500,
};

pub(crate) const ORDER_HISTORY: LoadTarget = LoadTarget {
    call: BulkCall::OrderHistory,
    noun: "item",
    list: None,
    items: None,
    fields: &[
        Field { name: "customerid", kind: FieldKind::Text, read_at: None },
        Field { name: "productid", kind: FieldKind::Text, read_at: None },
        Field { name: "orderUnit", kind: FieldKind::Text, read_at: None },
        Field { name: "orderTypeDescription", kind: FieldKind::Text, read_at: None },
        Field { name: "bucket", kind: FieldKind::Text, read_at: None },
        Field { name: "mainNumber", kind: FieldKind::Integer, read_at: None },
    ],
    key: None,
    needs_key: false,
    // A failure of one item leaves all items of its batch without an outcome.
    batch_size: 100,
};

impl LoadTarget {
    /// Returns the field with this name, whatever its case, and whatever stands between its words.
    pub(crate) fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| is_same(field.name, name))
    }

    /// Returns the field by which a record is found.
    pub(super) fn key_field(&self) -> Option<&'static Field> {
        self.fields.iter().find(|field| Some(field.name) == self.key)
    }

    /// Returns the names of all fields, for a sentence.
    pub(crate) fn names(&self) -> String {
        self.fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ")
    }
}

/// Returns true if two names have the same letters and digits, whatever their case, and whatever stands between them.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    fn plain(name: &str) -> impl Iterator<Item = char> {
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
    }
    plain(one).eq(plain(other)) && plain(one).next().is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// The fields are those of the vendored document.
    #[test]
    fn the_fields_are_those_of_the_document() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi/perenso.json");
        // A published package is without it.
        let Ok(document) = std::fs::read_to_string(path) else { return };
        let document: Value = serde_json::from_str(&document).unwrap();
        for (target, schema) in [
            (&CUSTOMERS, "CustomerV2"),
            (&VENDORS, "Vendor"),
            (&ORDER_LINES, "OrderLineUpdate"),
            (&ORDER_HISTORY, "OrderHistoryItem"),
        ] {
            let properties = document["components"]["schemas"][schema]["properties"].as_object().unwrap();
            let mut names: Vec<_> = target.fields.iter().map(|field| field.name).collect();
            names.sort_unstable();
            assert_eq!(names, properties.keys().collect::<Vec<_>>(), "{schema}");
            for field in target.fields {
                let property = &properties[field.name];
                let kind = match (property["type"].as_str(), property["items"]["type"].as_str()) {
                    (Some("string"), _) => FieldKind::Text,
                    (Some("integer"), _) => FieldKind::Integer,
                    (Some("boolean"), _) => FieldKind::Boolean,
                    (Some("array"), Some("string")) => FieldKind::TextList,
                    (Some("array"), None) => FieldKind::Json,
                    (None, _) => FieldKind::Timestamp,
                    other => panic!("{other:?}"),
                };
                assert_eq!(field.kind, kind, "{schema}.{}", field.name);
            }
        }
    }

    #[test]
    fn a_name_is_found_in_any_writing() {
        for name in ["customerID", "Customer ID", "customer_id", "CUSTOMERID"] {
            assert_eq!(CUSTOMERS.field(name).map(|field| field.name), Some("customerID"));
        }
        assert_eq!(CUSTOMERS.field("customer"), None);
        assert_eq!(CUSTOMERS.field(""), None);
    }
}
