#![doc = include_str!("../README.md")]

mod answer;
mod bearer;
mod behavior;
mod body;
mod budget;
mod builder;
mod bulk;
mod clock;
mod collection;
mod customer;
mod error;
mod exchange;
mod export;
mod fault;
mod field;
mod journal;
mod list;
mod route;
mod sandbox;
mod seed;
mod server;
mod show;
mod table;
mod token;
mod vendor;

pub use behavior::{Behavior, DeleteAnswer, PastTheEnd, Rate, RetryAfter};
pub use builder::Builder;
pub use clock::Clock;
pub use error::Error;
pub use fault::Fault;
pub use journal::Recorded;
pub use sandbox::Sandbox;
pub use token::TokenRequests;
