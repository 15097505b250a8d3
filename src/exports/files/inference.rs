//! Inference of a schema from all rows of a table.

use super::{
    SchemaChanges,
    column::{Column, ColumnType, ColumnValue},
    fields::RowFields,
    number::{self, DecimalSize, MAX_PRECISION},
    schema::TableSchema,
    table::{ColumnIndex, duplicate, missing, not_an_object, unknown},
    timestamp,
    value::{FieldValue, unquoted},
};
use crate::error::{Error, name::shown};

/// The minimum precision of an inferred decimal. Parquet stores up to 18 digits in 64 bits.
const MIN_PRECISION: u8 = 18;

/// The number of digits added to the largest scale of an inferred decimal.
const EXTRA_SCALE: u8 = 2;

/// The minimum scale of an inferred decimal.
const MIN_SCALE: u8 = 4;

/// A limit on the columns, since rows with unique field names, such as ids, would exhaust the memory.
const MAX_COLUMNS: usize = 4096;

/// Infers a schema row by row. With a saved schema, it rejects or accepts changes.
#[derive(Debug)]
pub(super) struct SchemaInference {
    columns: Vec<InferredColumn>,
    index: ColumnIndex,
    has_schema: bool,
    changes: SchemaChanges,
    rows: u64,
}

#[derive(Debug)]
struct InferredColumn {
    name: String,
    saved: Option<ColumnType>,
    nullable: bool,
    /// The union of the values that the saved type does not accept, or of all values if there is none.
    seen: ColumnKind,
    last_row: u64,
}

impl SchemaInference {
    pub(super) fn new(saved: Option<&TableSchema>, changes: SchemaChanges) -> Self {
        let columns: Vec<InferredColumn> = saved
            .iter()
            .flat_map(|schema| schema.columns())
            .map(|column| InferredColumn {
                name: column.name().to_owned(),
                saved: Some(column.kind()),
                nullable: column.is_nullable(),
                seen: ColumnKind::Null,
                last_row: 0,
            })
            .collect();
        let index = ColumnIndex::new(columns.iter().map(|column| column.name.as_str()));
        Self { columns, index, has_schema: saved.is_some(), changes, rows: 0 }
    }

    /// Adds a row, or returns its problems.
    pub(super) fn add(&mut self, row: RowFields<'_>) -> Result<(), Vec<String>> {
        self.rows += 1;
        let Self { columns, index, has_schema, changes, rows } = self;
        let accepts = *changes == SchemaChanges::Accept;
        let mut problems = Vec::new();
        let mut next = 0;
        let read = row.for_each(|name, value| {
            let position = match index.find(next, name, |position| &columns[position].name) {
                Some(position) => position,
                None if *has_schema && !accepts => return problems.push(unknown(name, &value)),
                None if columns.len() == MAX_COLUMNS => {
                    return problems.push(format!(
                        "column {}: expected at most {MAX_COLUMNS} columns; write JSON lines, or set a schema",
                        shown(name)
                    ));
                }
                None => {
                    columns.push(InferredColumn::new(name));
                    index.add(name)
                }
            };
            next = position + 1;
            let column = &mut columns[position];
            if std::mem::replace(&mut column.last_row, *rows) == *rows {
                return problems.push(duplicate(name));
            }
            if let Err(problem) = column.add(&value, accepts) {
                problems.push(format!("column {}: {problem}", shown(name)));
            }
        });
        if let Err(found) = read {
            return Err(vec![not_an_object(found)]);
        }
        for column in columns.iter_mut().filter(|column| !column.nullable && column.last_row != *rows) {
            if accepts {
                column.nullable = true;
            } else {
                problems.push(missing(&column.column()));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Adds the columns of a CSV header without rows.
    pub(super) fn add_header<'h>(&mut self, names: impl Iterator<Item = &'h str>) {
        for name in names {
            self.index.add(name);
            self.columns.push(InferredColumn { seen: ColumnKind::CsvFields, ..InferredColumn::new(name) });
        }
    }

    /// Returns the schema that accepts every row.
    pub(super) fn schema(&self) -> Result<TableSchema, Error> {
        TableSchema::new(self.columns.iter().map(InferredColumn::column))
    }
}

impl InferredColumn {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), saved: None, nullable: true, seen: ColumnKind::Null, last_row: 0 }
    }

    fn add(&mut self, value: &FieldValue<'_>, accepts: bool) -> Result<(), String> {
        let Some(saved) = self.saved else {
            self.seen = self.seen.union(ColumnKind::of_value(value));
            return Ok(());
        };
        match saved.read(value) {
            Some(ColumnValue::Null) if !self.nullable && !accepts => self.column().read(value).map(|_| ()),
            Some(ColumnValue::Null) => {
                self.nullable = true;
                Ok(())
            }
            Some(_) => Ok(()),
            None if accepts || saved == ColumnType::Null => {
                self.seen = self.seen.union(ColumnKind::of_value_in(saved, value));
                Ok(())
            }
            // Fails, with the expected type.
            None => self.column().read(value).map(|_| ()),
        }
    }

    fn column(&self) -> Column {
        let kind = match (self.saved, self.seen) {
            (Some(saved), ColumnKind::Null) => saved,
            (None | Some(ColumnType::Null), seen) => seen.to_type(),
            (Some(saved), seen) => ColumnKind::of_type(saved).union(seen).to_wider_type(),
        };
        if self.nullable { Column::nullable(&self.name, kind) } else { Column::required(&self.name, kind) }
    }
}

