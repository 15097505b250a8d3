//! Exports that cannot be read page by page are rejected before a request is sent. The error names the method to call.

use futures_util::TryStreamExt;
use perenso::{
    ErrorKind, Perenso,
    exports::{Catalog, Cursor, Paging},
};
use serde_json::{Value, json};

use crate::{
    builder,
    export::{Asked, Export, numbered, page},
    server::{Reply, Server},
};

fn refused(paging: Paging, values: Value) -> String {
    let show = Perenso::builder().client_id("SHOWID").client_secret("secret").build().unwrap();
    let parameters: Vec<Value> = (values.as_object().unwrap().iter())
        .map(|(name, value)| {
            json!({"name": name, "dataType": match value {
                Value::Number(_) => "Integer",
                Value::Bool(_) => "Boolean",
                _ => "Text",
            }})
        })
        .collect();
    let catalog = json!([{"id": "1", "name": "Things", "parameters": parameters}]);
    let catalog: Catalog = serde_json::from_value(catalog).unwrap();
    let values = values.as_object().unwrap().iter();
    let values = values.map(|(name, value)| (name.clone(), perenso::exports::ParameterValue::raw(value.clone())));
    let request = catalog.by_id("1").unwrap().check(values).unwrap();
    let error = show.exports().pages::<Value>(request, paging).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    error.to_string().replace("export_run: the export cannot be read page by page: ", "")
}

