//! Calls: what is sent and returned, and what the mock expects.

pub(super) mod compounds;
pub(super) mod mocks;
pub(super) mod multipart;
pub(super) mod paths;
pub(super) mod send;
pub(super) mod success;
pub(super) mod table;
