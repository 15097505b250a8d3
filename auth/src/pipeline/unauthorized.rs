//! The operations that respond 401 whatever the token. Each may cause one renewal in 30 seconds.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// The time between two renewals that one operation causes.
const INTERVAL: Duration = Duration::from_secs(30);
/// The maximum number of operations that cause a renewal within one interval.
const CAPACITY: usize = 256;
/// The maximum length of a key, in characters.
const LONGEST_KEY: usize = 200;
/// A longer segment of a path counts as an id.
const LONGEST_WORD: usize = 30;

/// The operations of a client that caused a renewal which has not helped.
#[derive(Debug, Default)]
pub(crate) struct UnauthorizedOperations(Mutex<HashMap<String, Instant>>);

impl UnauthorizedOperations {
    /// Returns true, and records it, when the operation may cause a renewal now.
    pub(crate) fn allows_renewal(&self, operation: &str, now: Instant) -> bool {
        let mut operations = self.lock();
        operations.retain(|_, at| now.saturating_duration_since(*at) < INTERVAL);
        let key = key(operation);
        if operations.len() >= CAPACITY || operations.contains_key(&key) {
            return false;
        }
        operations.insert(key, now);
        true
    }

    /// Forgets the operation, since its renewal helped or returned no token.
    pub(crate) fn forget(&self, operation: &str) {
        self.lock().remove(&key(operation));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The id of an operation, or method and path with ids replaced.
fn key(operation: &str) -> String {
    let is_id = |segment: &str| {
        segment.len() > LONGEST_WORD || segment.contains(|c: char| !(c.is_alphabetic() || "-_. ".contains(c)))
    };
    let without_ids = |path: &str| {
        let segments: Vec<_> = path.split('/').map(|segment| if is_id(segment) { "{}" } else { segment }).collect();
        segments.join("/")
    };
    let key = match operation.split_once('/') {
        Some((method, path)) => format!("{method}/{}", without_ids(path)),
        None => operation.to_owned(),
    };
    key.chars().take(LONGEST_KEY).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_in_paths_are_replaced() {
        for (operation, expected) in [
            ("customer_list", "customer_list"),
            ("GET /Customer", "GET /Customer"),
            ("GET /Customer/4ddjf2", "GET /Customer/{}"),
            ("GET /Customer/4ddjf2/Order-Lines/7", "GET /Customer/{}/Order-Lines/{}"),
            ("GET /x/jane%40expo", "GET /x/{}"),
            ("GET /x/0f8fad5b-d9cb-469f-a165-70867728950e", "GET /x/{}"),
        ] {
            assert_eq!(key(operation), expected);
        }
        assert_eq!(key(&"x".repeat(10_000)).len(), LONGEST_KEY);
    }

    #[test]
    fn each_operation_causes_one_renewal_in_thirty_seconds_up_to_the_capacity() {
        let (operations, start) = (UnauthorizedOperations::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(operations.allows_renewal("GET /a/1", at(0)) && operations.allows_renewal("GET /b/1", at(0)));
        assert!(!operations.allows_renewal("GET /a/2", at(29)));
        assert!(operations.allows_renewal("GET /a/2", at(30)));
        operations.forget("GET /a/3");
        assert!(operations.allows_renewal("GET /a/1", at(30)));
        let allowed = (0..10_000).filter(|n| operations.allows_renewal(&format!("operation {n}"), at(31))).count();
        assert_eq!((allowed, operations.lock().len()), (CAPACITY - 1, CAPACITY));
        assert!(operations.allows_renewal("another", at(61)));
    }
}
