//! The typed client, as the build script writes it from `openapi/perenso.json`.

// Calls and constants that the SDK does not use yet are no fault of the generated code.
#![allow(dead_code)]

include!(concat!(env!("OUT_DIR"), "/client.rs"));
