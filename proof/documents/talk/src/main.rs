//! Calls every operation of a document through its generated client, and prints rows of a table.
//!
//! `DOCUMENT=vendor.json cargo run -p perenso-talk -- [http://address-of-prism]`
//!
//! The servers are Prism, if it runs over the vendor's own document, and the sandbox over the normalised one.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod document;
mod example;
mod pattern;
mod proxy;
mod talk;
mod values;
mod wire;

use std::{collections::BTreeSet, error::Error, process::ExitCode};

use axum::http::{HeaderName, HeaderValue};
use perenso::auth::{self, Credentials, Grant, Profile, RetryPolicy};
use perenso_sandbox::Sandbox;

use crate::{
    document::Documents,
    proxy::{Recorder, Server},
    talk::Talk,
};

/// The generated client.
#[allow(dead_code)]
mod client {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));

    /// A call of each operation.
    pub(crate) mod calls {
        include!(concat!(env!("OUT_DIR"), "/calls.rs"));
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let documents = Documents {
        original: serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/original.json")))?,
        normalized: serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/normalized.json")))?,
    };
    let sandbox = Sandbox::builder().document(&documents.normalized.to_string())?.unlimited().start().await?;
    let (recorder, url) = Recorder::start().await?;
    let client = client::Client::new(&authorised(&documents, &sandbox, &url)?);

    let to = |url: &str, prefer| Server { url: url.to_owned(), prefer };
    let mut servers = Vec::new();
    if let Some(prism) = std::env::args().nth(1) {
        servers.push(("Prism, examples", to(&prism, None)));
        servers.push(("Prism, random", to(&prism, Some(HeaderValue::from_static("dynamic=true")))));
    }
    servers.push(("sandbox", to(sandbox.url(), None)));
    let (mut is_good, mut read) = (true, BTreeSet::new());
    for (name, server) in servers {
        recorder.set_server(server);
        let mut talk = Talk {
            documents: &documents,
            recorder: recorder.clone(),
            is_least: false,
            is_stuck: false,
            results: Vec::new(),
        };
        for is_least in [false, true] {
            talk.is_least = is_least;
            for (operation, call) in client::calls::all() {
                talk.call(&client, operation, call).await;
            }
        }
        println!("{name} | {}", talk.row());
        eprint!("{name}\n{talk}");
        is_good &= talk.is_good();
        read.extend(talk.read());
    }
    let operations: BTreeSet<_> = client::calls::all().into_iter().map(|(operation, _)| operation.id).collect();
    println!("together | {} | {} | | | | |", operations.len(), read.len());
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Returns a client with the tokens of the sandbox, and with the keys that the document asks for in headers.
fn authorised(documents: &Documents, sandbox: &Sandbox, url: &str) -> Result<auth::Client, Box<dyn Error>> {
    let mut profile = Profile::new("talk")
        .api_url(url)
        .token_url(sandbox.token_url())
        .grants([Grant::ClientCredentials])
        .scope(Grant::ClientCredentials, "100214");
    for scheme in documents.schemes() {
        let name = scheme["name"].as_str().unwrap_or_default();
        if scheme["type"] == "apiKey" && scheme["in"] == "header" && !name.eq_ignore_ascii_case("authorization") {
            profile = profile.api_header(HeaderName::try_from(name)?, HeaderValue::from_static("key"));
        }
    }
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret());
    Ok(auth::Client::builder(profile).credentials(credentials).unlimited().retry(RetryPolicy::never()).build()?)
}
