//! The cores of client and server. A client that shares a core with its server pays for the sleep of the server.

#[cfg(target_os = "linux")]
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

/// The cores that the current thread had before. They are given back when this is dropped.
pub(crate) struct Cores(#[cfg(target_os = "linux")] CpuSet);

impl Cores {
    /// Starts a server on the last core and leaves the first to the current thread and to the threads and processes that it
    /// starts. On a system other than Linux, and on a single core, they share what there is.
    pub(crate) fn apart<T>(start: impl FnOnce() -> T) -> (T, Self) {
        #[cfg(target_os = "linux")]
        {
            let all = sched_getaffinity(Pid::from_raw(0)).unwrap();
            let mut cores = (0..CpuSet::count()).filter(|core| all.is_set(*core).unwrap());
            let first = cores.next().unwrap();
            pin(cores.next_back().unwrap_or(first));
            let started = start();
            pin(first);
            (started, Self(all))
        }
        #[cfg(not(target_os = "linux"))]
        (start(), Self())
    }
}

#[cfg(target_os = "linux")]
impl Drop for Cores {
    fn drop(&mut self) {
        sched_setaffinity(Pid::from_raw(0), &self.0).unwrap();
    }
}

#[cfg(target_os = "linux")]
fn pin(core: usize) {
    let mut set = CpuSet::new();
    set.set(core).unwrap();
    sched_setaffinity(Pid::from_raw(0), &set).unwrap();
}
