//! Conversion of rows to the columns of a schema.

use std::collections::HashMap;

use super::{
    column::{Column, ColumnValue},
    fields::RowFields,
    schema::TableSchema,
    value::FieldValue,
};
use crate::error::name::shown;

/// Converts rows to the columns of a schema.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    index: ColumnIndex,
    /// The position of each column in the file; `None` if it is omitted.
    written: Vec<Option<usize>>,
    /// The last row with a value for each column.
    seen: Vec<u64>,
    row: u64,
}

impl Table {
    pub(super) fn new(schema: &TableSchema) -> Self {
        let columns = schema.columns().to_vec();
        let index = ColumnIndex::new(columns.iter().map(Column::name));
        let mut next = 0..;
        let written = columns.iter().map(|column| if column.is_omitted() { None } else { next.next() }).collect();
        Self { seen: vec![0; columns.len()], columns, index, written, row: 0 }
    }

    /// Calls a closure for each column of the next row, with the position, the source and the converted value. Returns all
    /// problems of the row; the closure may have been called before.
    pub(super) fn convert<'r>(
        &mut self,
        row: RowFields<'r>,
        mut each: impl FnMut(usize, &FieldValue<'r>, ColumnValue<'r>),
    ) -> Result<(), Vec<String>> {
        let Self { columns, index, written, seen, row: number } = self;
        *number += 1;
        let mut problems = Vec::new();
        let mut next = 0;
        let read = row.for_each(|name, value| {
            let Some(position) = index.find(next, name, |position| columns[position].name()) else {
                return problems.push(unknown(name, &value));
            };
            next = position + 1;
            if std::mem::replace(&mut seen[position], *number) == *number {
                return problems.push(duplicate(name));
            }
            let Some(written_position) = written[position] else { return };
            match columns[position].read(&value) {
                Ok(read) => each(written_position, &value, read),
                Err(problem) => problems.push(format!("column {}: {problem}", shown(name))),
            }
        });
        if let Err(found) = read {
            return Err(vec![not_an_object(found)]);
        }
        for (position, column) in columns.iter().enumerate().filter(|(position, _)| seen[*position] != *number) {
            let Some(position) = written[position] else { continue };
            if column.is_nullable() {
                each(position, &FieldValue::Null, ColumnValue::Null);
            } else {
                problems.push(missing(column));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

pub(super) fn unknown(name: &str, value: &FieldValue<'_>) -> String {
    format!("column {}: not in the schema, found {}", shown(name), value.kind())
}

pub(super) fn duplicate(name: &str) -> String {
    format!("field {} occurs twice", shown(name))
}

pub(super) fn missing(column: &Column) -> String {
    format!("column {}: expected {}, found no such field", shown(column.name()), column.kind())
}

pub(super) fn not_an_object(found: &str) -> String {
    format!("expected an object, found {found}")
}

/// The positions of columns by name. Fields are mostly in column order, so the next position is tried first.
#[derive(Debug, Default)]
pub(super) struct ColumnIndex(HashMap<String, usize>);

impl ColumnIndex {
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self(names.enumerate().map(|(position, name)| (name.to_owned(), position)).collect())
    }

    pub(super) fn find<'a>(&self, next: usize, name: &str, name_of: impl Fn(usize) -> &'a str) -> Option<usize> {
        if next < self.0.len() && name_of(next) == name { Some(next) } else { self.0.get(name).copied() }
    }

    pub(super) fn add(&mut self, name: &str) -> usize {
        let position = self.0.len();
        self.0.insert(name.to_owned(), position);
        position
    }
}
