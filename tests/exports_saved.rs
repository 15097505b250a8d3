//! Saved catalogs and generated exports, against matching and changed catalogs.

#![allow(clippy::unwrap_used)]

use std::fs;

use chrono::{DateTime, TimeZone, Utc};
use httpmock::{
    Method::{GET, POST},
    MockServer,
};
use perenso::{
    Error, ErrorKind, Perenso,
    exports::{Catalog, Export, SavedCatalog},
};
use perenso_sandbox::Sandbox;
use serde::Serialize;
use serde_json::{Value, json};

/// An export of the guide, as written by the generator.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct GetApiCustomers {
    cursor: i64,
    limit: i64,
}

impl Export for GetApiCustomers {
    const ID: &'static str = "79aag9";
    const NAME: &'static str = "Get API Customers";
    const PARAMETERS: &'static [(&'static str, &'static str)] = &[("Cursor", "Integer"), ("Limit", "Integer")];
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Everything {
    integer: i64,
    text: String,
    date_time: DateTime<Utc>,
    boolean: bool,
    money: Value,
}

impl Export for Everything {
    const ID: &'static str = "all";
    const NAME: &'static str = "Everything";
    const PARAMETERS: &'static [(&'static str, &'static str)] = &[
        ("Integer", "Integer"),
        ("Text", "Text"),
        ("DateTime", "DateTime"),
        ("Boolean", "Boolean"),
        ("Money", "Money"),
    ];
}

/// A faulty handwritten implementation.
#[derive(Serialize)]
struct Vendors(bool);

impl Export for Vendors {
    const ID: &'static str = "739da9";
    const NAME: &'static str = "Vendors";
    const PARAMETERS: &'static [(&'static str, &'static str)] = &[];
}

fn everything() -> Everything {
    let date_time = Utc.with_ymd_and_hms(2022, 10, 31, 9, 0, 0).unwrap();
    Everything { integer: 1, text: "s3cr3t".into(), date_time, boolean: true, money: json!({"amount": "1.50"}) }
}

fn client(url: &str, token_url: &str, id: &str, secret: &str) -> Perenso {
    Perenso::builder().client_id(id).client_secret(secret).api_url(url).token_url(token_url).build().unwrap()
}

/// A server with a catalog. It counts the requests for it.
struct Server {
    server: MockServer,
    catalog: usize,
    show: Perenso,
}

impl Server {
    fn start(catalog: &Value) -> Self {
        let server = MockServer::start();
        server.mock(|when, then| {
            when.method(POST).path("/token");
            then.status(200).json_body(json!({"access_token": "t", "token_type": "bearer", "expires_in": 300}));
        });
        let show = client(&server.base_url(), &server.url("/token"), "show", "secret");
        let catalog = Self::mock_catalog(&server, catalog);
        Self { server, catalog, show }
    }

    fn mock_catalog(server: &MockServer, catalog: &Value) -> usize {
        let mock = server.mock(|when, then| {
            when.method(GET).path("/Export");
            then.status(200).json_body(catalog.clone());
        });
        mock.id()
    }

    fn reads(&self) -> usize {
        httpmock::Mock::new(self.catalog, &self.server).calls()
    }

    /// Replaces the catalog.
    fn change(&mut self, catalog: &Value) {
        httpmock::Mock::new(self.catalog, &self.server).delete();
        self.catalog = Self::mock_catalog(&self.server, catalog);
    }

    async fn run(&self, id: &str, run: &impl Export) -> Result<String, Error> {
        let mut sent = self.server.mock(|when, then| {
            when.method(POST).path(format!("/Export/{id}"));
            then.respond_with(|request: &httpmock::HttpMockRequest| {
                httpmock::HttpMockResponse::builder().status(200).body(request.body().to_vec()).build()
            });
        });
        let response = self.show.exports().run_export(run).send().await;
        assert_eq!(sent.calls(), usize::from(response.is_ok()));
        sent.delete();
        response.map(|response| response.text().unwrap().to_owned())
    }
}

fn customers(id: &str, name: &str, limit: &Value) -> Value {
    json!({"id": id, "name": name, "parameters": [{"name": "Cursor", "dataType": "Integer"}, limit]})
}

fn guide() -> Value {
    customers("79aag9", "Get API Customers", &json!({"name": "Limit", "dataType": "Integer"}))
}

const PAGE: GetApiCustomers = GetApiCustomers { cursor: 1, limit: 15 };

