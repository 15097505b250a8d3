//! An export as one stream of rows: each page is fetched while the page before it is read.

pub(super) mod fingerprinted_row;
pub(super) mod paging;
mod resolve;

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_util::{FutureExt, Stream, StreamExt, TryStreamExt, future::BoxFuture, stream::BoxStream};
use tokio::task::JoinSet;
use tracing::Instrument;

use self::{
    fingerprinted_row::{FingerprintedRow, WithRaw},
    paging::Paging,
};
use crate::exports::{
    catalog::checked::CheckedRequest,
    rows::raw::{FromRow, RawRow},
    rows::reader::in_row,
    rows::stream::{ExportStream, Limits},
};
use crate::{
    client::Perenso,
    error::{Error, ErrorKind},
    generated::operations::EXPORT_RUN,
    paging::{Cursor, Key, Meaning, PageReport, Pager, Plan},
};

/// A page whose headers have arrived. Its rows are read when polled.
struct FetchedPage<T> {
    rows: BoxStream<'static, Result<FingerprintedRow<T>, Error>>,
    attempts: u32,
}

type Fetch<T> = BoxFuture<'static, Result<FetchedPage<T>, Error>>;

/// Fetches a page by the value of the page parameter.
type Source<T> = Arc<dyn Fn(&Key) -> Fetch<T> + Send + Sync>;

/// A stream of the rows of an export that has pages.
///
/// The rows are in the order of the server. The stream ends at an empty page; a short page is not the end, since the server
/// may cap its pages ([`Paging::end`] adds other ends). A page that repeats any earlier page, or overlaps the one before it,
/// is an error of kind [`ErrorKind::Paging`], and none of its repeated rows is returned. The exception is a page that repeats
/// an earlier one in another order: it is detected at its end, after its rows were returned.
///
/// A row that does not fit is an error of kind [`ErrorKind::Row`] that names its page and its number on the page. The stream
/// continues with the next row. Every other error ends the stream; resume from its [`cursor`](Self::cursor).
///
/// A task requests the next page while this one is read, and ends with the stream. It reads the response headers only. If a page
/// that was fetched ahead fails with a transient error and none of its rows was read, it is requested once more in its turn.
/// After its first row, an error ends the stream as on any other page: see [`Paging::fetch_ahead`].
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::builder().customers(45).page_cap(10).start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// use futures_util::{StreamExt, TryStreamExt};
/// use perenso::{exports::Paging, types::Customer};
///
/// let run = || show.exports().run("Get API Customers");
/// let mut customers = run().pages::<Customer>(Paging::by_page().limit(20)).await?;
/// let first: Vec<Customer> = (&mut customers).take(17).try_collect().await?;
///
/// // Another run resumes with the next row.
/// let kept = serde_json::to_string(&customers.cursor())?;
/// let paging = Paging::by_page().start(serde_json::from_str(&kept)?);
/// let mut customers = run().pages::<Customer>(paging).await?;
/// let rest: Vec<Customer> = (&mut customers).try_collect().await?;
///
/// assert_eq!(first.len() + rest.len(), 45);
/// println!("{}", customers.report());
/// # assert_eq!(customers.report().largest, 10);
/// # Ok(()) }
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct Pages<T> {
    source: Source<T>,
    pager: Pager,
    state: State<T>,
    ahead: Option<Ahead<T>>,
    /// The last row so far, if it contains the next key.
    last: Option<RawRow>,
    /// Rows to return, each with the cursor after it. At most one, unless the pager withholds rows that may be repeated.
    ready: VecDeque<(Cursor, Result<T, Error>)>,
    cursor: Cursor,
}

enum State<T> {
    Opening {
        fetch: Fetch<T>,
        ahead: bool,
    },
    Reading {
        rows: BoxStream<'static, Result<FingerprintedRow<T>, Error>>,
        /// The page was fetched ahead.
        ahead: bool,
    },
    Over,
}

/// A page that is fetched while another one is read. Dropping it ends the task.
struct Ahead<T> {
    at: Key,
    task: JoinSet<Result<FetchedPage<T>, Error>>,
}

impl<T: FromRow + Send + 'static> Pages<T> {
    pub(crate) fn new(
        show: &Perenso,
        request: &CheckedRequest,
        paging: &Paging,
        limits: Limits,
    ) -> Result<Self, Error> {
        let (plan, request) = paging.resolve(request)?;
        Ok(Self::planned(show, request, plan, paging.limits(limits)))
    }

    /// An export with one page.
    pub(crate) fn single(
        show: &Perenso,
        request: CheckedRequest,
        paging: &Paging,
        limits: Limits,
    ) -> Result<Self, Error> {
        Ok(Self::planned(show, request, paging.single()?, paging.limits(limits)))
    }

    fn planned(show: &Perenso, request: CheckedRequest, plan: Plan, limits: Limits) -> Self {
        let (show, parameter) = (show.streaming(), plan.parameter.clone());
        let is_by_key = matches!(plan.meaning, Meaning::Key(_));
        let source = move |at: &Key| -> Fetch<T> {
            let (show, request) = (show.clone(), request.with(&parameter, at));
            let limits = limits.clone();
            async move {
                let response = request.send(&show).await?;
                let attempts = response.attempts();
                let stream = ExportStream::new(response).limited(limits);
                let rows = match is_by_key {
                    true => stream.rows::<WithRaw<T>>()?.map_ok(|WithRaw(row)| row).boxed(),
                    false => stream.rows::<FingerprintedRow<T>>()?.boxed(),
                };
                Ok(FetchedPage { rows, attempts })
            }
            .boxed()
        };
        Self::of(Arc::new(source), plan)
    }
}

