//! Numbers in JSON rows: their ends, and those that do not fit a type.

use super::*;

#[test]
fn odd_numbers_and_duplicate_keys_are_reported_with_row_and_path() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Amount {
        amount: f64,
        count: Option<i64>,
    }
    for (row, says) in [
        (r#"{"amount":1e400}"#, "row 2, at `amount`: a number that is out of range"),
        (r#"{"amount":1,"amount":2}"#, "row 2: field `amount` occurs twice"),
        (r#"{"amount":1,"count":-0}"#, "row 2, at `count`: expected i64, found negative zero"),
    ] {
        let mut reader = reader(LINES);
        reader.push(format!("{{\"amount\":1}}\n{row}\n{{\"amount\":2}}\n"));
        reader.finish();
        assert_eq!(reader.next_row::<Amount>().unwrap().unwrap().amount, 1.0);
        let error = reader.next_row::<Amount>().unwrap().unwrap_err().to_string();
        assert!(error.ends_with(says), "{error}");
        assert_eq!(reader.next_row::<Amount>().unwrap().unwrap().amount, 2.0, "the rest is read");
    }
}

#[test]
fn numbers_and_words_are_not_read_before_their_end() {
    for body in ["[12345,-1.5e-3,true,null]", "12345\n-1.5e-3\ntrue\nnull"] {
        let content_type = if body.starts_with('[') { ARRAY } else { LINES };
        let rows = read_bytewise::<Value>(content_type, body).accepted().unwrap();
        assert_eq!(rows, [json!(12345), serde_json::from_str("-1.5e-3").unwrap(), json!(true), json!(null)]);
    }
}
