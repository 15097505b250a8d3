//! The syntax of rows as the caller says it, where the content type does not.

use csv::StringRecord;

use super::syntax::RowSyntax;

/// The syntax of the rows of an export, in place of what the content type says.
///
/// ```
/// use perenso::exports::{RowFormat, RowReader};
///
/// let mut reader = RowReader::new(Some("text/html"))
///     .or_else(|_| RowReader::with_format(Some("text/html"), RowFormat::json_member("data")))?;
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
    pub(crate) form: RowSyntax,
    /// The member that holds the rows, from the outermost object inwards.
    pub(crate) member: Vec<String>,
    pub(crate) table: TableFormat,
}

/// The dialect of CSV.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TableFormat {
    /// The delimiter that was set; a comma if none was.
    pub(crate) delimiter: Option<u8>,
    pub(crate) header: Header,
    pub(crate) unique_names: bool,
}

/// Where the names of the columns come from.
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
    /// Refuses what cannot be a delimiter.
    pub(crate) fn refuse(&self) -> Result<(), String> {
        match self.table.delimiter {
            Some(b'"' | b'\n' | b'\r' | 0x80..) => Err(
                "`RowFormat::delimiter` is a quote, a line break or not ASCII; set a character that separates fields"
                    .to_owned(),
            ),
            _ => Ok(()),
        }
    }

    fn of(form: RowSyntax) -> Self {
        let table = TableFormat { header: Header::First, ..TableFormat::default() };
        Self { form, member: Vec::new(), table }
    }

    /// A JSON array of rows.
    pub fn json_array() -> Self {
        Self::of(RowSyntax::Array)
    }

    /// One JSON value a line.
    pub fn json_lines() -> Self {
        Self::of(RowSyntax::Lines)
    }

    /// A JSON object with a member that is an array of rows, such as `{"data":[…],"total":2}`. A second call names a
    /// member within the first.
    pub fn json_member(name: impl Into<String>) -> Self {
        Self { member: vec![name.into()], ..Self::of(RowSyntax::Member) }
    }

    /// Names a member of the member named before: `RowFormat::json_member("result").member("rows")`.
    pub fn member(mut self, name: impl Into<String>) -> Self {
        self.form = RowSyntax::Member;
        self.member.push(name.into());
        self
    }

    /// CSV with a header, separated by commas.
    pub fn csv() -> Self {
        Self::of(RowSyntax::Csv)
    }

    /// Sets the delimiter of CSV, such as `b';'` or `b'\t'`. The reader refuses a quote, a line break and what is not
    /// ASCII.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.table.delimiter = Some(delimiter);
        self
    }

    /// CSV without a header: names its columns, as many as a record has fields.
    pub fn columns<N: AsRef<str>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        let mut record = StringRecord::new();
        names.into_iter().for_each(|name| record.push_field(name.as_ref()));
        self.table.header = Header::Names(record);
        self
    }

    /// CSV without a header: names its columns by their positions, from `1`.
    pub fn positions(mut self) -> Self {
        self.table.header = Header::Positions;
        self
    }

    /// Makes the names of columns unique where the header of CSV has one twice or none: the second `name` becomes
    /// `name_2`, an empty one in third place `column_3`. Such a header is refused otherwise.
    pub fn unique_names(mut self) -> Self {
        self.table.unique_names = true;
        self
    }
}