impl<T: Send + 'static> Pages<T> {
    fn of(source: Source<T>, plan: Plan) -> Self {
        let cursor = plan.start.clone();
        let pager = Pager::new(plan);
        let state = State::Opening { fetch: source(&pager.at()), ahead: false };
        Self { source, pager, state, ahead: None, last: None, ready: VecDeque::new(), cursor }
    }

    /// Adds a row, or its error.
    fn add_row(&mut self, hash: Option<u64>, raw: Option<RawRow>, row: Result<T, Error>) -> Result<(), Error> {
        let row = row.map_err(|error| error.within(&self.pager.page()));
        self.last = raw;
        if let Some(cursor) = self.pager.row(self.pager.identity(), hash)? {
            self.ready.push_back((cursor, row));
        }
        if let Some(at) = self.pager.ahead() {
            let mut task = JoinSet::new();
            task.spawn((self.source)(&at).in_current_span());
            self.ahead = Some(Ahead { at, task });
        }
        Ok(())
    }

    /// Ends the page and opens the next one.
    fn turn_page(&mut self) -> Result<State<T>, Error> {
        let last = self.last.take();
        let next = self.pager.end(|column, sent| {
            let key = last.as_ref().map_or(Err("a row that cannot be read"), |row| row.key(column))?;
            key.like(sent).ok_or("a string that is no integer")
        })?;
        let ahead = self.ahead.take();
        if ahead.as_ref().is_some_and(|ahead| Some(&ahead.at) != next.as_ref()) {
            self.pager.report.discarded += 1;
        }
        let Some(next) = next else { return Ok(State::Over) };
        let source = Arc::clone(&self.source);
        Ok(match ahead {
            Some(Ahead { at, mut task }) if at == next => {
                let fetch = async move {
                    match task.join_next().await {
                        Some(Ok(fetched)) => fetched,
                        // The runtime of the task has ended.
                        _ => source(&next).await,
                    }
                };
                State::Opening { fetch: fetch.boxed(), ahead: true }
            }
            _ => State::Opening { fetch: source(&next), ahead: false },
        })
    }

    /// Requests a page again that was fetched ahead and failed before its first row. The failure may be old, so it is ignored.
    fn refetch(&mut self, attempts: u32) {
        self.pager.report.retries += u64::from(attempts);
        self.state = State::Opening { fetch: (self.source)(&self.pager.at()), ahead: false };
    }

    /// Makes one step towards the next row.
    fn step(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match &mut self.state {
            State::Opening { fetch, ahead } => {
                let ahead = *ahead;
                match ready!(fetch.poll_unpin(context)) {
                    Ok(page) => {
                        self.pager.report.retries += u64::from(page.attempts.saturating_sub(1));
                        self.state = State::Reading { rows: page.rows, ahead };
                    }
                    Err(error) if error.status().is_some_and(|status| self.pager.ends_with(status)) => self.close(),
                    Err(error) if ahead && error.is_transient() => self.refetch(error.attempts()),
                    Err(error) => return Poll::Ready(Err(error.within(&self.pager.page()))),
                }
            }
            State::Reading { rows, ahead } => match ready!(rows.poll_next_unpin(context)) {
                Some(Ok(FingerprintedRow { hash, row, raw })) => {
                    let number = self.pager.received() + 1;
                    let failed = |mismatch| Error::of_row(EXPORT_RUN.id, number, in_row(number, &mismatch));
                    self.add_row(Some(hash), raw, row.map_err(failed))?;
                }
                Some(Err(error)) if error.kind() == ErrorKind::Row => self.add_row(None, None, Err(error))?,
                Some(Err(error)) if *ahead && self.pager.received() == 0 && error.is_transient() => self.refetch(1),
                Some(Err(error)) => return Poll::Ready(Err(error.within(&self.pager.page()))),
                None => self.state = self.turn_page()?,
            },
            State::Over => {}
        }
        Poll::Ready(Ok(()))
    }
}

impl<T> Pages<T> {
    /// Returns the position after the last row, including rows that do not fit. A stream that [starts](Paging::start) there
    /// continues with the next row, unless rows moved on the server in the meantime.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.cursor.clone()
    }

    /// Returns the counts so far.
    #[must_use]
    pub fn report(&self) -> PageReport {
        self.pager.report
    }

    fn close(&mut self) {
        self.state = State::Over;
        self.ahead = None;
        self.ready.clear();
    }
}

impl<T: Send + 'static> Stream for Pages<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if !self.pager.withholds()
                && let Some((cursor, row)) = self.ready.pop_front()
            {
                self.cursor = cursor;
                self.pager.report.rows += 1;
                self.pager.report.mismatches += u64::from(row.is_err());
                return Poll::Ready(Some(row));
            }
            if matches!(self.state, State::Over) {
                return Poll::Ready(None);
            }
            if let Err(error) = ready!(self.step(context)) {
                self.close();
                return Poll::Ready(Some(Err(error)));
            }
        }
    }
}

impl<T> Unpin for Pages<T> {}

impl<T> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("cursor", &self.cursor)
            .field("report", &self.pager.report)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
