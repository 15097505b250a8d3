//! What the cache shares itself by; the module `schedules` has the same names, with a scheduler that looks for trouble.

pub(crate) use std::sync::{Mutex, MutexGuard};

pub(crate) use arc_swap::ArcSwapOption;
pub(crate) use tokio::spawn;
