//! Compiles the client and the mock of a made-up document, and calls each kind of operation.

#![cfg(test)]
#![deny(missing_docs)]
#![allow(clippy::unwrap_used)]

/// The client of a made-up document.
pub mod storage {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));

    /// The mock of its server.
    pub mod mock {
        include!(concat!(env!("OUT_DIR"), "/mock.rs"));
    }
}

/// The photos alone, as a second client.
pub mod photos {
    include!(concat!(env!("OUT_DIR"), "/photo_client.rs"));
}

/// The client of a document as a vendor writes it.
pub mod harbour {
    include!(concat!(env!("OUT_DIR"), "/harbour_client.rs"));

    /// The mock of its server.
    pub mod mock {
        include!(concat!(env!("OUT_DIR"), "/harbour_mock.rs"));
    }
}

use std::{collections::HashMap, time::Duration};

use httpmock::MockServer;
use perenso::{
    Field, Perenso,
    mock::MockShow,
    runtime::{File, Multipart, Success},
    types,
};
use serde_json::{Value, json};

use self::storage::{
    Client, ClientSealedExt as _,
    mock::MockServerExt as _,
    prelude::*,
    types::{Barrel, Bay, Cargo, Chest, Content, Filter, Grade, Pallet, Plan, Sign, Slot, State},
};

/// A client over the tokens and connections of the SDK, of a server that expects the bearer token.
async fn server() -> (MockServer, Perenso, Client) {
    let server = MockServer::start_async().await;
    let show = server.show().unwrap();
    let client = Client::new(show.auth_client());
    (server, show, client)
}

fn filter(name: &str) -> Filter {
    Filter(serde_json::Map::from_iter([("name".to_string(), json!(name))]))
}

#[tokio::test]
async fn the_client_shares_tokens_with_the_sdk() {
    let (server, show, client) = server().await;
    let pallets = server.pallet_list(|when, then| {
        when.page(2)
            .label(&vec!["a".to_string(), "b".to_string()])
            .into_inner()
            .header("authorization", "Bearer mock-token");
        then.ok(&vec![Pallet { pallet_no: "7".into(), ..Pallet::default() }]);
    });
    let list = client.pallet_list().page(2).label(["a", "b"].map(str::to_string).to_vec());
    let found = list.send().await.unwrap();
    assert_eq!((found.status().as_u16(), found[0].pallet_no.as_deref()), (200, Some("7")));
    pallets.assert();
    assert!(show.token_in_hand().is_some());
    assert_eq!(client.auth_client().api_url(), show.auth_client().api_url());
    let _ = types::Customer::default();
}

#[tokio::test]
async fn several_values_in_a_path_and_headers_are_sent() {
    let (server, _, client) = server().await;
    let mock = server.bay_get(|when, then| {
        when.hall_code("a.b/c").bay_no(7).x_tenant("t1").x_trace(Some(3));
        then.ok(&Bay { bay_id: "B7".into(), ..Bay::default() });
    });
    let bay = client.bay_get().hall_code("a.b/c").bay_no(7).x_tenant("t1").x_trace(3).send().await.unwrap();
    assert_eq!(bay.bay_id.as_deref(), Some("B7"));
    // As a regular expression, `a.b` would match.
    let call = |hall: &'static str| client.bay_get().hall_code(hall).bay_no(7).x_tenant("t1").x_trace(3).send();
    assert!(call("axb/c").await.unwrap_err().is_not_found());
    mock.assert();

    for hall in ["", "..", "a\nb"] {
        let error = call(hall).await.unwrap_err();
        assert!(error.to_string().starts_with("bay_get: hall_code: an id "), "{error}");
    }
    let error = client.bay_get().hall_code("a").bay_no(7).x_tenant("a\r\nb").send().await.unwrap_err();
    assert!(error.to_string().starts_with("bay_get: X-Tenant: a value without line breaks"), "{error}");
    let error = client.bay_get().hall_code("a").bay_no(7).send().await.unwrap_err();
    assert_eq!(error.to_string(), "bay_get: x_tenant was not initialized");
}

