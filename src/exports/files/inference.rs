//! What the columns of a table are, by all of its rows: never by a sample.

use super::{
    Changes,
    column::{Cell, Column, ColumnType},
    fields::Fields,
    number::{self, MOST_DIGITS, Size},
    schema::TableSchema,
    table::{Places, absent, no_object, twice, unknown},
    timestamp,
    value::{Value, unquoted},
};
use crate::{error::Error, exports::values::name::shown};

/// The least digits of an inferred decimal: as many as 64 bits hold.
const ROOM: u8 = 18;

/// The digits behind the point of an inferred decimal beyond those that were seen, and the least of them.
const MORE: u8 = 2;
const LEAST_SCALE: u8 = 4;

/// More columns than anybody means: rows whose fields have names of their own, such as ids, would take all memory.
const MOST_COLUMNS: usize = 4096;

/// Looks at row after row. With a contract, a row may be refused for what it changes.
#[derive(Debug)]
pub(super) struct SchemaInference {
    columns: Vec<Surveyed>,
    places: Places,
    has_contract: bool,
    changes: Changes,
    rows: u64,
}

#[derive(Debug)]
struct Surveyed {
    name: String,
    contract: Option<ColumnType>,
    nullable: bool,
    /// What all values are together that the contract does not hold.
    seen: Kind,
    last_row: u64,
}

impl SchemaInference {
    pub(super) fn new(contract: Option<&TableSchema>, changes: Changes) -> Self {
        let columns: Vec<Surveyed> = contract
            .iter()
            .flat_map(|schema| schema.columns())
            .map(|column| Surveyed {
                name: column.name().to_owned(),
                contract: Some(column.kind()),
                nullable: column.is_nullable(),
                seen: Kind::Null,
                last_row: 0,
            })
            .collect();
        let places = Places::new(columns.iter().map(|column| column.name.as_str()));
        Self { columns, places, has_contract: contract.is_some(), changes, rows: 0 }
    }

    /// Looks at the next row, or says what does not fit.
    pub(super) fn add(&mut self, row: Fields<'_>) -> Result<(), Vec<String>> {
        self.rows += 1;
        let Self { columns, places, has_contract, changes, rows } = self;
        let accepts = *changes == Changes::Accept;
        let mut problems = Vec::new();
        let mut next = 0;
        let read = row.each(|name, value| {
            let place = match places.find(next, name, |place| &columns[place].name) {
                Some(place) => place,
                None if *has_contract && !accepts => return problems.push(unknown(name, &value)),
                None if columns.len() == MOST_COLUMNS => {
                    return problems.push(format!(
                        "column {}: one beyond {MOST_COLUMNS} columns; write JSON lines, or give a schema",
                        shown(name)
                    ));
                }
                None => {
                    columns.push(Surveyed::new(name));
                    places.add(name)
                }
            };
            next = place + 1;
            let column = &mut columns[place];
            if std::mem::replace(&mut column.last_row, *rows) == *rows {
                return problems.push(twice(name));
            }
            if let Err(problem) = column.add(&value, accepts) {
                problems.push(format!("column {}: {problem}", shown(name)));
            }
        });
        if let Err(found) = read {
            return Err(vec![no_object(found)]);
        }
        for column in columns.iter_mut().filter(|column| !column.nullable && column.last_row != *rows) {
            if accepts {
                column.nullable = true;
            } else {
                problems.push(absent(&column.column()));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Takes the columns of a header for those of CSV rows that did not come.
    pub(super) fn add_header<'h>(&mut self, names: impl Iterator<Item = &'h str>) {
        for name in names {
            self.places.add(name);
            self.columns.push(Surveyed { seen: Kind::Cells, ..Surveyed::new(name) });
        }
    }

    /// The schema that holds every row.
    pub(super) fn schema(&self) -> Result<TableSchema, Error> {
        TableSchema::new(self.columns.iter().map(Surveyed::column))
    }
}

impl Surveyed {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), contract: None, nullable: true, seen: Kind::Null, last_row: 0 }
    }

    fn add(&mut self, value: &Value<'_>, accepts: bool) -> Result<(), String> {
        let Some(contract) = self.contract else {
            self.seen = self.seen.with(Kind::of_value(value));
            return Ok(());
        };
        match contract.read(value) {
            Some(Cell::Null) if !self.nullable && !accepts => self.column().read(value).map(|_| ()),
            Some(Cell::Null) => {
                self.nullable = true;
                Ok(())
            }
            Some(_) => Ok(()),
            None if accepts || contract == ColumnType::Null => {
                self.seen = self.seen.with(Kind::in_contract(contract, value));
                Ok(())
            }
            None => self.column().read(value).map(|_| ()),
        }
    }

    fn column(&self) -> Column {
        let kind = match (self.contract, self.seen) {
            (Some(contract), Kind::Null) => contract,
            (None | Some(ColumnType::Null), seen) => seen.to_type(),
            (Some(contract), seen) => Kind::of_type(contract).with(seen).to_wider_type(),
        };
        if self.nullable { Column::nullable(&self.name, kind) } else { Column::required(&self.name, kind) }
    }
}

