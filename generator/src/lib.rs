//! Generates a typed client over [`perenso-auth`](https://docs.rs/perenso-auth), and a typed mock of its server, from an OpenAPI
//! document, in a build script:
//!
//! ```no_run
//! // build.rs
//! fn main() -> Result<(), perenso_openapi::Error> {
//!     perenso_openapi::Generator::new("openapi/vendor.json").write_to_out_dir()?;
//!     Ok(())
//! }
//! ```
//!
//! See [`Generator`]. A document of any vendor is made plain by [`normalize`] first; what is changed, lost and left out on the
//! way is in the [`Report`].

#![deny(missing_docs)]

mod compare;
mod document;
mod error;
mod facade;
mod generate;
mod generator;
mod model;
mod normalize;
mod overlay;
mod report;
mod rewrite;
#[cfg(test)]
mod tests;

pub use compare::{Comparison, Difference, DocumentChange, compare};
pub use document::{Document, DocumentError, Version};
pub use error::Error;
pub use facade::{Facade, FacadeError, Unmet};
pub use generator::{Generated, Generator};
pub use normalize::{Normalized, NumberType, Options, normalize};
pub use overlay::{Overlay, OverlayError};
pub use report::{Effect, Problem, Report};
