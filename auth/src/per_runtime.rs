//! One value for each tokio runtime. Connections and queues belong to the runtime that drives them, so a runtime that is
//! not driven does not block the others.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
};

use tokio::runtime::{Handle, Id};

/// The number of runtimes whose values are kept. A program has one, a test suite one at a time.
const KEPT: usize = 8;

/// Values by runtime, the most recently used last.
pub(crate) struct PerRuntime<T> {
    values: Mutex<Vec<(Option<Id>, T)>>,
}

/// Returns the runtime that drives the caller.
pub(crate) fn current() -> Option<Id> {
    Handle::try_current().ok().map(|handle| handle.id())
}

impl<T: Clone> PerRuntime<T> {
    pub(crate) fn new() -> Self {
        Self { values: Mutex::new(Vec::new()) }
    }

    /// Returns the value of the current runtime, made by `make` if it has none.
    pub(crate) fn get(&self, make: impl FnOnce() -> T) -> T {
        self.get_for(current(), make)
    }

    /// Returns the value of this runtime, made by `make` if it has none.
    pub(crate) fn get_for(&self, current: Option<Id>, make: impl FnOnce() -> T) -> T {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        match values.iter().rposition(|(runtime, _)| *runtime == current) {
            Some(place) if place + 1 == values.len() => {}
            Some(place) => {
                let value = values.remove(place);
                values.push(value);
            }
            None => {
                if values.len() == KEPT {
                    values.remove(0);
                }
                values.push((current, make()));
            }
        }
        // The last one is that of this runtime.
        values[values.len() - 1].1.clone()
    }
}

impl<T> fmt::Debug for PerRuntime<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerRuntime").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn each_runtime_has_its_own_value_and_few_are_kept() {
        let runtimes: Vec<_> =
            (0..=KEPT).map(|_| tokio::runtime::Builder::new_current_thread().build().unwrap()).collect();
        let values = PerRuntime::new();
        let made = Cell::new(0);
        let get = |runtime: &tokio::runtime::Runtime| {
            let _entered = runtime.enter();
            values.get(|| {
                made.set(made.get() + 1);
                made.get()
            })
        };
        assert_eq!([get(&runtimes[0]), get(&runtimes[1]), get(&runtimes[0])], [1, 2, 1]);
        for runtime in &runtimes {
            get(runtime);
        }
        assert_eq!(values.values.lock().unwrap().len(), KEPT);
        // The least recently used value was dropped.
        assert_eq!(get(&runtimes[KEPT]), made.get());
        assert_eq!(get(&runtimes[0]), made.get());
    }
}
