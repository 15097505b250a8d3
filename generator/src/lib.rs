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
// What serves code generation alone.
#![cfg_attr(not(feature = "generate"), allow(dead_code, rustdoc::broken_intra_doc_links))]

mod compare;
mod document;
mod error;
mod facade;
#[cfg(feature = "generate")]
mod generate;
#[cfg(feature = "generate")]
mod generator;
#[cfg(feature = "generate")]
mod model;
mod normalize;
mod overlay;
mod report;
#[cfg(feature = "generate")]
mod rewrite;
#[cfg(all(test, feature = "generate"))]
mod tests;

pub use compare::{Comparison, Difference, DocumentChange, compare};
pub use document::{Document, DocumentError, Version};
pub use error::Error;
pub use facade::{Facade, FacadeError, Unmet};
#[cfg(feature = "generate")]
pub use generator::{Generated, Generator};
pub use normalize::{Normalized, NumberType, Options, normalize};
pub use overlay::{Overlay, OverlayError};
pub use report::{Effect, Problem, Report};