#[tokio::test]
async fn an_error_of_paging_names_the_setter() {
    let usual = || json!({"Cursor": 1, "Limit": 15});
    for (paging, values, expected) in [
        (
            Paging::by_page(),
            json!({"Skip": 1, "Take": 2}),
            "it has no Integer or Text parameter `Cursor` and no `Limit`: of these types it has `Skip`, `Take`; set `Paging::cursor_parameter` and `Paging::limit_parameter`, or `Paging::without_limit` if it has none for the page size",
        ),
        (
            Paging::by_page().limit_parameter("Take"),
            usual(),
            "it has no Integer or Text parameter `Take`: of these types it has `Cursor`, `Limit`; set \
             `Paging::limit_parameter`, or `Paging::without_limit` if it has none for the page size",
        ),
        (
            Paging::by_page(),
            json!({"Cursor": true, "Limit": 2}),
            "it has no Integer or Text parameter `Cursor`: of these types it has `Limit`; set \
             `Paging::cursor_parameter`",
        ),
        (
            Paging::by_page(),
            json!({"Cursor": "0940", "Limit": "2"}),
            "the value of `Cursor` is not a number; expected digits such as `1`",
        ),
        (
            Paging::by_page(),
            json!({"Cursor": "1", "Limit": "all"}),
            "the value of `Limit` is not a number; expected digits such as `1`",
        ),
        (Paging::by_page(), json!({"Cursor": "1", "Limit": "0"}), "`Limit` is 0; expected 1 or more"),
        (
            Paging::by_page().without_limit().limit(5),
            usual(),
            "a limit is set, but `Paging::without_limit` says that it has no parameter for one",
        ),
        (Paging::by_page().cursor_parameter("Limit"), usual(), "`Limit` cannot be both its cursor and its limit"),
        (Paging::by_page().limit(0), usual(), "`Limit` is 0; expected 1 or more"),
        (Paging::by_page(), json!({"Cursor": 1, "Limit": -1}), "`Limit` is -1; expected 1 or more"),
        (Paging::by_page(), json!({"Cursor": -1, "Limit": 1}), "`Cursor` is -1; expected 0 or more"),
        (Paging::by_offset().start(Cursor::offset(-1)), usual(), "`Cursor` is -1; expected 0 or more"),
        (
            Paging::by_page().start(Cursor::page(2, 3, 20)),
            usual(),
            "the cursor to start at is for pages of 20 rows, but `Limit` is 15: set 20",
        ),
        (
            Paging::by_offset().start(Cursor::page(2, 3, 15)),
            usual(),
            "the cursor to start at counts pages; read it with `Paging::by_page`",
        ),
        (
            Paging::by_page().start(Cursor::offset(2)),
            usual(),
            "the cursor to start at counts rows; read it with `Paging::by_offset`",
        ),
        (
            Paging::by_key("id").start(Cursor::offset(2)),
            usual(),
            "the cursor to start at counts rows; read it with `Paging::by_offset`",
        ),
        (
            Paging::by_page().start(Cursor::key(2, 0)),
            usual(),
            "the cursor to start at is a key; read it with `Paging::by_key`",
        ),
        (
            Paging::by_key("id").start(Cursor::key("s3cr3t", 0)),
            usual(),
            "the cursor to start at is a string, but `Cursor` takes an integer",
        ),
        (
            Paging::by_page().without_limit().start(Cursor::page(2, 3, 20)),
            usual(),
            "the cursor to start at is for pages of 20 rows, but the paging has no limit: set 20",
        ),
        (
            Paging::by_page().start(serde_json::from_str(r#"{"page":{"number":2,"row":3}}"#).unwrap()),
            usual(),
            "the cursor to start at is for pages without a limit, but `Limit` is 15: set `Paging::without_limit`",
        ),
    ] {
        assert_eq!(refused(paging, values), expected);
    }
}

#[tokio::test]
async fn values_of_the_run_hold_and_those_that_are_left_out_are_filled_in() {
    let export = Export::start(|asked, _| page(numbered(asked, 7, 100))).await;
    let run = || export.show.exports().run("Things");
    let asked = |cursor, limit| Asked { cursor, limit };
    let at = || Cursor::page(2, 1, 5);
    for (run, paging, first) in [
        (run(), Paging::by_page(), asked(1, 100)),
        (run(), Paging::by_page().limit(5), asked(1, 5)),
        (run().value("Limit", 6), Paging::by_page(), asked(1, 6)),
        (run().value("Limit", 6), Paging::by_page().limit(5), asked(1, 5)),
        (run().value("Cursor", 2), Paging::by_page(), asked(2, 100)),
        (run().value("Cursor", 9), Paging::by_page().start(at()), asked(2, 5)),
        (run(), Paging::by_page().start(at()), asked(2, 5)),
        (run().value("Limit", 6), Paging::by_page().start(at()).limit(5), asked(2, 5)),
    ] {
        let before = export.runs().count();
        let mut pages = run.pages::<Value>(paging).await.unwrap();
        pages.try_next().await.unwrap();
        assert_eq!(export.runs().nth(before).unwrap(), first);
        drop(pages);
    }
    let error = run().value("Limit", 6).pages::<Value>(Paging::by_page().start(at())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    let error = run().value("Limit", "6").pages::<Value>(Paging::by_page()).await.unwrap_err();
    assert_eq!(error.problems(), ["`Limit`: expected Integer of 64 bits such as `15`, without quotes; found a string"]);
}

#[tokio::test]
async fn other_names_and_other_values_reach_every_page() {
    let server = Server::start(|seen| match seen.method.as_str() {
        "GET" => Reply::json(
            200,
            json!([{"id": "1", "name": "Sales", "parameters": [{"name": "Skip", "dataType": "Integer"},
                {"name": "Take", "dataType": "Integer"}, {"name": "City", "dataType": "Text"}]}])
            .to_string(),
        ),
        _ => {
            let values: Value = serde_json::from_str(&seen.body).unwrap();
            assert_eq!(values["City"], "Exampleville");
            let first = values["Skip"].as_u64().unwrap();
            page(first..(first + values["Take"].as_u64().unwrap()).min(7))
        }
    })
    .await;
    let show = builder(&server.url, &format!("{}/token", server.url), "SHOWID", "secret").build().unwrap();
    let run = || show.exports().run("Sales").value("City", "Exampleville");
    let paging = || Paging::by_offset().cursor_parameter("Skip").limit_parameter("Take").limit(3);
    let rows: Vec<Value> = run().pages(paging()).await.unwrap().try_collect().await.unwrap();
    assert_eq!(rows.len(), 7);

    let error = run().pages::<Value>(Paging::by_page()).await.unwrap_err();
    assert!(error.to_string().contains("it has `Skip`, `Take`, `City`; set `Paging::"), "{error}");
    let error =
        run().value("Take", 3).pages::<Value>(Paging::by_offset().cursor_parameter("Skip").limit_parameter("City"));
    assert!(error.await.unwrap_err().to_string().contains("the value of `City` is not a number"));
}
