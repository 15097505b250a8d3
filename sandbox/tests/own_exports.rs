//! Exports that a test adds.

#![allow(clippy::unwrap_used)]

#[path = "support/call.rs"]
mod call;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use call::Caller;
use perenso_sandbox::{Behavior, DataType, Export, Parameter, PastTheEnd, RowSyntax, Rows, Sandbox};
use reqwest::Method;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const ID: &str = "b4dg3s";
const PATH: &str = "/Export/b4dg3s";

fn export() -> Export {
    Export::new(ID, "Badge Scans")
}

fn numbers(count: u64) -> Rows {
    Rows::generated(count, |number| json!({ "number": number }))
}

async fn start(export: Export) -> (Sandbox, Caller) {
    let sandbox = Sandbox::builder().export(export).start().await.unwrap();
    let caller = Caller::new(&sandbox);
    (sandbox, caller)
}

/// Returns the content type and the body of a run without values.
async fn response(export: Export) -> (String, String) {
    let (_sandbox, caller) = start(export).await;
    let response = caller.request(Method::POST, PATH).header("content-length", "0").send().await.unwrap();
    assert_eq!(response.status(), 200);
    (response.headers()["content-type"].to_str().unwrap().to_owned(), response.text().await.unwrap())
}

#[tokio::test]
async fn an_added_export_follows_those_of_the_guide_in_the_catalog() {
    let parameters = [
        Parameter::new("Booth", DataType::Text).description("Scans at this booth"),
        Parameter::new("Since", DataType::DateTime),
        Parameter::new("Most", DataType::Integer),
        Parameter::new("Repeated", DataType::Boolean),
        Parameter::new("Price", DataType::Other("Decimal".to_owned())),
    ];
    let (_sandbox, caller) = start(parameters.into_iter().fold(export(), Export::parameter)).await;
    let (_, catalog) = caller.get("/Export").await;
    assert_eq!(catalog.as_array().unwrap().len(), 4);
    assert_eq!(catalog[1]["name"], "Get API Customers");
    let expected = json!({ "id": ID, "name": "Badge Scans", "parameters": [
        { "name": "Booth", "dataType": "Text", "description": "Scans at this booth" },
        { "name": "Since", "dataType": "DateTime" },
        { "name": "Most", "dataType": "Integer" },
        { "name": "Repeated", "dataType": "Boolean" },
        { "name": "Price", "dataType": "Decimal" },
    ]});
    assert_eq!(catalog[3], expected);
}

#[tokio::test]
async fn an_export_replaces_one_with_the_same_id() {
    let own = Export::new("79aag9", "Get API Customers").rows(vec![json!({ "own": true })]);
    let (_sandbox, caller) = start(own).await;
    let (_, catalog) = caller.get("/Export").await;
    assert_eq!(catalog.as_array().unwrap().len(), 3);
    assert_eq!(catalog[1], json!({ "id": "79aag9", "name": "Get API Customers", "parameters": [] }));
    assert_eq!(caller.call(Method::POST, "/Export/79aag9", None).await, (200, json!([{ "own": true }])));
}

#[tokio::test]
async fn the_catalog_can_change_and_a_reset_restores_it() {
    let (sandbox, caller) = start(export().parameter(Parameter::new("Booth", DataType::Text))).await;
    let values = Some(json!({ "Booth": "B1" }));
    assert_eq!(caller.call(Method::POST, PATH, values.clone()).await.0, 200);
    sandbox.set_exports(|exports| {
        exports.remove(0);
        exports[2].parameters[0].name = "BoothID".to_owned();
        exports.push(Export::new("n3w0ne", "New"));
    });
    let (_, catalog) = caller.get("/Export").await;
    let names: Vec<&Value> = catalog.as_array().unwrap().iter().map(|export| &export["name"]).collect();
    assert_eq!(names, ["Get API Customers", "Get Available Booths for Login", "Badge Scans", "New"]);
    assert_eq!(catalog[2]["parameters"][0]["name"], "BoothID");
    let (status, refusal) = caller.call(Method::POST, PATH, values.clone()).await;
    assert_eq!((status, &refusal["fields"]), (400, &json!(["BoothID", "Booth"])));
    assert_eq!(caller.call(Method::POST, "/Export/739da9", None).await.0, 404);
    assert_eq!(sandbox.exports().len(), 4);
    sandbox.reset();
    let caller = Caller::new(&sandbox);
    assert_eq!(caller.call(Method::POST, PATH, values).await.0, 200);
    assert_eq!(sandbox.exports()[0].name, "Vendors");
}

