//! Rows against a schema: every row as the cells of its columns, or all that does not fit.

use std::collections::HashMap;

use super::{
    column::{Cell, Column},
    fields::Fields,
    schema::TableSchema,
    value::Value,
};
use crate::exports::values::name::shown;

/// The columns by place and by name.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    places: Places,
    /// The place of each column in the file; none for one that is omitted.
    written: Vec<Option<usize>>,
    /// The row that each column was in last.
    seen: Vec<u64>,
    row: u64,
}

impl Table {
    pub(super) fn new(schema: &TableSchema) -> Self {
        let columns = schema.columns().to_vec();
        let places = Places::new(columns.iter().map(Column::name));
        let mut next = 0..;
        let written = columns.iter().map(|column| if column.is_omitted() { None } else { next.next() }).collect();
        Self { seen: vec![0; columns.len()], columns, places, written, row: 0 }
    }

    /// Hands out the cells of the next row, each with its place and with the value that it is of; or says all that does not
    /// fit. Then some cells have been handed out already.
    pub(super) fn fit<'r>(
        &mut self,
        row: Fields<'r>,
        mut cell: impl FnMut(usize, &Value<'r>, Cell<'r>),
    ) -> Result<(), Vec<String>> {
        let Self { columns, places, written, seen, row: number } = self;
        *number += 1;
        let mut problems = Vec::new();
        let mut next = 0;
        let read = row.each(|name, value| {
            let Some(place) = places.find(next, name, |place| columns[place].name()) else {
                return problems.push(unknown(name, &value));
            };
            next = place + 1;
            if std::mem::replace(&mut seen[place], *number) == *number {
                return problems.push(twice(name));
            }
            let Some(place_written) = written[place] else { return };
            match columns[place].read(&value) {
                Ok(read) => cell(place_written, &value, read),
                Err(problem) => problems.push(format!("column {}: {problem}", shown(name))),
            }
        });
        if let Err(found) = read {
            return Err(vec![no_object(found)]);
        }
        for (place, column) in columns.iter().enumerate().filter(|(place, _)| seen[*place] != *number) {
            let Some(place) = written[place] else { continue };
            if column.is_nullable() {
                cell(place, &Value::Null, Cell::Null);
            } else {
                problems.push(absent(column));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }
}

pub(super) fn unknown(name: &str, value: &Value<'_>) -> String {
    format!("column {}: not in the schema, found {}", shown(name), value.kind())
}

pub(super) fn twice(name: &str) -> String {
    format!("field {} occurs twice", shown(name))
}

pub(super) fn absent(column: &Column) -> String {
    format!("column {}: expected {}, found no such field", shown(column.name()), column.kind())
}

pub(super) fn no_object(found: &str) -> String {
    format!("expected an object, found {found}")
}

/// Where columns stand. Fields mostly come in the order of the columns, so the next one is tried first.
#[derive(Debug, Default)]
pub(super) struct Places(HashMap<String, usize>);

impl Places {
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self(names.enumerate().map(|(place, name)| (name.to_owned(), place)).collect())
    }

    pub(super) fn find<'a>(&self, next: usize, name: &str, name_of: impl Fn(usize) -> &'a str) -> Option<usize> {
        if next < self.0.len() && name_of(next) == name { Some(next) } else { self.0.get(name).copied() }
    }

    pub(super) fn add(&mut self, name: &str) -> usize {
        let place = self.0.len();
        self.0.insert(name.to_owned(), place);
        place
    }
}
