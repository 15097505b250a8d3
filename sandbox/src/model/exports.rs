//! Custom exports: their definitions, parameters and rows.

mod data_type;
mod definition;
mod export;
mod order_lines;
mod row_file;
mod rows;

pub use data_type::DataType;
pub(crate) use definition::is_header_value;
pub use export::{Export, Parameter};
pub(crate) use export::{Source, guide};
pub(crate) use rows::RowWriter;
pub use rows::{RowSyntax, Rows};
