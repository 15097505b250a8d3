//! How an export is read page by page: what its two parameters are called and mean, where it starts, what a page holds.

mod plan;

use http::StatusCode;

pub(crate) use self::plan::Plan;
use super::cursor::Cursor;
use crate::exports::{rows::format::RowFormat, rows::stream::Limits};

/// What the value of `Cursor` means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The number of a page.
    Page,
    /// How many rows to skip.
    Offset,
    /// The value that this column has in the last row before.
    Key(String),
    /// Nothing: the export has one page.
    Single,
}

/// The end of the pages, besides a page without rows and the status 204, which always are one: see [`Paging::end`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PageEnd {
    /// A response of this status in place of a page after the first one, such as 404 or 400.
    Status(StatusCode),
    /// The last page once more: none of its rows is handed out again. Without this it is an error.
    RepeatedPage,
    /// A page with fewer rows than one before it. A first page is no end, as the server may cap its pages: that saves
    /// the request for an empty page where a server always fills all pages but the last.
    ShortPage,
}

/// How an export is read page by page.
///
/// The default is what the vendor's guide suggests: a parameter `Cursor` that is the number of a page, from 1, and a
/// parameter `Limit` that is the number of rows of a page.
///
/// A page that repeats an earlier one is an error. In the order of the earlier one it is found before any of its rows is
/// handed out. In another order it is found at its end, when its rows have been handed out: the pages before are
/// remembered by a fingerprint and their first row, not by all their rows. By key it is not even asked for. A stream that
/// starts at a cursor knows the first page, and of the pages between it knows nothing.
///
/// ```
/// use perenso::exports::{Cursor, Paging};
///
/// // An export that counts rows, in parameters of its own, and a start behind 2,000 of them.
/// let paging = Paging::by_offset()
///     .cursor_parameter("Skip")
///     .limit_parameter("Take")
///     .limit(500)
///     .start(Cursor::offset(2_000));
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Paging {
    meaning: Meaning,
    cursor: String,
    limit_name: Option<String>,
    start: Option<Cursor>,
    limit: Option<u32>,
    alike: bool,
    repeats: bool,
    ends: Vec<PageEnd>,
    ahead: bool,
    row_limit: Option<usize>,
    format: Option<RowFormat>,
}

impl Paging {
    /// `Cursor` is the number of a page. The first one is 1, unless the request says otherwise.
    pub fn by_page() -> Self {
        Self::of(Meaning::Page)
    }

    /// `Cursor` is the number of rows to skip. It advances by the rows that came, and not by those that were asked for:
    /// where the server gives fewer, nothing is left out.
    pub fn by_offset() -> Self {
        Self::of(Meaning::Offset)
    }

    /// `Cursor` is the value that this column has in the last row of the page before (keyset pagination): the name of a
    /// member of a JSON row, or of a column of CSV, that holds an integer or a string.
    ///
    /// The value of the first page is the caller's: a value of the run, or [`start`](Self::start). Values must not repeat:
    /// one that asked for a page before is an error, and that page is not asked for again. Nothing is fetched ahead, as
    /// only the end of a page says what follows it.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
    /// use perenso::exports::Paging;
    ///
    /// // An export whose only parameter takes the last id that was read.
    /// let paging = Paging::by_key("orderLineID").cursor_parameter("LastID").without_limit();
    /// let lines = show.exports().run("Order Lines").value("LastID", 0).pages::<serde_json::Value>(paging).await?;
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

    /// The name of the parameter that says which page, an Integer or a Text; `Cursor` without it. A number is sent to a
    /// Text as its digits.
    pub fn cursor_parameter(mut self, name: impl Into<String>) -> Self {
        self.cursor = name.into();
        self
    }

    /// The name of the parameter that says how many rows a page holds, an Integer or a Text; `Limit` without it.
    pub fn limit_parameter(mut self, name: impl Into<String>) -> Self {
        self.limit_name = Some(name.into());
        self
    }

    /// The export has no parameter that says how many rows a page holds.
    pub fn without_limit(mut self) -> Self {
        self.limit_name = None;
        self
    }

    /// How many rows a page is asked for, in place of what the request says. The server may give fewer.
    pub fn limit(mut self, rows: u32) -> Self {
        self.limit = Some(rows);
        self
    }

    /// Where to start, in place of what the request says: a cursor that was kept. It brings its page size along.
    pub fn start(mut self, cursor: Cursor) -> Self {
        self.start = Some(cursor);
        self
    }

    /// Rows of this export can be alike, having no id: one that stood on the page before as well is no error then, only
    /// a page that is the same from its first row to its last. The rows of a page are held back until one differs.
    pub fn rows_may_be_alike(mut self) -> Self {
        self.alike = true;
        self
    }

    /// Adds a way for the pages to end. A page without rows ends them always, and so does the status 204.
    ///
    /// ```
    /// use http::StatusCode;
    /// use perenso::exports::{PageEnd, Paging};
    ///
    /// // A server that has no page after the last one.
    /// let paging = Paging::by_page().end(PageEnd::Status(StatusCode::NOT_FOUND));
    /// ```
    pub fn end(mut self, end: PageEnd) -> Self {
        self.ends.push(end);
        self
    }

    /// Accepts pages that repeat earlier ones, and rows that repeat earlier ones. A server that ignores the parameter of
    /// the page is not found out then, and its pages have no end.
    pub fn allow_repeats(mut self) -> Self {
        self.repeats = true;
        self
    }

    /// Whether the next page is asked for while this one is read; true without it.
    ///
    /// At most one page, and only up to its headers: what it holds waits with the server until it is read. By offset,
    /// it is asked for where the server is expected to give as many rows as on the page before, and is thrown away where
    /// it did not. Where a page takes many minutes to work off, a server may tire of holding the next one: switch it off.
    pub fn fetch_ahead(mut self, ahead: bool) -> Self {
        self.ahead = ahead;
        self
    }

    /// How many bytes a row may have: see [`ExportStream::row_limit`](crate::exports::ExportStream::row_limit).
    pub fn row_limit(mut self, bytes: usize) -> Self {
        self.row_limit = Some(bytes);
        self
    }

    /// Sets the syntax of the rows of each page, in place of what the content type says.
    pub fn format(mut self, format: RowFormat) -> Self {
        self.format = Some(format);
        self
    }

    /// The limits of each page, where a run has said something of them.
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
