//! Rows against a schema: every row as the cells of its columns, or all that does not fit.

use std::collections::HashMap;

use super::{
    column::{Cell, Column},
    fields::Fields,
    schema::TableSchema,
    value::Value,
};
use crate::exports::name::shown;

/// The columns by place and by name.
#[derive(Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    places: Places,
}

impl Table {
    pub(super) fn new(schema: &TableSchema) -> Self {
        let columns = schema.columns().to_vec();
        let places = Places::new(columns.iter().map(Column::name));
        Self { columns, places }
    }

    /// What `make` has for each value of a row and for what its column makes of it, in the order of the columns; `None`
    /// where the row has no such field. Or all that does not fit.
    pub(super) fn fit<'r, T>(
        &self,
        row: Fields<'r>,
        make: impl Fn(&Value<'r>, Cell<'r>) -> T,
    ) -> Result<Vec<Option<T>>, Vec<String>> {
        let mut cells: Vec<Option<T>> = Vec::with_capacity(self.columns.len());
        cells.resize_with(self.columns.len(), || None);
        let mut problems = Vec::new();
        let mut next = 0;
        let read = row.each(|name, value| {
            let Some(place) = self.places.find(next, name, |place| self.columns[place].name()) else {
                return problems.push(unknown(name, &value));
            };
            next = place + 1;
            if cells[place].is_some() {
                return problems.push(twice(name));
            }
            let cell = self.columns[place].read(&value).unwrap_or_else(|problem| {
                problems.push(format!("column {}: {problem}", shown(name)));
                Cell::Null
            });
            cells[place] = Some(make(&value, cell));
        });
        if let Err(found) = read {
            return Err(vec![no_object(found)]);
        }
        let missing = self.columns.iter().zip(&cells).filter(|(column, cell)| cell.is_none() && !column.is_nullable());
        problems.extend(missing.map(|(column, _)| absent(column)));
        if problems.is_empty() { Ok(cells) } else { Err(problems) }
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
