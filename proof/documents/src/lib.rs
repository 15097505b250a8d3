//! The client of the document that the environment names, compiled as strictly as a user would.

#![deny(warnings)]
#![allow(dead_code)]

/// The client.
pub mod client {
    include!(concat!(env!("OUT_DIR"), "/client.rs"));
}
