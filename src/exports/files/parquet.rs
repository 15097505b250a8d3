//! Writing Parquet files with row groups of bounded size.

use std::{
    io::Write,
    sync::{
        Arc,
        mpsc::{self, SyncSender},
    },
    thread::JoinHandle,
};

use arrow_array::{
    ArrayRef, RecordBatch,
    builder::{
        BooleanBuilder, Date32Builder, Decimal128Builder, Float64Builder, Int64Builder, StringBuilder,
        TimestampMicrosecondBuilder,
    },
};
use arrow_schema::{ArrowError, DataType, Field, Schema, TimeUnit};
use parquet::{
    arrow::{ArrowWriter, arrow_writer::ArrowWriterOptions},
    basic::{Compression, LogicalType, Repetition, Type as Physical},
    errors::ParquetError,
    file::properties::WriterProperties,
    schema::types::{SchemaDescriptor, Type},
};

use super::{
    column::{Column, ColumnType, ColumnValue},
    schema::TableSchema,
};

/// The maximum size of a record batch.
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
    schema: Arc<Schema>,
    columns: Vec<ColumnBuilder>,
    rows: usize,
    bytes: usize,
}

impl ParquetWriter {
    pub(super) fn new(
        out: impl Write + Send + 'static,
        schema: &TableSchema,
        limits: RowGroups,
    ) -> Result<Self, ParquetError> {
        let fields = schema.columns().iter();
        let fields = fields.map(|column| Field::new(column.name(), data_type(column.kind()), column.is_nullable()));
        let arrow = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(limits.rows))
            .set_dictionary_page_size_limit(DICTIONARY_BYTES)
            .build();
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            .with_parquet_schema(descriptor(schema)?)
            .with_skip_arrow_metadata(true);
        let out = ArrowWriter::try_new_with_options(out, Arc::clone(&arrow), options)?;
        let columns = schema.columns().iter().map(|column| ColumnBuilder::new(column.kind())).collect();
        Ok(Self { encoder: Encoder::start(out, limits)?, schema: arrow, columns, rows: 0, bytes: 0 })
    }

    /// Appends a value of the current row to a column.
    pub(super) fn put(&mut self, place: usize, value: &ColumnValue<'_>) {
        self.bytes += self.columns[place].push(value);
    }

    /// Ends the current row.
    pub(super) fn end_row(&mut self) -> Result<(), ParquetError> {
        self.rows += 1;
        if self.rows >= BATCH_ROWS || self.bytes >= BATCH_BYTES { self.encode() } else { Ok(()) }
    }

    pub(super) fn finish(mut self) -> Result<(), ParquetError> {
        if self.rows > 0 {
            self.encode()?;
        }
        self.encoder.finish()
    }

    fn encode(&mut self) -> Result<(), ParquetError> {
        (self.rows, self.bytes) = (0, 0);
        let columns = self.columns.iter_mut().map(ColumnBuilder::finish).collect::<Result<_, _>>()?;
        self.encoder.write(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

/// The encoder thread. Dropped without `finish`, it leaves the file incomplete.
struct Encoder {
    /// `None` closes the file.
    batches: SyncSender<Option<RecordBatch>>,
    thread: Option<JoinHandle<Result<(), ParquetError>>>,
}

impl Encoder {
    fn start<W: Write + Send + 'static>(mut out: ArrowWriter<W>, limits: RowGroups) -> Result<Self, ParquetError> {
        let (batches, received) = mpsc::sync_channel::<Option<RecordBatch>>(1);
        let thread = std::thread::Builder::new().name("parquet".to_owned()).spawn(move || {
            while let Ok(batch) = received.recv() {
                let Some(batch) = batch else { return out.close().map(drop) };
                out.write(&batch)?;
                if out.in_progress_size() >= limits.bytes {
                    out.flush()?;
                }
            }
            Ok(())
        })?;
        Ok(Self { batches, thread: Some(thread) })
    }

    fn write(&mut self, batch: RecordBatch) -> Result<(), ParquetError> {
        self.batches.send(Some(batch)).or_else(|_| self.end())
    }

    fn finish(mut self) -> Result<(), ParquetError> {
        // If the thread has ended, `end` returns its error.
        let _ = self.batches.send(None);
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

fn data_type(kind: ColumnType) -> DataType {
    match kind {
        ColumnType::Boolean => DataType::Boolean,
        ColumnType::Integer => DataType::Int64,
        ColumnType::Decimal { precision, scale } => DataType::Decimal128(precision, scale.cast_signed()),
        ColumnType::Float => DataType::Float64,
        ColumnType::Date => DataType::Date32,
        ColumnType::LocalTimestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
        ColumnType::Timestamp => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        // Readers can merge a string column with those of later files, but not a null column.
        ColumnType::Null | ColumnType::Text | ColumnType::Json | ColumnType::Omitted => DataType::Utf8,
    }
}

/// Returns the Parquet schema, with logical types for JSON and for timestamps without a zone.
fn descriptor(schema: &TableSchema) -> Result<SchemaDescriptor, ParquetError> {
    let fields = schema.columns().iter().map(|column| parquet_type(column).map(Arc::new)).collect::<Result<_, _>>()?;
    let root = Type::group_type_builder("rows").with_fields(fields).build()?;
    Ok(SchemaDescriptor::new(Arc::new(root)))
}

fn parquet_type(column: &Column) -> Result<Type, ParquetError> {
    use parquet::basic::TimeUnit;
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

/// Builds a column.
enum ColumnBuilder {
    Boolean(BooleanBuilder),
    Integer(Int64Builder),
    Decimal(Decimal128Builder, u8, i8),
    Float(Float64Builder),
    Date(Date32Builder),
    Timestamp(TimestampMicrosecondBuilder),
    Text(StringBuilder),
}

impl ColumnBuilder {
    fn new(kind: ColumnType) -> Self {
        match kind {
            ColumnType::Boolean => Self::Boolean(BooleanBuilder::new()),
            ColumnType::Integer => Self::Integer(Int64Builder::new()),
            ColumnType::Decimal { precision, scale } => {
                Self::Decimal(Decimal128Builder::new(), precision, scale.cast_signed())
            }
            ColumnType::Float => Self::Float(Float64Builder::new()),
            ColumnType::Date => Self::Date(Date32Builder::new()),
            ColumnType::LocalTimestamp => Self::Timestamp(TimestampMicrosecondBuilder::new()),
            ColumnType::Timestamp => Self::Timestamp(TimestampMicrosecondBuilder::new().with_timezone("UTC")),
            ColumnType::Null | ColumnType::Text | ColumnType::Json | ColumnType::Omitted => {
                Self::Text(StringBuilder::new())
            }
        }
    }

    /// Appends a value and returns its approximate size in bytes.
    fn push(&mut self, value: &ColumnValue<'_>) -> usize {
        match (&mut *self, value) {
            (Self::Boolean(column), ColumnValue::Boolean(value)) => column.append_value(*value),
            (Self::Integer(column), ColumnValue::Integer(value)) => column.append_value(*value),
            (Self::Decimal(column, ..), ColumnValue::Decimal(value)) => column.append_value(*value),
            (Self::Float(column), ColumnValue::Float(value)) => column.append_value(*value),
            (Self::Date(column), ColumnValue::Date(value)) => column.append_value(*value),
            (Self::Timestamp(column), ColumnValue::Timestamp(value)) => column.append_value(*value),
            (Self::Text(column), ColumnValue::Text(value)) => {
                column.append_value(value);
                return value.len() + 8;
            }
            (_, ColumnValue::Null) => self.push_null(),
            // Unreachable, since values have the type of their column. A missing value would fail the batch.
            _ => return 0,
        }
        8
    }

    fn push_null(&mut self) {
        match self {
            Self::Boolean(column) => column.append_null(),
            Self::Integer(column) => column.append_null(),
            Self::Decimal(column, ..) => column.append_null(),
            Self::Float(column) => column.append_null(),
            Self::Date(column) => column.append_null(),
            Self::Timestamp(column) => column.append_null(),
            Self::Text(column) => column.append_null(),
        }
    }

    fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Boolean(column) => Arc::new(column.finish()),
            Self::Integer(column) => Arc::new(column.finish()),
            Self::Decimal(column, precision, scale) => {
                Arc::new(column.finish().with_precision_and_scale(*precision, *scale)?)
            }
            Self::Float(column) => Arc::new(column.finish()),
            Self::Date(column) => Arc::new(column.finish()),
            Self::Timestamp(column) => Arc::new(column.finish()),
            Self::Text(column) => Arc::new(column.finish()),
        })
    }
}

#[cfg(test)]
mod tests {
    use arrow_array::{
        Array,
        cast::AsArray,
        types::{Date32Type, Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType},
    };
    use chrono::{DateTime, NaiveDate};
    use futures_util::stream;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use proptest::{option, prelude::*};

    use super::*;
    use crate::exports::{FromRow, RawRow, files::ToFile};

    #[derive(Clone, Debug, PartialEq)]
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
            let mut found = Vec::new();
            for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
                let batch = batch.unwrap();
                let column = |index: usize| batch.column(index);
                for n in 0..batch.num_rows() {
                    let has = |index: usize| column(index).is_valid(n).then_some(());
                    found.push(Row {
                        boolean: has(0).map(|()| column(0).as_boolean().value(n)),
                        integer: has(1).map(|()| column(1).as_primitive::<Int64Type>().value(n)),
                        decimal: has(2).map(|()| column(2).as_primitive::<Decimal128Type>().value(n)),
                        float: has(3).map(|()| column(3).as_primitive::<Float64Type>().value(n)),
                        date: has(4).map(|()| column(4).as_primitive::<Date32Type>().value(n)),
                        local: has(5).map(|()| column(5).as_primitive::<TimestampMicrosecondType>().value(n)),
                        time: has(6).map(|()| column(6).as_primitive::<TimestampMicrosecondType>().value(n)),
                        text: has(7).map(|()| column(7).as_string::<i32>().value(n).to_owned()),
                        json: has(8).map(|()| column(8).as_string::<i32>().value(n).to_owned()),
                    });
                }
            }
            prop_assert_eq!(found, rows);
        }
    }
}
