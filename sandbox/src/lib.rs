//! A stand-in for the Perenso Trade Show REST API.
