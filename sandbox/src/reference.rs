//! References: what a record may name, and must exist before it does.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use fastrand::Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::problem::Problem;
use crate::seeded::Key;
use crate::show::Show;
use crate::state::Tables;

/// Something that customers and vendors refer to by its key. The vendor says that it must exist before a customer names
/// it; that the same goes for what vendors name is a guess. See
/// [`check_references`](crate::Behavior::check_references).
///
/// Every show begins with some of each, which its customers and vendors refer to. More come by
/// [`Builder::reference`](crate::Builder::reference) and [`Show::add_reference`](crate::Show::add_reference).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), perenso_sandbox::Error> {
/// use perenso_sandbox::{Reference, Sandbox};
/// use serde_json::json;
///
/// let sandbox = Sandbox::builder().reference(Reference::AllowanceGroup, "AG88").start().await?;
/// let customer = json!({ "customerID": "5041", "allowanceGroup": "AG88", "primarySalesRep": "USER2791" });
/// assert!(sandbox.add_customer(customer.clone()).is_err());
/// sandbox.add_reference(Reference::SalesRep, "USER2791");
/// assert!(sandbox.add_customer(customer).is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Reference {
    /// `allowanceGroup` of a customer: AG01 to AG20.
    AllowanceGroup,
    /// One of the `booths` of a vendor: BOOTH0001 to BOOTH0012, as the export of booths has them.
    Booth,
    /// One of the `brokers` of a vendor: BROKER0001 to BROKER0020.
    Broker,
    /// `customerClassID` of a customer: A to Z.
    CustomerClass,
    /// `deliveryGroup` of a customer or a vendor: 0901 to 0950.
    DeliveryGroup,
    /// `orderPermissionKey` of a customer, which is a number there: 1 to 4.
    OrderPermission,
    /// `orderingGroupID` of a customer's ordering groups, but not that of their sub groups: OG0001 to OG0020.
    OrderingGroup,
    /// `primarySalesRep` and `salesReps` of a customer: USER0001 to USER0099.
    SalesRep,
    /// `warehouseID` of a customer: what there is at `/Warehouse`, at the start WH0001 to WH0003. One that is added as a
    /// reference only is not listed there.
    Warehouse,
}

use Reference::*;

/// The fields of a customer that refer to something.
pub(crate) const CUSTOMER: &[(&str, Reference)] = &[
    ("allowanceGroup", AllowanceGroup),
    ("deliveryGroup", DeliveryGroup),
    ("warehouseID", Warehouse),
    ("customerClassID", CustomerClass),
    ("orderPermissionKey", OrderPermission),
    ("primarySalesRep", SalesRep),
    ("salesReps", SalesRep),
    ("orderingGroups", OrderingGroup),
];

/// The fields of a vendor that do.
pub(crate) const VENDOR: &[(&str, Reference)] =
    &[("deliveryGroup", DeliveryGroup), ("brokers", Broker), ("booths", Booth)];

/// What was added to the references that every show has.
#[derive(Debug, Clone, Default)]
pub(crate) struct References {
    added: Arc<BTreeSet<(Reference, String)>>,
}

impl References {
    pub(crate) fn add(&mut self, reference: Reference, key: String) {
        Arc::make_mut(&mut self.added).insert((reference, key));
    }
}

impl Show {
    /// Adds something that customers and vendors may refer to from the next request on.
    pub fn add_reference(&self, reference: Reference, key: impl Into<String>) {
        self.state().tables.references.add(reference, key.into());
    }
}

impl Reference {
    /// The keys that every show has, of what is kept in no table.
    fn seeded(self) -> Option<(Key, RangeInclusive<u64>)> {
        let (prefix, digits, numbers) = match self {
            AllowanceGroup => ("AG", 2, 1..=20),
            Broker => ("BROKER", 4, 1..=20),
            DeliveryGroup => ("", 4, 901..=950),
            OrderPermission => ("", 1, 1..=4),
            OrderingGroup => ("OG", 4, 1..=20),
            SalesRep => ("USER", 4, 1..=99),
            Booth | CustomerClass | Warehouse => return None,
        };
        Some((Key::new("", prefix, digits), numbers))
    }

    /// One of the keys that every show has.
    pub(crate) fn any(self, random: &mut Rng) -> String {
        match self.seeded() {
            Some((key, numbers)) => key.of(random.u64(numbers)),
            None => random.uppercase().to_string(),
        }
    }

    fn exists(self, key: &str, tables: &Tables) -> bool {
        let is_seeded = match self {
            Booth => tables.booths.has_key(key),
            Warehouse => tables.warehouses.has_key(key),
            CustomerClass => matches!(key.as_bytes(), [b'A'..=b'Z']),
            _ => self
                .seeded()
                .is_some_and(|(seeded, numbers)| seeded.number(key).is_some_and(|number| numbers.contains(&number))),
        };
        is_seeded || tables.references.added.contains(&(self, key.to_owned()))
    }

    fn words(self) -> &'static str {
        match self {
            AllowanceGroup => "allowance group",
            Booth => "booth",
            Broker => "broker",
            CustomerClass => "customer class",
            DeliveryGroup => "delivery group",
            OrderPermission => "order permission",
            OrderingGroup => "ordering group",
            SalesRep => "sales rep",
            Warehouse => "warehouse",
        }
    }
}

/// A reference that leads nowhere.
#[derive(Debug)]
pub(crate) struct Missing {
    pub(crate) reference: Reference,
    pub(crate) key: String,
    field: String,
}

impl From<Missing> for Problem {
    fn from(missing: Missing) -> Self {
        Self::new(&missing.field, format!("there is no {} {:?}", missing.reference.words(), missing.key))
    }
}

/// Finds the references of a record that lead nowhere.
pub(crate) fn missing(fields: &Map<String, Value>, known: &[(&str, Reference)], tables: &Tables) -> Vec<Missing> {
    let mut missing = Vec::new();
    for (name, reference) in known {
        named(fields.get(*name).unwrap_or(&Value::Null), (*name).to_owned(), &mut |field, key| {
            if !reference.exists(&key, tables) {
                missing.push(Missing { reference: *reference, key, field });
            }
        });
    }
    missing
}

/// Calls `found` with the place and the key of everything that a value refers to.
fn named(value: &Value, field: String, found: &mut impl FnMut(String, String)) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::String(key) => found(field, key.clone()),
        Value::Number(key) => found(field, key.to_string()),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                named(item, format!("{field}[{index}]"), found);
            }
        }
        Value::Object(group) => {
            if let Some(key) = group.get("orderingGroupID") {
                named(key, format!("{field}.orderingGroupID"), found);
            }
        }
    }
}
