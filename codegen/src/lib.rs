#![doc = include_str!("../README.md")]

mod builder;
mod catalog;
mod doc;
mod error;
mod module;
mod name;

pub use builder::{Builder, generate};
pub use error::Error;
