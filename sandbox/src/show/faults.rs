//! Faults: failures of requests, and the script that decides when they occur.

mod fault;
mod script;
mod target;
mod wire;

pub use fault::Fault;
pub use script::{Script, Step, Times};
pub use target::Target;
pub(crate) use target::{Call, EndpointKind, path_matches};
