//! A program ends while a refresh token is under way: the next one needs no person.

use std::time::Duration;

use perenso_auth::{Credentials, Profile};
use tokio::runtime::Runtime;

use crate::world::{DELAY, LIFETIME, World, call, runtime};

/// A process with one client, which makes its last call while the renewal is due, and ends when the token request has arrived.
fn process(world: &World, runtime: Runtime) {
    let client = world.client();
    runtime.block_on(call(&client));
    world.clock.advance(LIFETIME - Duration::from_secs(10));
    let before = world.server.tokens().len();
    runtime.block_on(async {
        call(&client).await;
        while world.server.tokens().len() == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    drop(runtime);
    world.clock.advance(LIFETIME);
}

#[test]
fn the_next_run_of_a_program_that_ended_during_a_renewal_needs_no_person() {
    let world = World::new();
    for _ in 0..3 {
        process(&world, runtime());
    }
    runtime().block_on(call(&world.client()));
}

#[test]
fn so_it_is_with_the_rotation_of_tourpaq() {
    let world = World::of(Profile::tourpaq(), Credentials::new("client-1", "s3cr3t").refresh_token("brought"));
    for _ in 0..3 {
        process(&world, runtime());
    }
    runtime().block_on(call(&world.client()));
    // With a user and a password nobody is needed, and the refresh token goes on as well.
    let world = World::of(Profile::tourpaq(), Credentials::new("client-1", "s3cr3t").user("desk", "pa55"));
    for _ in 0..3 {
        process(&world, runtime());
    }
    let kinds: Vec<_> = world.server.tokens().iter().map(|seen| seen.field("grant_type").unwrap()).collect();
    assert_eq!(kinds[0], "password");
    assert_eq!(kinds[1..], ["refresh_token"; 5]);
}

#[test]
fn so_it_is_with_a_runtime_of_several_threads() {
    let world = World::new();
    for _ in 0..3 {
        process(&world, tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());
    }
    runtime().block_on(call(&world.client()));
}

#[test]
fn a_runtime_for_each_call_loses_no_refresh_token() {
    let world = World::new();
    let client = world.client();
    for _ in 0..5 {
        runtime().block_on(call(&client));
        world.clock.advance(LIFETIME - Duration::from_secs(10));
    }
    world.clock.advance(LIFETIME);
    runtime().block_on(call(&world.client()));
}

#[test]
fn a_caller_who_gave_up_and_ended_the_program_has_lost_no_refresh_token() {
    let world = World::new();
    runtime().block_on(call(&world.client()));
    for _ in 0..3 {
        world.clock.advance(LIFETIME);
        let (client, ended) = (world.client(), runtime());
        let given_up = ended.block_on(async { tokio::time::timeout(DELAY / 2, call(&client)).await });
        assert!(given_up.is_err());
    }
    world.clock.advance(LIFETIME);
    runtime().block_on(call(&world.client()));
}
