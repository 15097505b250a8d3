//! Writing Parquet files with row groups of bounded size.

mod values;

use std::{
    io::Write,
    sync::{
        Arc,
        mpsc::{self, Receiver, SyncSender},
    },
    thread::JoinHandle,
};

use bytes::Bytes;
use parquet::{
    basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical},
    column::writer::{ColumnWriter, get_column_writer},
    errors::ParquetError,
    file::{
        properties::{WriterProperties, WriterPropertiesPtr},
        writer::{SerializedFileWriter, SerializedPageWriter, TrackedWrite},
    },
    schema::types::Type,
};

use self::values::ColumnValues;
use super::{
    column::{Column, ColumnType, ColumnValue},
    schema::TableSchema,
};

/// The maximum size of a batch.
const BATCH_ROWS: usize = 4096;
const BATCH_BYTES: usize = 4 << 20;
/// The maximum size of a dictionary. In a larger one, most values occur once.
const DICTIONARY_BYTES: usize = 1 << 16;

/// The maximum size of a row group.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowGroups {
    pub(super) rows: usize,
    pub(super) bytes: usize,
}

impl Default for RowGroups {
    fn default() -> Self {
        Self { rows: 1 << 16, bytes: 64 << 20 }
    }
}

/// Collects rows into columns. A separate thread encodes them.
pub(super) struct ParquetWriter {
    encoder: Encoder,
    limits: RowGroups,
    columns: Vec<ColumnValues>,
    batch: Size,
    /// The batches of the row group that are with the encoder.
    group: Size,
}

#[derive(Clone, Copy, Debug, Default)]
struct Size {
    rows: usize,
    bytes: usize,
}

impl ParquetWriter {
    pub(super) fn new(
        out: impl Write + Send + 'static,
        schema: &TableSchema,
        limits: RowGroups,
    ) -> Result<Self, ParquetError> {
        let fields = schema.columns().iter().map(|column| parquet_type(column).map(Arc::new));
        let fields = fields.collect::<Result<Vec<_>, _>>()?;
        let columns = fields.iter().map(|field| ColumnValues::new(field)).collect();
        let root = Type::group_type_builder("rows").with_fields(fields).build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_dictionary_page_size_limit(DICTIONARY_BYTES)
            .build();
        let out = SerializedFileWriter::new(out, Arc::new(root), Arc::new(properties))?;
        Ok(Self { encoder: Encoder::start(out)?, limits, columns, batch: Size::default(), group: Size::default() })
    }

    /// Appends a value of the current row to a column.
    pub(super) fn put(&mut self, place: usize, value: &ColumnValue<'_>) {
        self.batch.bytes += self.columns[place].push(value);
    }

    /// Ends the current row.
    pub(super) fn end_row(&mut self) -> Result<(), ParquetError> {
        self.batch.rows += 1;
        let rows = self.group.rows + self.batch.rows;
        if rows >= self.limits.rows || self.group.bytes + self.batch.bytes >= self.limits.bytes {
            self.encode()?;
            self.group = Size::default();
            return self.encoder.send(Message::EndGroup);
        }
        if self.batch.rows >= BATCH_ROWS || self.batch.bytes >= BATCH_BYTES { self.encode() } else { Ok(()) }
    }

    pub(super) fn finish(mut self) -> Result<(), ParquetError> {
        self.encode()?;
        self.encoder.finish()
    }

    fn encode(&mut self) -> Result<(), ParquetError> {
        let Size { rows, bytes } = std::mem::take(&mut self.batch);
        if rows == 0 {
            return Ok(());
        }
        self.group = Size { rows: self.group.rows + rows, bytes: self.group.bytes + bytes };
        self.encoder.send(Message::Batch(self.columns.iter_mut().map(ColumnValues::take).collect()))
    }
}

enum Message {
    Batch(Vec<ColumnValues>),
    EndGroup,
    /// Ends the row group and the file.
    EndFile,
}

/// The encoder thread. Dropped without `finish`, it leaves the file incomplete.
struct Encoder {
    messages: SyncSender<Message>,
    thread: Option<JoinHandle<Result<(), ParquetError>>>,
}

impl Encoder {
    fn start<W: Write + Send + 'static>(mut out: SerializedFileWriter<W>) -> Result<Self, ParquetError> {
        let (messages, received) = mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("parquet".to_owned()).spawn(move || {
            while let Ok(message) = received.recv() {
                let end = match message {
                    Message::Batch(first) => write_group(&mut out, first, &received)?,
                    end => Some(end),
                };
                match end {
                    Some(Message::EndFile) => return out.close().map(drop),
                    Some(_) => {}
                    None => break,
                }
            }
            Ok(())
        })?;
        Ok(Self { messages, thread: Some(thread) })
    }

    fn send(&mut self, message: Message) -> Result<(), ParquetError> {
        self.messages.send(message).or_else(|_| self.end())
    }

    fn finish(mut self) -> Result<(), ParquetError> {
        // If the thread has ended, `end` returns its error.
        let _ = self.messages.send(Message::EndFile);
        self.end()
    }

    /// Waits for the thread and returns its result.
    fn end(&mut self) -> Result<(), ParquetError> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(end)) => end,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Err(ParquetError::General("the encoder has ended".to_owned())),
        }
    }
}

