//! A token server, the time as it really is, and the clocks of a machine, which may be wrong about it.

use std::time::Duration;

use perenso_auth::{
    Client, ClientBuilder, Credentials, Error, Profile, TokenPolicy,
    clock::{Clock, Now},
    store::TokenStore,
};
use tokio::task::JoinSet;

use crate::{issuer::Issuer, standing_clock::StandingClock};

pub struct World {
    pub issuer: Issuer,
    clock: StandingClock,
}

impl World {
    pub async fn new() -> Self {
        Self { issuer: Issuer::start().await, clock: StandingClock::default() }
    }

    pub fn builder(&self, credentials: Credentials) -> ClientBuilder {
        let url = &self.issuer.server.url;
        Client::builder(Profile::new("rotation").api_url(url).token_url(format!("{url}/token")))
            .credentials(credentials)
            .memory_only()
            .clock(self.clock.clone())
            .token_policy(TokenPolicy::default().backoff(Duration::from_millis(5), Duration::from_millis(20)))
    }

    /// A client that speaks for itself.
    pub fn client(&self) -> Client {
        self.builder(Credentials::new("client-1", "s3cr3t")).build().unwrap()
    }

    /// The same, over a store.
    pub fn client_over(&self, store: impl TokenStore) -> Client {
        self.builder(Credentials::new("client-1", "s3cr3t")).store(store).build().unwrap()
    }

    /// The clocks of the machine.
    pub fn now(&self) -> Now {
        self.clock.now()
    }

    /// Time passes, and every clock notices.
    pub fn pass(&self, time: Duration) {
        self.issuer.pass(time);
        self.clock.0.advance(time);
    }

    /// Time passes while the machine sleeps: its monotonic clock stands still.
    pub fn suspend(&self, time: Duration) {
        self.issuer.pass(time);
        self.clock.0.step_wall_forward(time);
    }

    /// Somebody sets the machine's clock back.
    pub fn set_back(&self, time: Duration) {
        self.clock.0.step_wall_back(time);
    }

    /// Somebody sets the machine's clock forward.
    pub fn set_forward(&self, time: Duration) {
        self.clock.0.step_wall_forward(time);
    }
}

/// One call.
pub async fn call(client: &Client) -> Result<(), Error> {
    client.get("/stock").send().await.map(drop)
}

/// So many tasks make one call each with each client, all at once.
pub async fn herd(tasks: usize, clients: &[&Client]) -> Vec<Result<(), Error>> {
    let mut herd = JoinSet::new();
    for client in std::iter::repeat_n(clients, tasks).flatten() {
        let client = Client::clone(client);
        herd.spawn(async move { call(&client).await });
    }
    herd.join_all().await
}

/// As [`herd`], of a hundred tasks, none of which may fail.
pub async fn hundred(clients: &[&Client]) {
    for result in herd(100, clients).await {
        result.unwrap();
    }
}
