//! The values of a column, in the physical types of Parquet.

use bytes::Bytes;
use parquet::{
    basic::Type as Physical,
    column::writer::ColumnWriter,
    data_type::{ByteArray, FixedLenByteArray},
    errors::ParquetError,
    schema::types::Type,
};

use crate::exports::files::column::ColumnValue;

/// The values of a column in a batch, without nulls.
#[derive(Debug)]
pub(super) struct ColumnValues {
    /// For each row, 1 if it has a value and 0 if it is null; `None` if the column has no nulls.
    levels: Option<Vec<i16>>,
    values: Values,
}

#[derive(Debug)]
enum Values {
    Boolean(Vec<bool>),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Double(Vec<f64>),
    Bytes(ByteValues),
    /// Values of this length.
    Fixed(usize, ByteValues),
}

/// Values one after the other.
#[derive(Debug, Default)]
struct ByteValues {
    bytes: Vec<u8>,
    /// The end of each value.
    ends: Vec<usize>,
}

impl ColumnValues {
    /// Returns the empty values of a column of this type.
    pub(super) fn new(column: &Type) -> Self {
        let values = match column.get_physical_type() {
            Physical::BOOLEAN => Values::Boolean(Vec::new()),
            Physical::INT32 => Values::Int32(Vec::new()),
            Physical::DOUBLE => Values::Double(Vec::new()),
            Physical::BYTE_ARRAY => Values::Bytes(ByteValues::default()),
            Physical::FIXED_LEN_BYTE_ARRAY => {
                let length = if let Type::PrimitiveType { type_length, .. } = column { *type_length } else { 0 };
                Values::Fixed(usize::try_from(length).unwrap_or_default(), ByteValues::default())
            }
            Physical::INT64 | Physical::INT96 | Physical::FLOAT => Values::Int64(Vec::new()),
        };
        Self { levels: column.is_optional().then(Vec::new), values }
    }

    /// Appends a value and returns its approximate size in bytes.
    pub(super) fn push(&mut self, value: &ColumnValue<'_>) -> usize {
        let mut size = 8;
        match (&mut self.values, value) {
            (_, ColumnValue::Null) => {}
            (Values::Boolean(values), ColumnValue::Boolean(value)) => values.push(*value),
            (Values::Int64(values), ColumnValue::Integer(value) | ColumnValue::Timestamp(value)) => values.push(*value),
            (Values::Int32(values), ColumnValue::Date(value)) => values.push(*value),
            (Values::Double(values), ColumnValue::Float(value)) => values.push(*value),
            // The precision of the column fits the physical type.
            #[allow(clippy::cast_possible_truncation)]
            (Values::Int32(values), ColumnValue::Decimal(value)) => values.push(*value as i32),
            #[allow(clippy::cast_possible_truncation)]
            (Values::Int64(values), ColumnValue::Decimal(value)) => values.push(*value as i64),
            (Values::Fixed(length, values), ColumnValue::Decimal(value)) => {
                let bytes = value.to_be_bytes();
                values.push(&bytes[bytes.len() - *length..]);
            }
            (Values::Bytes(values), ColumnValue::Text(value)) => {
                values.push(value.as_bytes());
                size += value.len();
            }
            // Unreachable, since values have the type of their column. A missing value fails the row group.
            _ => return 0,
        }
        if let Some(levels) = &mut self.levels {
            levels.push((!matches!(value, ColumnValue::Null)).into());
        }
        size
    }

    /// Returns the values and leaves none.
    pub(super) fn take(&mut self) -> Self {
        fn renew<T>(values: &mut Vec<T>) -> Vec<T> {
            // The next batch is about as large.
            let next = Vec::with_capacity(values.len());
            std::mem::replace(values, next)
        }
        let values = match &mut self.values {
            Values::Boolean(values) => Values::Boolean(renew(values)),
            Values::Int32(values) => Values::Int32(renew(values)),
            Values::Int64(values) => Values::Int64(renew(values)),
            Values::Double(values) => Values::Double(renew(values)),
            Values::Bytes(values) => {
                Values::Bytes(ByteValues { bytes: renew(&mut values.bytes), ends: renew(&mut values.ends) })
            }
            Values::Fixed(length, values) => {
                Values::Fixed(*length, ByteValues { bytes: renew(&mut values.bytes), ends: renew(&mut values.ends) })
            }
        };
        Self { levels: self.levels.as_mut().map(renew), values }
    }

    /// Writes the values into the column of a row group.
    pub(super) fn write(self, writer: &mut ColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = self.levels.as_deref();
        match (self.values, writer) {
            (Values::Boolean(values), ColumnWriter::BoolColumnWriter(out)) => out.write_batch(&values, levels, None),
            (Values::Int32(values), ColumnWriter::Int32ColumnWriter(out)) => out.write_batch(&values, levels, None),
            (Values::Int64(values), ColumnWriter::Int64ColumnWriter(out)) => out.write_batch(&values, levels, None),
            (Values::Double(values), ColumnWriter::DoubleColumnWriter(out)) => out.write_batch(&values, levels, None),
            (Values::Bytes(values), ColumnWriter::ByteArrayColumnWriter(out)) => {
                out.write_batch(&values.split::<ByteArray>(), levels, None)
            }
            (Values::Fixed(_, values), ColumnWriter::FixedLenByteArrayColumnWriter(out)) => {
                out.write_batch(&values.split::<FixedLenByteArray>(), levels, None)
            }
            // Unreachable, since both are of the same type.
            _ => return Err(ParquetError::General("a column has values of another type".to_owned())),
        }
        .map(drop)
    }
}

impl ByteValues {
    fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
    }

    fn split<T: From<ByteArray>>(self) -> Vec<T> {
        let bytes = Bytes::from(self.bytes);
        let starts = [0].into_iter().chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| ByteArray::from(bytes.slice(start..*end)).into()).collect()
    }
}
