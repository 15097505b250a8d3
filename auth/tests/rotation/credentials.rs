//! Refresh tokens with client credentials behind them: whatever is lost can be had anew.

use crate::{
    S,
    issuer::{LIFETIME, Loss},
    world::{World, call, hundred},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_tasks_at_expiry_refresh_once() {
    let world = World::new().await;
    let client = world.client();
    hundred(&[&client]).await;
    assert_eq!(world.issuer.journal(), ["client_credentials: granted"]);
    for _ in 0..5 {
        world.pass(LIFETIME);
        hundred(&[&client]).await;
        assert_eq!(world.issuer.journal(), ["refresh_token: granted"]);
    }
    assert_eq!((world.issuer.reuses(), world.issuer.late()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_tasks_ahead_of_expiry_refresh_once_and_wait_for_nothing() {
    let world = World::new().await;
    let client = world.client();
    call(&client).await.unwrap();
    for _ in 0..5 {
        world.pass(LIFETIME - S);
        hundred(&[&client]).await;
        client.token(2 * S).await.unwrap();
    }
    let mut journal = vec!["client_credentials: granted"];
    journal.extend(["refresh_token: granted"; 5]);
    assert_eq!(world.issuer.journal(), journal);
    assert_eq!((world.issuer.reuses(), world.issuer.late()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_whose_response_is_lost_leads_to_the_original_grant_and_its_token_never_comes_back() {
    for (loss, lost) in [(Loss::Before, "refresh_token: lost before"), (Loss::After, "refresh_token: lost after")] {
        let world = World::new().await;
        let client = world.client();
        call(&client).await.unwrap();
        for age in [LIFETIME, LIFETIME - S] {
            world.issuer.journal();
            world.pass(age);
            world.issuer.lose(loss);
            hundred(&[&client]).await;
            client.token(2 * S).await.unwrap();
            assert_eq!(world.issuer.journal(), [lost, "client_credentials: granted"]);
            world.pass(LIFETIME);
            hundred(&[&client]).await;
            assert_eq!(world.issuer.journal(), ["refresh_token: granted"]);
        }
        assert_eq!((world.issuer.reuses(), world.issuer.late()), (0, 0));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn responses_that_are_lost_one_after_the_other_fail_no_call() {
    let world = World::new().await;
    let client = world.client();
    call(&client).await.unwrap();
    world.issuer.journal();
    world.pass(LIFETIME);
    for loss in [Loss::After, Loss::After, Loss::Before] {
        world.issuer.lose(loss);
    }
    hundred(&[&client]).await;
    assert_eq!(
        world.issuer.journal(),
        [
            "refresh_token: lost after",
            "client_credentials: lost after",
            "client_credentials: lost before",
            "client_credentials: granted"
        ]
    );
    assert_eq!(world.issuer.reuses(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_revoked_in_mid_life_is_refreshed_once_and_every_call_replayed() {
    let world = World::new().await;
    let client = world.client();
    call(&client).await.unwrap();
    for _ in 0..3 {
        world.issuer.journal();
        world.pass(100 * S);
        world.issuer.revoke_token();
        let before = world.issuer.server.calls().len();
        hundred(&[&client]).await;
        assert_eq!(world.issuer.journal(), ["refresh_token: granted"]);
        assert!(world.issuer.server.calls().len() - before <= 200, "more than one replay for a call");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_revoked_in_mid_life_is_replaced_by_a_new_one() {
    let world = World::new().await;
    let client = world.client();
    call(&client).await.unwrap();
    for _ in 0..3 {
        world.issuer.journal();
        world.pass(100 * S);
        world.issuer.revoke_grant();
        hundred(&[&client]).await;
        assert_eq!(world.issuer.journal(), ["refresh_token: refused", "client_credentials: granted"]);
    }
    assert_eq!(world.issuer.reuses(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_revoked_in_mid_life_and_the_response_to_its_refresh_lost_fails_no_call() {
    let world = World::new().await;
    let client = world.client();
    call(&client).await.unwrap();
    world.issuer.journal();
    world.issuer.revoke_token();
    world.issuer.lose(Loss::After);
    hundred(&[&client]).await;
    assert_eq!(world.issuer.journal(), ["refresh_token: lost after", "client_credentials: granted"]);
    assert_eq!(world.issuer.reuses(), 0);
}
