//! Nothing that is secret lies open in Redis.

use std::time::Duration;

use perenso_auth::{
    Identity, Secret,
    store::{RedisStore, TokenStore},
};

use crate::{
    conformance::{locked, save, tokens},
    raw,
    server::RedisServer,
};

#[tokio::test]
async fn no_key_and_no_value_tells_a_secret() {
    let Some(server) = RedisServer::start() else { return };
    let secrets =
        ["client-secret-1", "sealing-secret-2", "access-token-3", "refresh-token-4", "fingerprint-5", "show-6"];
    let [client, sealing, access, refresh, spent, show] = secrets;
    let identity = Identity::new(["perenso"], show, Secret::from(client));
    let kept = tokens(Some((access, Duration::from_secs(300), Duration::ZERO)), Some(refresh), Some(spent));
    let plain = RedisStore::new(server.url()).unwrap();
    let sealed = RedisStore::builder(server.url()).sealing_secret(sealing).build().unwrap();
    for store in [&plain, &sealed] {
        save(store, &identity, &kept).await;
        let lock = locked(store, &identity).await;
        let text = format!("{store:?} {lock:?} {}", store.name());
        assert!(secrets.iter().all(|secret| !text.contains(secret)), "{text}");
    }
    let mut raw = raw(&server);
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query(&mut raw).unwrap();
    assert_eq!(keys.len(), 8, "{keys:?}");
    for key in keys {
        let mut all: Vec<u8> = redis::cmd("GET").arg(&key).query(&mut raw).unwrap();
        all.extend_from_slice(key.as_bytes());
        for secret in secrets {
            assert!(!all.windows(secret.len()).any(|part| part == secret.as_bytes()), "{secret} lies open in {key}");
        }
    }
}
