//! Loading rows of a spreadsheet into a show.
//!
//! - `target`: the resources that can be loaded, their fields and bulk calls.
//! - `field`: turns a cell into the value of a field.
//! - `mapping`, `columns`: which column is which field, and what an empty cell means.
//! - `check`: checks all rows of a file, and finds keys that are there twice.
//! - `journal`: what has been sent and answered, on disk before the next batch.
//! - `send`: sends the rows that are not sent yet.
//! - `settle`: reads the show for rows whose response was lost.
//! - `results`: the files of rows that succeeded, failed, or are unknown.

mod check;
mod columns;
mod field;
mod input;
mod journal;
mod mapping;
mod results;
mod send;
mod settle;
mod show_data;
mod target;

pub(crate) use check::{Check, Numbers};
pub(crate) use input::{Input, InputOptions};
pub(crate) use journal::{Identity, Journal};
pub(crate) use results::Results;
pub(crate) use send::{Ended, Sender};
pub(crate) use settle::{missing, resume, settle};
pub(crate) use show_data::ShowData;
pub(crate) use target::{CUSTOMERS, LoadTarget, ORDER_HISTORY, ORDER_LINES, VENDORS};
