//! The paging of an export: the names and meanings of its two parameters, its start, and its page size.

use crate::{
    exports::{rows::format::RowFormat, rows::stream::Limits},
    paging::{Cursor, Meaning, PageEnd},
};

/// The paging of an export.
///
/// The default is that of the vendor's guide: the parameter `Cursor` is the number of a page, from 1, and the parameter
/// `Limit` is the page size.
///
/// A page that repeats an earlier page is an error. If its rows have the order of the earlier page, none of them is returned.
/// In another order, the page is detected at its end, after its rows were returned: earlier pages are stored as a fingerprint
/// and the hash of their first row, not as all their rows. By key, such a page is not even requested. A stream that starts at a
/// cursor knows the first page, but not the pages between.
///
/// ```
/// use perenso::exports::{Cursor, Paging};
///
/// // An export that counts rows and has its own parameter names, resumed after 2,000
/// // rows.
/// let paging = Paging::by_offset()
///     .cursor_parameter("Skip")
///     .limit_parameter("Take")
///     .limit(500)
///     .start(Cursor::offset(2_000));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Paging {
    pub(super) meaning: Meaning,
    pub(super) cursor: String,
    pub(super) limit_name: Option<String>,
    pub(super) start: Option<Cursor>,
    pub(super) limit: Option<u32>,
    pub(super) alike: bool,
    pub(super) repeats: bool,
    pub(super) ends: Vec<PageEnd>,
    pub(super) ahead: bool,
    row_limit: Option<usize>,
    format: Option<RowFormat>,
}

impl Paging {
    /// Pages by number. The first page is 1, unless the request sets another.
    pub fn by_page() -> Self {
        Self::of(Meaning::Page)
    }

    /// Pages by the number of rows to skip. It advances by the rows received, not by those requested, so that no row is left
    /// out if the server sends fewer.
    pub fn by_offset() -> Self {
        Self::of(Meaning::Offset)
    }

    /// Pages by the value of this column in the last row of the page before (keyset pagination). The column is a member of a
    /// JSON row or a column of CSV, with integers or strings.
    ///
    /// The caller sets the value of the first page, with a value of the run or with [`start`](Self::start). Values must not
    /// repeat: one that requested an earlier page is an error, and that page is not requested again. Pages are not fetched
    /// ahead, since only the end of a page contains the next value.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// use perenso::exports::Paging;
    ///
    /// // An export whose only parameter takes the last id that was read.
    /// let paging = Paging::by_key("orderLineID")
    ///     .cursor_parameter("LastID")
    ///     .without_limit();
    /// let run = show.exports().run("Order Lines").value("LastID", 0);
    /// let lines = run.pages::<serde_json::Value>(paging).await?;
    /// # Ok(()) }
    /// ```
    pub fn by_key(column: impl Into<String>) -> Self {
        Self::of(Meaning::Key(column.into()))
    }

    fn of(meaning: Meaning) -> Self {
        Self {
            meaning,
            cursor: "Cursor".to_owned(),
            limit_name: Some("Limit".to_owned()),
            start: None,
            limit: None,
            alike: false,
            repeats: false,
            ends: Vec::new(),
            ahead: true,
            row_limit: None,
            format: None,
        }
    }

    /// Sets the name of the page parameter, an Integer or a Text. The default is `Cursor`. A Text receives a number as digits.
    pub fn cursor_parameter(mut self, name: impl Into<String>) -> Self {
        self.cursor = name.into();
        self
    }

    /// Sets the name of the page size parameter, an Integer or a Text. The default is `Limit`.
    pub fn limit_parameter(mut self, name: impl Into<String>) -> Self {
        self.limit_name = Some(name.into());
        self
    }

    /// Declares that the export has no page size parameter.
    pub fn without_limit(mut self) -> Self {
        self.limit_name = None;
        self
    }

    /// Sets the page size, in place of the one of the request. The server may send fewer rows.
    pub fn limit(mut self, rows: u32) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Resumes from a stored cursor, in place of the start of the request. The cursor includes its page size.
    pub fn start(mut self, cursor: Cursor) -> Self {
        self.start = Some(cursor);
        self
    }

    /// Accepts equal rows, for an export whose rows have no id. A row that is also on the page before is then no error; a page
    /// that equals it from the first row to the last still is. The rows of a page are withheld until one differs.
    pub fn rows_may_be_alike(mut self) -> Self {
        self.alike = true;
        self
    }

    /// Adds an end of the pages. A page without rows and the status 204 always end them.
    ///
    /// ```
    /// use http::StatusCode;
    /// use perenso::exports::{PageEnd, Paging};
    ///
    /// // A server that returns 404 after the last page.
    /// let paging = Paging::by_page().end(PageEnd::Status(StatusCode::NOT_FOUND));
    /// ```
    pub fn end(mut self, end: PageEnd) -> Self {
        self.ends.push(end);
        self
    }

    /// Accepts repeated pages and repeated rows. A server that ignores the page parameter is then not detected, and its pages
    /// never end.
    pub fn allow_repeats(mut self) -> Self {
        self.repeats = true;
        self
    }

    /// Sets whether the next page is requested while this one is read. The default is true.
    ///
    /// At most one page is fetched ahead, and only its headers; its rows wait on the connection. By offset, the next page is
    /// requested with the row count of the page before, and discarded if this page has another count. Switch it off if a page
    /// takes minutes to process, since the server may close a connection that waits.
    pub fn fetch_ahead(mut self, ahead: bool) -> Self {
        self.ahead = ahead;
        self
    }

    /// Sets the maximum number of bytes of a row: see [`ExportStream::row_limit`](crate::exports::ExportStream::row_limit).
    pub fn row_limit(mut self, bytes: usize) -> Self {
        self.row_limit = Some(bytes);
        self
    }

    /// Sets the format of the rows of each page, in place of the one of the content type.
    pub fn format(mut self, format: RowFormat) -> Self {
        self.format = Some(format);
        self
    }

    /// Returns the limits of each page, with those of the run as defaults.
    pub(crate) fn limits(&self, run: Limits) -> Limits {
        let format = self.format.clone().or(run.format);
        Limits { row: self.row_limit.unwrap_or(run.row), format, ..run }
    }
}

impl Default for Paging {
    fn default() -> Self {
        Self::by_page()
    }
}
