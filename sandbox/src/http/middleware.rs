//! Checks that every API call passes before its handler, in this order: token, rate limit, contract.

pub(crate) mod bearer;
pub(crate) mod contract;
pub(crate) mod rate_limit;
