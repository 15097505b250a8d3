//! The builder of a list: sort and filter, then read one response, pages or records.

use std::{borrow::Cow, fmt, num::NonZeroU32, sync::Arc};

use futures_util::Stream;
use http::Method;
use serde::{Serialize, de::DeserializeOwned};

use super::{
    pager::{Page, Records, Source},
    position::Position,
};
use crate::{
    client::Perenso,
    error::{Error, ErrorKind},
    paging::PAGE_SIZE,
    records::Timestamp,
    runtime::Operation,
};

/// The sort direction of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Direction {
    /// `asc`, as in the vendor's sample.
    Ascending,
    /// `desc`, which is inferred: the vendor shows no sample.
    Descending,
}

/// A list of records.
///
/// See the guide to [lists and bulk](crate::guide::lists_and_bulk).
///
/// ```no_run
/// # async fn example(show: perenso::Perenso) -> Result<(), perenso::Error> {
/// use futures_util::TryStreamExt;
/// use perenso::Direction;
///
/// let customers = show.customers().list().sort("customerID", Direction::Ascending);
/// let mut customers = customers.stream();
/// while let Some(customer) = customers.try_next().await? {
///     println!("{:?}", customer.customer_id);
/// }
/// # Ok(()) }
/// ```
#[must_use = "a list is read by `send`, `page`, `pages` or `stream`"]
pub struct List<T> {
    show: Perenso,
    operation: &'static str,
    path: Cow<'static, str>,
    query: Vec<(Cow<'static, str>, String)>,
    since: &'static str,
    page_size: NonZeroU32,
    start: Position,
    key: fn(&T) -> Option<&str>,
    allow_repeats: bool,
    problem: Option<String>,
}

impl<T> Clone for List<T> {
    fn clone(&self) -> Self {
        Self {
            show: self.show.clone(),
            operation: self.operation,
            path: self.path.clone(),
            query: self.query.clone(),
            since: self.since,
            page_size: self.page_size,
            start: self.start,
            key: self.key,
            allow_repeats: self.allow_repeats,
            problem: self.problem.clone(),
        }
    }
}

impl<T> List<T> {
    pub(crate) fn new(show: &Perenso, operation: &'static Operation, key: fn(&T) -> Option<&str>) -> Self {
        Self::at(show, operation.id, Cow::Borrowed(operation.path), key)
    }

    pub(crate) fn at(
        show: &Perenso,
        operation: &'static str,
        path: Cow<'static, str>,
        key: fn(&T) -> Option<&str>,
    ) -> Self {
        Self {
            show: show.clone(),
            operation,
            path,
            query: Vec::new(),
            since: "modifiedAfter",
            page_size: PAGE_SIZE,
            start: Position::default(),
            key,
            allow_repeats: false,
            problem: None,
        }
    }

    pub(crate) fn operation(&self) -> &'static str {
        self.operation
    }

    /// Returns the id of this record, if it has one.
    pub(crate) fn id_of<'t>(&self, record: &'t T) -> Option<&'t str> {
        (self.key)(record)
    }

    /// Sets the name of the query parameter of [`modified_after`](Self::modified_after).
    pub(crate) fn modified_after_parameter(mut self, name: &'static str) -> Self {
        self.since = name;
        self
    }

    /// Requests only records whose `modifiedDate` is after this timestamp.
    ///
    /// Sent as `datelastmodified` for orders and as `modifiedAfter` for everything else. The vendor's sample is a date,
    /// `2025-01-31` (a `chrono::NaiveDate`); the zone of a time of day is not documented.
    ///
    /// Pages of such a list shift while records change. To read all changes in repeated runs, use
    /// [`changes`](crate::Changes).
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// use futures_util::TryStreamExt;
    /// use chrono::NaiveDate;
    ///
    /// let day = NaiveDate::from_ymd_opt(2025, 1, 31).ok_or("no such day")?;
    /// let changed = show.customers().list().modified_after(day);
    /// let changed: Vec<_> = changed.stream().try_collect().await?;
    /// # Ok(()) }
    /// ```
    #[doc(alias("modifiedAfter", "datelastmodified"))]
    pub fn modified_after(self, time: impl Into<Timestamp>) -> Self {
        let name = self.since;
        self.filter_time(name, time.into())
    }

    /// Adds a query parameter that is a timestamp. An invalid one fails when the list is read.
    pub(crate) fn filter_time(mut self, name: &'static str, time: Timestamp) -> Self {
        if time.date().is_none() {
            self.problem = Some(format!(
                "`{name}` is not a timestamp: expected a date such as 2025-01-31, with or without a time"
            ));
        }
        self.filter(name, time.as_str().to_owned())
    }

    /// Sets the sort order: the JSON name of a field, and a direction.
    pub fn sort(self, field: impl fmt::Display, direction: Direction) -> Self {
        let direction = match direction {
            Direction::Ascending => "asc",
            Direction::Descending => "desc",
        };
        self.filter("sort", format!("{field}:{direction}"))
    }

    /// Sets a query parameter, replacing one of the same name.
    ///
    /// ```no_run
    /// # async fn example(show: perenso::Perenso) -> Result<(), Box<dyn std::error::Error>> {
    /// // A filter without a method of its own.
    /// let regular = show.orders().list().filter("ordertype", "REGULAR").send().await?;
    /// # Ok(()) }
    /// ```
    pub fn filter(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<String>) -> Self {
        let name = name.into();
        self.query.retain(|(other, _)| *other != name);
        self.query.push((name, value.into()));
        self
    }

    /// Sets the page size. Defaults to 100; zero counts as one. The server may return fewer records.
    #[doc(alias("resultsPerPage"))]
    pub fn page_size(mut self, records: u32) -> Self {
        let size = NonZeroU32::new(records).unwrap_or(NonZeroU32::MIN);
        if self.start.page > 1 || self.start.item > 0 {
            if size != self.page_size {
                let kept = self.page_size;
                self.problem = Some(format!(
                    "`page_size` is {size}, but the position of `start_at` has pages of {kept}: omit `page_size` or `start_at`"
                ));
            }
            return self;
        }
        self.page_size = size;
        self
    }

    /// Accepts a page without ids that equals an earlier one. A page whose records have ids is still an error, since an id
    /// occurs once.
    ///
    /// By default such a page is an error: usually the server does not page the list, or starts again after the last page.
    pub fn allow_repeats(mut self) -> Self {
        self.allow_repeats = true;
        self
    }

    /// Sets the [`Position`] at which [`pages`](Self::pages) and [`stream`](Self::stream) start, and its page size. It overrides
    /// an earlier [`page_size`](Self::page_size); a later one must be equal.
    pub fn start_at(mut self, position: Position) -> Self {
        self.page_size = NonZeroU32::new(position.page_size).unwrap_or(NonZeroU32::MIN);
        self.start = position;
        self
    }
}

