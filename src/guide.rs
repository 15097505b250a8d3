//! Guides, in the order of a reader's questions. There is no code in here, only documentation; its examples are tests.
//!
//! | question | guide |
//! |---|---|
//! | How do I get in, and who renews the tokens? | [authentication] |
//! | How do I read a list to its end, and write forty thousand records? | [lists and bulk](lists_and_bulk) |
//! | How do I get at the data that the API does not give? | [exports] |
//! | What is tried again, how long does a call take, and what does an error tell me? | [retries] |
//! | What do Ctrl-C, a dropped future and a deadline leave behind? | [stopping] |
//! | How do I test all this without a live show? | [testing] |
//! | I have something on reqwest already. What becomes of it? | [migrating] |

#[doc = include_str!("guide/authentication.md")]
pub mod authentication {}

#[doc = include_str!("guide/exports.md")]
pub mod exports {}

#[doc = include_str!("guide/lists_and_bulk.md")]
pub mod lists_and_bulk {}

#[doc = include_str!("guide/migrating.md")]
pub mod migrating {}

#[doc = include_str!("guide/retries.md")]
pub mod retries {}

#[doc = include_str!("guide/stopping.md")]
pub mod stopping {}

#[doc = include_str!("guide/testing.md")]
pub mod testing {}
