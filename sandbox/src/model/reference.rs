//! References: keys that a record may name and that must exist before it does.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::sync::Arc;

use fastrand::Rng;
use serde::{Deserialize, Serialize};

use super::seeded::Key;

/// A kind of key that customers and vendors refer to. Documented: a key must exist before a customer refers to it. Guess:
/// the same applies to vendors. See [`check_references`](crate::Behavior::check_references).
///
/// Every show starts with the keys below. [`Builder::reference`](crate::Builder::reference) and
/// [`Show::add_reference`](crate::Show::add_reference) add more.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), perenso_sandbox::Error> {
/// use perenso_sandbox::{Reference, Sandbox};
/// use serde_json::json;
///
/// let builder = Sandbox::builder().reference(Reference::AllowanceGroup, "AG88");
/// let sandbox = builder.start().await?;
/// let customer = json!({
///     "customerID": "5041",
///     "allowanceGroup": "AG88",
///     "primarySalesRep": "USER2791",
/// });
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
    /// `warehouseID` of a customer: the warehouses at `/Warehouse`, initially WH0001 to WH0003, and added references, which
    /// are not listed there.
    Warehouse,
}

use Reference::*;

/// The keys that exist besides those of booths and warehouses, which have tables.
#[derive(Debug, Clone)]
pub(crate) struct References(Arc<BTreeSet<(Reference, String)>>);

impl Default for References {
    /// The keys that every show has.
    fn default() -> Self {
        let numbered = [AllowanceGroup, Broker, DeliveryGroup, OrderPermission, OrderingGroup, SalesRep];
        let numbered = numbered.into_iter().filter_map(|reference| Some((reference, reference.keys()?)));
        let numbered =
            numbered.flat_map(|(reference, (key, numbers))| numbers.map(move |number| (reference, key.of(number))));
        let classes = ('A'..='Z').map(|class| (CustomerClass, class.to_string()));
        Self(Arc::new(numbered.chain(classes).collect()))
    }
}

impl References {
    pub(crate) fn add(&mut self, reference: Reference, key: String) {
        Arc::make_mut(&mut self.0).insert((reference, key));
    }

    pub(crate) fn contains(&self, reference: Reference, key: &str) -> bool {
        self.0.contains(&(reference, key.to_owned()))
    }
}

impl Reference {
    /// Returns the keys that every show has, if they are numbered and have no table.
    fn keys(self) -> Option<(Key, RangeInclusive<u64>)> {
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

    /// Picks one of the keys that every show has.
    pub(crate) fn any(self, random: &mut Rng) -> String {
        match self.keys() {
            Some((key, numbers)) => key.of(random.u64(numbers)),
            None => random.uppercase().to_string(),
        }
    }

    pub(crate) fn name(self) -> &'static str {
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
