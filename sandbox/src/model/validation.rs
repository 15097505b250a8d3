//! Checks customers and vendors: fields against the document, references against the tables.

use serde_json::{Map, Value};

use super::document::{DOCUMENT, Problem};
use super::reference::Reference::{self, *};
use super::tables::Tables;

/// The schema names of a customer in V1 and V2.
pub(crate) const CUSTOMER_V1: &str = "Customer";
pub(crate) const CUSTOMER_V2: &str = "CustomerV2";

/// The rules that a record is checked against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// Fields that the document does not have are problems.
    pub(crate) strict: bool,
    /// References to keys that do not exist are problems.
    pub(crate) check_references: bool,
}

/// The fields of a customer that hold references.
const CUSTOMER_REFERENCES: &[(&str, Reference)] = &[
    ("allowanceGroup", AllowanceGroup),
    ("deliveryGroup", DeliveryGroup),
    ("warehouseID", Warehouse),
    ("customerClassID", CustomerClass),
    ("orderPermissionKey", OrderPermission),
    ("primarySalesRep", SalesRep),
    ("salesReps", SalesRep),
    ("orderingGroups", OrderingGroup),
];

/// The fields of a vendor that hold references.
const VENDOR_REFERENCES: &[(&str, Reference)] =
    &[("deliveryGroup", DeliveryGroup), ("brokers", Broker), ("booths", Booth)];

/// A reference to a key that does not exist.
#[derive(Debug)]
struct MissingReference {
    reference: Reference,
    key: String,
    field: String,
}

impl From<MissingReference> for Problem {
    fn from(missing: MissingReference) -> Self {
        Self::new(&missing.field, format!("there is no {} {:?}", missing.reference.name(), missing.key))
    }
}

impl Tables {
    /// Checks a customer against the schema with this name. Ordering groups may be missing if the request creates them.
    pub(crate) fn customer_problems(
        &self,
        schema: &str,
        fields: &Map<String, Value>,
        creates_groups: bool,
        rules: Rules,
    ) -> Vec<Problem> {
        let problems = DOCUMENT.problems(schema, fields, rules.strict);
        if !problems.is_empty() || !rules.check_references {
            return problems;
        }
        let missing = self.missing_references(fields, CUSTOMER_REFERENCES).into_iter();
        missing.filter(|missing| !creates_groups || missing.reference != OrderingGroup).map(Problem::from).collect()
    }

    /// Checks a vendor.
    pub(crate) fn vendor_problems(&self, fields: &Map<String, Value>, rules: Rules) -> Vec<Problem> {
        let problems = DOCUMENT.problems("Vendor", fields, rules.strict);
        if !problems.is_empty() || !rules.check_references {
            return problems;
        }
        self.missing_references(fields, VENDOR_REFERENCES).into_iter().map(Problem::from).collect()
    }

    /// Creates the ordering groups that a customer names and that do not exist.
    pub(crate) fn create_ordering_groups(&mut self, fields: &Map<String, Value>) {
        for missing in self.missing_references(fields, &[("orderingGroups", OrderingGroup)]) {
            self.references.add(missing.reference, missing.key);
        }
    }

    fn missing_references(
        &self,
        fields: &Map<String, Value>,
        references: &[(&str, Reference)],
    ) -> Vec<MissingReference> {
        let mut missing = Vec::new();
        for (name, reference) in references {
            let value = fields.get(*name).unwrap_or(&Value::Null);
            visit_keys(value, (*name).to_owned(), &mut |field, key| {
                if !self.exists(*reference, &key) {
                    missing.push(MissingReference { reference: *reference, key, field });
                }
            });
        }
        missing
    }

    fn exists(&self, reference: Reference, key: &str) -> bool {
        let has_record = match reference {
            Booth => self.booths.has_key(key),
            Warehouse => self.warehouses.has_key(key),
            _ => false,
        };
        has_record || self.references.contains(reference, key)
    }
}

/// Calls `visit` with the field path and the key of every reference in a value.
fn visit_keys(value: &Value, field: String, visit: &mut impl FnMut(String, String)) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::String(key) => visit(field, key.clone()),
        Value::Number(key) => visit(field, key.to_string()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                visit_keys(item, format!("{field}[{index}]"), visit);
            }
        }
        Value::Object(group) => {
            if let Some(key) = group.get("orderingGroupID") {
                visit_keys(key, format!("{field}.orderingGroupID"), visit);
            }
        }
    }
}
