//! The locks and tasks of the cache. The module `schedules` has the same names over shuttle's scheduler.

use std::{future::Future, pin::pin};

pub(crate) use std::sync::{Mutex, MutexGuard};

pub(crate) use arc_swap::ArcSwapOption;
use futures_util::future::{Either, select};
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};
use tracing::instrument::WithSubscriber;

/// Returns true if [`spawn`] can be called here.
pub(crate) fn can_spawn() -> bool {
    Handle::try_current().is_ok()
}

/// Runs `task` on its own thread and runtime, so that it continues when the runtime of the caller is not driven.
///
/// When the runtime of the caller is dropped, it waits until `task` or `abandonable` ends. `abandonable` is polled only from
/// then on.
pub(crate) fn spawn(
    task: impl Future<Output = ()> + Send + 'static,
    abandonable: impl Future<Output = ()> + Send + 'static,
) {
    let (alive, ended) = oneshot::channel::<()>();
    // Dropped with its runtime, which signals the end of that runtime.
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
