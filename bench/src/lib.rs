//! Benches and their rivals.
