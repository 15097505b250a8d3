//! An export as one stream of rows, page behind page: the next one is fetched while this one is read.

pub(super) mod cursor;
pub(super) mod fingerprinted_row;
pub(super) mod pager;
pub(super) mod paging;
pub(super) mod report;

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
    cursor::Cursor,
    fingerprinted_row::{FingerprintedRow, WithRaw},
    pager::Pager,
    paging::{Meaning, Paging, Plan},
    report::PageReport,
};
use crate::exports::{
    catalog::checked::CheckedRequest,
    rows::raw::{FromRow, RawRow},
    rows::reader::in_row,
    rows::stream::{ExportStream, Limits},
    values::key::Key,
};
use crate::{
    client::Perenso,
    error::{Error, ErrorKind},
    generated::operations::EXPORT_RUN,
};

/// The headers of a page have come; its rows come when they are asked for.
struct FetchedPage<T> {
    rows: BoxStream<'static, Result<FingerprintedRow<T>, Error>>,
    attempts: u32,
}

type Fetch<T> = BoxFuture<'static, Result<FetchedPage<T>, Error>>;

/// How a page is fetched, by the value of the parameter that says which.
type Source<T> = Arc<dyn Fn(&Key) -> Fetch<T> + Send + Sync>;

/// An export with a cursor as one stream of rows.
///
/// Rows come in the order of the server. The stream ends behind an empty page and nowhere else: a short page is no end,
/// since the server may cap its pages ([`Paging::end`] adds other ends). A page that repeats any earlier one, or overlaps
/// the one before, is an error of kind [`ErrorKind::Paging`], and no row of it that stood there already is handed out.
/// (A page that repeats an earlier one in another order is found at its end.)
///
/// A row that does not fit is an error of kind [`ErrorKind::Row`] that names its page and its number on it; the stream
/// goes on with the next row. Every other error ends the stream, and [`cursor`](Self::cursor) is the place to go on.
///
/// The next page is asked for while this one is read, by a task that ends with the stream; nothing of its rows is read
/// before their turn. A page that was fetched ahead and fails in passing before its first row is fetched once more when
/// its turn has come. One that breaks off later, since the server tired of holding it, is an error as on every page: see
/// [`Paging::fetch_ahead`].
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
/// // A job that ends here goes on with the next row when it starts again.
/// let kept = serde_json::to_string(&customers.cursor())?;
/// let paging = Paging::by_page().start(serde_json::from_str(&kept)?);
/// let mut customers = run().pages::<Customer>(paging).await?;
/// let rest: Vec<Customer> = (&mut customers).try_collect().await?;
///
/// assert_eq!(first.len() + rest.len(), 45);
/// println!("{}", customers.report());
/// # assert_eq!(customers.report().given, 10);
/// # Ok(()) }
/// ```
#[must_use = "streams do nothing unless polled"]
pub struct Pages<T> {
    source: Source<T>,
    walk: Pager,
    state: State<T>,
    ahead: Option<Ahead<T>>,
    /// Rows with the place behind each: one at most, but for those that are held back.
    held: VecDeque<(Cursor, Result<T, Error>)>,
    cursor: Cursor,
}

enum State<T> {
    Opening {
        fetch: Fetch<T>,
        ahead: bool,
    },
    Reading {
        rows: BoxStream<'static, Result<FingerprintedRow<T>, Error>>,
        /// Whether the page was fetched ahead.
        ahead: bool,
    },
    Over,
}

