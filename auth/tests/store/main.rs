//! The guarantees of every store, for the store in memory.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, unreachable_pub)]

mod conformance;

use perenso_auth::store::MemoryStore;

#[allow(clippy::unnecessary_wraps)]
fn stores() -> Option<(MemoryStore, MemoryStore, ())> {
    let store = MemoryStore::new();
    Some((store.clone(), store, ()))
}

conformance::conformance!(stores);
