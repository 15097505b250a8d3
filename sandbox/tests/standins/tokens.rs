//! Tokens of all stand-ins: rotation, reuse, lifetimes, faults, and masking. Tested with Tourpaq, since all share the code.

use std::time::Duration;

use perenso_sandbox::{Fault, Rotation, StandIn, StandInBehavior, Step, Target};
use reqwest::RequestBuilder;
use serde_json::Value;

use super::{form, granted, http, refused, status_and_body, text};

async fn start(change: impl FnOnce(&mut StandInBehavior)) -> StandIn {
    StandIn::tourpaq().behavior(change).start().await.unwrap()
}

fn send(stand_in: &StandIn, fields: &[(&'static str, &str)]) -> RequestBuilder {
    let fields = fields.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    form(stand_in, &fields).basic_auth(stand_in.client_id(), Some(stand_in.client_secret()))
}

fn login(stand_in: &StandIn) -> RequestBuilder {
    let (username, password) = (stand_in.username(), stand_in.password());
    send(stand_in, &[("grant_type", "password"), ("scope", "read"), ("username", username), ("password", password)])
}

fn refresh(stand_in: &StandIn, response: &Value) -> RequestBuilder {
    let token = text(&response["refresh_token"]);
    send(stand_in, &[("grant_type", "refresh_token"), ("scope", "read"), ("refresh_token", token)])
}

async fn is_live(stand_in: &StandIn, response: &Value) -> bool {
    let url = format!("{}/api/HotelListExport/1", stand_in.api_url());
    let response = http::client().get(url).bearer_auth(text(&response["access_token"])).send().await.unwrap();
    response.status() == 200
}

fn no_good() -> (u16, String) {
    (400, "invalid_grant".to_owned())
}

#[tokio::test]
async fn a_reused_refresh_token_revokes_only_its_family() {
    let stand_in = start(|behavior| behavior.detect_reuse = true).await;
    let (first, other) = (granted(login(&stand_in)).await, granted(login(&stand_in)).await);
    let second = granted(refresh(&stand_in, &first)).await;
    let third = granted(refresh(&stand_in, &second)).await;
    assert!(is_live(&stand_in, &third).await);
    assert_eq!(refused(refresh(&stand_in, &first)).await, no_good());
    for response in [&first, &second, &third] {
        assert!(!is_live(&stand_in, response).await);
    }
    assert_eq!(refused(refresh(&stand_in, &third)).await, no_good());
    assert!(is_live(&stand_in, &other).await);
    granted(refresh(&stand_in, &other)).await;
}

#[tokio::test]
async fn without_reuse_detection_a_reused_refresh_token_is_only_rejected() {
    let stand_in = start(|_| {}).await;
    let first = granted(login(&stand_in)).await;
    let second = granted(refresh(&stand_in, &first)).await;
    assert_eq!(refused(refresh(&stand_in, &first)).await, no_good());
    assert!(is_live(&stand_in, &first).await && is_live(&stand_in, &second).await);
    granted(refresh(&stand_in, &second)).await;
}

#[tokio::test]
async fn a_lost_response_has_used_the_refresh_token() {
    let stand_in = start(|behavior| behavior.detect_reuse = true).await;
    let first = granted(login(&stand_in)).await;
    stand_in.token_fault(Fault::DropResponse);
    assert!(refresh(&stand_in, &first).send().await.is_err());
    assert!(is_live(&stand_in, &first).await);
    // A second request is reuse.
    assert_eq!(refused(refresh(&stand_in, &first)).await, no_good());
    assert!(!is_live(&stand_in, &first).await);
    assert_eq!(stand_in.token_requests().refresh_token, 2);
    assert_eq!(stand_in.journal()[1].status, None);
}

#[tokio::test]
async fn a_fault_before_the_token_endpoint_uses_no_token() {
    let stand_in = start(|_| {}).await;
    let first = granted(login(&stand_in)).await;
    stand_in.token_fault(Fault::status(503));
    stand_in.token_fault(Fault::DropConnection);
    assert_eq!(refresh(&stand_in, &first).send().await.unwrap().status(), 503);
    assert!(refresh(&stand_in, &first).send().await.is_err());
    granted(refresh(&stand_in, &first)).await;
}

#[tokio::test]
async fn a_script_for_refreshes_does_not_affect_other_grants() {
    let stand_in = start(|_| {}).await;
    stand_in.script(Step::new(Fault::status(503)).on(Target::Refresh));
    let first = granted(login(&stand_in)).await;
    assert_eq!(refresh(&stand_in, &first).send().await.unwrap().status(), 503);
    granted(refresh(&stand_in, &first)).await;
}

#[tokio::test]
async fn rotation_has_four_ways() {
    for (rotation, is_given, is_new, lives_on) in [
        (Rotation::Replace, true, true, false),
        (Rotation::Add, true, true, true),
        (Rotation::Repeat, true, false, true),
        (Rotation::Omit, false, false, true),
    ] {
        // Reuse is allowed if the old token stays valid.
        let stand_in = start(|behavior| (behavior.rotation, behavior.detect_reuse) = (rotation, true)).await;
        let first = granted(login(&stand_in)).await;
        let second = granted(refresh(&stand_in, &first)).await;
        assert_eq!(second["refresh_token"].is_string(), is_given, "{rotation:?}");
        let is_same = second["refresh_token"] == first["refresh_token"];
        assert_eq!(is_given && !is_same, is_new, "{rotation:?}");
        assert_eq!(status_and_body(refresh(&stand_in, &first)).await.0 == 200, lives_on, "{rotation:?}");
        assert_eq!(is_live(&stand_in, &second).await, lives_on, "{rotation:?}");
    }
}

#[tokio::test]
async fn lifetimes_and_revocations_apply() {
    let stand_in = start(|behavior| {
        behavior.token_lifetime = Duration::from_secs(100);
        behavior.refresh_token_lifetime = Some(Duration::from_secs(1000));
    })
    .await;
    let first = granted(login(&stand_in)).await;
    assert_eq!(first["expires_in"], 100);
    stand_in.advance(Duration::from_secs(100));
    assert!(!is_live(&stand_in, &first).await);
    stand_in.advance(Duration::from_secs(900));
    assert_eq!(refused(refresh(&stand_in, &first)).await, no_good());

    let second = granted(login(&stand_in)).await;
    stand_in.revoke_tokens();
    assert!(!is_live(&stand_in, &second).await);
    let third = granted(refresh(&stand_in, &second)).await;
    stand_in.revoke_refresh_tokens();
    assert!(is_live(&stand_in, &third).await);
    assert_eq!(refused(refresh(&stand_in, &third)).await, no_good());

    stand_in.set_behavior(|behavior| behavior.one_live_token = true);
    let (fourth, fifth) = (granted(login(&stand_in)).await, granted(login(&stand_in)).await);
    assert!(!is_live(&stand_in, &fourth).await && is_live(&stand_in, &fifth).await);
    stand_in.set_behavior(|behavior| behavior.refresh_tokens = false);
    assert_eq!(granted(login(&stand_in)).await.get("refresh_token"), None);
}

#[tokio::test]
async fn the_journal_contains_no_secret() {
    let stand_in = start(|_| {}).await;
    let first = granted(login(&stand_in)).await;
    let second = granted(refresh(&stand_in, &first)).await;
    is_live(&stand_in, &second).await;
    // Misdirected requests, and headers of the other systems.
    let fields = [("client_secret", stand_in.client_secret()), (stand_in.password(), "x"), ("code", &stand_in.code())];
    for path in ["/API/Token", "/elsewhere"] {
        let request = http::client().post(format!("{}{path}", stand_in.api_url())).form(&fields);
        let request = request
            .header("tid", stand_in.tenant_id())
            .header("Ocp-Apim-Subscription-Key", stand_in.subscription_key())
            .header("Authorisation", format!("Bearer {}", text(&second["access_token"])));
        request.send().await.unwrap();
    }
    let text_of = format!("{:?} {stand_in:?}", stand_in.journal());
    let code = stand_in.code();
    let mut secrets = vec![
        stand_in.client_secret(),
        stand_in.username(),
        stand_in.password(),
        stand_in.tenant_id(),
        stand_in.subscription_key(),
        &code,
    ];
    for response in [&first, &second] {
        secrets.extend([text(&response["access_token"]), text(&response["refresh_token"])]);
    }
    for secret in secrets {
        // The first letters also reveal a secret in another encoding.
        assert!(!text_of.contains(&secret[..8]), "{secret} in {text_of}");
    }
    assert_eq!(stand_in.journal()[0].body, "grant_type=password&scope=read&username=***&password=***");
}
