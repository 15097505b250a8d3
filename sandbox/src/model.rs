//! The model: records, tables, tokens and exports as data. Nothing in here knows HTTP.

pub(crate) mod collections;
pub(crate) mod document;
pub(crate) mod exports;
pub(crate) mod records;
pub(crate) mod reference;
pub(crate) mod rows;
pub(crate) mod seeded;
pub(crate) mod table;
pub(crate) mod tables;
pub(crate) mod timestamp;
pub(crate) mod tokens;
pub(crate) mod validation;
