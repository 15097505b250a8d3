//! Resources that the vendor's pages name, but whose paths and fields they do not show.

use super::resource::Resource;
use crate::{client::Perenso, records::JsonRecord};

/// Adds a method for each resource, with its path.
macro_rules! resources {
    ($($method:ident, $path:literal, $title:literal, $what:literal;)*) => {
        impl Perenso {
            $(
                #[doc = concat!("Returns the calls on ", $what, ".")]
                #[doc = ""]
                #[doc = concat!("The path `", $path, "` is inferred, since the vendor's pages do not show it; set another by")]
                #[doc = "[`Resource::at`]. The fields are not shown either."]
                #[doc(alias($title, $path))]
                pub fn $method(&self) -> Resource<JsonRecord> {
                    Resource::of_records(self, $path)
                }
            )*
        }
    };
}

resources! {
    warehouses, "/Warehouse", "Warehouses", "warehouses";
    delivery_groups, "/DeliveryGroup", "Delivery Groups", "delivery groups";
    delivery_ranges, "/DeliveryRange", "Delivery Ranges", "delivery ranges";
    delivery_drops, "/DeliveryDrop", "Delivery Drops", "delivery drops";
    sales_reps, "/SalesRep", "Sales Reps", "sales reps";
    sales_rep_managers, "/SalesRepManager", "Sales Rep Managers", "sales rep managers";
    ordering_groups, "/OrderingGroup", "Ordering Groups", "ordering groups";
    brokers, "/Broker", "Brokers", "brokers";
    vendor_users, "/VendorUser", "vendor users", "the users of vendors";
    booths, "/Booth", "Booths", "booths";
    products, "/Product", "Products", "products";
}
