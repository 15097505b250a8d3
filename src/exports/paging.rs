//! How an export is read page by page: what its two parameters are called and mean, where it starts, what a page holds.

use http::StatusCode;

use super::{
    checked::CheckedRequest,
    cursor::Cursor,
    descriptor::Descriptor,
    format::RowFormat,
    name::shown,
    stream::Limits,
    value::{Given, Value},
};
use crate::{
    error::{Error, ErrorKind},
    generated::operations::EXPORT_RUN,
    page::PAGE_SIZE,
    types::ExportDataType,
};

/// What the value of `Cursor` means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// The number of a page.
    Page,
    /// How many rows to skip.
    Offset,
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
    limit_name: String,
    start: Option<Cursor>,
    limit: Option<u32>,
    alike: bool,
    repeats: bool,
    ends: Vec<PageEnd>,
    ahead: bool,
    row_limit: Option<usize>,
    format: Option<RowFormat>,
}

/// What a paging comes to for a request: everything is known and fits together.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) meaning: Meaning,
    pub(crate) parameter: String,
    pub(crate) limit: i64,
    pub(crate) start: Cursor,
    pub(crate) alike: bool,
    pub(crate) repeats: bool,
    pub(crate) ends: Vec<PageEnd>,
    pub(crate) ahead: bool,
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

    fn of(meaning: Meaning) -> Self {
        Self {
            meaning,
            cursor: "Cursor".to_owned(),
            limit_name: "Limit".to_owned(),
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

    /// The name of the parameter that says which page; `Cursor` without it.
    pub fn cursor_parameter(mut self, name: impl Into<String>) -> Self {
        self.cursor = name.into();
        self
    }

    /// The name of the parameter that says how many rows a page holds; `Limit` without it.
    pub fn limit_parameter(mut self, name: impl Into<String>) -> Self {
        self.limit_name = name.into();
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

    /// How many bytes a row may have: see [`ExportStream::row_limit`](super::ExportStream::row_limit).
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

    /// The values of the two parameters that were not given yet.
    pub(crate) fn missing(
        &self,
        export: &Descriptor,
        is_given: impl Fn(&str) -> bool,
    ) -> Result<Vec<(String, Given)>, Error> {
        let integers = || export.parameters().iter().filter(|p| p.data_type == ExportDataType::Integer);
        self.refuse_without(integers().map(|parameter| parameter.name.as_str()))?;
        let (first, limit) = match (self.start, self.meaning) {
            (Some(Cursor::Page { number, limit, .. }), _) => (number, Some(limit)),
            (Some(Cursor::Offset(rows)), _) => (rows, None),
            (None, Meaning::Page) => (1, None),
            (None, Meaning::Offset) => (0, None),
        };
        let limit = self.limit.map(i64::from).or(limit).unwrap_or_else(|| PAGE_SIZE.get().into());
        let values = [(&self.cursor, first), (&self.limit_name, limit)];
        let missing = values.into_iter().filter(|(name, _)| !is_given(name));
        Ok(missing.map(|(name, number)| (name.clone(), Given::Value(Value::Integer(number)))).collect())
    }

    /// The plan for this request, and the request of its first page.
    pub(crate) fn settle(&self, request: &CheckedRequest) -> Result<(Plan, CheckedRequest), Error> {
        self.refuse_without(request.integers())?;
        let (Some(first), Some(own)) = (request.integer(&self.cursor), request.integer(&self.limit_name)) else {
            return Err(refusal("its two parameters have no values".to_owned()));
        };
        let limit = self.limit.map_or(own, i64::from);
        if limit < 1 {
            return Err(refusal(format!("{} is {limit}; expected 1 or more", shown(&self.limit_name))));
        }
        let start = match (self.start, self.meaning) {
            (None, Meaning::Page) => Cursor::page(first, 0, limit),
            (None, Meaning::Offset) => Cursor::offset(first),
            (Some(Cursor::Page { limit: kept, .. }), Meaning::Page) if kept != limit => {
                return Err(refusal(format!(
                    "the cursor to start at lies in pages of {kept} rows, and {} asks for {limit}; ask for {kept}",
                    shown(&self.limit_name)
                )));
            }
            (Some(start @ Cursor::Page { .. }), Meaning::Page) | (Some(start @ Cursor::Offset(_)), Meaning::Offset) => {
                start
            }
            (Some(Cursor::Page { .. }), Meaning::Offset) => {
                return Err(refusal("the cursor to start at counts pages; read it with `Paging::by_page`".to_owned()));
            }
            (Some(Cursor::Offset(_)), Meaning::Page) => {
                return Err(refusal("the cursor to start at counts rows; read it with `Paging::by_offset`".to_owned()));
            }
        };
        let (Cursor::Page { number: at, .. } | Cursor::Offset(at)) = start;
        if at < 0 {
            return Err(refusal(format!("{} is {at}; expected 0 or more", shown(&self.cursor))));
        }
        let request = request.with_integer(&self.cursor, at).with_integer(&self.limit_name, limit);
        let parameter = self.cursor.clone();
        Ok((
            Plan {
                meaning: self.meaning,
                parameter,
                limit,
                start,
                alike: self.alike,
                repeats: self.repeats,
                ends: self.ends.clone(),
                ahead: self.ahead,
            },
            request,
        ))
    }

    fn refuse_without<'a>(&self, integers: impl Iterator<Item = &'a str>) -> Result<(), Error> {
        let integers: Vec<&str> = integers.collect();
        let wanted = [(&self.cursor, "cursor_parameter"), (&self.limit_name, "limit_parameter")];
        let missing: Vec<_> = wanted.into_iter().filter(|(name, _)| !integers.contains(&name.as_str())).collect();
        if !missing.is_empty() {
            let names: Vec<String> = missing.iter().map(|(name, _)| shown(name)).collect();
            let setters: Vec<String> = missing.iter().map(|(_, setter)| format!("`Paging::{setter}`")).collect();
            let found = match integers.as_slice() {
                [] => "it has none".to_owned(),
                found => format!("it has {}", found.iter().map(|name| shown(name)).collect::<Vec<_>>().join(", ")),
            };
            return Err(refusal(format!(
                "it has no Integer parameter {}: of that type {found}; name the right one by {}",
                names.join(" and no "),
                setters.join(" and ")
            )));
        }
        if self.cursor == self.limit_name {
            return Err(refusal(format!("{} cannot be both its cursor and its limit", shown(&self.cursor))));
        }
        Ok(())
    }
}

impl Default for Paging {
    fn default() -> Self {
        Self::by_page()
    }
}

fn refusal(detail: String) -> Error {
    Error::own(ErrorKind::Input, EXPORT_RUN.id, format!("the export cannot be read page by page: {detail}"))
}
