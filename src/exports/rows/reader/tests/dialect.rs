//! Rows in another syntax than that of their content type, and the options to read them.

use super::*;

/// Returns the error of a reader that returned no rows.
#[track_caller]
fn refused(outcome: Outcome<RawRow>) -> String {
    assert_eq!(outcome.rows.len(), 0, "a row was read: {:?}", outcome.rows);
    outcome.end.expect("an error")
}

#[test]
fn another_delimiter_is_rejected_with_the_option_to_set() {
    for (body, option) in [
        ("id;name;price\n1;a;2\n", "delimiter(b';')"),
        ("id\tname\n1\ta\n", "delimiter(b'\\t')"),
        ("id|name\n1|a\n", "delimiter(b'|')"),
        ("item;price, net;count\n1;10,50;3\n", "delimiter(b';')"),
        ("sep=;\nid;name\n1;2\n", "delimiter(b';')"),
    ] {
        for outcome in [read::<RawRow>(CSV, body), read_bytewise::<RawRow>(CSV, body)] {
            let text = refused(outcome);
            assert!(text.contains(option), "{body}: {text}");
        }
    }
}

#[test]
fn a_first_row_of_values_is_not_taken_for_a_header() {
    for body in ["4711,Anna\n4712,Berta\n", "Anna,2024-05-01\nBerta,2024-05-02\n", "Anna,12.5\n"] {
        let text = refused(read::<RawRow>(CSV, body));
        assert!(text.contains("positions()"), "{text}");
    }
}

#[test]
fn a_single_object_without_a_content_type_is_an_error() {
    for body in ["{\"data\":[{\"id\":1}],\"total\":1}", "{\"data\":null,\"total\":0}\n", "{\"message\":\"wait\"} \n\n"]
    {
        for outcome in [read::<RawRow>("", body), read_bytewise::<RawRow>("text/plain", body)] {
            let text = refused(outcome);
            assert!(text.contains("RowFormat::json_member"), "{text}");
        }
    }
}

#[test]
fn other_json_than_an_array_is_rejected_with_the_option_to_set() {
    for body in ["{\"id\":1}\n{\"id\":2}\n", "{\"data\":[],\"total\":0}"] {
        let text = refused(read::<RawRow>(ARRAY, body));
        assert!(text.contains("RowFormat::json_lines") && text.contains("RowFormat::json_member"), "{text}");
    }
}

#[test]
fn a_number_too_large_for_its_type_is_an_error() {
    let f32s = read::<std::collections::BTreeMap<String, f32>>(CSV, "a\n1e39\n-1e39\n3e38\n");
    assert_eq!((f32s.mismatches, f32s.rows.len(), f32s.end), (vec![1, 2], 1, None));
    let f64s = read::<std::collections::BTreeMap<String, f64>>(CSV, "a\n1e309\n1\n");
    assert_eq!((f64s.mismatches, f64s.rows.len()), (vec![1], 1));
}

/// serde alone would turn such a number into infinity.
#[test]
fn a_number_of_json_too_large_for_its_type_is_an_error_of_its_row() {
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Price(f32);
    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Amount {
        Net(f32),
        Range(f32, f64),
        Gross { value: f32 },
    }
    fn check<T: FromRow + PartialEq + std::fmt::Debug>(of: impl Fn(&str) -> String) {
        for number in ["1e39", "-1e39", "3.5e38", "400000000000000000000000000000000000000"] {
            let rows = [of("1.5"), of(number), of("3e38")];
            let array = read::<T>(ARRAY, &format!("[{}]", rows.join(",")));
            assert_eq!((array.mismatches, array.rows.len(), array.end), (vec![2], 2, None), "{}", of(number));
            let lines = read::<T>("application/x-ndjson", &format!("{}\n", rows.join("\n")));
            assert_eq!((lines.mismatches, lines.rows.len(), lines.end), (vec![2], 2, None), "{}", of(number));
        }
    }
    check::<f32>(str::to_owned);
    check::<Option<f32>>(str::to_owned);
    check::<Vec<f32>>(|number| format!("[0,{number}]"));
    check::<(u8, f32)>(|number| format!("[0,{number}]"));
    check::<Price>(str::to_owned);
    check::<std::collections::BTreeMap<String, Option<Price>>>(|number| format!("{{\"a\":{number}}}"));
    check::<Amount>(|number| format!("{{\"net\":{number}}}"));
    check::<Amount>(|number| format!("{{\"range\":[{number},1e300]}}"));
    check::<Amount>(|number| format!("{{\"gross\":{{\"value\":{number}}}}}"));

    // A documented exception: serde buffers such fields before it knows their types. Under `arbitrary_precision` it
    // reads no number there at all.
    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Flat {
        #[serde(flatten)]
        rest: std::collections::BTreeMap<String, f32>,
    }
    let flat = read::<Flat>(ARRAY, "[{\"a\":1e39}]");
    assert!(flat.rows.iter().all(|row| format!("{row:?}").contains("inf")));
    assert_eq!(flat.rows.len() + flat.mismatches.len(), 1);
}

#[test]
fn a_charset_in_single_quotes_or_any_case_is_read() {
    for charset in ["'utf-8'", "\"UTF-8\"", "'UTF8'", "Utf-8"] {
        assert_eq!(read::<u8>(&format!("application/json; charset={charset}"), "[1]").accepted(), Some(vec![1]));
    }
}