/// A page that is fetched while another one is read. The task ends when this is dropped.
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
        let (plan, request) = paging.settle(request)?;
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
        let walk = Pager::new(plan);
        let state = State::Opening { fetch: source(&walk.at()), ahead: false };
        Self { source, walk, state, ahead: None, held: VecDeque::new(), cursor }
    }

    /// A row came, or what is wrong with it.
    fn take(&mut self, mark: Option<u64>, raw: Option<RawRow>, row: Result<T, Error>) -> Result<(), Error> {
        let row = row.map_err(|error| error.within(&self.walk.page()));
        if let Some(behind) = self.walk.row(mark, raw)? {
            self.held.push_back((behind, row));
        }
        if let Some(at) = self.walk.ahead() {
            let mut task = JoinSet::new();
            task.spawn((self.source)(&at).in_current_span());
            self.ahead = Some(Ahead { at, task });
        }
        Ok(())
    }

    /// The page ended: on to the next one.
    fn turn(&mut self) -> Result<State<T>, Error> {
        let next = self.walk.end()?;
        let ahead = self.ahead.take();
        if ahead.as_ref().is_some_and(|ahead| Some(&ahead.at) != next.as_ref()) {
            self.walk.report.discarded += 1;
        }
        let Some(next) = next else { return Ok(State::Over) };
        let source = Arc::clone(&self.source);
        Ok(match ahead {
            Some(Ahead { at, mut task }) if at == next => {
                let fetch = async move {
                    match task.join_next().await {
                        Some(Ok(fetched)) => fetched,
                        // The runtime of the task ended before it.
                        _ => source(&next).await,
                    }
                };
                State::Opening { fetch: fetch.boxed(), ahead: true }
            }
            _ => State::Opening { fetch: source(&next), ahead: false },
        })
    }

    /// A page that was fetched ahead failed before its first row, some time ago perhaps: what went wrong then is no
    /// reason to end now.
    fn again(&mut self, attempts: u32) {
        self.walk.report.retries += u64::from(attempts);
        self.state = State::Opening { fetch: (self.source)(&self.walk.at()), ahead: false };
    }

    /// One step on the way to the next row.
    fn step(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Error>> {
        match &mut self.state {
            State::Opening { fetch, ahead } => {
                let ahead = *ahead;
                match ready!(fetch.poll_unpin(context)) {
                    Ok(leaf) => {
                        self.walk.report.retries += u64::from(leaf.attempts.saturating_sub(1));
                        self.state = State::Reading { rows: leaf.rows, ahead };
                    }
                    Err(error) if error.status().is_some_and(|status| self.walk.ends_with(status)) => self.close(),
                    Err(error) if ahead && error.is_transient() => self.again(error.attempts()),
                    Err(error) => return Poll::Ready(Err(error.within(&self.walk.page()))),
                }
            }
            State::Reading { rows, ahead } => match ready!(rows.poll_next_unpin(context)) {
                Some(Ok(FingerprintedRow { mark, row, raw })) => {
                    let number = self.walk.came() + 1;
                    let unfit = |misfit| Error::of_row(EXPORT_RUN.id, number, in_row(number, &misfit));
                    self.take(Some(mark), raw, row.map_err(unfit))?;
                }
                Some(Err(error)) if error.kind() == ErrorKind::Row => self.take(None, None, Err(error))?,
                Some(Err(error)) if *ahead && self.walk.came() == 0 && error.is_transient() => self.again(1),
                Some(Err(error)) => return Poll::Ready(Err(error.within(&self.walk.page()))),
                None => self.state = self.turn()?,
            },
            State::Over => {}
        }
        Poll::Ready(Ok(()))
    }
}

impl<T> Pages<T> {
    /// The place behind the row that was handed out last, those that do not fit included: a stream that
    /// [starts](Paging::start) there goes on with the next row, as long as rows do not move on the server.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        self.cursor.clone()
    }

    /// What came of it so far; whole when the stream has ended.
    #[must_use]
    pub fn report(&self) -> PageReport {
        self.walk.report
    }

    fn close(&mut self) {
        self.state = State::Over;
        self.ahead = None;
        self.held.clear();
    }
}

impl<T: Send + 'static> Stream for Pages<T> {
    type Item = Result<T, Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if !self.walk.holds()
                && let Some((behind, row)) = self.held.pop_front()
            {
                self.cursor = behind;
                self.walk.report.rows += 1;
                self.walk.report.misfits += u64::from(row.is_err());
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
        f.debug_struct("Pages").field("cursor", &self.cursor).field("report", &self.walk.report).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
