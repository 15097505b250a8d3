//! A client over a store of files: what was rotated and what was used up is kept, whatever becomes of the files.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

#[allow(dead_code)]
#[path = "../promises/server.rs"]
mod server;
mod vendor;

use std::{fs, time::Duration};

use perenso_auth::{AuthorizationCode, Client, Credentials, ErrorKind, Profile, clock::ManualClock, store::FileStore};
use server::{Reply, Server};
use vendor::{call, client, tokens_file, vendor};

#[tokio::test]
async fn a_rotated_refresh_token_that_could_not_be_written_lives_on_in_memory_and_is_written_when_it_can_be() {
    let server = vendor().await;
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("tokens");
    let (client, clock) = client(&server, &place);
    call(&client).await;
    // No file can be made below a file.
    fs::remove_dir_all(&place).unwrap();
    fs::write(&place, "in the way").unwrap();
    for _ in 0..2 {
        clock.advance(Duration::from_secs(301));
        call(&client).await;
    }
    fs::remove_file(&place).unwrap();
    clock.advance(Duration::from_secs(301));
    call(&client).await;
    let sent: Vec<_> = server.tokens().iter().map(|seen| seen.field("refresh_token")).collect();
    let refreshed = |n: usize| Some(format!("ref-{n}"));
    assert_eq!(sent, [None, refreshed(0), refreshed(1), refreshed(2)]);
    assert!(fs::read_to_string(tokens_file(&place)).unwrap().contains("ref-3"));
}

#[tokio::test]
async fn a_code_that_is_used_up_survives_a_restart_by_its_refresh_token() {
    let server = vendor().await;
    let directory = tempfile::tempdir().unwrap();
    let build = || {
        Client::builder(Profile::new("vendor"))
            .credentials(Credentials::new("c", "s").code(AuthorizationCode::new("by-hand", "https://erp.example/cb")))
            .token_url(format!("{}/token", server.url))
            .api_url(&server.url)
            .store(FileStore::new(directory.path()))
            .build()
            .unwrap()
    };
    call(&build()).await;
    call(&build()).await;
    let grants: Vec<_> = server.tokens().iter().map(|seen| seen.field("grant_type").unwrap()).collect();
    assert_eq!(grants, ["authorization_code"]);
    // Without the file, only the person can help: the code is gone, and the server would say so.
    fs::remove_dir_all(directory.path()).unwrap();
    let refusing = Server::start(|_| Reply::json(400, r#"{"error":"invalid_grant"}"#)).await;
    let lost = Client::builder(Profile::new("vendor"))
        .credentials(Credentials::new("c", "s").code(AuthorizationCode::new("by-hand", "https://erp.example/cb")))
        .token_url(format!("{}/token", refusing.url))
        .api_url(&refusing.url)
        .store(FileStore::new(directory.path()))
        .build()
        .unwrap();
    assert_eq!(lost.get("/").send().await.unwrap_err().kind(), ErrorKind::PersonNeeded);
}

/// While the store is unavailable, no token request is sent that could lose tokens of a person. The current token is used.
#[tokio::test]
async fn a_code_is_not_spent_and_a_refresh_token_not_sent_while_the_store_is_away() {
    let server = vendor().await;
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("tokens");
    let clock = ManualClock::default();
    let builder = || {
        Client::builder(Profile::new("vendor"))
            .credentials(Credentials::new("c", "s").code(AuthorizationCode::new("by-hand", "https://erp.example/cb")))
            .token_url(format!("{}/token", server.url))
            .api_url(&server.url)
            .store(FileStore::new(&place))
            .clock(clock.clone())
    };
    fs::write(&place, "in the way").unwrap();
    let client = builder().build().unwrap();
    let error = client.get("/").send().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TokenUnavailable, "{error}");
    let message = error.to_string();
    assert!(message.contains("the token store is unavailable") && message.contains("no token is requested"), "{error}");
    assert!(error.is_transient() && server.seen().is_empty());

    fs::remove_file(&place).unwrap();
    call(&client).await;
    fs::remove_dir_all(&place).unwrap();
    fs::write(&place, "in the way").unwrap();
    // Due, and still good.
    clock.advance(Duration::from_secs(290));
    call(&client).await;
    clock.advance(Duration::from_secs(20));
    assert_eq!(client.get("/").send().await.unwrap_err().kind(), ErrorKind::TokenUnavailable);
    assert_eq!(server.tokens().len(), 1);

    fs::remove_file(&place).unwrap();
    call(&client).await;
    let sent: Vec<_> = server.tokens().iter().map(|seen| seen.field("refresh_token")).collect();
    assert_eq!(sent, [None, Some("ref-0".to_owned())]);

    fs::remove_dir_all(&place).unwrap();
    fs::write(&place, "in the way").unwrap();
    call(&builder().memory_only().build().unwrap()).await;
}