#[tokio::test]
async fn each_data_type_accepts_only_the_values_of_the_guide() {
    let good = [
        (DataType::Integer, vec![json!(1), json!(0), json!(-7), json!(i64::MAX), json!(i64::MIN)]),
        (DataType::Text, vec![json!("text"), json!(""), json!("0940")]),
        (DataType::DateTime, vec![json!("2022-10-31T09:00:00Z"), json!("0000-01-01T00:00:00Z")]),
        (DataType::Boolean, vec![json!(true), json!(false)]),
        (DataType::Other("Decimal".into()), vec![json!(1.5), json!("1.5"), Value::Null, json!([1])]),
    ];
    let bad = [
        (DataType::Integer, vec![json!("1"), json!(1.0), json!(1.5), json!(true), Value::Null, json!([1])]),
        (DataType::Text, vec![json!(1), json!(true), Value::Null, json!({})]),
        (
            DataType::DateTime,
            vec![
                json!("2022-10-31T09:00:00"),
                json!("2022-10-31T09:00:00.5Z"),
                json!("2022-10-31T09:00:00+00:00"),
                json!("2022-10-31 09:00:00Z"),
                json!("2022-10-31T09:00:00z"),
                json!("2022-10-31"),
                json!("2022-02-30T09:00:00Z"),
                json!("2022-10-31T24:00:00Z"),
                json!("+2022-1-31T09:00:00Z"),
                json!(" 2022-1-31T09:00:00Z"),
                json!(1_667_206_800),
                Value::Null,
            ],
        ),
        (DataType::Boolean, vec![json!("true"), json!(1), Value::Null]),
    ];
    for (values, status) in [(good.as_slice(), 200), (&bad, 400)] {
        for (data_type, values) in values {
            let (_sandbox, caller) = start(export().parameter(Parameter::new("Value", data_type.clone()))).await;
            for value in values {
                let (found, response) = caller.call(Method::POST, PATH, Some(json!({ "Value": value }))).await;
                assert_eq!(found, status, "{data_type:?} {value}: {response}");
                if status == 400 {
                    assert_eq!(response["fields"], json!(["Value"]));
                    assert!(response["message"].as_str().unwrap().starts_with("Value: expected "), "{response}");
                }
            }
            for body in [None, Some(json!({}))] {
                let (found, response) = caller.call(Method::POST, PATH, body).await;
                assert_eq!((found, &response["message"]), (400, &json!("Value: it is missing")));
            }
        }
    }
}

#[tokio::test]
async fn all_problems_are_reported_at_once() {
    let export = export()
        .parameter(Parameter::new("Booth", DataType::Text))
        .parameter(Parameter::new("Since", DataType::DateTime))
        .parameter(Parameter::new("Cursor", DataType::Integer));
    let (_sandbox, caller) = start(export).await;
    let values = json!({ "Booth": 7, "Since": "soon", "booth": "B1" });
    let (status, response) = caller.call(Method::POST, PATH, Some(values)).await;
    assert_eq!((status, &response["error"]), (400, &json!("invalid_parameters")));
    assert_eq!(response["fields"], json!(["Booth", "Since", "Cursor", "booth"]));
    assert!(!response["message"].as_str().unwrap().contains("soon"), "{response}");
}

#[tokio::test]
async fn rows_can_depend_on_the_values() {
    let export = export()
        .parameter(Parameter::new("Booth", DataType::Text))
        .parameter(Parameter::new("Count", DataType::Integer))
        .rows_by(|values| {
            let booth = values["Booth"].clone();
            let count = values["Count"].as_u64().unwrap();
            Rows::generated(count, move |number| json!({ "booth": booth, "scan": number }))
        });
    let (_sandbox, caller) = start(export).await;
    let run = async |booth: &str, count: u64| {
        caller.call(Method::POST, PATH, Some(json!({ "Booth": booth, "Count": count }))).await.1
    };
    assert_eq!(run("B1", 2).await, json!([{ "booth": "B1", "scan": 0 }, { "booth": "B1", "scan": 1 }]));
    assert_eq!(run("B2", 1).await, json!([{ "booth": "B2", "scan": 0 }]));
}

