//! Rows that are not deserialised.

use std::{fmt, sync::Arc};

use csv::StringRecord;
use perenso_auth::decode::{Mismatch, decode};
use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value as Json;

use super::csv_row::CsvRow;
use crate::{
    error::{Error, ErrorKind, name::sanitize},
    paging::Key,
};

/// The maximum length of a path in an error message.
const MAX_PATH_CHARS: usize = 200;

/// A row that is not deserialised: the source of a JSON value, or the fields of a CSV record with their header. Use it to
/// store rows, for example in a file.
///
/// `Debug` shows only the syntax: a row may be personal data.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// use futures_util::TryStreamExt;
/// use perenso::exports::RawRow;
///
/// let run = show.exports().run("Get API Customers");
/// let mut rows = run.value("Cursor", 1).value("Limit", 15).rows::<RawRow>().await?;
/// while let Some(row) = rows.try_next().await? {
///     // The unchanged JSON. CSV records have `fields` instead.
///     println!("{:?}", row.json());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq)]
pub struct RawRow(Repr);

#[derive(Clone, PartialEq)]
enum Repr {
    Json(Box<str>),
    Csv { header: Arc<StringRecord>, fields: StringRecord },
}

impl RawRow {
    /// Creates a row from a value, for example from a row that was read and changed.
    ///
    /// ```
    /// use perenso::exports::RawRow;
    ///
    /// let row = RawRow::from_value(&serde_json::json!({"code": "0940"}))?;
    /// assert_eq!(row.json(), Some(r#"{"code":"0940"}"#));
    /// # Ok::<(), perenso::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Input`] if the value cannot be JSON, such as a map whose keys are not strings.
    pub fn from_value<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        // The error of a value's own `Serialize` may quote the value.
        let text = serde_json::to_string(value).map_err(|_| {
            Error::own(ErrorKind::Input, "row", "expected a value that can be JSON, found one that fails to serialise")
        })?;
        Ok(Self(Repr::Json(text.into())))
    }

    /// Returns the source of the JSON value without surrounding white space; `None` for a CSV record.
    #[must_use]
    pub fn json(&self) -> Option<&str> {
        match &self.0 {
            Repr::Json(text) => Some(text),
            Repr::Csv { .. } => None,
        }
    }

    /// Returns the integer or the string in a column, or describes the value found instead.
    pub(crate) fn key(&self, column: &str) -> Result<Key, &'static str> {
        let json = match &self.0 {
            Repr::Json(text) => text,
            Repr::Csv { header, fields } => {
                let index = header.iter().position(|name| name == column);
                return index.and_then(|index| fields.get(index)).map(Key::from).ok_or("no such column");
            }
        };
        let Ok(mut members) = serde_json::from_str::<serde_json::Map<_, _>>(json) else { return Err("no object") };
        match members.remove(column) {
            Some(Json::Number(number)) => number.as_i64().map(Key::Integer).ok_or("no integer of 64 bits"),
            Some(Json::String(text)) => Ok(Key::Text(text)),
            Some(Json::Null) => Err("null"),
            Some(_) => Err("no integer and no string"),
            None => Err("no such member"),
        }
    }

    /// Iterates over the fields of a CSV record with their column names, in the order of the header; `None` for JSON.
    #[must_use]
    pub fn fields(&self) -> Option<impl ExactSizeIterator<Item = (&str, &str)>> {
        match &self.0 {
            Repr::Json(_) => None,
            Repr::Csv { header, fields } => {
                // The reader rejects a record of another length than the header.
                let columns = (0..header.len().min(fields.len())).map(|n| (&header[n], &fields[n]));
                Some(columns)
            }
        }
    }
}

impl fmt::Debug for RawRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.0 {
            Repr::Json(_) => "RawRow(JSON)",
            Repr::Csv { .. } => "RawRow(CSV)",
        })
    }
}

/// Types that a row can be read into: every type that implements [`DeserializeOwned`](serde::de::DeserializeOwned), and
/// [`RawRow`].
///
/// The trait is sealed.
pub trait FromRow: sealed::Sealed + Sized {
    /// Reads a row at the start of the bytes and returns it with its length.
    #[doc(hidden)]
    fn first(bytes: &[u8]) -> Option<(Self, usize)>;
    /// Reads a row from all of the bytes.
    #[doc(hidden)]
    fn from_json(row: &[u8]) -> Result<Self, Mismatch>;
    /// Reads a row from the fields of a record, as many as the header has.
    #[doc(hidden)]
    fn from_fields(header: &Arc<StringRecord>, fields: &StringRecord) -> Result<Self, Mismatch>;
}

pub(crate) mod sealed {
    pub trait Sealed {}
    impl<T: serde::de::DeserializeOwned> Sealed for T {}
    impl Sealed for crate::exports::RawRow {}
}

impl<T: DeserializeOwned> FromRow for T {
    #[inline]
    fn first(bytes: &[u8]) -> Option<(Self, usize)> {
        let mut rows = serde_json::Deserializer::from_slice(bytes).into_iter();
        let row = rows.next()?.ok()?;
        Some((row, rows.byte_offset()))
    }

    fn from_json(row: &[u8]) -> Result<Self, Mismatch> {
        decode(row)
    }

    fn from_fields(header: &Arc<StringRecord>, fields: &StringRecord) -> Result<Self, Mismatch> {
        let row = CsvRow { header, fields };
        // Tracking the path is slow, so it is repeated with the path only after an error.
        T::deserialize(row).or_else(|_| serde_path_to_error::deserialize(row)).map_err(|error| Mismatch {
            path: sanitize(&error.path().to_string(), MAX_PATH_CHARS),
            detail: error.inner().to_string(),
        })
    }
}

impl FromRow for RawRow {
    fn first(bytes: &[u8]) -> Option<(Self, usize)> {
        let (_, length) = IgnoredAny::first(bytes)?;
        let text = std::str::from_utf8(&bytes[..length]).ok()?;
        Some((Self(Repr::Json(text.into())), length))
    }

    fn from_json(row: &[u8]) -> Result<Self, Mismatch> {
        decode::<IgnoredAny>(row)?;
        let text = std::str::from_utf8(row.trim_ascii())
            .map_err(|_| Mismatch { path: String::new(), detail: "it is not UTF-8".to_owned() })?;
        Ok(Self(Repr::Json(text.into())))
    }

    fn from_fields(header: &Arc<StringRecord>, fields: &StringRecord) -> Result<Self, Mismatch> {
        Ok(Self(Repr::Csv { header: Arc::clone(header), fields: fields.clone() }))
    }
}
