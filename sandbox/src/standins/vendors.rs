//! The four other systems, one file of data each.

pub(crate) mod event_bookings;
pub(crate) mod perspio;
pub(crate) mod priava;
pub(crate) mod tourpaq;
