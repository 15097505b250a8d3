//! Faults: what goes wrong with a request, and the script that decides when.

mod fault;
mod script;
mod target;
mod wire;

pub use fault::Fault;
pub use script::{Script, Step, Times};
pub use target::Target;
pub(crate) use target::{Call, EndpointKind, path_matches};
