//! Custom exports: their definitions, their parameters, and the sources of their rows.

mod data_type;
mod definition;
mod export;
mod order_lines;
mod row_file;

pub use data_type::DataType;
pub(crate) use definition::is_header_value;
pub use export::{Export, Parameter};
pub(crate) use export::{Source, guide};