#[tokio::test]
async fn a_generated_export_runs() {
    let sandbox = Sandbox::start().await.unwrap();
    let show = client(sandbox.url(), &sandbox.token_url(), sandbox.client_id(), sandbox.client_secret());
    let response = show.exports().run_export(&PAGE).send().await.unwrap();
    assert_eq!(response.rows::<Value>().unwrap().len(), 15);
    let request = sandbox.journal().into_iter().find(|request| request.path == "/Export/79aag9").unwrap();
    assert_eq!(request.body, r#"{"Cursor":1,"Limit":15}"#);
}

#[tokio::test]
async fn every_data_type_is_sent_in_its_format() {
    let parameters: Value =
        Everything::PARAMETERS.iter().map(|(name, data_type)| json!({"name": name, "dataType": data_type})).collect();
    let server = Server::start(&json!([{"id": "all", "name": "Everything", "parameters": parameters}]));
    let body: Value = serde_json::from_str(&server.run("all", &everything()).await.unwrap()).unwrap();
    assert_eq!(
        body,
        json!({
            "Integer": 1, "Text": "s3cr3t", "DateTime": "2022-10-31T09:00:00Z", "Boolean": true,
            "Money": {"amount": "1.50"},
        })
    );
    let text = Everything { money: json!("1.50"), ..everything() };
    assert!(server.run("all", &text).await.unwrap().contains(r#""Money":"1.50""#));
    let date_time = Utc.timestamp_opt(0, 1).unwrap();
    let error = server.run("all", &Everything { date_time, ..everything() }).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(error.problems()[0].ends_with("found a timestamp with a fraction of a second"), "{error}");
}

#[tokio::test]
async fn the_export_of_another_show_is_found_by_its_name() {
    let server = Server::start(&json!([
        customers("other", "Get API Customers", &json!({"name": "Limit", "dataType": "Integer"})),
        {"id": "x", "name": "Vendors", "parameters": []},
    ]));
    assert_eq!(server.run("other", &PAGE).await.unwrap(), r#"{"Cursor":1,"Limit":15}"#);
    assert_eq!(server.reads(), 1);
}

#[tokio::test]
async fn a_renamed_export_is_found_by_its_id() {
    let server =
        Server::start(&json!([customers("79aag9", "Customers", &json!({"name": "Limit", "dataType": "Integer"}))]));
    server.run("79aag9", &PAGE).await.unwrap();
}

#[tokio::test]
async fn an_ambiguous_export_is_not_run() {
    let limit = json!({"name": "Limit", "dataType": "Integer"});
    let wrong = "export_run: the id `79aag9` belongs to `Vendors` and the name `Get API Customers` to another export; \
                 save the catalog again and rebuild";
    let swapped =
        Server::start(&json!([customers("79aag9", "Vendors", &limit), customers("x", "Get API Customers", &limit)]));
    let error = swapped.run("79aag9", &PAGE).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Export, wrong));
    let twins = Server::start(&json!([
        customers("a", "Get API Customers", &limit),
        customers("b", "Get API Customers", &limit)
    ]));
    assert_eq!(twins.run("a", &PAGE).await.unwrap_err().problems(), ["`a`", "`b`"]);
    let twins = Server::start(&json!([guide(), guide()]));
    assert_eq!(twins.run("79aag9", &PAGE).await.unwrap_err().kind(), ErrorKind::Export);
    let gone = Server::start(&json!([]));
    let error = gone.run("79aag9", &PAGE).await.unwrap_err();
    let text =
        "export_run: no export has the id `79aag9` or the name `Get API Customers`; save the catalog again and rebuild";
    assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::Export, text));
}

#[tokio::test]
async fn all_drift_is_reported_before_a_request_is_sent() {
    let server = Server::start(&json!([{"id": "79aag9", "name": "Get API Customers", "parameters": [
        {"name": "Since", "dataType": "DateTime"},
        {"name": "Cursor", "dataType": "Text"},
    ]}]));
    let error = server.run("79aag9", &PAGE).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Export);
    assert_eq!(
        error.problems(),
        [
            "`Cursor`: expected `Integer`; found `Text`",
            "`Limit`: expected `Integer`; the export has no such parameter",
            "`Since`: not in the saved catalog; found `DateTime`",
        ]
    );
    assert!(error.to_string().contains("; save the catalog again and rebuild: `Cursor`"), "{error}");
}

