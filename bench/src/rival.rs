//! The rival of a call: reqwest and serde by hand, with the same timeouts, the same gzip and a constant token. The submodules
//! contain the rivals that renew tokens.

pub(crate) mod authlib;
pub(crate) mod floor;
pub(crate) mod hand_wired;
pub(crate) mod middle;

use std::time::Duration;

use serde::Deserialize;

use crate::server::FIRST_TOKEN;

/// A record written by hand, with the fields of the response only.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub(crate) struct Customer {
    id: Option<String>,
    modified_date: Option<String>,
    #[serde(rename = "customerID")]
    pub(crate) customer_id: Option<String>,
    customer_name: Option<String>,
    email: Option<String>,
    phone: Option<String>,
    fax: Option<String>,
    price_zone: Option<i64>,
    test: Option<bool>,
    placeholder: Option<bool>,
    street1: Option<String>,
    street2: Option<String>,
    city: Option<String>,
    state: Option<String>,
    zip_code: Option<String>,
    allowance_group: Option<String>,
    delivery_group: Option<String>,
    #[serde(rename = "warehouseID")]
    warehouse_id: Option<String>,
    #[serde(rename = "customerClassID")]
    customer_class_id: Option<String>,
    order_permission_key: Option<i64>,
    primary_sales_rep: Option<String>,
    #[serde(default)]
    sales_reps: Vec<String>,
    #[serde(default)]
    ordering_groups: Vec<OrderingGroup>,
    extra1: Option<String>,
    extra2: Option<String>,
    extra3: Option<String>,
    extra4: Option<String>,
    extra5: Option<String>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct OrderingGroup {
    id: Option<String>,
    #[serde(rename = "orderingGroupID")]
    ordering_group_id: Option<String>,
    #[serde(rename = "orderingGroupName")]
    ordering_group_name: Option<String>,
    #[serde(rename = "orderingSubGroupID")]
    ordering_sub_group_id: Option<String>,
    #[serde(rename = "orderingSubGroupName")]
    ordering_sub_group_name: Option<String>,
    #[serde(default)]
    customers: Vec<String>,
}

/// Returns a client as a careful user builds it.
pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(60))
        .timeout(Duration::from_secs(180))
        .user_agent("rival")
        .build()
        .unwrap()
}

/// Gets one customer.
pub(crate) async fn get(client: &reqwest::Client, url: &str, id: &str) -> Customer {
    let response = client.get(format!("{url}/Customer/{id}")).bearer_auth(FIRST_TOKEN).send().await.unwrap();
    let body = response.error_for_status().unwrap().bytes().await.unwrap();
    serde_json::from_slice(&body).unwrap()
}
