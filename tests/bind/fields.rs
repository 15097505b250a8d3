//! Field names, flattened fields, and types without named fields.

use super::*;

#[test]
fn defaults_do_not_affect_serialised_fields() {
    #[derive(Serialize, JsonSchema, Default)]
    #[serde(default, rename_all = "PascalCase", deny_unknown_fields)]
    struct Page {
        cursor: u32,
        #[serde(default, skip_deserializing)]
        limit: u32,
    }
    let page = customers().bind::<Page>().unwrap();
    let request = page.check(&Page { cursor: 1, limit: 15 }).unwrap();
    assert_eq!(request.body(), json!({"Cursor": 1, "Limit": 15}).as_object().cloned());
}

#[test]
fn all_differences_are_listed_in_terms_of_the_struct() {
    #[derive(Serialize, JsonSchema)]
    struct Wrong {
        limit: u32,
        #[serde(rename = "Cursor")]
        cursor: f64,
        #[serde(rename = "Since")]
        since: NaiveDateTime,
        #[serde(rename = "s3cr3t\nname")]
        other: bool,
    }
    let export = export(&[("Cursor", "Integer"), ("Limit", "Integer"), ("Since", "DateTime"), ("Open", "Boolean")]);
    let error = export.bind::<Wrong>().unwrap_err();
    assert_eq!(
        error.problems(),
        [
            "`Cursor`: expected Integer of 64 bits such as `15`, without quotes; found a number with a fraction",
            "`Since`: expected DateTime, with a zone and whole seconds, such as `\"2022-10-31T09:00:00Z\"`; found a timestamp \
             without a zone: it is ambiguous; use chrono's `DateTime`",
            "`limit`: the export has no such parameter; did you mean `Limit`? Add `#[serde(rename = \"Limit\")]`",
            "`s3cr3t\u{FFFD}name`: the export has no such parameter; expected `Cursor`, `Limit`, `Since`, `Open`",
            "`Limit`: the type has no such field; expected Integer of 64 bits such as `15`, without quotes",
            "`Open`: the type has no such field; expected Boolean such as `true`, without quotes",
        ]
    );
    assert!(error.to_string().starts_with("export_run: `Wrong` does not fit `Get API Customers`: "), "{error}");
}

#[test]
fn a_name_already_in_use_is_not_suggested() {
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Page {
        cursor: u32,
        limit: u32,
        limits: u32,
    }
    assert_eq!(
        problems::<Page>(&customers()),
        ["`Limits`: the export has no such parameter; expected `Cursor`, `Limit`"]
    );
}

