//! Output: data on stdout, everything else on stderr.

mod code;
mod failure;
mod records;
mod stdout;
mod terminal;

pub(crate) use code::Code;
pub(crate) use failure::Failure;
pub(crate) use records::{Columns, Format, RecordWriter};
pub(crate) use stdout::Stdout;
pub(crate) use terminal::{Output, counted};