/// Writes a row group. Returns the message that has ended it, or `None` if the writer was dropped.
///
/// Columns follow each other in the file, while batches have values of all: each column is encoded into memory first.
fn write_group<W: Write + Send>(
    out: &mut SerializedFileWriter<W>,
    first: Vec<ColumnValues>,
    received: &Receiver<Message>,
) -> Result<Option<Message>, ParquetError> {
    let properties = WriterPropertiesPtr::clone(out.properties());
    let columns = out.schema_descr().columns().to_vec();
    let mut pages: Vec<_> = columns.iter().map(|_| TrackedWrite::new(Vec::new())).collect();
    let mut writers: Vec<_> = columns
        .into_iter()
        .zip(&mut pages)
        .map(|(column, pages)| {
            get_column_writer(column, Arc::clone(&properties), Box::new(SerializedPageWriter::new(pages)))
        })
        .collect();
    let mut batch = first;
    let end = loop {
        for (values, writer) in batch.into_iter().zip(&mut writers) {
            values.write(writer)?;
        }
        match received.recv() {
            Ok(Message::Batch(next)) => batch = next,
            Ok(end) => break end,
            Err(_) => return Ok(None),
        }
    };
    let closed = writers.into_iter().map(ColumnWriter::close).collect::<Result<Vec<_>, _>>()?;
    let mut group = out.next_row_group()?;
    for (pages, closed) in pages.into_iter().zip(closed) {
        group.append_column(&Bytes::from(pages.into_inner()?), closed)?;
    }
    group.close()?;
    Ok(Some(end))
}

/// Returns the type of a column, with logical types for JSON and for timestamps without a zone.
fn parquet_type(column: &Column) -> Result<Type, ParquetError> {
    let (physical, logical) = match column.kind() {
        ColumnType::Boolean => (Physical::BOOLEAN, None),
        ColumnType::Integer => (Physical::INT64, None),
        ColumnType::Decimal { precision, scale } => {
            let physical = match precision {
                0..=9 => Physical::INT32,
                10..=18 => Physical::INT64,
                _ => Physical::FIXED_LEN_BYTE_ARRAY,
            };
            (physical, Some(LogicalType::decimal(scale.into(), precision.into())))
        }
        ColumnType::Float => (Physical::DOUBLE, None),
        ColumnType::Date => (Physical::INT32, Some(LogicalType::Date)),
        ColumnType::LocalTimestamp => (Physical::INT64, Some(LogicalType::timestamp(false, TimeUnit::MICROS))),
        ColumnType::Timestamp => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        // Readers can merge a string column with those of later files, but not a null column.
        ColumnType::Null | ColumnType::Text | ColumnType::Omitted => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        ColumnType::Json => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
    };
    let repetition = if column.is_nullable() { Repetition::OPTIONAL } else { Repetition::REQUIRED };
    let builder = Type::primitive_type_builder(column.name(), physical);
    let builder = builder.with_repetition(repetition).with_logical_type(logical);
    match column.kind() {
        ColumnType::Decimal { precision, scale } => builder
            .with_precision(precision.into())
            .with_scale(scale.into())
            .with_length(if physical == Physical::FIXED_LEN_BYTE_ARRAY { bytes_of(precision) } else { -1 })
            .build(),
        _ => builder.build(),
    }
}