#[test]
fn names_are_the_serialised_ones() {
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all(serialize = "PascalCase", deserialize = "snake_case"))]
    struct Page {
        cursor: u32,
        #[serde(rename(serialize = "Limit", deserialize = "size"), alias = "length")]
        number: u32,
        #[serde(skip)]
        _skipped: f64,
        #[serde(skip_serializing)]
        read: String,
    }
    assert_eq!(problems::<Page>(&customers()), [""; 0]);
    let wide = export(&[("Größe (cm)", "Integer"), ("a/b~c%20", "Text"), ("", "Boolean"), ("type", "Text")]);
    #[derive(Serialize, JsonSchema)]
    struct Wide {
        #[serde(rename = "Größe (cm)")]
        size: u8,
        #[serde(rename = "a/b~c%20")]
        path: Size,
        #[serde(rename = "")]
        nameless: bool,
        r#type: &'static str,
    }
    let wide = wide.bind::<Wide>().unwrap();
    let request = wide.check(&Wide { size: 1, path: Size::Small, nameless: true, r#type: "t" }).unwrap();
    assert_eq!(
        request.body(),
        json!({"Größe (cm)": 1, "a/b~c%20": "Small", "": true, "type": "t"}).as_object().cloned()
    );
}

#[test]
fn a_schema_name_with_special_characters_is_resolved() {
    #[derive(Serialize, JsonSchema)]
    #[schemars(rename = "Größe / a~b %")]
    enum Strange {
        One,
    }
    fits::<Strange>(&["Text"]);
    fits::<Option<Strange>>(&[]);
}

#[test]
fn flattened_structs_are_merged() {
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Place {
        cursor: u64,
    }
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Page {
        limit: u8,
        #[serde(flatten)]
        place: Newtype<Place>,
    }
    let page = customers().bind::<Page>().unwrap();
    let request = page.check(&Page { limit: 15, place: Newtype(Place { cursor: 1 }) }).unwrap();
    assert_eq!(request.body(), json!({"Cursor": 1, "Limit": 15}).as_object().cloned());
    let error = page.check(&Page { limit: 15, place: Newtype(Place { cursor: u64::MAX }) }).unwrap_err();
    assert_eq!(error.problems().len(), 1);

    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Perhaps {
        limit: u8,
        #[serde(flatten)]
        place: Option<Place>,
    }
    assert_eq!(
        problems::<Perhaps>(&customers()),
        [
            "`Cursor`: expected Integer of 64 bits such as `15`, without quotes; found an integer that may be left out: every parameter must be given"
        ]
    );
}

#[test]
fn flattened_maps_and_enums_are_rejected() {
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Open<M> {
        cursor: u32,
        #[serde(flatten)]
        others: M,
    }
    let map = "the type: expected named fields; found a map or a flattened map, whose keys are not fixed";
    let choice = "the type: expected the same fields in every value; found an enum or a flattened enum";
    assert_eq!(problems::<Open<HashMap<String, u32>>>(&customers()), [map]);
    assert_eq!(problems::<Open<BTreeMap<u32, u32>>>(&customers()), [map]);
    assert_eq!(problems::<Open<Value>>(&customers()), [map]);
    assert_eq!(problems::<Open<Option<BTreeMap<String, u32>>>>(&customers()), [map]);
    assert_eq!(problems::<Open<Tagged>>(&customers()), [choice]);
    assert_eq!(problems::<Open<Data>>(&customers()), [choice]);
    assert_eq!(problems::<Open<Size>>(&customers()), [choice]);
    assert_eq!(problems::<Open<Option<Tagged>>>(&customers()), [choice]);
    assert_eq!(problems::<BTreeMap<String, u32>>(&customers()), [map]);
    assert_eq!(problems::<HashMap<String, Value>>(&customers()), [map]);
    assert_eq!(problems::<Tagged>(&customers()), [choice]);
}

#[test]
fn types_other_than_objects_are_rejected() {
    let no_struct =
        |found: &str| [format!("the type: expected a struct with a field for every parameter; found {found}")];
    assert_eq!(problems::<Pair>(&customers()), no_struct("a list"));
    assert_eq!(problems::<Vec<One<i32>>>(&customers()), no_struct("a list"));
    assert_eq!(problems::<(i32, i32)>(&customers()), no_struct("a list"));
    assert_eq!(problems::<Size>(&customers()), no_struct("a string"));
    assert_eq!(problems::<Data>(&customers()), no_struct("a string or an object"));
    assert_eq!(problems::<i64>(&customers()), no_struct("an integer"));
    assert_eq!(problems::<Option<One<i32>>>(&customers()), no_struct("an optional object"));
    assert_eq!(problems::<Option<Tree>>(&customers()), no_struct("an optional object"));
    assert_eq!(problems::<Value>(&customers()), no_struct("any JSON"));
    assert_eq!(problems::<Itself>(&customers()), no_struct("a type without values"));
    assert_eq!(problems::<Never>(&customers()), no_struct("a type without values"));
}

#[test]
fn a_newtype_of_a_struct_is_the_struct() {
    let export = export(&[("field", "Integer")]);
    let bound = export.bind::<Newtype<Transparent<One<u8>>>>().unwrap();
    bound.check(&Newtype(Transparent { inner: One { field: 1 } })).unwrap();
    assert_eq!(problems::<Box<One<u8>>>(&export), [""; 0]);
}

#[test]
fn without_parameters_a_struct_has_no_fields() {
    #[derive(Serialize, JsonSchema)]
    struct Unit;
    #[derive(Serialize, JsonSchema)]
    struct Empty {}
    let vendors = export(&[]);
    assert_eq!(vendors.bind::<Unit>().unwrap().check(&Unit).unwrap().body(), None);
    assert_eq!(vendors.bind::<Empty>().unwrap().check(&Empty {}).unwrap().body(), None);
    assert_eq!(vendors.bind::<()>().unwrap().check(&()).unwrap().body(), None);
    assert_eq!(problems::<One<i32>>(&vendors), ["`field`: the export has no such parameter; it has none"]);
    for problems in [problems::<Unit>(&customers()), problems::<Empty>(&customers())] {
        assert_eq!(problems.len(), 2);
        assert!(problems[0].starts_with("`Cursor`: the type has no such field; expected Integer"), "{problems:?}");
    }
}

#[test]
fn two_fields_with_one_name_are_rejected() {
    #[derive(Serialize, JsonSchema)]
    struct Inner {
        #[serde(rename = "Limit")]
        limit: u8,
    }
    #[derive(Serialize, JsonSchema)]
    #[serde(rename_all = "PascalCase")]
    struct Twice {
        cursor: u8,
        limit: u8,
        #[serde(flatten)]
        inner: Inner,
    }
    assert_eq!(
        problems::<Twice>(&customers()),
        ["`Limit`: expected Integer of 64 bits such as `15`, without quotes; found two fields of this name"]
    );
}