#[tokio::test]
async fn an_export_has_one_of_three_syntaxes_or_its_own_body() {
    let rows = || vec![json!({ "a": 1 }), json!({ "a": 2 })];
    let content_type = |text: &str| text.to_owned();
    assert_eq!(
        response(export().rows(rows())).await,
        (content_type("application/json"), r#"[{"a":1},{"a":2}]"#.to_owned())
    );
    assert_eq!(
        response(export().rows(rows()).syntax(RowSyntax::Lines)).await,
        (content_type("application/x-ndjson"), "{\"a\":1}\n{\"a\":2}\n".to_owned())
    );
    assert_eq!(
        response(export().rows(rows()).syntax(RowSyntax::Csv)).await,
        (content_type("text/csv"), "a\r\n1\r\n2\r\n".to_owned())
    );
    assert_eq!(response(export().rows(rows()).content_type("text/plain")).await.0, "text/plain");
    assert_eq!(
        response(export().body("application/vnd.made-up", "any thing")).await,
        (content_type("application/vnd.made-up"), "any thing".to_owned())
    );
    for (syntax, empty) in [(RowSyntax::Array, "[]"), (RowSyntax::Lines, ""), (RowSyntax::Csv, "")] {
        assert_eq!(response(export().syntax(syntax)).await.1, empty);
    }
}

#[tokio::test]
async fn csv_is_quoted_and_keeps_columns_and_digits() {
    #[derive(Serialize)]
    struct Scan {
        zip: &'static str,
        note: Option<&'static str>,
        price: Value,
        is_open: bool,
        tags: [u8; 2],
        #[serde(skip_serializing_if = "Option::is_none")]
        more: Option<u8>,
    }
    let notes = [Some("plain"), Some("a, \"b\"\r\nc"), None, Some("ü")];
    let rows = Rows::generated(4, move |number| Scan {
        zip: "0940",
        note: notes[number as usize],
        price: json!(12.5),
        is_open: number == 0,
        tags: [1, 2],
        more: (number == 3).then_some(1),
    });
    let expected = "zip,note,price,is_open,tags\r\n\
                    0940,plain,12.5,true,\"[1,2]\"\r\n\
                    0940,\"a, \"\"b\"\"\r\nc\",12.5,false,\"[1,2]\"\r\n\
                    0940,,12.5,false,\"[1,2]\"\r\n\
                    0940,ü,12.5,false,\"[1,2]\"\r\n";
    assert_eq!(response(export().rows(rows).syntax(RowSyntax::Csv)).await.1, expected);

    // Fields are found by name in any order.
    let rows = Rows::generated(2, |number| {
        let text = ["{\"b\":1.50,\"a\":2}", "{\"a\":3,\"c\":9}"][number as usize];
        serde_json::value::RawValue::from_string(text.to_owned()).unwrap()
    });
    assert_eq!(response(export().rows(rows).syntax(RowSyntax::Csv)).await.1, "b,a\r\n1.50,2\r\n,3\r\n");
}

#[tokio::test]
async fn a_page_of_csv_has_the_header_too() {
    let export = export()
        .parameter(Parameter::new("Cursor", DataType::Integer))
        .parameter(Parameter::new("Limit", DataType::Integer))
        .rows(numbers(5))
        .syntax(RowSyntax::Csv);
    let (_sandbox, caller) = start(export).await;
    for (cursor, expected) in [(1, "number\r\n0\r\n1\r\n2\r\n"), (2, "number\r\n3\r\n4\r\n"), (3, "number\r\n")] {
        let response = caller.request(Method::POST, PATH).json(&json!({ "Cursor": cursor, "Limit": 3 })).send().await;
        assert_eq!(response.unwrap().text().await.unwrap(), expected, "{cursor}");
    }
}

#[tokio::test]
async fn an_export_with_cursor_and_limit_is_paged_by_the_switches() {
    let paged = |cursor: &str, limit: &str| {
        export()
            .parameter(Parameter::new(cursor, DataType::Integer))
            .parameter(Parameter::new(limit, DataType::Integer))
            .rows(numbers(10))
    };
    for (export, cursor, limit) in
        [(paged("Cursor", "Limit"), "Cursor", "Limit"), (paged("Page", "Size").page_by("Page", "Size"), "Page", "Size")]
    {
        let (sandbox, caller) = start(export).await;
        let run = async |at: i64, size: u64| {
            let (status, rows) = caller.call(Method::POST, PATH, Some(json!({ cursor: at, limit: size }))).await;
            let numbers = rows.as_array().map(|rows| rows.iter().map(|row| row["number"].as_u64().unwrap()).collect());
            (status, numbers.unwrap_or_else(Vec::new))
        };
        assert_eq!(run(1, 4).await, (200, vec![0, 1, 2, 3]));
        assert_eq!(run(3, 4).await, (200, vec![8, 9]));
        assert_eq!(run(4, 4).await, (200, vec![]));
        assert_eq!(run(1, u64::MAX).await.1.len(), 10);
        assert_eq!(run(i64::MAX, u64::MAX).await, (200, vec![]));
        for (at, size, named) in [(0, 4, vec![cursor]), (-1, 0, vec![cursor, limit]), (1, 0, vec![limit])] {
            let (status, response) = caller.call(Method::POST, PATH, Some(json!({ cursor: at, limit: size }))).await;
            assert_eq!((status, &response["fields"]), (400, &json!(named)), "{at} {size}");
        }
        sandbox.set_behavior(|behavior| behavior.page_cap = Some(3));
        assert_eq!(run(2, 4).await, (200, vec![3, 4, 5]));
        sandbox.set_behavior(|behavior| behavior.past_the_end = PastTheEnd::LastPageAgain);
        assert_eq!(run(5, 4).await, (200, vec![9]));
        sandbox.set_behavior(|behavior| behavior.past_the_end = PastTheEnd::NotFound);
        assert_eq!(run(5, 4).await.0, 404);
        sandbox.set_behavior(|behavior| {
            *behavior = Behavior::default();
            behavior.cursor_is_offset = true;
        });
        assert_eq!(run(0, 4).await, (200, vec![0, 1, 2, 3]));
        assert_eq!(run(7, 4).await, (200, vec![7, 8, 9]));
        assert_eq!(run(11, 4).await, (200, vec![]));
    }
}

#[tokio::test]
async fn the_last_page_of_a_full_or_empty_export_is_repeated() {
    for (total, again) in [(0, 0), (3, 3), (6, 3), (7, 1)] {
        let export = export()
            .parameter(Parameter::new("Cursor", DataType::Integer))
            .parameter(Parameter::new("Limit", DataType::Integer))
            .rows(numbers(total));
        let (sandbox, caller) = start(export).await;
        sandbox.set_behavior(|behavior| behavior.past_the_end = PastTheEnd::LastPageAgain);
        let (status, rows) = caller.call(Method::POST, PATH, Some(json!({ "Cursor": 9, "Limit": 3 }))).await;
        assert_eq!((status, rows.as_array().unwrap().len()), (200, again), "{total}");
        if total > 0 {
            assert_eq!(rows[again - 1]["number"], total - 1);
        }
    }
}

#[tokio::test]
async fn an_export_without_integer_paging_parameters_returns_all_rows() {
    for export in [
        export().parameter(Parameter::new("Limit", DataType::Integer)),
        export()
            .parameter(Parameter::new("Limit", DataType::Integer))
            .parameter(Parameter::new("Cursor", DataType::Text)),
        export()
            .parameter(Parameter::new("Limit", DataType::Integer))
            .parameter(Parameter::new("Cursor", DataType::Integer))
            .page_by("Page", "Limit"),
    ] {
        let cursor = export.parameters.get(1).map(|parameter| match parameter.data_type {
            DataType::Text => json!("1"),
            _ => json!(1),
        });
        let mut values = json!({ "Limit": 2 });
        if let Some(cursor) = cursor {
            values["Cursor"] = cursor;
        }
        let (_sandbox, caller) = start(export.rows(numbers(5))).await;
        let (status, rows) = caller.call(Method::POST, PATH, Some(values)).await;
        assert_eq!((status, rows.as_array().unwrap().len()), (200, 5));
    }
}

#[tokio::test]
async fn a_long_export_is_complete_in_every_syntax() {
    let row = |number: u64| json!({ "number": number, "text": "x".repeat(number as usize % 50) });
    let expected: Vec<Value> = (0..20_000).map(row).collect();
    let rows = || Rows::generated(20_000, row);
    let (_, array) = response(export().rows(rows())).await;
    assert_eq!(serde_json::from_str::<Vec<Value>>(&array).unwrap(), expected);
    let (_, lines) = response(export().rows(rows()).syntax(RowSyntax::Lines)).await;
    assert!(lines.ends_with("}\n"));
    let read: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(read, expected);
    let (_, table) = response(export().rows(rows()).syntax(RowSyntax::Csv)).await;
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    assert_eq!(reader.headers().unwrap(), vec!["number", "text"]);
    let read: Vec<Value> = reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            json!({ "number": record[0].parse::<u64>().unwrap(), "text": &record[1] })
        })
        .collect();
    assert_eq!(read, expected);
}