fn formatted<T: FromRow>(content_type: Option<&str>, format: RowFormat, body: &str) -> Outcome<T> {
    let reader = || RowReader::with_format(content_type, format.clone()).unwrap();
    let whole = read_chunks(reader(), &[body.as_bytes()], false);
    let pieces: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
    let bytewise = read_chunks::<RawRow>(reader(), &pieces, false);
    assert_eq!(bytewise, read_chunks::<RawRow>(reader(), &[body.as_bytes()], true), "{body}");
    whole
}

#[test]
fn the_format_overrides_the_content_type() {
    let rows = Some(vec![json!({"id": "1", "name": "a"}), json!({"id": "2", "name": "b;c"})]);
    for content_type in
        [None, Some("text/html"), Some("text/plain"), Some("application/vnd.ms-excel"), Some("text/x-csv")]
    {
        for (format, body) in [
            (RowFormat::csv(), "id,name\n1,a\n2,b;c\n"),
            (RowFormat::csv().delimiter(b';'), "id;name\n1;a\n2;\"b;c\"\n"),
            (RowFormat::csv().delimiter(b';'), "sep=;\r\nid;name\r\n1;a\r\n2;\"b;c\"\r\n"),
            (RowFormat::csv().delimiter(b'\t'), "id\tname\n1\ta\n2\tb;c"),
            (RowFormat::csv().columns(["id", "name"]), "1,a\n2,b;c\n"),
            (RowFormat::json_array(), r#"[{"id":"1","name":"a"},{"id":"2","name":"b;c"}]"#),
            (RowFormat::json_lines(), "{\"id\":\"1\",\"name\":\"a\"}\n{\"id\":\"2\",\"name\":\"b;c\"}"),
            (
                RowFormat::json_member("data"),
                r#" {"total":2,"x":{"data":[7]},"data": [{"id":"1","name":"a"},{"id":"2","name":"b;c"}],"y":"]}"} "#,
            ),
            (
                RowFormat::json_member("a").member("b"),
                r#"{"b":[0],"a":{"c":[1],"b":[{"id":"1","name":"a"},{"id":"2","name":"b;c"}]}}"#,
            ),
        ] {
            let read = formatted::<Value>(content_type, format.clone(), body);
            assert_eq!(read.end, None, "{format:?} {body}");
            assert_eq!(read.accepted(), rows, "{format:?} {body}");
        }
    }
    let positions = formatted::<Value>(None, RowFormat::csv().positions(), "7,a\n8,b\n").accepted();
    assert_eq!(positions, Some(vec![json!({"1": "7", "2": "a"}), json!({"1": "8", "2": "b"})]));
}

#[test]
fn an_invalid_envelope_is_an_error() {
    for (body, end) in [
        (r#"{"total":2}"#, "it has no member `data`"),
        (r#"{"data":null}"#, "its member `data` is not an array"),
        (r#"{"data":{"data":[1]}}"#, "its member `data` is not an array"),
        (r#"{"data":[1],"data":[2]}"#, "it has the member `data` twice"),
        (r#"{"data":[1],"total":"#, "it was cut"),
        (r#"{"data":[1]}]"#, "is not JSON"),
        (r#"{"data":[1]"total":1}"#, "is not JSON"),
        (r#"{"data":[1"#, "it ends within row"),
        ("[1]", "it is not a JSON object"),
        ("<html>", "it is not a JSON object"),
        (" ", "it is empty"),
    ] {
        let text = formatted::<u8>(None, RowFormat::json_member("data"), body).end.expect(body);
        assert!(text.contains(end), "{body}: {text}");
    }
}

#[test]
fn column_names_are_made_unique_or_rejected() {
    let body = "id,name,,name,name_2,\n1,2,3,4,5,6\n";
    let text = refused(formatted(None, RowFormat::csv(), body));
    assert!(text.contains("unique_names()"), "{text}");
    let rows = formatted::<RawRow>(None, RowFormat::csv().unique_names(), body).accepted().unwrap();
    let names: Vec<&str> = rows[0].fields().unwrap().map(|(name, _)| name).collect();
    assert_eq!(names, ["id", "name", "column_3", "name_3", "name_2", "column_6"]);
}

#[test]
fn other_syntaxes_are_not_read_as_csv() {
    for body in ["<!DOCTYPE html><html>", "[{\"id\":1},{\"id\":2}]", "{\"id\":1}\n{\"id\":2}\n"] {
        refused(formatted(Some("text/plain"), RowFormat::csv(), body));
    }
    let text = refused(formatted(None, RowFormat::csv().delimiter(b';'), "id,name\n1,a\n"));
    assert!(text.contains("delimiter(b',')"), "{text}");
    assert!(RowReader::with_format(None, RowFormat::csv().delimiter(b'"')).is_err());
}

#[test]
fn no_content_is_no_rows() {
    let meta = ResponseMeta { status: Some(StatusCode::NO_CONTENT), content_type: None };
    let reader = RowReader::with_meta(meta, Some(RowFormat::json_array())).unwrap();
    assert_eq!(read_chunks::<u8>(reader, &[], false).accepted(), Some(vec![]));
}
