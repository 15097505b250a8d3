//! A row as it came, before a type reads it.

use std::{fmt, sync::Arc};

use csv::StringRecord;
use perenso_auth::decode::{Mismatch, decode};
use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::Value as Json;

use super::row::Row;
use crate::error::{Error, ErrorKind};
use crate::exports::values::{key::Key, name::clean};

/// The most of a path that is shown, as of JSON.
const LONGEST_PATH: usize = 200;

/// A row as it came: the text of a JSON value, or the fields of a CSV record under their header. For those who keep rows
/// and do not read them, such as the writers of files.
///
/// `Debug` shows the form only: a row may be personal data.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// use futures_util::TryStreamExt;
/// use perenso::exports::RawRow;
///
/// let run = show.exports().run("Get API Customers").value("Cursor", 1).value("Limit", 15);
/// let mut rows = run.rows::<RawRow>().await?;
/// while let Some(row) = rows.try_next().await? {
///     // Letter by letter as it came: JSON here, names and texts where the answer is CSV.
///     println!("{:?}", row.json());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, PartialEq)]
pub struct RawRow(Repr);

#[derive(Clone, PartialEq)]
enum Repr {
    Json(Box<str>),
    Cells { header: Arc<StringRecord>, fields: StringRecord },
}

impl RawRow {
    /// Makes a row of a value, for example of a row that was read and changed.
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
    /// [`ErrorKind::Input`] when the value cannot be JSON, such as a map whose keys are no strings.
    pub fn from_value<T: Serialize + ?Sized>(value: &T) -> Result<Self, Error> {
        // The error of a value's own `Serialize` may quote the value.
        let text = serde_json::to_string(value).map_err(|_| {
            Error::own(ErrorKind::Input, "row", "expected a value that can be JSON, found one that fails to serialise")
        })?;
        Ok(Self(Repr::Json(text.into())))
    }

    /// The text of the JSON value, blanks around it cut; `None` for a CSV record.
    #[must_use]
    pub fn json(&self) -> Option<&str> {
        match &self.0 {
            Repr::Json(text) => Some(text),
            Repr::Cells { .. } => None,
        }
    }

    /// Returns the integer or the string that a column holds, or what was found instead.
    pub(crate) fn key(&self, column: &str) -> Result<Key, &'static str> {
        let json = match &self.0 {
            Repr::Json(text) => text,
            Repr::Cells { header, fields } => {
                let place = header.iter().position(|name| name == column);
                return place.and_then(|place| fields.get(place)).map(Key::from).ok_or("no such column");
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

    /// The fields of the CSV record, each with the name of its column, in the order of the header; `None` for JSON.
    #[must_use]
    pub fn fields(&self) -> Option<impl ExactSizeIterator<Item = (&str, &str)>> {
        match &self.0 {
            Repr::Json(_) => None,
            Repr::Cells { header, fields } => {
                // Equally long: the reader refuses a record of another length.
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
            Repr::Cells { .. } => "RawRow(CSV)",
        })
    }
}

/// What a row can be read into: every type that deserialises and owns what it holds, and [`RawRow`].
///
/// The methods are the reader's own business.
pub trait FromRow: sealed::Sealed + Sized {
    /// The row at the start of these bytes and its length, if it can be read.
    #[doc(hidden)]
    fn first(bytes: &[u8]) -> Option<(Self, usize)>;
    /// The row that these bytes are.
    #[doc(hidden)]
    fn from_json(row: &[u8]) -> Result<Self, Mismatch>;
    /// The row of these fields, as many as the header has.
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
        let row = Row { header, fields };
        // The way that remembers the path is slow, so only those go it who need the path.
        T::deserialize(row).or_else(|_| serde_path_to_error::deserialize(row)).map_err(|error| Mismatch {
            path: clean(&error.path().to_string(), LONGEST_PATH),
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
        Ok(Self(Repr::Cells { header: Arc::clone(header), fields: fields.clone() }))
    }
}
