//! A machine that sleeps, a clock that is set back, a server whose clock is off: no request with a token whose life is over,
//! and one token request for a life.

use crate::{
    HOUR, S,
    issuer::LIFETIME,
    world::{World, hundred},
};

const REFRESHED: [&str; 1] = ["refresh_token: granted"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_slept_for_hours_wakes_to_one_refresh() {
    let world = World::new().await;
    let client = world.client();
    hundred(&[&client]).await;
    world.issuer.journal();
    for _ in 0..3 {
        world.suspend(8 * HOUR);
        hundred(&[&client]).await;
        assert_eq!(world.issuer.journal(), REFRESHED);
        // A token obtained after the sleep has the full lifetime.
        world.pass(200 * S);
        hundred(&[&client]).await;
        assert!(world.issuer.journal().is_empty());
    }
    assert_eq!(world.issuer.late(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn naps_add_up_with_the_time_between_them() {
    let world = World::new().await;
    let client = world.client();
    hundred(&[&client]).await;
    world.issuer.journal();
    for _ in 0..2 {
        world.suspend(100 * S);
        world.pass(100 * S);
        hundred(&[&client]).await;
    }
    assert_eq!(world.issuer.journal(), REFRESHED);
    assert_eq!(world.issuer.late(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_back_prolongs_no_life_and_renews_none_early() {
    let world = World::new().await;
    let client = world.client();
    hundred(&[&client]).await;
    world.issuer.journal();
    for _ in 0..5 {
        world.set_back(5 * HOUR);
        world.pass(200 * S);
        hundred(&[&client]).await;
        assert!(world.issuer.journal().is_empty());
        world.pass(100 * S);
        hundred(&[&client]).await;
        assert_eq!(world.issuer.journal(), REFRESHED);
    }
    assert_eq!(world.issuer.late(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_put_right_again_costs_one_refresh() {
    let world = World::new().await;
    let client = world.client();
    hundred(&[&client]).await;
    world.issuer.journal();
    world.set_forward(5 * HOUR);
    hundred(&[&client]).await;
    assert_eq!(world.issuer.journal(), REFRESHED);
    world.set_back(5 * HOUR);
    for _ in 0..4 {
        world.pass(50 * S);
        hundred(&[&client]).await;
    }
    assert!(world.issuer.journal().is_empty());
    world.pass(100 * S);
    hundred(&[&client]).await;
    assert_eq!(world.issuer.journal(), REFRESHED);
    assert_eq!(world.issuer.late(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_clock_is_off_is_taken_at_its_word_about_lifetimes_only() {
    for skew in [5 * 3600, -5 * 3600] {
        let world = World::new().await;
        world.issuer.skew(skew);
        let client = world.client();
        hundred(&[&client]).await;
        world.issuer.journal();
        for _ in 0..5 {
            world.pass(200 * S);
            hundred(&[&client]).await;
            assert!(world.issuer.journal().is_empty(), "renewed early with {skew} s");
            world.pass(LIFETIME - 200 * S);
            hundred(&[&client]).await;
            assert_eq!(world.issuer.journal(), REFRESHED, "{skew} s");
        }
        assert_eq!(world.issuer.late(), 0, "{skew} s");
    }
}