impl<T: Serialize + DeserializeOwned + Send + 'static> List<T> {
    /// Reads the list as one response, without paging parameters. The server decides how many records it contains.
    ///
    /// # Errors
    /// The call fails, or its response cannot be read.
    pub async fn send(self) -> Result<Vec<T>, Error> {
        self.fetch(None).await
    }

    /// Reads one page by its number, from 1. A page after the end is empty.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// let page = show.customers().list().page_size(20).page(2).await?;
    /// assert_eq!((page.number, page.items.len()), (2, 20));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// The call fails, or its response cannot be read.
    pub async fn page(self, number: u64) -> Result<Page<T>, Error> {
        Ok(Page { number, items: self.fetch(Some(number)).await? })
    }

    /// Returns a stream of pages, each fetched when it is polled. The stream ends at an empty page; a short page does not end
    /// it, since the server may cap its page size.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let sandbox = perenso_sandbox::Sandbox::start().await?;
    /// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
    /// use std::pin::pin;
    /// use futures_util::TryStreamExt;
    ///
    /// let mut pages = pin!(show.customers().list().page_size(20).pages());
    /// while let Some(page) = pages.try_next().await? {
    ///     println!("page {}: {} records", page.number, page.items.len());
    /// }
    /// # Ok(()) }
    /// ```
    pub fn pages(self) -> impl Stream<Item = Result<Page<T>, Error>> + Send + use<T> {
        let start = self.start;
        self.source().pages(start)
    }

    /// Returns a stream of records.
    ///
    /// The stream ends with an error when a page repeats an earlier page or shares a record with the previous one. It yields
    /// no record of such a page. A record that moves to a page already read is missed without an error; see
    /// [`changes`](crate::Changes).
    pub fn stream(self) -> Records<T> {
        let mut start = self.start;
        start.page_size = self.page_size.get();
        Records::new(self.source(), start)
    }

    fn source(self) -> Source<T> {
        let (operation, asked, key, allow_repeats) = (self.operation, self.page_size, self.key, self.allow_repeats);
        let fetch = move |number| {
            let list = self.clone();
            Box::pin(async move { list.fetch(Some(number)).await }) as _
        };
        Source { operation, asked, fetch: Arc::new(fetch), key, allow_repeats }
    }

    async fn fetch(&self, page: Option<u64>) -> Result<Vec<T>, Error> {
        if let Some(problem) = &self.problem {
            return Err(Error::own(ErrorKind::Input, self.operation, problem.clone()));
        }
        if page == Some(0) {
            return Err(Error::own(ErrorKind::Input, self.operation, "pages are numbered from 1"));
        }
        let paged = |name: &str| page.is_some() && ["page", "resultsPerPage"].contains(&name);
        let mut request = self.show.request(Method::GET, self.path.clone()).operation(self.operation);
        for (name, value) in self.query.iter().filter(|(name, _)| !paged(name)) {
            request = request.query(name.as_ref(), value);
        }
        if let Some(page) = page {
            request = request.query("page", page).query("resultsPerPage", self.page_size);
        }
        // The server may send `null` for an empty list.
        let records: Option<Vec<T>> = request.send_json().await?;
        Ok(records.unwrap_or_default())
    }
}

impl<T> fmt::Debug for List<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("List").field("operation", &self.operation).field("start", &self.start).finish_non_exhaustive()
    }
}
