//! How an export is read page by page: what its two parameters are called and mean, where it starts, what a page holds.

use http::StatusCode;

use super::{
    checked::CheckedRequest,
    cursor::{Cursor, Key, Place},
    descriptor::Descriptor,
    format::RowFormat,
    name::shown,
    stream::Limits,
    value::Given,
};
use crate::{
    error::{Error, ErrorKind},
    generated::operations::EXPORT_RUN,
    lists::PAGE_SIZE,
    types::{ExportDataType, ExportParameter},
};

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

/// What a paging comes to for a request: everything is known and fits together.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) meaning: Meaning,
    pub(crate) parameter: String,
    pub(crate) limit: Option<i64>,
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

    /// The values of the parameters that were not given yet.
    pub(crate) fn missing(
        &self,
        export: &Descriptor,
        is_given: impl Fn(&str) -> bool,
    ) -> Result<Vec<(String, Given)>, Error> {
        self.refuse_without(export.parameters())?;
        let (first, limit) = match (self.start.as_ref().map(|start| &start.place), &self.meaning) {
            (Some(Place::Page { number, limit, .. }), _) => (Some(number.to_string()), *limit),
            (Some(Place::Offset(rows)), _) => (Some(rows.to_string()), None),
            (Some(Place::Key { value, .. }), _) => (Some(value.text()), None),
            (None, Meaning::Page) => (Some("1".to_owned()), None),
            (None, Meaning::Offset) => (Some("0".to_owned()), None),
            // The value before all others is the caller's to say.
            (None, Meaning::Key(_) | Meaning::Single) => (None, None),
        };
        let limit = self.limit.map(i64::from).or(limit).unwrap_or_else(|| PAGE_SIZE.get().into());
        let limit = self.limit_name.clone().map(|name| (name, limit.to_string()));
        let values = first.map(|first| (self.cursor.clone(), first)).into_iter().chain(limit);
        // As its data type reads it.
        Ok(values.filter(|(name, _)| !is_given(name)).map(|(name, text)| (name, Given::Text(text))).collect())
    }

    /// The plan for this request, and the request of its first page.
    pub(crate) fn settle(&self, request: &CheckedRequest) -> Result<(Plan, CheckedRequest), Error> {
        self.refuse_without(request.parameters())?;
        let number = |name: &str| request.number(name).ok_or_else(|| no_number(name));
        let limit = match &self.limit_name {
            Some(name) => Some((name, self.limit.map_or_else(|| number(name), |limit| Ok(limit.into()))?)),
            None if self.limit.is_some() => {
                return Err(refusal(
                    "a limit is set, and it has no parameter for one (`Paging::without_limit`)".to_owned(),
                ));
            }
            None => None,
        };
        if let Some((name, limit @ ..1)) = limit {
            return Err(refusal(format!("{} is {limit}; expected 1 or more", shown(name))));
        }
        let start = match &self.start {
            Some(start) => self.start_at(start, limit, request.key(&self.cursor))?,
            None => match &self.meaning {
                Meaning::Offset => Cursor::offset(number(&self.cursor)?),
                Meaning::Key(_) => Cursor::key(request.key(&self.cursor).ok_or_else(|| no_number(&self.cursor))?, 0),
                Meaning::Page | Meaning::Single => {
                    let (number, limit) = (number(&self.cursor)?, limit.map(|(_, limit)| limit));
                    Cursor::at(Place::Page { number, row: 0, limit })
                }
            },
        };
        if let Place::Page { number: at @ ..0, .. } | Place::Offset(at @ ..0) = start.place {
            return Err(refusal(format!("{} is {at}; expected 0 or more", shown(&self.cursor))));
        }
        let request = match limit {
            Some((name, limit)) => request.with(name, &limit.into()),
            None => request.clone(),
        };
        let limit = limit.map(|(_, limit)| limit);
        Ok((self.plan(self.meaning.clone(), limit, start), request))
    }

    /// The plan for an export with one page.
    pub(crate) fn single(&self) -> Result<Plan, Error> {
        let start = match &self.start {
            None => Cursor::at(Place::Page { number: 1, row: 0, limit: None }),
            Some(start) if matches!(start.place, Place::Page { number: 1, limit: None, .. }) => start.clone(),
            Some(_) => {
                let detail =
                    "it has no parameters for that, and the cursor to start at is none of an export with one page";
                return Err(refusal(detail.to_owned()));
            }
        };
        Ok(self.plan(Meaning::Single, None, start))
    }

    fn plan(&self, meaning: Meaning, limit: Option<i64>, start: Cursor) -> Plan {
        Plan {
            meaning,
            parameter: self.cursor.clone(),
            limit,
            start,
            alike: self.alike,
            repeats: self.repeats,
            ends: self.ends.clone(),
            ahead: self.ahead,
        }
    }

    /// The cursor to start at, where it fits.
    fn start_at(&self, start: &Cursor, limit: Option<(&String, i64)>, sent: Option<Key>) -> Result<Cursor, Error> {
        let refused = |detail: &str| Err(refusal(format!("the cursor to start at {detail}")));
        match (&start.place, &self.meaning) {
            (Place::Page { limit: kept, .. }, Meaning::Page) if *kept != limit.map(|(_, limit)| limit) => {
                let asked = limit.map(|(name, limit)| format!("{} asks for {limit}", shown(name)));
                let asked = asked.unwrap_or_else(|| "the paging has no limit".to_owned());
                match kept {
                    Some(kept) => refused(&format!("lies in pages of {kept} rows, and {asked}; ask for {kept}")),
                    None => {
                        refused(&format!("lies in pages without a limit, and {asked}; say `Paging::without_limit`"))
                    }
                }
            }
            (Place::Page { .. }, Meaning::Page) | (Place::Offset(_), Meaning::Offset) => Ok(start.clone()),
            (Place::Key { value, row }, Meaning::Key(_)) => match sent.and_then(|sent| value.like(&sent)) {
                Some(value) => Ok(Cursor { first_page: start.first_page, ..Cursor::key(value, *row) }),
                None => refused(&format!("is a string, and {} takes an integer", shown(&self.cursor))),
            },
            (Place::Page { .. }, _) => refused("counts pages; read it with `Paging::by_page`"),
            (Place::Offset(_), _) => refused("counts rows; read it with `Paging::by_offset`"),
            (Place::Key { .. }, _) => refused("is a key; read it with `Paging::by_key`"),
        }
    }

    /// Returns true where an export has none of the parameters of the paging.
    pub(crate) fn is_foreign_to(&self, export: &Descriptor) -> bool {
        let is_there = |name: &String| export.parameters().iter().any(|parameter| parameter.name == *name);
        !is_there(&self.cursor) && !self.limit_name.as_ref().is_some_and(is_there)
    }

    fn refuse_without(&self, parameters: &[ExportParameter]) -> Result<(), Error> {
        let fitting = [ExportDataType::Integer, ExportDataType::Text];
        let fitting = parameters.iter().filter(|parameter| fitting.contains(&parameter.data_type));
        let fitting: Vec<&str> = fitting.map(|parameter| parameter.name.as_str()).collect();
        let limit = self.limit_name.as_ref().map(|name| (name, "limit_parameter"));
        let wanted = [(&self.cursor, "cursor_parameter")].into_iter().chain(limit);
        let missing: Vec<_> = wanted.filter(|(name, _)| !fitting.contains(&name.as_str())).collect();
        if !missing.is_empty() {
            let names: Vec<String> = missing.iter().map(|(name, _)| shown(name)).collect();
            let setters: Vec<String> = missing.iter().map(|(_, setter)| format!("`Paging::{setter}`")).collect();
            let found = match fitting.as_slice() {
                [] => "none".to_owned(),
                found => found.iter().map(|name| shown(name)).collect::<Vec<_>>().join(", "),
            };
            let lacks_limit = missing.iter().any(|(_, setter)| *setter == "limit_parameter");
            return Err(refusal(format!(
                "it has no Integer or Text parameter {}: of these types it has {found}; name the right one by {}{}",
                names.join(" and no "),
                setters.join(" and "),
                if lacks_limit {
                    ", or say `Paging::without_limit` where it has none for the rows of a page"
                } else {
                    ""
                }
            )));
        }
        if self.limit_name.as_ref() == Some(&self.cursor) {
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

fn no_number(name: &str) -> Error {
    refusal(format!("the value of {} is no number; expected digits such as `1`", shown(name)))
}
