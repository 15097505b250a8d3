#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Links lead to items of all features, which the documentation is built with.
#![cfg_attr(not(docsrs), allow(rustdoc::broken_intra_doc_links))]

mod builder;
mod error;
mod http;
mod model;
#[cfg(feature = "args")]
mod options;
mod plausible;
mod sandbox;
mod show;
mod standins;

pub use builder::Builder;
pub use error::Error;
pub use model::exports::{DataType, Export, Parameter};
pub use model::reference::Reference;
pub use model::rows::{RowSyntax, Rows};
pub use model::timestamp::ModifiedDate;
pub use model::tokens::Rotation;
#[cfg(feature = "args")]
#[cfg_attr(docsrs, doc(cfg(feature = "args")))]
pub use options::ShowOptions;
#[doc(hidden)]
pub use plausible::__start_vendor;
pub use plausible::every_vendor;
pub use sandbox::Sandbox;
pub use show::Show;
pub use show::behavior::{
    Behavior, ClientAuthentication, DeleteResponse, ErrorBody, ExpiresIn, PastTheEnd, Rate, RateHeaders, RatePer,
    RetryAfter, ScopeRule, TokenType,
};
pub use show::clock::Clock;
pub use show::faults::{Fault, Script, Step, Target, Times};
pub use show::journal::RecordedRequest;
pub use show::snapshot::Snapshot;
pub use show::traffic::TokenRequests;
pub use standins::{ExampleResponse, StandIn, StandInBehavior, StandInBuilder, TokenBody};