#[tokio::test]
async fn a_cached_catalog_that_does_not_fit_is_read_again() {
    let mut server = Server::start(&json!([customers(
        "79aag9",
        "Get API Customers",
        &json!({"name": "Limit", "dataType": "Text"})
    )]));
    server.run("79aag9", &PAGE).await.unwrap_err();
    assert_eq!(server.reads(), 1);
    server.run("79aag9", &PAGE).await.unwrap_err();
    assert_eq!(server.reads(), 2);
    server.change(&json!([guide()]));
    server.run("79aag9", &PAGE).await.unwrap();
    server.run("79aag9", &PAGE).await.unwrap();
    assert_eq!(server.reads(), 1);
}

#[tokio::test]
async fn a_type_that_does_not_serialise_as_an_object_is_rejected() {
    let server = Server::start(&json!([{"id": "739da9", "name": "Vendors", "parameters": []}]));
    let error = server.run("739da9", &Vendors(true)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Input);
    assert!(error.problems()[0].contains("found a boolean"), "{error}");
}

#[tokio::test]
async fn a_catalog_is_saved_with_line_breaks_and_read_again() {
    let sandbox = Sandbox::start().await.unwrap();
    let show = client(sandbox.url(), &sandbox.token_url(), sandbox.client_id(), sandbox.client_secret());
    let live = show.exports().catalog().await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("exports.json");
    fs::write(&path, "what was there before").unwrap();
    SavedCatalog::save(&live, &path).unwrap();
    let saved = SavedCatalog::read(&path).unwrap();
    assert_eq!(saved.catalog(), &*live);
    assert_eq!(saved, Catalog::clone(&live).into());
    assert!(saved.compare(&live).is_empty());
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("[\n  {\n    \"id\": \"739da9\",\n    \"name\": \"Vendors\","), "{text}");
    assert!(text.ends_with("\n]\n"), "{text}");
    SavedCatalog::save(saved.catalog(), &path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[cfg(unix)]
#[test]
fn a_saved_catalog_has_the_mode_of_a_new_file() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let (plain, saved) = (directory.path().join("plain"), directory.path().join("saved"));
    fs::write(&plain, "").unwrap();
    SavedCatalog::save(&Catalog::default(), &saved).unwrap();
    let mode = |path| fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(saved), mode(plain));
}

#[test]
fn a_failed_save_leaves_existing_files_unchanged() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("nowhere").join("exports.json");
    let error = SavedCatalog::save(&Catalog::default(), &nowhere).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::File);
    let text = format!("file: `{}` cannot be written: ", nowhere.display());
    assert!(error.to_string().starts_with(&text), "{error}");
    let folder = directory.path().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("kept"), "").unwrap();
    SavedCatalog::save(&Catalog::default(), &folder).unwrap_err();
    assert!(folder.join("kept").exists());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn an_invalid_catalog_is_reported_with_path_and_position() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("exports.json");
    let error = SavedCatalog::read(&path).unwrap_err();
    assert!(error.to_string().starts_with(&format!("file: `{}` cannot be read: ", path.display())), "{error}");
    for (json, place) in [
        ("", "at the top: "),
        ("{\"error\": 1}", "at the top: expected a sequence, found object"),
        ("[{\"id\": \"1\", \"name\": \"A\", \"parameters\": [{\"name\": 5}]}]", "at `[0].parameters[0].name`: "),
        ("[{\"id\": \"1\"}]", "at `[0]`: "),
        ("[\n{\"id\": ]", "at the top: invalid JSON (line 2, column 8)"),
        ("[\u{0}]", "at the top: invalid JSON (line 1, column 2)"),
    ] {
        fs::write(&path, json).unwrap();
        let error = SavedCatalog::read(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::File);
        let text = format!("file: `{}` is not the JSON response of `GET /Export`: {place}", path.display());
        assert!(error.to_string().starts_with(&text), "{error}");
        assert!(error.to_string().ends_with("; save the catalog again"), "{error}");
        let error = SavedCatalog::from_json(json).unwrap_err();
        assert!(error.to_string().contains(place), "{error}");
    }
    fs::write(&path, [0xff, 0xfe, b'[']).unwrap();
    SavedCatalog::read(&path).unwrap_err();
    SavedCatalog::from_json(&"[".repeat(100_000)).unwrap_err();
    assert_eq!(SavedCatalog::from_json("\u{feff}[]").unwrap().catalog().len(), 0);
}
