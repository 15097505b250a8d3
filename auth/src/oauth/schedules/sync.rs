//! The names of `oauth::sync` over `shuttle`: the scheduler may switch tasks at every use of the lock and of the snapshot.

use std::{
    cell::{Cell, RefCell},
    future::{Future, poll_fn},
    sync::{Arc, LockResult},
    task::Poll,
    time::Instant,
};

use arc_swap::Guard;
pub(super) use shuttle::sync::MutexGuard;
use shuttle::{
    future::JoinHandle,
    sync::atomic::{AtomicUsize, Ordering},
};

use crate::clock::{Clock, ManualClock};

// All tasks of one run share a thread.
thread_local! {
    static LOCKED: Cell<usize> = const { Cell::new(0) };
    static TASKS: RefCell<Vec<JoinHandle<()>>> = const { RefCell::new(Vec::new()) };
    static DROPS_TASK: Cell<bool> = const { Cell::new(false) };
    static CLOCK: RefCell<Option<ManualClock>> = const { RefCell::new(None) };
    static SPAWNED: Cell<Option<Instant>> = const { Cell::new(None) };
}

#[derive(Debug)]
pub(super) struct Mutex<T>(shuttle::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(super) fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    pub(super) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        LOCKED.set(LOCKED.get() + 1);
        self.0.lock()
    }
}

/// The number of times that a lock was taken.
pub(super) fn locked() -> usize {
    LOCKED.get()
}

#[derive(Debug)]
pub(super) struct ArcSwapOption<T> {
    inner: arc_swap::ArcSwapOption<T>,
    turn: AtomicUsize,
}

impl<T> ArcSwapOption<T> {
    pub(super) fn empty() -> Self {
        Self { inner: arc_swap::ArcSwapOption::empty(), turn: AtomicUsize::new(0) }
    }

    pub(super) fn load(&self) -> Guard<Option<Arc<T>>> {
        self.turn.load(Ordering::SeqCst);
        self.inner.load()
    }

    pub(super) fn store(&self, value: Option<Arc<T>>) {
        self.turn.store(0, Ordering::SeqCst);
        self.inner.store(value);
    }
}

pub(super) fn can_spawn() -> bool {
    true
}

/// Spawns a task. Runtimes are never dropped here, so `abandonable` is not needed.
pub(super) fn spawn(task: impl Future<Output = ()> + Send + 'static, _abandonable: impl Future<Output = ()>) {
    let mut task = Some(Box::pin(task));
    let now = CLOCK.with_borrow(|clock| clock.as_ref().map(Clock::monotonic));
    let handle = shuttle::future::spawn(poll_fn(move |context| {
        SPAWNED.set(now);
        let poll = task.as_mut().map_or(Poll::Ready(()), |task| task.as_mut().poll(context));
        if DROPS_TASK.take() {
            task = None;
            return Poll::Ready(());
        }
        poll
    }));
    TASKS.with_borrow_mut(|tasks| tasks.push(handle));
}

/// Sets the clock that timestamps spawned tasks.
pub(super) fn set_clock(clock: &ManualClock) {
    CLOCK.set(Some(clock.clone()));
}

/// The time at which the current task was spawned.
pub(super) fn spawned() -> Instant {
    SPAWNED.get().unwrap()
}

/// Drops the task that awaits this, as the end of its runtime does.
pub(super) async fn drop_task<T>() -> T {
    DROPS_TASK.set(true);
    std::future::pending().await
}

/// Waits for all spawned tasks.
pub(super) async fn all_tasks() {
    while let Some(task) = TASKS.with_borrow_mut(Vec::pop) {
        task.await.unwrap();
    }
}