#[tokio::test]
async fn rows_that_end_at_a_piece_boundary_are_complete() {
    for length in 65_530..65_540 {
        for syntax in [RowSyntax::Array, RowSyntax::Lines] {
            let text = "x".repeat(length);
            let (_, body) = response(export().rows(vec![json!(text), json!(1)]).syntax(syntax)).await;
            let expected = match syntax {
                RowSyntax::Array => format!("[\"{text}\",1]"),
                _ => format!("\"{text}\"\n1\n"),
            };
            assert!(body == expected, "{length} {syntax:?}");
            let (_, body) = response(export().rows(vec![json!(text)]).syntax(syntax)).await;
            let expected = match syntax {
                RowSyntax::Array => format!("[\"{text}\"]"),
                _ => format!("\"{text}\"\n"),
            };
            assert!(body == expected, "{length} {syntax:?}");
        }
    }
}

#[tokio::test]
async fn rows_are_generated_while_they_are_read() {
    const COUNT: u64 = 300_000;
    let made = Arc::new(AtomicU64::new(0));
    let counter = made.clone();
    let rows = Rows::generated(COUNT, move |number| {
        counter.fetch_add(1, Ordering::Relaxed);
        json!({ "number": number, "text": "x".repeat(180) })
    });
    let (sandbox, caller) = start(export().rows(rows)).await;
    let token = sandbox.issue_token();
    let mut stream = TcpStream::connect(sandbox.url().trim_start_matches("http://")).await.unwrap();
    let request =
        format!("POST {PATH} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut first = vec![0; 1000];
    let read = stream.read_exact(&mut first);
    tokio::time::timeout(Duration::from_secs(30), read).await.unwrap().unwrap();
    let head = String::from_utf8_lossy(&first);
    assert!(head.contains("transfer-encoding: chunked"), "{head}");
    // The buffers for a reader that does not read are a small part of these 60 MB.
    assert!(made.load(Ordering::Relaxed) < COUNT);
    assert_eq!(sandbox.journal()[0].status, Some(200));
    assert_eq!(sandbox.journal()[0].response_body, "");
    drop(stream);
    assert_eq!(caller.get("/Export").await.0, 200);
}

#[tokio::test]
async fn a_short_export_has_a_length_and_is_in_the_journal() {
    let (sandbox, caller) = start(export().rows(numbers(2))).await;
    let response = caller.request(Method::POST, PATH).header("content-length", "0").send().await.unwrap();
    assert_eq!(response.headers()["content-length"], "27");
    assert_eq!(sandbox.journal()[0].response_body, r#"[{"number":0},{"number":1}]"#);
}

#[tokio::test]
async fn an_error_of_the_definition_returns_500() {
    let odd = Rows::generated(1, |_| std::collections::BTreeMap::from([(vec![1], 1)]));
    for (export, error) in [
        (export().rows(odd), "invalid_row"),
        (export().rows(vec![json!([1])]).syntax(RowSyntax::Csv), "invalid_row"),
        (export().content_type("line\nbreak"), "invalid_content_type"),
    ] {
        let (_sandbox, caller) = start(export).await;
        let (status, response) = caller.call(Method::POST, PATH, None).await;
        assert_eq!((status, &response["error"]), (500, &json!(error)));
    }
}
