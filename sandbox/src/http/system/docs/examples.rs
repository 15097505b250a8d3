//! Examples for each operation, from the current records of the show.

use serde_json::{Value, json};

use super::node::Node;
use crate::model::exports::{DataType, Export, Parameter};
use crate::model::table::Table;
use crate::show::Show;
use crate::show::state::State;

pub(super) struct Examples {
    /// The newest customer, so that the others can still be read after a delete.
    deleted: Option<String>,
    /// The oldest customer.
    customer: Option<Value>,
    next_customer_id: String,
    attendee: Option<String>,
    vendor: Option<Value>,
    booth: Option<Value>,
    product: Option<Value>,
    /// The key of the first line of the oldest order.
    order_line: Option<Value>,
    export: Option<Export>,
}

impl Examples {
    pub(super) fn of(show: &Show) -> Self {
        let State { tables, exports, .. } = &*show.state();
        let with_values = exports.iter().find(|export| !export.parameters.is_empty());
        Self {
            deleted: tables.customers.records().next_back().map(|record| record.id().to_owned()),
            customer: tables.customers.records().next().map(|record| record.value(None)),
            next_customer_id: free(&tables.customers),
            attendee: tables.attendees.records().next().map(|record| record.id().to_owned()),
            vendor: field(&tables.vendors, "vendorID"),
            booth: field(&tables.booths, "boothID"),
            product: field(&tables.products, "productID"),
            order_line: field(&tables.orders, "items").and_then(|items| items.pointer("/0/orderLineID").cloned()),
            export: with_values.or(exports.first()).cloned(),
        }
    }

    pub(super) fn parameter(&self, operation: &str, name: &str) -> Option<Value> {
        match (operation, name) {
            ("customer_delete", "id") => self.deleted.clone().map(Value::from),
            ("customer_get" | "customer_update", "id") => self.customer.as_ref().map(|customer| customer["id"].clone()),
            ("attendee_get", "id") => self.attendee.clone().map(Value::from),
            ("export_run", "id") => self.export.as_ref().map(|export| export.id.clone().into()),
            (_, "boothID") => self.booth.clone(),
            (_, "productID") => self.product.clone(),
            (_, "page") => Some(json!(1)),
            (_, "resultsPerPage") => Some(json!(10)),
            // Sorts new records first, by a field that the records have.
            ("customer_list", "sort") => Some("customerID:desc".into()),
            ("attendee_list", "sort") => Some("attendeeID:asc".into()),
            _ => None,
        }
    }

    /// Returns the body of a request, with its fields in the order of the vendor's samples.
    pub(super) fn body(&self, operation: &str) -> Option<Node> {
        let body = match operation {
            "customer_create" => self.new_customer(),
            "customer_update" => node([
                ("phone", json!("555-0100")),
                ("city", json!("Exampleville")),
                ("extra1", json!("changed on the page")),
            ]),
            "customer_bulk_upsert" => {
                let known = self.customer.as_ref().map(|customer| customer["customerID"].clone());
                let known = known.map(|id| node([("customerID", id), ("customerName", json!("Renamed Stores"))]));
                known.into_iter().chain([self.new_customer()]).collect()
            }
            "vendor_bulk_upsert" => {
                let known = self.vendor.clone().map(|id| node([("vendorID", id), ("phone", json!("555-0100"))]));
                let new = [("vendorName", "Example Foods"), ("emailAddress", "vendor@example.com")];
                let new = node(new.map(|(name, value)| (name, json!(value))));
                known.into_iter().chain([new]).collect()
            }
            "order_bulk_update" => {
                let line =
                    node([("id", self.order_line.clone()?), ("orderQty", json!(2)), ("notes", json!("Some notes"))]);
                node([("items", json!([line]))])
            }
            "order_history_bulk_create" => {
                let customer = self.customer.as_ref()?["customerID"].clone();
                let product = self.product.clone()?;
                let item = node([
                    ("customerid", customer),
                    ("productid", product),
                    ("orderUnit", json!("CS")),
                    ("orderTypeDescription", json!("Single Bucket History")),
                    ("bucket", json!("SINGLE BUCKET")),
                    ("mainNumber", json!(85)),
                ]);
                node([("history", json!([item]))])
            }
            "export_run" => values(self.export.as_ref()?)?,
            "booth_product_associate_many" => self.product.iter().cloned().map(Node::from).collect(),
            _ => return None,
        };
        Some(body)
    }

    /// Returns a customer with the references of an existing one, so that they exist.
    fn new_customer(&self) -> Node {
        let own = [
            ("customerID", self.next_customer_id.as_str()),
            ("customerName", "Example Stores"),
            ("email", "buyer@example.com"),
            ("phone", "555-0100"),
            ("street1", "1 Example Street"),
            ("city", "Exampleville"),
            ("state", "North Dakota"),
            ("zipCode", "00940"),
        ];
        let referred = [
            "priceZone",
            "allowanceGroup",
            "deliveryGroup",
            "warehouseID",
            "customerClassID",
            "orderPermissionKey",
            "primarySalesRep",
            "salesReps",
        ];
        let of_another = |name: &'static str| {
            let value = self.customer.as_ref().and_then(|customer| customer.get(name));
            value.filter(|value| !value.is_null()).map(|value| (name, value.clone()))
        };
        node(
            own.map(|(name, value)| (name, json!(value)))
                .into_iter()
                .chain(referred.into_iter().filter_map(of_another)),
        )
    }
}

fn node(fields: impl IntoIterator<Item = (&'static str, Value)>) -> Node {
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Returns a field of the first record.
fn field(table: &Table, name: &str) -> Option<Value> {
    table.records().next().map(|record| record.field(name))
}

/// Returns a key that no record has.
fn free(table: &Table) -> String {
    let candidates = (table.len() + 1..).map(|number| format!("NEW{number:05}"));
    candidates.into_iter().find(|candidate| table.with_key(candidate).next().is_none()).unwrap_or_default()
}

/// Returns values for the parameters of an export, as in the vendor's guide, or `None` if it has no parameters.
fn values(export: &Export) -> Option<Node> {
    let value = |parameter: &Parameter| match parameter.data_type {
        DataType::Integer if parameter.name == "Limit" => json!(15),
        DataType::Integer => json!(1),
        DataType::DateTime => json!("2022-10-31T09:00:00Z"),
        DataType::Boolean => json!(true),
        DataType::Text | DataType::Other(_) => json!("text"),
    };
    let parameters = Some(&export.parameters).filter(|parameters| !parameters.is_empty())?;
    Some(parameters.iter().map(|parameter| (parameter.name.clone(), value(parameter))).collect())
}
