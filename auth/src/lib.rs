//! Authorised HTTP calls.
