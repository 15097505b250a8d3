#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Links point to items of all features; the documentation is built with all of them.
#![cfg_attr(not(docsrs), allow(rustdoc::broken_intra_doc_links))]

mod builder;
mod catalog;
mod doc;
mod error;
mod module;
mod name;

pub use builder::{Builder, generate};
pub use error::Error;
