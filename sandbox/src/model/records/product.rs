//! Products: one record per ordering unit, several of which have the same key.

use fastrand::Rng;
use serde::Serialize;

use super::{hundredths, vendor};
use crate::model::reference::Reference;
use crate::model::seeded::Key;

/// The keys of products. Each product has a record per case and per pack.
pub(crate) const KEY: Key = Key::new("productID", "PROD", 4);
pub(crate) const UNITS: [(&str, &str); 2] = [("CS", "Case"), ("PK", "Pack")];

const KINDS: [(&str, &str); 4] =
    [("Tumbler", "Glassware"), ("Apron", "Textiles"), ("Lantern", "Lighting"), ("Notebook", "Stationery")];

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Product {
    #[serde(rename = "productID")]
    key: String,
    order_unit: &'static str,
    order_unit_description: &'static str,
    #[serde(rename = "vendorID")]
    vendor: String,
    description: String,
    alternate_description: &'static str,
    buyer: String,
    mpc: String,
    #[serde(rename = "upc_ean")]
    upc_ean: String,
    category: &'static str,
    brand: String,
    delivery_group: String,
    weight_unit: &'static str,
    net_weight: f64,
    gross_weight: f64,
    is_kit: bool,
    active: bool,
    test: bool,
    available_in_ordering_site: bool,
    available_for_free_stock: bool,
    pack_description: String,
    size_description: &'static str,
    unit_qty: u64,
    round_to: u32,
    max_order_qty: u32,
    min_order_qty: u32,
    pack_qty: u64,
    is_orderable: bool,
    can_sample: bool,
    allowance_type: &'static str,
    negotiation_status: &'static str,
    extra_text1: &'static str,
    price: f64,
    show_price: f64,
    msrp: f64,
    is_market_price: bool,
    cashback_quantity: u32,
    cashback_percent: f64,
    department: &'static str,
    inventory: u32,
}

/// Returns the name and the category of the `product`th product.
fn kind(product: u64) -> (&'static str, &'static str) {
    KINDS[(product % KINDS.len() as u64) as usize]
}

pub(crate) fn description(product: u64) -> String {
    format!("{} No. {product}", kind(product).0)
}

/// Returns the number of the vendor of the `product`th product.
pub(crate) fn vendor_of(product: u64) -> u64 {
    product % vendor::COUNT + 1
}

/// Returns the number of the product of the `record`th record.
pub(crate) fn number_of(record: u64) -> u64 {
    record.div_ceil(UNITS.len() as u64)
}

/// Makes the record with this number: a product in one of its units.
pub(crate) fn seeded(number: u64, random: &mut Rng) -> Product {
    let units = UNITS.len() as u64;
    let product = number_of(number);
    let (order_unit, order_unit_description) = UNITS[((number - 1) % units) as usize];
    let pieces = [12, 3][((number - 1) % units) as usize];
    let cents = pieces * random.u64(100..2_000);
    let grams = random.u64(100..900);
    Product {
        key: KEY.of(product),
        order_unit,
        order_unit_description,
        vendor: vendor::KEY.of(vendor_of(product)),
        description: description(product),
        alternate_description: "",
        buyer: Reference::SalesRep.any(random),
        mpc: format!("MPC{product:05}"),
        upc_ean: format!("{product:012}"),
        category: kind(product).1,
        brand: format!("Made-up Brand {}", vendor_of(product)),
        delivery_group: Reference::DeliveryGroup.any(random),
        weight_unit: "LB",
        net_weight: hundredths(grams),
        gross_weight: hundredths(grams + 15),
        is_kit: false,
        active: true,
        test: false,
        available_in_ordering_site: true,
        available_for_free_stock: random.bool(),
        pack_description: format!("{pieces} pieces"),
        size_description: "",
        unit_qty: pieces,
        round_to: 1,
        max_order_qty: 999,
        min_order_qty: 1,
        pack_qty: pieces,
        is_orderable: true,
        can_sample: random.bool(),
        allowance_type: "Discount",
        negotiation_status: "Open",
        extra_text1: "",
        price: hundredths(cents),
        show_price: hundredths(cents * 9 / 10),
        msrp: hundredths(cents * 2),
        is_market_price: false,
        cashback_quantity: 0,
        cashback_percent: 0.5,
        department: "",
        inventory: random.u32(0..500),
    }
}
