//! What the cache shares itself by; the module `schedules` has the same names, with a scheduler that looks for trouble.

use std::{future::Future, pin::pin};

pub(crate) use std::sync::{Mutex, MutexGuard};

pub(crate) use arc_swap::ArcSwapOption;
use futures_util::future::{Either, select};
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};
use tracing::instrument::WithSubscriber;

/// Whether [`spawn`] can be called here.
pub(crate) fn can_spawn() -> bool {
    Handle::try_current().is_ok()
}

/// Runs `task` on a thread and a runtime of its own, so that it goes on when nobody drives the runtime that started it.
///
/// The runtime that started it waits for it when it is dropped: until `task` ends or `abandonable` does, which is polled
/// from then on.
pub(crate) fn spawn(
    task: impl Future<Output = ()> + Send + 'static,
    abandonable: impl Future<Output = ()> + Send + 'static,
) {
    let (alive, ended) = oneshot::channel::<()>();
    // Dropped with its runtime, and that is how the end of the runtime is noticed.
    let sentinel = async move {
        let mut alive = alive;
        alive.closed().await;
    };
    tokio::spawn(sentinel);
    let task = task.with_current_subscriber();
    tokio::task::spawn_blocking(move || {
        let Ok(runtime) = Builder::new_current_thread().enable_all().build() else { return };
        runtime.block_on(async move {
            let given_up = async move {
                let _ = ended.await;
                abandonable.await;
            };
            match select(pin!(task), pin!(given_up)).await {
                Either::Left(((), _)) | Either::Right(((), _)) => {}
            }
        });
    });
}
