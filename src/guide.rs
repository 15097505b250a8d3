//! Guides by topic. Their examples are tests.
//!
//! | topic | guide |
//! |---|---|
//! | credentials, token renewal, token stores | [authentication] |
//! | lists, single records, bulk upserts | [lists and bulk](lists_and_bulk) |
//! | custom exports: data without a call of the API | [exports] |
//! | a client from the vendor's document, or from that of another system | [documents] |
//! | retries, rate limits, timeouts, errors, logs | [retries] |
//! | Ctrl-C, dropped futures, deadlines | [stopping] |
//! | tests without a live show | [testing] |
//! | migration from a client on reqwest | [migrating] |

#[doc = include_str!("guide/authentication.md")]
pub mod authentication {}

#[doc = include_str!("guide/documents.md")]
pub mod documents {}

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
