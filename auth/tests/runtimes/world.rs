//! A token server in a runtime of its own, which gives each refresh token away once.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use perenso_auth::{Client, ClientBuilder, Credentials, Profile, clock::ManualClock, store::FileStore};
use tokio::runtime::Runtime;

use crate::server::{Reply, Server, token};

pub const LIFETIME: Duration = Duration::from_secs(300);
/// The time that the token endpoint takes.
pub const DELAY: Duration = Duration::from_millis(200);

pub struct World {
    pub server: Server,
    pub clock: ManualClock,
    profile: Profile,
    credentials: Credentials,
    directory: tempfile::TempDir,
    // Dropped last: the server lives in it.
    _outside: Runtime,
}

impl World {
    pub fn new() -> Self {
        Self::of(Profile::new("runtimes"), Credentials::new("client-1", "s3cr3t").refresh_token("brought"))
    }

    /// The same for a system and its credentials.
    pub fn of(profile: Profile, credentials: Credentials) -> Self {
        let outside = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let issued = Arc::new(AtomicUsize::new(0));
        let server = outside.block_on(Server::start(move |seen| {
            if seen.path != "/token" {
                return Reply::json(200, "[]");
            }
            let newest = issued.load(Ordering::SeqCst);
            let expected = if newest == 0 { "brought".to_owned() } else { format!("ref-{newest}") };
            if seen.field("refresh_token").is_some_and(|sent| sent != expected) {
                return Reply::json(400, r#"{"error":"invalid_grant"}"#);
            }
            issued.store(newest + 1, Ordering::SeqCst);
            token(newest + 1, LIFETIME.as_secs()).late(DELAY)
        }));
        let (clock, directory) = (ManualClock::default(), tempfile::tempdir().unwrap());
        Self { server, clock, profile, credentials, directory, _outside: outside }
    }

    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub fn builder(&self) -> ClientBuilder {
        Client::builder(self.profile.clone())
            .token_url(format!("{}/token", self.server.url))
            .api_url(&self.server.url)
            .clock(self.clock.clone())
            .credentials(self.credentials.clone())
            .store(FileStore::new(self.directory()))
    }

    pub fn client(&self) -> Client {
        self.builder().build().unwrap()
    }
}

/// A runtime of one thread, which is driven only while `block_on` runs.
pub fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// One call.
pub async fn call(client: &Client) {
    client.get("/stock").send().await.unwrap();
}