/// The kind of the values in a column, from which its type is derived.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ColumnKind {
    Null,
    Boolean,
    Number(DecimalSize),
    Float,
    Date,
    LocalTimestamp,
    Timestamp,
    Text,
    /// Fields of CSV records.
    CsvFields,
    Json,
}

impl ColumnKind {
    fn of_value(value: &FieldValue<'_>) -> Self {
        match value {
            FieldValue::Null => Self::Null,
            FieldValue::Boolean(_) => Self::Boolean,
            FieldValue::Number(text) => number::size(text).map_or(Self::Json, Self::Number),
            FieldValue::Array(_) | FieldValue::Object(_) => Self::Json,
            FieldValue::CsvField(_) => Self::CsvFields,
            FieldValue::String(quoted) => match unquoted(quoted) {
                // A lone surrogate is valid in JSON but not in a string.
                None => Self::Json,
                Some(text) if timestamp::date(&text).is_some() => Self::Date,
                Some(text) if timestamp::local_time(&text).is_some() => Self::LocalTimestamp,
                Some(text) if timestamp::time(&text).is_some_and(|time| time.is_utc) => Self::Timestamp,
                Some(_) => Self::Text,
            },
        }
    }

    /// Returns the same as [`of_value`](Self::of_value), but parses a CSV field in a column of numbers.
    fn of_value_in(saved: ColumnType, value: &FieldValue<'_>) -> Self {
        match (saved, value) {
            (ColumnType::Integer | ColumnType::Decimal { .. }, FieldValue::CsvField(text)) => {
                number::size(text).map_or(Self::CsvFields, Self::Number)
            }
            _ => Self::of_value(value),
        }
    }

    fn of_type(kind: ColumnType) -> Self {
        match kind {
            ColumnType::Null | ColumnType::Omitted => Self::Null,
            ColumnType::Boolean => Self::Boolean,
            ColumnType::Integer => Self::Number(DecimalSize { integers: 19, scale: 0, is_integer: true }),
            ColumnType::Decimal { precision, scale } => {
                Self::Number(DecimalSize { integers: precision - scale, scale, is_integer: false })
            }
            ColumnType::Float => Self::Float,
            ColumnType::Date => Self::Date,
            ColumnType::LocalTimestamp => Self::LocalTimestamp,
            ColumnType::Timestamp => Self::Timestamp,
            ColumnType::Text => Self::Text,
            ColumnType::Json => Self::Json,
        }
    }

    /// Returns a kind that represents both without loss.
    fn union(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (Self::Null, kind) | (kind, Self::Null) => kind,
            (Self::Number(one), Self::Number(other)) => {
                let size = DecimalSize {
                    integers: one.integers.max(other.integers),
                    scale: one.scale.max(other.scale),
                    is_integer: one.is_integer && other.is_integer,
                };
                if size.integers + size.scale <= MAX_PRECISION { Self::Number(size) } else { Self::Json }
            }
            (Self::CsvFields, _) | (_, Self::CsvFields) => Self::Text,
            (one, other) if one.is_text() && other.is_text() => Self::Text,
            // JSON keeps `5` and `"5"` distinct.
            _ => Self::Json,
        }
    }

    fn is_text(self) -> bool {
        matches!(self, Self::Date | Self::LocalTimestamp | Self::Timestamp | Self::Text)
    }

    /// Widens a saved type by the digits seen, without extra scale. Reserving more could use all 38 digits, and the next wider
    /// number would turn the column into JSON.
    fn to_wider_type(self) -> ColumnType {
        match self {
            Self::Number(DecimalSize { integers, scale, is_integer: false }) => {
                ColumnType::Decimal { precision: (integers + scale).max(MIN_PRECISION), scale }
            }
            kind => kind.to_type(),
        }
    }

    fn to_type(self) -> ColumnType {
        match self {
            Self::Null => ColumnType::Null,
            Self::Boolean => ColumnType::Boolean,
            Self::Number(DecimalSize { is_integer: true, .. }) => ColumnType::Integer,
            Self::Number(DecimalSize { integers, scale, .. }) => {
                // Leave room for wider numbers in later runs.
                let scale = (scale + EXTRA_SCALE).max(MIN_SCALE).min(MAX_PRECISION - integers);
                let precision = if integers + scale <= MIN_PRECISION { MIN_PRECISION } else { MAX_PRECISION };
                ColumnType::Decimal { precision, scale }
            }
            Self::Float => ColumnType::Float,
            Self::Date => ColumnType::Date,
            Self::LocalTimestamp => ColumnType::LocalTimestamp,
            Self::Timestamp => ColumnType::Timestamp,
            Self::Text | Self::CsvFields => ColumnType::Text,
            Self::Json => ColumnType::Json,
        }
    }
}