/// What values are, on the way to a type.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Null,
    Boolean,
    Number(Size),
    Float,
    Date,
    LocalTime,
    Time,
    Text,
    /// Fields of CSV records.
    Cells,
    Json,
}

impl Kind {
    fn of_value(value: &Value<'_>) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Boolean(_) => Self::Boolean,
            Value::Number(text) => number::size(text).map_or(Self::Json, Self::Number),
            Value::List(_) | Value::Object(_) => Self::Json,
            Value::Cell(_) => Self::Cells,
            Value::Text(quoted) => match unquoted(quoted) {
                // JSON can write it, and no text can.
                None => Self::Json,
                Some(text) if timestamp::date(&text).is_some() => Self::Date,
                Some(text) if timestamp::local_time(&text).is_some() => Self::LocalTime,
                Some(text) if timestamp::time(&text).is_some_and(|time| time.is_utc) => Self::Time,
                Some(_) => Self::Text,
            },
        }
    }

    /// As [`of_value`](Self::of_value), but the field of a CSV record is a number in a column of numbers.
    fn in_contract(contract: ColumnType, value: &Value<'_>) -> Self {
        match (contract, value) {
            (ColumnType::Integer | ColumnType::Decimal { .. }, Value::Cell(text)) => {
                number::size(text).map_or(Self::Cells, Self::Number)
            }
            _ => Self::of_value(value),
        }
    }

    fn of_type(kind: ColumnType) -> Self {
        match kind {
            ColumnType::Null | ColumnType::Omitted => Self::Null,
            ColumnType::Boolean => Self::Boolean,
            ColumnType::Integer => Self::Number(Size { integers: 19, scale: 0, is_integer: true }),
            ColumnType::Decimal { precision, scale } => {
                Self::Number(Size { integers: precision - scale, scale, is_integer: false })
            }
            ColumnType::Float => Self::Float,
            ColumnType::Date => Self::Date,
            ColumnType::LocalTime => Self::LocalTime,
            ColumnType::Time => Self::Time,
            ColumnType::Text => Self::Text,
            ColumnType::Json => Self::Json,
        }
    }

    /// What holds both without losing anything of either.
    fn with(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Null, kind) | (kind, Self::Null) => kind,
            (Self::Number(one), Self::Number(other)) => {
                let size = Size {
                    integers: one.integers.max(other.integers),
                    scale: one.scale.max(other.scale),
                    is_integer: one.is_integer && other.is_integer,
                };
                if size.integers + size.scale <= MOST_DIGITS { Self::Number(size) } else { Self::Json }
            }
            (Self::Cells, _) | (_, Self::Cells) => Self::Text,
            (one, other) if one.is_text() && other.is_text() => Self::Text,
            // `5` and `"5"` are two things, and stay two.
            _ => Self::Json,
        }
    }

    fn is_text(self) -> bool {
        matches!(self, Self::Date | Self::LocalTime | Self::Time | Self::Text)
    }

    /// What a contract becomes. It has room already: as many digits more as came are enough, since a decimal of all
    /// digits could not take one more behind the point, and its column would be JSON.
    fn to_wider_type(self) -> ColumnType {
        match self {
            Self::Number(Size { integers, scale, is_integer: false }) => {
                ColumnType::Decimal { precision: (integers + scale).max(ROOM), scale }
            }
            kind => kind.to_type(),
        }
    }

    fn to_type(self) -> ColumnType {
        match self {
            Self::Null => ColumnType::Null,
            Self::Boolean => ColumnType::Boolean,
            Self::Number(Size { is_integer: true, .. }) => ColumnType::Integer,
            Self::Number(Size { integers, scale, .. }) => {
                // A decimal as tight as today's numbers would refuse tomorrow's.
                let scale = (scale + MORE).max(LEAST_SCALE).min(MOST_DIGITS - integers);
                let precision = if integers + scale <= ROOM { ROOM } else { MOST_DIGITS };
                ColumnType::Decimal { precision, scale }
            }
            Self::Float => ColumnType::Float,
            Self::Date => ColumnType::Date,
            Self::LocalTime => ColumnType::LocalTime,
            Self::Time => ColumnType::Time,
            Self::Text | Self::Cells => ColumnType::Text,
            Self::Json => ColumnType::Json,
        }
    }
}
