//! The syntax of rows set by the caller.

use csv::StringRecord;

use super::syntax::RowSyntax;

/// The syntax of the rows of an export. Overrides the content type.
///
/// ```
/// use perenso::exports::{RowFormat, RowReader};
///
/// // The content type names no syntax of rows.
/// assert!(RowReader::new(Some("text/html")).is_err());
/// let format = RowFormat::json_member("data");
/// let mut reader = RowReader::with_format(Some("text/html"), format)?;
/// reader.push(&br#"{"data":[701,702],"total":2}"#[..]);
/// reader.finish();
/// assert_eq!(reader.next_row::<u32>().transpose()?, Some(701));
///
/// // Semicolons, and no header.
/// let format = RowFormat::csv().delimiter(b';').columns(["id", "name"]);
/// # let mut reader = RowReader::with_format(None, format)?;
/// # Ok::<(), perenso::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
#[non_exhaustive]
pub struct RowFormat {
    pub(crate) syntax: RowSyntax,
    /// The path of the member that holds the rows, outermost name first.
    pub(crate) member: Vec<String>,
    pub(crate) dialect: CsvDialect,
}

/// The CSV dialect of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct CsvDialect {
    /// A comma if `None`.
    pub(crate) delimiter: Option<u8>,
    pub(crate) header: Header,
    pub(crate) unique_names: bool,
}

/// The source of the column names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Header {
    /// The first record, unless it looks like values.
    #[default]
    Guessed,
    First,
    Names(StringRecord),
    Positions,
}

impl RowFormat {
    /// Rejects an invalid delimiter.
    pub(crate) fn validate(&self) -> Result<(), String> {
        match self.dialect.delimiter {
            Some(b'"' | b'\n' | b'\r' | 0x80..) => Err(
                "`RowFormat::delimiter` is a quote, a line break or not ASCII; set a character that separates fields"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }

    fn of(syntax: RowSyntax) -> Self {
        let dialect = CsvDialect { header: Header::First, ..CsvDialect::default() };
        Self { syntax, member: Vec::new(), dialect }
    }

    /// Expects a JSON array of rows.
    pub fn json_array() -> Self {
        Self::of(RowSyntax::Array)
    }

    /// Expects one JSON value on each line.
    pub fn json_lines() -> Self {
        Self::of(RowSyntax::Lines)
    }

    /// Expects a JSON object with a member that is an array of rows, such as `{"data":[…],"total":2}`.
    pub fn json_member(name: impl Into<String>) -> Self {
        Self { member: vec![name.into()], ..Self::of(RowSyntax::Member) }
    }

    /// Names a nested member: `RowFormat::json_member("result").member("rows")`.
    pub fn member(mut self, name: impl Into<String>) -> Self {
        self.syntax = RowSyntax::Member;
        self.member.push(name.into());
        self
    }

    /// Expects CSV with a header and commas as delimiters.
    pub fn csv() -> Self {
        Self::of(RowSyntax::Csv)
    }

    /// Sets the delimiter of CSV, such as `b';'` or `b'\t'`. The reader rejects a quote, a line break and non-ASCII bytes.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.dialect.delimiter = Some(delimiter);
        self
    }

    /// Names the columns of CSV without a header, one for each field of a record.
    pub fn columns<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        let mut record = StringRecord::new();
        names.into_iter().for_each(|name| record.push_field(name.as_ref()));
        self.dialect.header = Header::Names(record);
        self
    }

    /// Names the columns of CSV without a header by their positions, from `1`.
    pub fn positions(mut self) -> Self {
        self.dialect.header = Header::Positions;
        self
    }

    /// Makes duplicate and empty column names of a CSV header unique. The second `name` becomes `name_2`, an empty name in
    /// the third column `column_3`. Without this, such a header is an error.
    pub fn unique_names(mut self) -> Self {
        self.dialect.unique_names = true;
        self
    }
}
