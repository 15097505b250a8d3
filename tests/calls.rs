//! Calls by the generated builders: ids are encoded once or rejected before sending, and errors are those of the SDK.

#![cfg(feature = "mock")]
#![allow(clippy::unwrap_used)]

use httpmock::MockServer;
use perenso::{
    Perenso,
    generated::{ClientCustomerExt, ClientVendorExt},
    mock::MockServerExt,
    types::{BulkAnswer, Customer},
};
use serde_json::json;

/// Returns a client of a mock server that issues tokens.
fn client(server: &MockServer) -> Perenso {
    server.mock(|when, then| {
        when.method("POST").path("/auth/oauth/token");
        then.status(200)
            .header("content-type", "application/json")
            .body(r#"{"access_token":"token","token_type":"Bearer","expires_in":300}"#);
    });
    Perenso::builder()
        .client_id("SHOWID")
        .client_secret("secret")
        .api_url(server.base_url())
        .token_url(server.url("/auth/oauth/token"))
        .build()
        .unwrap()
}

#[tokio::test]
async fn an_id_arrives_encoded_once() {
    let server = MockServer::start_async().await;
    let perenso = client(&server);
    for id in ["a/b", "50%", "%2F", "a b", "a\\..\\b", "ä?#", "..."] {
        let mut mock = server.customer_get(|when, then| {
            // The header of the generator is not sent.
            when.id(id).into_inner().header_missing("api-version");
            then.ok(&Customer { customer_id: "5000".into(), ..Customer::default() });
        });
        let customer = perenso.api().customer_get().id(id).send().await.unwrap().into_inner();
        assert_eq!(customer.customer_id.as_deref(), Some("5000"));
        mock.assert();
        mock.delete();
    }
}

#[tokio::test]
async fn a_refused_id_is_never_sent() {
    let server = MockServer::start_async().await;
    let perenso = client(&server);
    let any = server.mock(|when, then| {
        when.method("DELETE");
        then.status(204);
    });
    for id in ["", ".", "..", "a\nb"] {
        let error: perenso::Error = perenso.api().customer_delete().id(id).send().await.unwrap_err();
        assert!(error.to_string().contains("id"), "{error}");
    }
    let error = perenso.api().customer_delete().send().await.unwrap_err();
    assert!(error.to_string().contains("customer_delete"), "{error}");
    any.assert_calls(0);
}

#[tokio::test]
async fn null_in_place_of_a_list_response_is_an_empty_list() {
    let server = MockServer::start_async().await;
    let perenso = client(&server);
    server.customer_list(|when, then| {
        then.into_inner().status(200).header("content-type", "application/json").body("null");
        when.page(1).modified_after(None);
    });
    let customers = perenso.api().customer_list().page(1).send().await.unwrap();
    assert!(customers.is_empty());
}

#[tokio::test]
async fn a_mistake_in_a_response_is_named_by_its_path_and_not_quoted() {
    let server = MockServer::start_async().await;
    let perenso = client(&server);
    server.customer_list(|_, then| {
        let body = json!([{}, {"priceZone": "north"}]).to_string();
        then.into_inner().status(200).header("content-type", "application/json").body(body);
    });
    let error = perenso.api().customer_list().send().await.unwrap_err().to_string();
    assert!(error.contains("[1].priceZone") && !error.contains("north"), "{error}");
}

#[tokio::test]
async fn a_list_goes_out_as_the_body() {
    let server = MockServer::start_async().await;
    let perenso = client(&server);
    let mock = server.vendor_bulk_upsert(|when, then| {
        when.into_inner().json_body(json!([{"vendorName": "Example Foods", "phone": null}]));
        then.ok(&BulkAnswer::default());
    });
    let vendor = perenso::types::Vendor {
        vendor_name: "Example Foods".into(),
        phone: perenso::Field::Null,
        ..Default::default()
    };
    perenso.api().vendor_bulk_upsert().body(vec![vendor]).send().await.unwrap();
    mock.assert();
}
