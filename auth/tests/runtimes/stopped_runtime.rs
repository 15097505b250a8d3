//! A runtime that is there and that nobody drives any more: what belongs to it holds up nobody else.

use std::time::{Duration, Instant};

use perenso_auth::{Client, Credentials, Profile, Rate, Timeouts};

use crate::world::{LIFETIME, World, call, runtime};

#[test]
fn a_connection_of_a_runtime_that_is_stopped_is_not_used() {
    let world = World::new();
    let client = world.client();
    let standing = runtime();
    standing.block_on(call(&client));
    let driven = runtime();
    let get = driven.block_on(client.get("/stock").send()).unwrap();
    assert_eq!(get.attempts(), 1);
    driven.block_on(client.post("/stock").send()).unwrap();
    assert_eq!(world.server.calls().len(), 3);
}

#[test]
fn a_renewal_that_a_runtime_began_ends_though_nobody_drives_it() {
    let world = World::new();
    let client = world.client();
    let standing = runtime();
    standing.block_on(call(&client));
    world.clock.advance(LIFETIME - Duration::from_secs(3));
    standing.block_on(call(&client));
    // The store has a timeout by the clock as well, so the renewal is behind it before the clock moves.
    while world.server.tokens().len() < 2 {
        std::thread::sleep(Duration::from_millis(1));
    }
    // The token ends; the attempt that is under way has more time than that.
    world.clock.advance(Duration::from_secs(5));
    let driven = runtime();
    driven.block_on(call(&client));
    assert_eq!(world.server.tokens().len(), 2);
}

#[test]
fn a_call_that_waits_for_the_budget_in_a_runtime_that_is_stopped_holds_up_no_other() {
    let world = World::new();
    let rate = Rate::new(4, Duration::from_secs(1), 1);
    let client = Client::builder(Profile::new("budget"))
        .token_url(format!("{}/token", world.server.url))
        .api_url(&world.server.url)
        .credentials(Credentials::new("client-1", "s3cr3t"))
        .rate(rate)
        .timeouts(Timeouts::default().budget(Duration::from_secs(2)))
        .build()
        .unwrap();
    let standing = runtime();
    standing.block_on(async {
        call(&client).await;
        let waiting = client.clone();
        tokio::spawn(async move { call(&waiting).await });
        tokio::time::sleep(Duration::from_millis(50)).await;
    });
    let started = Instant::now();
    runtime().block_on(call(&client));
    assert!(started.elapsed() < Duration::from_secs(2));
}
