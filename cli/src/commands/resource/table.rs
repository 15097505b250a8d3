//! The resources that have commands.

use crate::loading::{CUSTOMERS, LoadTarget, ORDER_HISTORY, ORDER_LINES, VENDORS};

/// A resource of the API, and how its records are shown.
#[derive(Debug)]
pub(crate) struct ResourceInfo {
    /// The name of the command.
    pub(crate) name: &'static str,
    /// The records in a sentence.
    pub(crate) plural: &'static str,
    pub(crate) path: &'static str,
    /// The columns of a table, and the first ones of a CSV file.
    pub(crate) columns: &'static [&'static str],
    /// The query parameter that restricts a list to records changed after a timestamp.
    pub(crate) since: &'static str,
    /// The list within a record whose items are the rows of a table and a CSV file.
    pub(crate) lines: Option<&'static str>,
    /// True if records can be listed and read.
    pub(crate) reads: bool,
    /// True if changes can be read from a watermark.
    pub(crate) changes: bool,
    /// True if records can be created, updated and deleted one by one.
    pub(crate) writes: bool,
    /// The bulk call, if there is one.
    pub(crate) load: Option<&'static LoadTarget>,
    /// A note for the help.
    pub(crate) note: Option<&'static str>,
}

const INFERRED: &str =
    "The vendor's pages name this resource and show neither its path nor its fields: they are inferred.";

/// Returns a resource whose path is inferred.
const fn inferred(
    name: &'static str,
    plural: &'static str,
    path: &'static str,
    columns: &'static [&'static str],
) -> ResourceInfo {
    let (since, note) = ("modifiedAfter", Some(INFERRED));
    ResourceInfo {
        name,
        plural,
        path,
        columns,
        since,
        lines: None,
        reads: true,
        changes: false,
        writes: true,
        load: None,
        note,
    }
}

/// All resources, in the order of the help.
pub(crate) const RESOURCES: &[ResourceInfo] = &[
    ResourceInfo {
        name: "customers",
        plural: "customers",
        path: "/Customer",
        columns: &["id", "customerID", "customerName", "city", "state", "modifiedDate"],
        since: "modifiedAfter",
        lines: None,
        reads: true,
        changes: true,
        writes: true,
        load: Some(&CUSTOMERS),
        note: None,
    },
    ResourceInfo {
        name: "attendees",
        plural: "attendees",
        path: "/attendee",
        columns: &["id", "firstName", "lastName", "email", "modifiedDate"],
        since: "modifiedAfter",
        lines: None,
        reads: true,
        changes: true,
        writes: false,
        load: None,
        note: None,
    },
    ResourceInfo {
        name: "orders",
        plural: "orders",
        path: "/Order",
        columns: &[
            "id",
            "orderLineID",
            "customer.id",
            "customer.name",
            "product.id",
            "quantity",
            "price",
            "deliveryDate",
        ],
        since: "datelastmodified",
        lines: Some("items"),
        reads: true,
        changes: true,
        writes: false,
        load: Some(&ORDER_LINES),
        note: Some(
            "A table and a CSV file have a row for each line of an order; JSON has the orders with their lines. A row that is \
             loaded changes a line of an order by its id, which is `orderLineID` in the list.",
        ),
    },
    ResourceInfo {
        name: "order-history",
        plural: "items of the order history",
        path: "/OrderHistory",
        columns: &[],
        since: "",
        lines: None,
        reads: false,
        changes: false,
        writes: false,
        load: Some(&ORDER_HISTORY),
        note: Some(
            "The show does not list its order history. Items whose response was lost cannot be looked up, and a file that is \
             loaded twice is there twice.",
        ),
    },
    ResourceInfo {
        load: Some(&VENDORS),
        ..inferred("vendors", "vendors", "/Vendor", &["id", "vendorID", "vendorName", "city", "state"])
    },
    inferred("products", "products", "/Product", &["id", "productID", "description", "vendorID", "price"]),
    inferred("booths", "booths", "/Booth", &[]),
    inferred("warehouses", "warehouses", "/Warehouse", &[]),
    inferred("delivery-groups", "delivery groups", "/DeliveryGroup", &[]),
    inferred("delivery-ranges", "delivery ranges", "/DeliveryRange", &[]),
    inferred("delivery-drops", "delivery drops", "/DeliveryDrop", &[]),
    inferred("sales-reps", "sales reps", "/SalesRep", &[]),
    inferred("sales-rep-managers", "sales rep managers", "/SalesRepManager", &[]),
    inferred("ordering-groups", "ordering groups", "/OrderingGroup", &[]),
    inferred("brokers", "brokers", "/Broker", &[]),
    inferred("vendor-users", "users of vendors", "/VendorUser", &[]),
];
