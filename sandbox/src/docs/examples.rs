//! Examples: what to fill in for each operation, from the records that the show has at the moment.

use serde_json::{Map, Value, json};

use crate::data_type::DataType;
use crate::export::Export;
use crate::show::{Show, State};
use crate::table::Table;

pub(super) struct Examples {
    /// The newest customer is the one to delete, so that the others can still be read.
    deleted: Option<String>,
    /// The oldest customer, who is there for as long as nobody deletes it.
    customer: Option<Value>,
    next_customer_id: String,
    attendee: Option<String>,
    vendor: Option<Value>,
    booth: Option<Value>,
    product: Option<Value>,
    export: Option<Export>,
}

impl Examples {
    pub(super) fn of(show: &Show) -> Self {
        let State { tables, exports, .. } = &*show.state();
        let with_values = exports.iter().find(|export| !export.parameters.is_empty());
        Self {
            deleted: tables.customers.rows().last().map(|row| row.id().into_owned()),
            customer: tables.customers.rows().next().map(|row| row.value(false)),
            next_customer_id: free(&tables.customers),
            attendee: tables.attendees.rows().next().map(|row| row.id().into_owned()),
            vendor: field(&tables.vendors, "vendorID"),
            booth: field(&tables.booths, "boothID"),
            product: Some("PROD0001".into()),
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
            // What was just created stands at the top.
            ("customer_list", "sort") => Some("modifiedDate:desc".into()),
            ("attendee_list", "sort") => Some("attendeeID:asc".into()),
            _ => None,
        }
    }

    /// The bodies to choose from, the first one filled in, each with a name.
    pub(super) fn bodies(&self, operation: &str) -> Vec<(String, Value)> {
        let body = match operation {
            "customer_create" => self.new_customer(),
            "customer_update" => {
                json!({ "city": "Exampleville", "phone": "555-0100", "extra1": "changed in the browser" })
            }
            "customer_bulk_upsert" => {
                let known = self.customer.as_ref().map(|customer| &customer["customerID"]);
                let known = known.map(|id| json!({ "customerID": id, "customerName": "Renamed Stores" }));
                known.into_iter().chain([self.new_customer()]).collect()
            }
            "vendor_bulk_upsert" => {
                let known = self.vendor.clone().map(|id| json!({ "vendorID": id, "phone": "555-0100" }));
                let new =
                    json!({ "vendorName": "Example Foods", "emailAddress": "vendor@example.com", "active": true });
                known.into_iter().chain([new]).collect()
            }
            "export_run" => {
                return self.export.iter().filter_map(|export| Some((export.name.clone(), values(export)?))).collect();
            }
            "booth_product_associate_many" => self.product.iter().cloned().collect(),
            _ => return Vec::new(),
        };
        vec![("example".to_owned(), body)]
    }

    /// A customer who refers to what an existing one refers to, so that it exists.
    fn new_customer(&self) -> Value {
        let mut fields = Map::new();
        let own = [
            ("customerID", json!(self.next_customer_id)),
            ("customerName", json!("Example Stores")),
            ("email", json!("buyer@example.com")),
            ("phone", json!("555-0100")),
            ("street1", json!("1 Example Street")),
            ("city", json!("Exampleville")),
            ("state", json!("North Dakota")),
            ("zipCode", json!("00940")),
        ];
        fields.extend(own.into_iter().map(|(name, value)| (name.to_owned(), value)));
        let names = [
            "priceZone",
            "allowanceGroup",
            "deliveryGroup",
            "warehouseID",
            "customerClassID",
            "orderPermissionKey",
            "primarySalesRep",
            "salesReps",
        ];
        for name in names {
            let known = self.customer.as_ref().and_then(|customer| customer.get(name)).filter(|value| !value.is_null());
            fields.extend(known.map(|value| (name.to_owned(), value.clone())));
        }
        Value::Object(fields)
    }
}

/// The field of the first record.
fn field(table: &Table, name: &str) -> Option<Value> {
    table.rows().next().map(|row| row.field(name))
}

/// A key that no record has yet.
fn free(table: &Table) -> String {
    let candidates = (table.len() + 1..).map(|number| format!("NEW{number:05}"));
    candidates.into_iter().find(|candidate| table.with_key(candidate).next().is_none()).unwrap_or_default()
}

/// Values for the parameters of an export, as the vendor's guide writes them; none for one without parameters.
fn values(export: &Export) -> Option<Value> {
    let values = export.parameters.iter().map(|parameter| {
        let value = match parameter.data_type {
            DataType::Integer if parameter.name == "Limit" => json!(15),
            DataType::Integer => json!(1),
            DataType::DateTime => json!("2022-10-31T09:00:00Z"),
            DataType::Boolean => json!(true),
            DataType::Text | DataType::Other(_) => json!("text"),
        };
        (parameter.name.clone(), value)
    });
    let values: Map<String, Value> = values.collect();
    (!values.is_empty()).then(|| values.into())
}