#[tokio::test]
async fn the_rest_of_a_path_keeps_its_slashes() {
    let (server, _, client) = server().await;
    let mock = server.file_get(|when, then| {
        when.file("a b/c.txt").into_inner().path("/files/a%20b/c.txt");
        then.no_content();
    });
    client.file_get().file("a b/c.txt").send().await.unwrap();
    mock.assert();
    let error = client.file_get().file("a/../b").send().await.unwrap_err();
    assert!(error.to_string().starts_with("file_get: file: an id is expected, not"), "{error}");
}

#[tokio::test]
async fn an_optional_body_is_optional() {
    let (server, _, client) = server().await;
    let with = server.pallet_search_with(|when, then| {
        when.body(&filter("a"));
        then.ok(&vec![Pallet::default()]);
    });
    let without = server.pallet_search(|_, then| {
        then.ok(&Vec::new());
    });
    assert!(client.pallet_search().send().await.unwrap().is_empty());
    assert_eq!(client.pallet_search_with().body(filter("a")).send().await.unwrap().len(), 1);
    with.assert();
    without.assert();
}

#[tokio::test]
async fn bytes_and_forms_are_sent_as_they_are() {
    let (server, _, client) = server().await;
    let photo = server.photo_put(|when, then| {
        when.name("front").into_inner().header("content-type", "application/octet-stream").body("jpeg");
        then.no_content();
    });
    client.photo_put().name("front").body("jpeg").send().await.unwrap();
    photo.assert();
    let session = server.session_start(|when, then| {
        when.into_inner().header("content-type", "application/x-www-form-urlencoded").body("name=a+b");
        then.ok(&json!({"session": 1}));
    });
    let started = client.session_start().body(filter("a b")).send().await.unwrap();
    assert_eq!(started["session"], 1);
    session.assert();
    let nested = Filter(serde_json::Map::from_iter([("a".to_string(), json!({"b": 1}))]));
    let error = client.session_start().body(nested).send().await.unwrap_err();
    assert!(error.to_string().starts_with("session_start: body: an object of plain values"), "{error}");
    let report = server.report_run(|when, then| {
        when.id("r1");
        then.ok(json!(["row"]));
    });
    let response = client.report_run().id("r1").send().await.unwrap();
    assert_eq!(response.text().await.unwrap(), r#"["row"]"#);
    report.assert();
}

#[tokio::test]
async fn several_parts_have_a_boundary_and_names_are_the_vendors() {
    let (server, _, client) = server().await;
    let upload = server.plan_upload(|when, then| {
        let part = "content-disposition: form-data; name=\"file\"; filename=\"a.pdf\"\r\ncontent-type: application/pdf\r\n\r\npdf";
        let when = when.into_inner().header_prefix("content-type", "multipart/form-data; boundary=");
        when.body_includes(part).body_includes("name=\"title\"\r\n\r\nHall 7\r\n");
        then.no_content();
    });
    let form = Multipart::new().text("title", "Hall 7").file("file", "a.pdf", "application/pdf", "pdf");
    client.plan_upload().body(form).send().await.unwrap();
    upload.assert();
    // The same by its record.
    let plan =
        Plan { title: "Hall 7".into(), file: File::new("a.pdf", "application/pdf", "pdf"), extra: Default::default() };
    client.plan_upload().body(plan).send().await.unwrap();
    upload.assert_calls(2);
    let cover = server.cover_put(|when, then| {
        let when = when.send_2(Some("a b")).new_2(Some("c")).into_inner();
        when.query_param("send", "a b").header("new", "c").header("content-type", "image/png").body("png");
        then.no_content();
    });
    client.cover_put().send_2("a b").new_2("c").body("png").send().await.unwrap();
    cover.assert();
    // A second client of the same program, over the same tokens.
    photos::ClientPhotoExt::plan_upload(&photos::Client::new(client.auth_client()))
        .body(Multipart::new().text("title", "Hall 7").file("file", "a.pdf", "application/pdf", "pdf"))
        .send()
        .await
        .unwrap();
    upload.assert_calls(3);
}

#[tokio::test]
async fn parts_have_types() {
    use self::harbour::{mock::MockServerExt as _, prelude::*, types::*};

    let server = MockServer::start_async().await;
    let client = harbour::Client::new(server.show().unwrap().auth_client());
    let parts = [
        ("manifest\"; filename=\"m.pdf", "application/pdf", "%PDF"),
        ("photos\"; filename=\"1.png", "image/png", "one"),
        ("photos\"; filename=\"2.png", "image/png", "two"),
        ("title", "", "Hall 7 \u{fc}"),
        ("pages", "", "3"),
        ("fee", "", "12.5"),
        ("urgent", "", "true"),
        ("arrival", "", "2026-01-31T09:00:00Z"),
        ("class", "", "liquid"),
        ("berths", "", "4"),
        ("berths", "", "5"),
        ("notes", "text/markdown", "*a*"),
        ("codes", "application/json", "\"a\""),
        ("captain", "application/json", r#"{"name":"Ada","since":"2020-02-29T00:00:00Z"}"#),
        ("crew", "application/json", r#"{"name":"Bo"}"#),
        ("seal", "", "s1"),
    ];
    let upload = server.file_papers(|when, then| {
        let when = when.into_inner().header_prefix("content-type", "multipart/form-data; boundary=");
        let when = parts.iter().fold(when, |when, (name, media_type, content)| {
            let head = if media_type.is_empty() { String::new() } else { format!("\r\ncontent-type: {media_type}") };
            when.body_includes(format!("form-data; name=\"{name}\"{head}\r\n\r\n{content}\r\n--"))
        });
        when.is_true(|request| request.body_string().matches("form-data; name=").count() == 16);
        then.no_content();
    });
    let papers = Papers {
        manifest: File::new("m.pdf", "application/pdf", "%PDF"),
        photos: vec![File::new("1.png", "image/png", "one"), File::new("2.png", "image/png", "two")].into(),
        title: "Hall 7 \u{fc}".to_string(),
        pages: 3.into(),
        fee: "12.5".parse::<perenso::Decimal>().unwrap().into(),
        urgent: true.into(),
        arrival: perenso::Timestamp::from("2026-01-31T09:00:00Z").into(),
        class: PapersClass::Liquid.into(),
        berths: vec![4, 5],
        notes: "*a*".into(),
        codes: vec!["a".to_string()].into(),
        captain: PapersCaptain {
            name: "Ada".into(),
            since: perenso::Timestamp::from("2020-02-29T00:00:00Z").into(),
            ..PapersCaptain::default()
        }
        .into(),
        crew: vec![PapersCrewItem { name: "Bo".to_string(), extra: Default::default() }].into(),
        extra: serde_json::Map::from_iter([("seal".to_string(), json!("s1"))]),
    };
    client.file_papers().body(papers.clone()).send().await.unwrap();
    client.file_papers().body(builder::Papers::from(papers)).send().await.unwrap();
    upload.assert_calls(2);

    // What is unset or null is not sent.
    let least = server.file_papers(|when, then| {
        when.into_inner().is_true(|request| request.body_string().matches("form-data; name=").count() == 2);
        then.no_content();
    });
    let papers = Papers::builder().manifest(File::default()).title("a").pages(Field::Null);
    client.file_papers().body(papers).send().await.unwrap();
    least.assert();
    let error = client.file_papers().body(Papers::builder().title("a")).send().await.unwrap_err();
    assert_eq!(error.to_string(), "file_papers: body: `manifest` is required: set it in the builder");
}

#[tokio::test]
async fn lists_in_a_form_are_sent_in_their_styles() {
    use self::harbour::{mock::MockServerExt as _, prelude::*, types::*};

    let server = MockServer::start_async().await;
    let client = harbour::Client::new(server.show().unwrap().auth_client());
    let body = FindTidesBody {
        places: vec!["a b".to_string(), "c,d".to_string()],
        moons: vec![FindTidesBodyMoonsItem::Full, FindTidesBodyMoonsItem::New].into(),
        years: vec![2025, 2026].into(),
        exact: true.into(),
        extra: Default::default(),
    };
    let tides = server.find_tides(|when, then| {
        let when = when.body(&body).into_inner().header("content-type", "application/x-www-form-urlencoded");
        when.body("exact=true&moons=full,new&places=a+b&places=c%2Cd&years=2025%7C2026");
        then.no_content();
    });
    client.find_tides().body(body.clone()).send().await.unwrap();
    tides.assert();
}

#[tokio::test]
async fn every_operation_can_be_limited() {
    let (server, _, client) = server().await;
    server.pallet_get(|when, then| {
        when.id("p1");
        then.too_many_requests(Duration::from_millis(1_500));
    });
    let options = perenso::CallOptions::new().deadline(Duration::ZERO);
    let error = client.with_options(options).pallet_get().id("p1").send().await.unwrap_err();
    assert!(error.is_timeout(), "{error}");
    let error = client.pallet_get().id("p1").send().await.unwrap_err();
    assert_eq!((error.operation(), error.retry_after()), ("pallet_get", Some(Duration::from_secs(2))));
}

#[test]
fn a_record_goes_back_as_it_came() {
    let json = json!({
        "palletNo": "7", "owner": null, "labels": ["a"], "state": "Other", "price": 1.5, "sizes": {"x": 1},
        "anything": [1, {"a": null}], "extra": "b", "below": {"labels": [], "state": "lost", "sizes": null}, "new": {"c": 2},
    });
    let pallet: Pallet = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(pallet.state, Field::Value(State::Other));
    assert_eq!(pallet.below.get().unwrap().state, Field::Value(State::Unlisted("lost".to_string())));
    assert_eq!((&pallet.owner, pallet.extra_field.as_deref()), (&Field::Null, Some("b")));
    assert_eq!(pallet.extra, serde_json::Map::from_iter([("new".to_string(), json!({"c": 2}))]));
    assert_eq!(serde_json::to_value(&pallet).unwrap(), json);
    let built: Pallet = Pallet::builder()
        .pallet_no("7")
        .sizes([("x".to_string(), 1)].into_iter().collect::<HashMap<_, _>>())
        .try_into()
        .unwrap();
    assert_eq!(serde_json::to_value(&built).unwrap(), json!({"palletNo": "7", "labels": [], "sizes": {"x": 1}}));
}

#[test]
fn a_value_of_several_types_is_told_and_kept() {
    let barrel = json!({"kind": "keg", "litres": 1.5, "new": 1});
    let chest = json!({"kind": "chest", "inner": ["a", barrel]});
    let unknown =
        [json!({"kind": "crate"}), json!({"kind": "chest"}), json!(true), json!({"kind": "chest", "inner": 7})];
    let json = [json!("a"), json!(7.5), json!(["a"]), barrel, chest]
        .into_iter()
        .chain(unknown)
        .map(|cargo| json!({"cargo": cargo}));
    let json: Value = json.collect();
    let bays: Vec<Bay> = serde_json::from_value(json.clone()).unwrap();
    let cargo: Vec<_> = bays.iter().map(|bay| bay.cargo.get().unwrap()).collect();
    assert_eq!(cargo[..3], [&Cargo::from("a"), &Cargo::from(7.5), &Cargo::from(vec!["a".to_string()])]);
    let Cargo::Barrel(Barrel { litres, extra, .. }) = cargo[3] else { panic!("no barrel") };
    assert_eq!((litres.get().unwrap().to_string(), &extra["new"]), ("1.5".to_string(), &json!(1)));
    assert!(matches!(cargo[4], Cargo::Chest(Chest { inner, .. }) if inner.len() == 2));
    assert!(cargo[5..].iter().all(|cargo| matches!(cargo, Cargo::Other(_))));
    assert_eq!(serde_json::to_value(&bays).unwrap(), json);
    assert_eq!(format!("{:?}", cargo[3]), "Cargo { .. }");
}

#[tokio::test]
async fn alternatives_of_objects_are_told_by_a_property_or_by_their_fields() {
    use self::harbour::{mock::MockServerExt as _, prelude::*, types::*};

    let server = MockServer::start_async().await;
    let client = harbour::Client::new(server.show().unwrap().auth_client());
    let escorts = json!([
        {"kind": "freighter", "owner": null},
        {"kind": "freighter", "owner": "Ada", "tons": 7.5},
        {"kind": "freighter", "owner": {"companyId": "c1", "parent": {"parent": "p"}}},
        {"kind": "Tug"},
        {"kind": "raft", "planks": [3]},
    ]);
    let json = json!({"kind": "car-ferry", "seats": 9, "escorts": escorts});
    let ship: Ship = serde_json::from_value(json.clone()).unwrap();
    server.get_ship(|when, then| {
        when.id("s1");
        then.ok(&ship);
    });
    let found = client.get_ship().id("s1").send().await.unwrap().into_inner();
    assert_eq!((&serde_json::to_value(&found).unwrap(), &found), (&json, &ship));
    let Ship::Ferry(ferry) = found else { panic!("no ferry") };
    let escorts = ferry.escorts.get().unwrap();
    let owner = |index: usize| match &escorts[index] {
        Ship::Freighter(freighter) => freighter.owner.clone(),
        _ => panic!("no freighter"),
    };
    assert_eq!((owner(0), owner(1)), (Field::Null, FreighterOwner::from("Ada").into()));
    assert!(matches!(owner(2), Field::Value(FreighterOwner::Company(company)) if company.company_id == "c1".into()));
    // A tug requires its power.
    assert!(escorts[3..].iter().all(|ship| matches!(ship, Ship::Other(_))));

    let paid = server.pay(|when, then| {
        when.body(&PaymentCash { cash: 7, extra: Default::default() }.into());
        then.created(&serde_json::from_value(json!({"no": "1", "lines": ["a", {"b": []}, 7]})).unwrap());
    });
    let receipt = client.pay().body(PaymentCash { cash: 7, extra: Default::default() }).send().await.unwrap();
    let Success::Value(receipt) = receipt.into_inner() else { panic!("no receipt") };
    assert!(
        matches!(receipt.lines.get(), Some(Tree::Array(lines)) if matches!(&lines[2], Tree::Other(value) if *value == 7))
    );
    paid.assert();
    let card: Payment = serde_json::from_value(json!({"card": "4", "amount": 1})).unwrap();
    assert!(matches!(card, Payment::Card(PaymentCard { amount: 1, .. })));
}

#[test]
fn an_alternative_is_sent_with_the_property_that_tells_it() {
    use self::harbour::types::*;

    let sent = |ship: Ship| serde_json::to_value(ship).unwrap();
    let named =
        |kind: &str| -> Freighter { Freighter::builder().kind(kind).name("Ada".to_string()).try_into().unwrap() };
    for kind in ["", "ferry", "freighter"] {
        assert_eq!(sent(named(kind).into()), json!({"kind": "freighter", "name": "Ada"}));
    }
    // Of several values the one with the name of the type, unless another is set.
    let ferry = |kind: &str| sent(Ferry::try_from(Ferry::builder().kind(kind)).unwrap().into());
    assert_eq!((ferry("")["kind"].take(), ferry("car-ferry")["kind"].take()), (json!("ferry"), json!("car-ferry")));
    // The order of the fields is that of the document, and what the record lacks is last.
    let raft = serde_json::to_string(&Cabin::from(Bunk { beds: 2.into(), ..Bunk::default() })).unwrap();
    assert_eq!(raft, r#"{"beds":2,"type":"Bunk"}"#);
    let suite = Cabin::from(Suite(serde_json::Map::from_iter([("rooms".to_string(), json!(3))])));
    assert_eq!(serde_json::to_value(suite).unwrap(), json!({"rooms": 3, "type": "Suite"}));
    let other = Cabin::Other(json!({"type": "cell"}));
    assert_eq!(serde_json::to_value(other).unwrap(), json!({"type": "cell"}));
    // A union in a union has the alternatives of both.
    let visitor: Visitor = serde_json::from_value(json!({"kind": "freighter"})).unwrap();
    assert!(matches!(visitor, Visitor::Freighter(_)) && matches!(Visitor::from("Ada"), Visitor::String(_)));
    assert_eq!(serde_json::to_value(Visitor::from(named(""))).unwrap()["kind"], "freighter");
    // Alone, a record is what was set.
    assert_eq!(serde_json::to_value(named("")).unwrap()["kind"], "");
    let escorted = Ferry::try_from(Ferry::builder().kind("ferry").escorts(vec![Ship::from(named(""))])).unwrap();
    assert_eq!(sent(escorted.into())["escorts"], json!([{"kind": "freighter", "name": "Ada"}]));
}

#[tokio::test]
async fn a_response_of_another_kind_is_no_error_and_keeps_its_body() {
    use self::harbour::{mock::MockServerExt as _, prelude::*, types::*};

    let server = MockServer::start_async().await;
    let client = harbour::Client::new(server.show().unwrap().auth_client());
    let pay = |cash| client.pay().body(PaymentCash { cash, extra: Default::default() }).send();
    server.pay(|when, then| {
        when.body(&PaymentCash { cash: 1, extra: Default::default() }.into());
        then.accepted(&Ticket { ticket: 7, extra: Default::default() });
    });
    server.pay(|when, then| {
        when.body(&PaymentCash { cash: 2, extra: Default::default() }.into());
        then.no_content();
    });
    let accepted = pay(1).await.unwrap();
    let Success::Other(body) = &*accepted else { panic!("no other response") };
    assert_eq!((accepted.status().as_u16(), body.json::<Ticket>().unwrap().ticket), (202, 7));
    assert_eq!(format!("{body:?}"), "OtherBody(12 bytes)");
    let empty = pay(2).await.unwrap();
    assert!(matches!(&*empty, Success::Other(body) if body.bytes().is_empty()) && empty.into_inner().value().is_none());
}

#[test]
fn values_of_enums_keep_their_json() {
    let json = json!([{"grade": 1, "sign": ""}, {"grade": 2, "sign": "a"}, {"grade": 8, "sign": "A"}, {"grade": -1, "sign": "b"}]);
    let bays: Vec<Bay> = serde_json::from_value(json.clone()).unwrap();
    let known: Vec<_> =
        bays.iter().map(|bay| (bay.grade.get().unwrap().clone(), bay.sign.get().unwrap().clone())).collect();
    let expected = [
        (Grade::Good, Sign::Empty),
        (Grade::Other, Sign::A),
        (Grade::Unlisted(8), Sign::A2),
        (Grade::Bad, Sign::Other("b".to_string())),
    ];
    assert_eq!(known, expected);
    assert_eq!(serde_json::to_value(&bays).unwrap(), json);
    assert_eq!(("-1".parse(), Grade::Bad.as_i64(), Grade::Bad.to_string()), (Ok(Grade::Bad), -1, "-1".to_string()));
}

#[test]
fn integers_have_the_names_of_their_alternatives() {
    use self::harbour::types::*;

    let json = json!([{"state": 1, "mode": 2}, {"state": 7, "mode": 1}]);
    let locks: Vec<Lock> = serde_json::from_value(json.clone()).unwrap();
    assert_eq!((&locks[0].state, &locks[0].mode), (&LockState::HalfOpen.into(), &LockMode::Timed.into()));
    assert_eq!((&locks[1].state, &locks[1].mode), (&LockState::from(7).into(), &LockMode::Manual.into()));
    assert_eq!(serde_json::to_value(&locks).unwrap(), json);
}

#[test]
fn a_record_that_needs_values_is_read_and_built_with_all_of_them() {
    let json = json!({"slotNo": "7", "height": 2, "bay": {"bayID": "B7"}, "new": [1]});
    let slot: Slot = serde_json::from_value(json.clone()).unwrap();
    assert_eq!((slot.height, slot.note.is_unset()), (2, true));
    assert_eq!(serde_json::to_value(&slot).unwrap(), json);
    let error = |json| serde_json::from_value::<Slot>(json).unwrap_err().to_string();
    assert_eq!(error(json!({"slotNo": "7", "bay": {}})), "missing field `height`");
    assert_eq!(error(json!({"slotNo": null})), "invalid type: null, expected a string");
    assert_eq!(error(json!(7)), "invalid type: integer `7`, expected Slot as an object");

    let builder = Slot::builder().slot_no("7").height(2_u8);
    let error = Slot::try_from(builder.clone()).unwrap_err();
    assert_eq!(error.to_string(), "`bay` is required: set it in the builder");
    let built: Slot = builder.clone().bay(Bay { bay_id: "B7".into(), ..Bay::default() }).try_into().unwrap();
    assert_eq!(serde_json::to_value(&built).unwrap(), json!({"slotNo": "7", "height": 2, "bay": {"bayID": "B7"}}));
    // The first refusal is reported, even if a later value would do.
    let refused = builder.bay(Bay::default()).height(u64::MAX).height(2);
    let error = Slot::try_from(refused).unwrap_err();
    assert_eq!(error.to_string(), "height: out of range integral type conversion attempted");
    let changed = self::storage::types::builder::Slot::from(slot).height(3);
    assert_eq!(Slot::try_from(changed).unwrap().height, 3);
}

#[test]
fn a_number_is_read_from_a_string_where_the_document_says_so() {
    for levels in [json!(3), json!("3")] {
        let bay: Bay = serde_json::from_value(json!({"bayID": "B7", "levels": levels})).unwrap();
        assert_eq!(bay.levels, Field::Value(3));
    }
    assert!(serde_json::from_value::<Bay>(json!({"levels": "three"})).is_err());
}

#[test]
fn debug_shows_ids_codes_and_statuses() {
    let secret: Value = json!({"bayID": "B7", "keeper": "Ada", "sessionId": "s1", "content": "Ada", "new": "Ada",
        "status": {"of": "Ada"}, "reasonCode": [{"by": "Ada"}]});
    let bay: Bay = serde_json::from_value(secret).unwrap();
    assert_eq!(format!("{bay:?}"), r#"Bay { bay_id: "B7", .. }"#);
    assert_eq!(format!("{:?}", Content::String("Ada".to_string())), "Content { .. }");
    let pallet = Pallet { id: "p1".into(), owner: "Ada".into(), ..Pallet::default() };
    assert_eq!(format!("{pallet:?}"), r#"Pallet { id: "p1", .. }"#);
}

#[tokio::test]
async fn lists_maps_and_cookies_are_sent_in_their_styles() {
    let (server, _, client) = server().await;
    let (color, x) = ([("color".to_string(), "red".to_string())], [("x".to_string(), 7)]);
    let prices = server.price_list(|when, then| {
        let when = when.codes(["a", "b,c"]).state(&vec![State::Stored, State::OnHold]).sizes(&vec![1, 2]);
        let when = when
            .words_value(&vec!["a b".to_string()])
            .filter(&HashMap::from(color.clone()))
            .more(&HashMap::from(x.clone()));
        let when = when
            .x_ids(&vec![3, 4])
            .x_names(&vec!["n".to_string()])
            .locale("de")
            .seen_value(None)
            .grades(&vec![Grade::Bad, 7.into()])
            .into_inner();
        when.header("x-ids", "3,4")
            .query_param("words", "a b")
            .query_param("sizes", "1|2")
            .query_param("state", "stored,on-hold")
            .query_param("grades", "-1,7");
        then.no_content();
    });
    let call = || {
        let call =
            client.price_list().codes(["a".to_string(), "b,c".to_string()]).state(vec![State::Stored, State::OnHold]);
        let call = call.sizes([1, 2]).words_value(["a b".to_string()]).filter(color.clone());
        call.more(x.clone()).x_ids([3, 4]).grades([Grade::Bad, Grade::from(7)])
    };
    let call = || call().locale("de");
    call().x_names(["n".to_string()]).send().await.unwrap();
    prices.assert();
    let both = server.price_list(|when, then| {
        when.locale("de").seen_value(Some(7)).into_inner().header("cookie", "locale=de; seen=7");
        then.no_content();
    });
    call().x_names(["n".to_string()]).seen_value(7).send().await.unwrap();
    both.assert();
    let error = call().x_names(["n".to_string()]).locale("a; b=c").send().await.unwrap_err();
    assert!(error.to_string().starts_with("price_list: locale: a value without spaces, quotes, commas"), "{error}");
    let error = call().x_names(["a,b".to_string()]).send().await.unwrap_err();
    assert_eq!(error.to_string(), "price_list: X-Names: a list of values without commas is expected");
}
