#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Links lead to items of all features, which the documentation is built with.
#![cfg_attr(not(docsrs), allow(rustdoc::broken_intra_doc_links))]

mod admin;
mod answer;
mod bearer;
mod behavior;
mod body;
mod booth;
mod budget;
mod builder;
mod bulk;
mod catalog;
mod clock;
mod collection;
mod contract;
mod customer;
mod data_type;
#[cfg(feature = "docs")]
mod docs;
mod document;
mod error;
mod exchange;
mod export;
mod fault;
mod headers;
mod ids;
mod journal;
mod ledger;
mod list;
mod lobby;
mod order;
mod order_lines;
mod parameters;
mod pick;
mod problem;
mod product;
mod reference;
mod refused;
mod route;
mod rows;
mod sandbox;
mod schema;
mod script;
mod seconds;
mod seed;
mod seeded;
mod server;
mod show;
mod shows;
mod snapshot;
mod standin;
mod state;
mod table;
mod target;
mod token;
mod traffic;

#[doc(hidden)]
pub use behavior::__start_vendor;
pub use behavior::{
    Behavior, ClientAuthentication, DeleteAnswer, ErrorBody, ExpiresIn, ModifiedDate, PastTheEnd, Rate, RateHeaders,
    RatePer, RetryAfter, ScopeRule, TokenType, every_vendor,
};
pub use builder::Builder;
pub use clock::Clock;
pub use data_type::DataType;
pub use error::Error;
pub use export::{Export, Parameter};
pub use fault::Fault;
pub use journal::Recorded;
pub use ledger::Rotation;
pub use parameters::TokenRequests;
pub use reference::Reference;
pub use rows::{Form, Rows};
pub use sandbox::Sandbox;
pub use script::{Script, Step, Times};
pub use show::Show;
pub use snapshot::Snapshot;
pub use standin::{ExampleAnswer, StandIn, StandInBehavior, StandInBuilder, TokenBody};
pub use target::Target;
