//! Refresh tokens of a code that is used up: what is lost, only a person can bring back.

use std::sync::atomic::{AtomicUsize, Ordering};

use perenso_auth::{AuthorizationCode, Client, Credentials, Error, ErrorKind};

use crate::{
    S,
    issuer::{LIFETIME, Loss},
    world::{World, call, herd, hundred},
};

fn credentials(code: &str) -> Credentials {
    Credentials::new("client-1", "s3cr3t").code(AuthorizationCode::new(code, "https://desk.example/callback"))
}

/// A client whose code is used up, and whose token has lived for 100 s.
async fn mid_life(world: &World) -> Client {
    let client = world.builder(credentials("code-1")).build().unwrap();
    hundred(&[&client]).await;
    assert_eq!(world.issuer.journal(), ["authorization_code: granted"]);
    world.pass(100 * S);
    client
}

async fn all_need_a_person(client: &Client) {
    let needs = |result: &Result<(), Error>| result.as_ref().unwrap_err().kind() == ErrorKind::PersonNeeded;
    assert!(herd(100, &[client]).await.iter().all(needs));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_tasks_at_expiry_refresh_once_with_the_newest_token() {
    let world = World::new().await;
    let client = mid_life(&world).await;
    for _ in 0..5 {
        world.pass(LIFETIME);
        hundred(&[&client]).await;
        assert_eq!(world.issuer.journal(), ["refresh_token: granted"]);
    }
    assert_eq!((world.issuer.reuses(), world.issuer.late()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_was_never_processed_is_sent_once_more() {
    let world = World::new().await;
    let client = mid_life(&world).await;
    world.pass(LIFETIME);
    world.issuer.lose(Loss::Before);
    hundred(&[&client]).await;
    assert_eq!(world.issuer.journal(), ["refresh_token: lost before", "refresh_token: granted"]);
}

/// No client could do better: the new refresh token went with the response.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_whose_response_is_lost_asks_for_a_person_after_one_more_and_then_leaves_the_server_alone() {
    let world = World::new().await;
    let client = mid_life(&world).await;
    world.pass(LIFETIME);
    world.issuer.lose(Loss::After);
    all_need_a_person(&client).await;
    assert_eq!(world.issuer.journal(), ["refresh_token: lost after", "refresh_token: refused"]);
    world.pass(LIFETIME);
    all_need_a_person(&client).await;
    assert_eq!((world.issuer.journal().len(), world.issuer.reuses()), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_revoked_in_mid_life_is_refreshed_once() {
    let world = World::new().await;
    let client = mid_life(&world).await;
    world.issuer.revoke_token();
    hundred(&[&client]).await;
    assert_eq!(world.issuer.journal(), ["refresh_token: granted"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_cannot_be_had_leaves_the_refresh_token_for_better_times() {
    let world = World::new().await;
    let client = mid_life(&world).await;
    world.pass(LIFETIME);
    for _ in 0..2 {
        world.issuer.lose(Loss::Before);
    }
    let results = herd(100, &[&client]).await;
    assert!(results.iter().all(|result| result.as_ref().unwrap_err().kind() == ErrorKind::TokenUnavailable));
    assert_eq!(world.issuer.journal(), ["refresh_token: lost before"; 2]);
    hundred(&[&client]).await;
    assert_eq!(world.issuer.journal(), ["refresh_token: granted"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_revoked_in_mid_life_goes_on_with_the_next_code_of_a_provider() {
    let world = World::new().await;
    static CODES: AtomicUsize = AtomicUsize::new(1);
    let provider = || async {
        Ok::<_, std::convert::Infallible>(credentials(&format!("code-{}", CODES.fetch_add(1, Ordering::SeqCst))))
    };
    let client = world.builder(credentials("none")).credentials_provider(provider).build().unwrap();
    call(&client).await.unwrap();
    world.pass(100 * S);
    world.issuer.revoke_grant();
    hundred(&[&client]).await;
    assert_eq!(
        world.issuer.journal(),
        ["authorization_code: granted", "refresh_token: refused", "authorization_code: granted"]
    );
}
