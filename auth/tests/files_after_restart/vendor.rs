//! A system over a store of files, and a client of it whose time is in the test's hands.

use std::{
    fs,
    path::{Path, PathBuf},
};

use perenso_auth::{Client, Credentials, Profile, clock::ManualClock, store::FileStore};

use crate::server::{Reply, Server, token};

pub async fn vendor() -> Server {
    Server::start(|seen| match seen.path.as_str() {
        "/token" => token(seen.nth, 300),
        _ => Reply::json(200, "[]"),
    })
    .await
}

pub fn client(server: &Server, directory: &Path) -> (Client, ManualClock) {
    let clock = ManualClock::default();
    let client = Client::builder(Profile::new("vendor"))
        .credentials(Credentials::new("show-1", "s3cr3t"))
        .token_url(format!("{}/token", server.url))
        .api_url(&server.url)
        .store(FileStore::new(directory))
        .clock(clock.clone())
        .build()
        .unwrap();
    (client, clock)
}

pub async fn call(client: &Client) {
    client.get("/").send().await.unwrap();
}

/// The file with the tokens, which is there as soon as a client has stored some.
pub fn tokens_file(directory: &Path) -> PathBuf {
    let mut files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.find(|path| path.extension().is_some_and(|extension| extension == "json")).unwrap()
}
