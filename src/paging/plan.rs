//! The resolved paging of a stream.

use http::StatusCode;

use super::{cursor::Cursor, repetition::RowIdentity};

/// The meaning of the page parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The number of a page.
    Page,
    /// The number of rows to skip.
    Offset,
    /// The value of this column in the last row of the page before.
    Key(String),
    /// None: the export has one page.
    Single,
}

/// An end of the pages, in addition to a page without rows and the status 204, which always are: see
/// [`Paging::end`](crate::exports::Paging::end).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PageEnd {
    /// A response with this status instead of a page after the first one, such as 404 or 400.
    Status(StatusCode),
    /// The last page once more. None of its rows is returned again. By default such a page is an error.
    RepeatedPage,
    /// A page with fewer rows than a page before it. The first page is never the end, since the server may cap its pages.
    /// This saves the request for an empty page if a server always fills all pages except the last.
    ShortPage,
}

/// The paging of a request: its parameter, its start and its ends.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) operation: &'static str,
    /// The noun for a row in errors.
    pub(crate) noun: &'static str,
    pub(crate) meaning: Meaning,
    pub(crate) parameter: String,
    pub(crate) limit: Option<i64>,
    pub(crate) start: Cursor,
    /// The identity of rows, unless a row has its own.
    pub(crate) identity: RowIdentity,
    /// A page is complete before its rows are returned, so it is compared as a whole.
    pub(crate) is_buffered: bool,
    pub(crate) ends: Vec<PageEnd>,
    pub(crate) ahead: bool,
    /// The possible causes of a repeated page, for its error.
    pub(crate) repeat_causes: String,
}
