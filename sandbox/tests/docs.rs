//! The page at `/docs` and its document.

#![allow(clippy::unwrap_used)]

#[path = "support/http.rs"]
mod http;

use perenso_sandbox::Sandbox;
use reqwest::{Client, Response, StatusCode};

async fn get(sandbox: &Sandbox, path: &str, headers: &[(&str, &str)]) -> Response {
    let _ = http::client();
    // Without decompression, even if another crate enabled gzip in reqwest.
    let client = Client::builder().no_proxy().no_gzip().build().unwrap();
    let mut request = client.get(format!("{}{path}", sandbox.url()));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

#[cfg(not(feature = "docs"))]
#[tokio::test]
async fn without_the_feature_the_page_is_missing_with_a_message() {
    let sandbox = Sandbox::start().await.unwrap();
    let response = get(&sandbox, "/docs", &[]).await;
    assert_eq!(response.status(), StatusCode::NOT_IMPLEMENTED);
    assert_eq!(get(&sandbox, "/", &[("accept", "text/html")]).await.status(), StatusCode::UNAUTHORIZED);
}

#[cfg(feature = "docs")]
mod page {
    use serde_json::Value;

    use super::*;

    fn header<'a>(response: &'a Response, name: &str) -> &'a str {
        response.headers().get(name).unwrap_or_else(|| panic!("no {name}")).to_str().unwrap()
    }

    async fn document(sandbox: &Sandbox) -> Value {
        get(sandbox, "/openapi.json", &[]).await.json().await.unwrap()
    }

    fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
        let paths = document["paths"].as_object().unwrap();
        let all = paths.iter().flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
        });
        all.filter(|(_, _, operation)| operation.get("operationId").is_some()).collect()
    }

    #[tokio::test]
    async fn every_file_has_its_type_a_strict_policy_and_a_tag() {
        let sandbox = Sandbox::start().await.unwrap();
        let files = [
            ("/docs", "text/html"),
            ("/docs/page.js", "text/javascript"),
            ("/docs/page.css", "text/css"),
            ("/docs/icon.svg", "image/svg+xml"),
            ("/docs/swagger-ui.js", "text/javascript"),
            ("/docs/swagger-ui.css", "text/css"),
            ("/docs/licences.txt", "text/plain"),
            ("/openapi.json", "application/json"),
        ];
        for (path, content_type) in files {
            let response = get(&sandbox, path, &[]).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert!(header(&response, "content-type").starts_with(content_type), "{path}");
            assert_eq!(header(&response, "cache-control"), "no-cache", "{path}");
            assert_eq!(header(&response, "x-content-type-options"), "nosniff", "{path}");
            let policy = header(&response, "content-security-policy").to_owned();
            assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{path}: {policy}");
            assert!(
                !policy.contains("unsafe") && !policy.contains('*') && !policy.contains("http"),
                "{path}: {policy}"
            );

            let tag = header(&response, "etag").to_owned();
            assert!(!response.bytes().await.unwrap().is_empty(), "{path}");
            for known in [tag.clone(), format!("\"other\", W/{tag}")] {
                let again = get(&sandbox, path, &[("if-none-match", &known)]).await;
                assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
                assert_eq!(header(&again, "etag"), tag);
                assert_eq!(again.bytes().await.unwrap().len(), 0);
            }
            let other = get(&sandbox, path, &[("if-none-match", "\"other\"")]).await;
            assert_eq!(other.status(), StatusCode::OK, "{path}");
        }
        assert_eq!(get(&sandbox, "/docs/other.js", &[]).await.status(), StatusCode::NOT_FOUND);
        assert_eq!(get(&sandbox, "/docs/../Cargo.toml", &[]).await.status(), StatusCode::UNAUTHORIZED);
        let posted = http::client().post(format!("{}/docs", sandbox.url())).send().await.unwrap();
        assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[tokio::test]
    async fn the_page_refers_to_no_other_origin() {
        let sandbox = Sandbox::start().await.unwrap();
        for path in ["/docs", "/docs/page.js", "/docs/page.css"] {
            let text = get(&sandbox, path, &[]).await.text().await.unwrap();
            assert!(!text.contains("http:") && !text.contains("https:") && !text.contains("\"//"), "{path}");
        }
    }

    #[tokio::test]
    async fn swagger_ui_is_compressed_if_accepted() {
        let sandbox = Sandbox::start().await.unwrap();
        for path in ["/docs/swagger-ui.js", "/docs/swagger-ui.css"] {
            let small = get(&sandbox, path, &[("accept-encoding", "br, gzip;q=0.8")]).await;
            assert_eq!(header(&small, "content-encoding"), "gzip");
            assert!(header(&small, "vary").contains("accept-encoding"));
            let plain = get(&sandbox, path, &[("accept-encoding", "gzip;q=0, br")]).await;
            assert!(plain.headers().get("content-encoding").is_none());
            assert_ne!(header(&small, "etag"), header(&plain, "etag"), "two forms, two tags");
            let (small, plain) = (small.bytes().await.unwrap(), plain.text().await.unwrap());
            assert!(small.len() * 3 < plain.len());
            assert!(plain.contains("swagger-ui"));
        }
    }

    #[tokio::test]
    async fn the_root_redirects_only_browsers_to_the_page() {
        let sandbox = Sandbox::start().await.unwrap();
        let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let root = |accept: &'static str| client.get(format!("{}/", sandbox.url())).header("accept", accept).send();
        let led = root("text/html,application/xhtml+xml;q=0.9,*/*;q=0.8").await.unwrap();
        assert_eq!(led.status(), StatusCode::SEE_OTHER);
        assert_eq!(header(&led, "location"), "/docs");
        assert_eq!(root("application/json").await.unwrap().status(), StatusCode::UNAUTHORIZED);
        let slash = client.get(format!("{}/docs/", sandbox.url())).send().await.unwrap();
        assert_eq!(header(&slash, "location"), "/docs");
    }

    #[tokio::test]
    async fn the_page_is_not_recorded_and_has_no_fault() {
        let sandbox = Sandbox::builder().rate(1, std::time::Duration::from_secs(60)).start().await.unwrap();
        sandbox.fault(perenso_sandbox::Fault::status(503));
        for path in ["/docs", "/openapi.json", "/docs/page.js", "/docs"] {
            assert_eq!(get(&sandbox, path, &[]).await.status(), StatusCode::OK);
        }
        assert_eq!(sandbox.journal(), []);
    }

    #[tokio::test]
    async fn the_document_has_this_sandbox_as_its_only_server() {
        let sandbox = Sandbox::start().await.unwrap();
        let document = document(&sandbox).await;
        assert_eq!(document["servers"].as_array().unwrap().len(), 1);
        assert_eq!(document["servers"][0]["url"], sandbox.url());
        let flow = &document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"];
        assert_eq!(flow["tokenUrl"], sandbox.token_url());
        assert_eq!(flow["refreshUrl"], sandbox.token_url());

        let named = get(&sandbox, "/openapi.json", &[("host", "localhost:81")]).await;
        assert_eq!(named.json::<Value>().await.unwrap()["servers"][0]["url"], "http://localhost:81");
        let strange = get(&sandbox, "/openapi.json", &[("host", "\"><script>")]).await;
        assert_eq!(strange.status(), StatusCode::FORBIDDEN);
    }

    #[tokio::test]
    async fn every_operation_is_marked_as_seen_or_inferred() {
        let sandbox = Sandbox::start().await.unwrap();
        let document = document(&sandbox).await;
        assert!(operations(&document).len() >= 14);
        for (path, method, operation) in operations(&document) {
            let description = operation["description"].as_str().unwrap();
            let status = operation["x-source"]["status"].as_str().unwrap();
            let mark = if status == "seen" { "**Seen**" } else { "**Inferred" };
            assert!(description.contains(mark), "{method} {path}: {description}");
        }
        let update = document["paths"]["/Customer/{id}"]["put"]["description"].as_str().unwrap();
        assert!(update.contains("the vendor's page [C3](https://"), "{update}");
    }

    #[tokio::test]
    async fn the_document_describes_a_delete_and_a_repeated_create() {
        let sandbox = Sandbox::start().await.unwrap();
        let served = document(&sandbox).await;
        let statuses = served["paths"]["/Customer/{id}"]["delete"]["responses"].as_object().unwrap();
        assert!(statuses.contains_key("200") && statuses.contains_key("204") && !statuses.contains_key("2XX"));
        let twice = |document: &Value| {
            document["paths"]["/Customer"]["post"]["description"].as_str().unwrap().contains("unique_customer_id")
        };
        assert!(twice(&served));
        sandbox.set_behavior(|behavior| behavior.unique_customer_id = true);
        assert!(!twice(&document(&sandbox).await));
    }

    #[tokio::test]
    async fn the_examples_of_the_document_work() {
        let sandbox = Sandbox::start().await.unwrap();
        let document = document(&sandbox).await;
        let token = sandbox.issue_token();
        for (path, method, operation) in operations(&document) {
            let mut address = format!("{}{path}", sandbox.url());
            let mut query = Vec::new();
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = parameter["name"].as_str().unwrap();
                match (&parameter["example"], parameter["in"].as_str()) {
                    (Value::Null, place) => {
                        assert_ne!(parameter["required"], true, "{method} {path}: {name}");
                        assert_eq!(parameter["schema"].get("example"), None, "{method} {path}: {name} in {place:?}");
                    }
                    (value, Some("path")) => {
                        address = address.replace(&format!("{{{name}}}"), value.as_str().unwrap());
                    }
                    (value, _) => query.push((name, value.as_str().map_or(value.to_string(), str::to_owned))),
                }
            }
            let method = reqwest::Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let mut request = http::client().request(method.clone(), &address).query(&query).bearer_auth(&token);
            let media = &operation["requestBody"]["content"]["application/json"];
            let named = media["examples"].as_object().and_then(|examples| examples.values().next());
            match media.get("example").or(named.map(|example| &example["value"])) {
                Some(body) => request = request.json(body),
                None => request = request.header("content-length", 0),
            }
            let response = request.send().await.unwrap();
            let status = response.status();
            assert!(status.is_success(), "{method} {address}: {status} {}", response.text().await.unwrap());
        }
    }

    #[tokio::test]
    async fn the_export_example_is_that_of_the_guide() {
        let sandbox = Sandbox::start().await.unwrap();
        let document = document(&sandbox).await;
        let run = &document["paths"]["/Export/{id}"]["post"];
        assert_eq!(run["parameters"][0]["example"], "79aag9");
        let examples = run["requestBody"]["content"]["application/json"].to_string();
        assert!(examples.contains(r#"{"Cursor":1,"Limit":15}"#), "{examples}");
    }

    #[tokio::test]
    async fn the_document_belongs_to_the_requested_show() {
        let sandbox =
            Sandbox::builder().client_id("ONE").another_show("TWO").customers(3).seed(2).start().await.unwrap();
        let id_in = async |path: &str| -> Value {
            let document: Value = get(&sandbox, path, &[]).await.json().await.unwrap();
            document["paths"]["/Customer/{id}"]["get"]["parameters"][0]["example"].clone()
        };
        assert_eq!(id_in("/openapi.json").await, sandbox.customers()[0]["id"]);
        assert_eq!(id_in("/openapi.json?show=TWO").await, sandbox.show("TWO").unwrap().customers()[0]["id"]);
        assert_eq!(get(&sandbox, "/openapi.json?show=THREE", &[]).await.status(), StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn dns_rebinding_is_rejected() {
        let sandbox = Sandbox::start().await.unwrap();
        for path in ["/openapi.json", "/docs"] {
            let response = get(&sandbox, path, &[("host", "sandbox.example")]).await;
            assert_eq!(response.status(), StatusCode::FORBIDDEN, "{path}");
        }
    }
}
