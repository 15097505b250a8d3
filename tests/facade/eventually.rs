//! Waiting for a condition.

use std::time::Duration;

/// Polls the condition every millisecond. Panics if it is not met within five seconds.
pub(crate) async fn eventually(mut condition: impl FnMut() -> bool) {
    for _ in 0..5000 {
        if condition() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("the condition was not met within five seconds");
}