/// Returns the number of bytes for a decimal of this precision.
fn bytes_of(precision: u8) -> i32 {
    let most = 10_i128.pow(precision.into()) - 1;
    (1..16).find(|bytes| most < 1 << (8 * bytes - 1)).unwrap_or(16)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, NaiveDate};
    use futures_util::stream;
    use parquet::{
        file::{reader::FileReader, serialized_reader::SerializedFileReader},
        record::Field,
    };
    use proptest::{option, prelude::*};

    use super::*;
    use crate::exports::{FromRow, RawRow, files::ToFile};

    #[derive(Clone, Debug, Default, PartialEq)]
    struct Row {
        boolean: Option<bool>,
        integer: Option<i64>,
        decimal: Option<i128>,
        float: Option<f64>,
        date: Option<i32>,
        local: Option<i64>,
        time: Option<i64>,
        text: Option<String>,
        json: Option<String>,
    }

    const MICROS: std::ops::Range<i64> = -62_167_219_200_000_000..253_402_300_800_000_000;

    prop_compose! {
        fn rows(precision: u8)(rows in prop::collection::vec(row(precision), 0..40)) -> Vec<Row> {
            rows
        }
    }

    fn row(precision: u8) -> impl Strategy<Value = Row> {
        let most = 10_i128.pow(precision.into()) - 1;
        let json = prop_oneof![
            any::<i64>().prop_map(|number| number.to_string()),
            ".{0,9}".prop_map(|text| serde_json::json!({ text.clone(): [text, null] }).to_string()),
        ];
        (
            option::of(any::<bool>()),
            option::of(any::<i64>()),
            option::of(-most..=most),
            option::of(any::<f64>().prop_filter("JSON has no others", |number| number.is_finite())),
            option::of(-719_528..2_932_897),
            option::of(MICROS),
            option::of(MICROS),
            option::of("\\PC{0,20}|[\\n\\r\"\\\\,\\x00]{0,5}"),
            option::of(json),
        )
            .prop_map(|(boolean, integer, decimal, float, date, local, time, text, json)| Row {
                boolean,
                integer,
                decimal,
                float,
                date,
                local,
                time,
                text,
                json,
            })
    }

    fn json(row: &Row, scale: u8, turn: usize) -> String {
        let decimal = |units: i128| {
            let digits = format!("{:0>width$}", units.unsigned_abs(), width = usize::from(scale) + 1);
            let (integers, fraction) = digits.split_at(digits.len() - usize::from(scale));
            let sign = if units < 0 { "-" } else { "" };
            if fraction.is_empty() { format!("{sign}{integers}") } else { format!("{sign}{integers}.{fraction}") }
        };
        let date = |days| NaiveDate::default() + chrono::Days::new(0) + chrono::Duration::days(i64::from(days));
        let at = |micros| DateTime::from_timestamp_micros(micros).unwrap().format("%Y-%m-%dT%H:%M:%S%.f");
        let mut fields = [
            ("boolean", row.boolean.map(|value| value.to_string())),
            ("integer", row.integer.map(|value| value.to_string())),
            ("decimal", row.decimal.map(decimal)),
            ("float", row.float.map(|value| format!("{value:e}"))),
            ("date", row.date.map(|value| format!("\"{}\"", date(value)))),
            ("local", row.local.map(|value| format!("\"{}\"", at(value)))),
            ("time", row.time.map(|value| format!("\"{}Z\"", at(value)))),
            ("text", row.text.as_ref().map(|value| serde_json::to_string(value).unwrap())),
            ("json", row.json.clone()),
        ];
        fields.rotate_left(turn % 9);
        // A null field may also be missing.
        let fields = fields.into_iter().filter(|(_, value)| turn.is_multiple_of(2) || value.is_some());
        let fields = fields.map(|(name, value)| format!("\"{name}\": {}", value.unwrap_or("null".to_owned())));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
    }

    /// Reads the units of a decimal, big-endian in two's complement.
    fn units(bytes: &[u8]) -> i128 {
        bytes.iter().fold(if bytes[0] >> 7 == 1 { -1 } else { 0 }, |units, byte| units << 8 | i128::from(*byte))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn rows_written_are_read_back(
            ((precision, scale), rows) in (1..=38_u8)
                .prop_flat_map(|precision| ((Just(precision), 0..=precision), rows(precision))),
            limit in 1..20_usize,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("rows.parquet");
            let schema = TableSchema::new([
                Column::nullable("boolean", ColumnType::Boolean),
                Column::nullable("integer", ColumnType::Integer),
                Column::nullable("decimal", ColumnType::Decimal { precision, scale }),
                Column::nullable("float", ColumnType::Float),
                Column::nullable("date", ColumnType::Date),
                Column::nullable("local", ColumnType::LocalTimestamp),
                Column::nullable("time", ColumnType::Timestamp),
                Column::nullable("text", ColumnType::Text),
                Column::nullable("json", ColumnType::Json),
            ]).unwrap();
            let raw: Vec<_> = rows.iter().enumerate().map(|(turn, row)| {
                Ok(RawRow::from_json(json(row, scale, turn).as_bytes()).unwrap())
            }).collect();
            let to = ToFile::parquet(&path).schema(schema).row_group_rows(limit);
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let written = runtime.block_on(to.write(stream::iter(raw))).unwrap();
            prop_assert_eq!(written.rows, rows.len() as u64);

            let file = std::fs::File::open(&path).unwrap();
            let reader = SerializedFileReader::new(file).unwrap();
            let found: Vec<_> = reader.get_row_iter(None).unwrap().map(|row| {
                let row = row.unwrap();
                let mut found = Row::default();
                for (name, field) in row.get_column_iter() {
                    match (name.as_str(), field) {
                        (_, Field::Null) => {}
                        ("boolean", Field::Bool(value)) => found.boolean = Some(*value),
                        ("integer", Field::Long(value)) => found.integer = Some(*value),
                        ("decimal", Field::Decimal(value)) => found.decimal = Some(units(value.data())),
                        ("float", Field::Double(value)) => found.float = Some(*value),
                        ("date", Field::Date(value)) => found.date = Some(*value),
                        ("local", Field::TimestampMicros(value)) => found.local = Some(*value),
                        ("time", Field::TimestampMicros(value)) => found.time = Some(*value),
                        ("text", Field::Str(value)) => found.text = Some(value.clone()),
                        ("json", Field::Str(value)) => found.json = Some(value.clone()),
                        (name, field) => panic!("{name}: {field:?}"),
                    }
                }
                found
            }).collect();
            prop_assert_eq!(found, rows);
        }
    }
}
