//! Whatever comes, in whatever order: no call fails, no old refresh token comes back, no more than one grant for each event.

use std::time::Duration;

use futures_util::future::join_all;
use perenso_auth::{Credentials, store::MemoryStore};

use crate::{
    S,
    issuer::Loss,
    world::{World, call, herd},
};

const STEPS: usize = 30;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_with_its_own_credentials_survives_all_that_can_happen_to_its_tokens() {
    join_all((0..8).map(|seed| trace(seed, 1))).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_do_three_that_share_a_store() {
    join_all((0..8).map(|seed| trace(seed, 3))).await;
}

async fn trace(seed: u64, clients: usize) {
    let mut random = fastrand::Rng::with_seed(seed);
    let world = World::new().await;
    let store = MemoryStore::new();
    let build = |_| world.builder(Credentials::new("client-1", "s3cr3t")).store(store.clone()).build().unwrap();
    let clients: Vec<_> = (0..clients).map(build).collect();
    let clients: Vec<_> = clients.iter().collect();
    let mut past = vec!["start".to_owned()];
    for _ in 0..STEPS {
        for result in herd(10, &clients).await {
            assert!(result.is_ok(), "seed {seed}, {past:?}: {result:?}");
        }
        // A renewal that nobody waited for ends, and the API gets to see the token.
        for client in &clients {
            client.token(100 * S).await.unwrap();
            call(client).await.unwrap();
        }
        let journal = world.issuer.journal();
        let granted = journal.iter().filter(|entry| entry.ends_with("granted")).count();
        assert!(granted <= 1, "seed {seed}, {past:?}: {journal:?}");
        assert_eq!((world.issuer.reuses(), world.issuer.late()), (0, 0), "seed {seed}, {past:?}");
        past.push(event(&mut random, &world, seed.is_multiple_of(2)));
        world.pass(S);
    }
}

/// One thing that happens. No machine sleeps and has its clock set back in one trace: no client could tell that time passed.
fn event(random: &mut fastrand::Rng, world: &World, sleeps: bool) -> String {
    world.issuer.lose_no_more();
    let time = Duration::from_secs(random.u64(1..400));
    match random.u8(0..6) {
        0 if sleeps => {
            world.suspend(time);
            format!("suspend {time:?}")
        }
        0 => {
            world.set_back(time);
            format!("set back {time:?}")
        }
        1 => {
            world.set_forward(time);
            format!("set forward {time:?}")
        }
        2 => {
            let losses = random.usize(1..4);
            (0..losses).for_each(|_| world.issuer.lose(if random.bool() { Loss::Before } else { Loss::After }));
            world.pass(time);
            format!("{losses} answers lost, pass {time:?}")
        }
        3 => {
            world.pass(time);
            format!("pass {time:?}")
        }
        4 => {
            world.issuer.revoke_token();
            "revoke the token".to_owned()
        }
        _ => {
            world.issuer.revoke_grant();
            "revoke the grant".to_owned()
        }
    }
}
