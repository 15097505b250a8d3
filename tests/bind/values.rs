//! Values that a bound struct serialises.

use super::*;

fn quoted<S: Serializer>(number: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

fn unquoted<S: Serializer>(number: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(number.parse().map_err(serde::ser::Error::custom)?)
}

fn cut<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&time.to_rfc3339_opts(SecondsFormat::Secs, true))
}

#[test]
fn values_that_contradict_the_schema_are_rejected() {
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Lies {
        cursor: u32,
        #[serde(serialize_with = "quoted")]
        limit: u32,
    }
    let lies = customers().bind::<Lies>().unwrap();
    let error = lies.check(&Lies { cursor: 1, limit: 4711 }).unwrap_err();
    assert_eq!(error.problems(), ["`Limit`: expected Integer of 64 bits such as `15`, without quotes; found a string"]);
    assert!(!format!("{error} {error:?} {lies:?}").contains("4711"));

    #[derive(JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Renames {
        cursor: u32,
        limit: u32,
    }
    impl Serialize for Renames {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map([("Cursor", 1), ("limit", 15)])
        }
    }
    let renames = customers().bind::<Renames>().unwrap();
    let error = renames.check(&Renames { cursor: 1, limit: 15 }).unwrap_err();
    assert_eq!(error.problems().len(), 2, "{error}");
}

#[test]
fn schemars_attributes_declare_the_output_of_serialize_with() {
    mod seconds {
        use super::*;

        pub(super) fn serialize<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_i64(time.timestamp())
        }
    }
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Honest {
        #[serde(serialize_with = "unquoted")]
        #[schemars(with = "i64")]
        number: String,
        #[serde(serialize_with = "cut")]
        time: DateTime<Utc>,
        #[serde(with = "seconds")]
        #[schemars(with = "i64")]
        seconds: DateTime<Utc>,
        #[schemars(with = "DateTime<Utc>")]
        written: &'static str,
        #[schemars(with = "Value")]
        total: u8,
    }
    let export = export(&[
        ("Number", "Integer"),
        ("Time", "DateTime"),
        ("Seconds", "Integer"),
        ("Written", "DateTime"),
        ("Total", "Money"),
    ]);
    let honest = export.bind::<Honest>().unwrap();
    let time = DateTime::from_timestamp(1_667_206_800, 5).unwrap();
    let values = |number: &str, written| Honest { number: number.to_owned(), time, seconds: time, written, total: 7 };
    let request = honest.check(&values("15", "2022-10-31T10:00:00+01:00")).unwrap();
    assert_eq!(
        request.body(),
        json!({
            "Number": 15, "Time": "2022-10-31T09:00:00Z", "Seconds": 1_667_206_800,
            "Written": "2022-10-31T09:00:00Z", "Total": 7
        })
        .as_object()
        .cloned()
    );
    let error = honest.check(&values("s3cr3t", "2022-10-31")).unwrap_err();
    assert_eq!(
        error.problems(),
        [
            "`Number`: expected Integer of 64 bits such as `15`, without quotes; found something that cannot be written as JSON",
            "`Written`: expected DateTime, with a zone and whole seconds, such as `\"2022-10-31T09:00:00Z\"`; found a string in another format",
        ]
    );
}

#[test]
fn timestamps_have_the_format_of_the_guide_and_are_never_truncated() {
    let export = export(&[("field", "DateTime")]);
    let bound = export.bind::<One<DateTime<FixedOffset>>>().unwrap();
    let time = DateTime::parse_from_rfc3339("2022-10-31T10:00:00+01:00").unwrap();
    let request = bound.check(&One { field: time }).unwrap();
    assert_eq!(request.body().unwrap()["field"], "2022-10-31T09:00:00Z");
    for (time, found) in [
        (time + TimeDelta::milliseconds(1), "a timestamp with a fraction of a second"),
        (time + TimeDelta::nanoseconds(1), "a timestamp with a fraction of a second"),
        (DateTime::parse_from_rfc3339("2016-12-31T23:59:60Z").unwrap(), "a leap second"),
        (DateTime::<Utc>::MAX_UTC.into(), "a string in another format"),
    ] {
        let error = bound.check(&One { field: time }).unwrap_err();
        assert!(error.problems()[0].ends_with(&format!("; found {found}")), "{error}");
    }
}

#[test]
fn a_wide_integer_is_checked_by_its_value() {
    let export = export(&[("field", "Integer")]);
    let bound = export.bind::<One<u128>>().unwrap();
    let most = 1 << 63;
    assert_eq!(bound.check(&One { field: most - 1 }).unwrap().body().unwrap()["field"], i64::MAX);
    for field in [most, u128::from(u64::MAX), u128::MAX] {
        let error = bound.check(&One { field }).unwrap_err();
        assert!(error.problems()[0].ends_with("found an integer beyond 64 bits"), "{error}");
    }
    let signed = export.bind::<One<i128>>().unwrap();
    assert_eq!(signed.check(&One { field: i64::MIN.into() }).unwrap().body().unwrap()["field"], i64::MIN);
    signed.check(&One { field: i128::from(i64::MIN) - 1 }).unwrap_err();
}

#[test]
fn raw_json_is_sent_unchanged() {
    let export = export(&[("field", "Money")]);
    let bound = export.bind::<One<Value>>().unwrap();
    for field in [json!({"amount": "1.50", "of": [1, null]}), json!(1.5), Value::Null, json!("2022-10-31T09:00:00.5Z")]
    {
        assert_eq!(bound.check(&One { field: field.clone() }).unwrap().body().unwrap()["field"], field);
    }
}

#[test]
fn strings_are_parsed_and_all_problems_listed() {
    let export = export(&[("Limit", "Integer"), ("Since", "DateTime"), ("Open", "Boolean"), ("City", "Text")]);
    let texts = [("Limit", "15"), ("Since", "2022-10-31T10:00:00+01:00"), ("Open", "TRUE"), ("City", "0940")];
    let request = export.check_text(texts).unwrap();
    assert_eq!(
        request.body(),
        json!({"Limit": 15, "Since": "2022-10-31T09:00:00Z", "Open": true, "City": "0940"}).as_object().cloned()
    );
    let wrong = [("Limit", "s3cr3t"), ("limit", "15"), ("Open", "no"), ("City", ""), ("City", "")];
    let error = export.check_text(wrong).unwrap_err();
    assert_eq!(
        error.problems(),
        [
            "`Limit`: expected Integer, 64 bits, digits only or after a minus sign, such as 15; found a string in another format",
            "`limit`: the export has no such parameter; did you mean `Limit`?",
            "`Open`: expected Boolean, true or false; found a string in another format",
            "`City`: given twice; expected once",
            "`Since`: missing; expected DateTime, with a zone and whole seconds, such as `\"2022-10-31T09:00:00Z\"`",
        ]
    );
    let accepted: Vec<String> = export.parameters().iter().map(|parameter| parameter.data_type.accepts()).collect();
    assert_eq!(accepted[2], "Boolean, true or false");
    assert_eq!(accepted[1], "DateTime, RFC 3339 with a zone and whole seconds, such as 2022-10-31T09:00:00Z");
}
