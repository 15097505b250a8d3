//! Lists page by page: a stream that ends at an empty page only, and never goes round in circles.

use std::{collections::HashSet, future::Future, hash::BuildHasher, num::NonZeroU32, pin::Pin, sync::Arc};

use futures_util::{Stream, StreamExt, TryStreamExt, stream::try_unfold};
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind};

/// How many records a page is asked for where the caller does not say.
pub(crate) const PAGE_SIZE: NonZeroU32 = NonZeroU32::new(100).unwrap();

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T> {
    /// Its number, from 1.
    pub number: u64,
    /// Its records, in the order of the server.
    pub items: Vec<T>,
}

/// A place in a list that can be kept and gone back to: the number of a page, how many of its records were read, and how
/// many a page was asked for, since pages of another size lie elsewhere.
///
/// ```
/// use perenso::Position;
///
/// let kept = serde_json::to_string(&Position::new(7, 25, 100)).unwrap();
/// assert_eq!(serde_json::from_str::<Position>(&kept).unwrap(), Position::new(7, 25, 100));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Position {
    /// The number of the page, from 1.
    pub page: u64,
    /// How many records of that page were read.
    pub item: u64,
    /// How many records a page was asked for.
    pub page_size: u32,
}

impl Position {
    /// This place.
    #[must_use]
    pub const fn new(page: u64, item: u64, page_size: u32) -> Self {
        Self { page, item, page_size }
    }
}

impl Default for Position {
    /// The beginning: nothing read of page 1.
    fn default() -> Self {
        Self::new(1, 0, PAGE_SIZE.get())
    }
}

type Fetched<T> = Pin<Box<dyn Future<Output = Result<Vec<T>, Error>> + Send>>;

/// How pages are fetched: a function of the page's number, and what tells one record from another.
pub(crate) struct Source<T> {
    pub(crate) operation: &'static str,
    pub(crate) asked: NonZeroU32,
    pub(crate) fetch: Arc<dyn Fn(u64) -> Fetched<T> + Send + Sync>,
    pub(crate) key: fn(&T) -> Option<&str>,
}

impl<T> Clone for Source<T> {
    fn clone(&self) -> Self {
        Self { operation: self.operation, asked: self.asked, fetch: Arc::clone(&self.fetch), key: self.key }
    }
}

struct Walk<T> {
    source: Source<T>,
    next: u64,
    before: Marks,
    short: bool,
}

/// What is remembered of a page: enough to know it, or a part of it, again.
#[derive(Default)]
struct Marks {
    keys: HashSet<u64>,
    whole: Option<u64>,
}

impl<T: Serialize + Send + 'static> Source<T> {
    /// Page after page, to the first empty one.
    pub(crate) fn pages(self, start: u64) -> impl Stream<Item = Result<Page<T>, Error>> + Send + use<T> {
        let walk = Walk { source: self, next: start.max(1), before: Marks::default(), short: false };
        let hasher = std::hash::RandomState::new();
        try_unfold((walk, hasher), |(mut walk, hasher)| async move {
            let number = walk.next;
            let items = (walk.source.fetch)(number).await?;
            if items.is_empty() {
                return Ok(None);
            }
            let marks = walk.marks(&items, &hasher);
            walk.follows(number, &marks)?;
            walk.notice(number, items.len());
            walk.before = marks;
            walk.next += 1;
            Ok(Some((Page { number, items }, (walk, hasher))))
        })
    }

    /// Record after record from this place, each with the place behind it.
    pub(crate) fn records(self, start: Position) -> impl Stream<Item = Result<(T, Position), Error>> + Send + use<T> {
        let (operation, asked) = (self.operation, self.asked.get());
        self.pages(start.page)
            .and_then(move |page| async move {
                let skip = if page.number == start.page { start.item } else { 0 };
                let skip = usize::try_from(skip).unwrap_or(usize::MAX);
                if page.items.len() < skip {
                    let (number, found) = (page.number, page.items.len());
                    let detail =
                        format!("{skip} records were read of page {number}, which holds {found}: records moved");
                    return Err(Error::own(ErrorKind::Paging, operation, detail));
                }
                let records = page.items.into_iter().zip(1u64..).skip(skip);
                let behind = records.map(move |(item, read)| Ok((item, Position::new(page.number, read, asked))));
                Ok(futures_util::stream::iter(behind))
            })
            .try_flatten()
    }
}

impl<T: Serialize> Walk<T> {
    fn marks(&self, items: &[T], hasher: &impl BuildHasher) -> Marks {
        let keys = items.iter().filter_map(|item| (self.source.key)(item)).map(|key| hasher.hash_one(key)).collect();
        let whole = serde_json::to_vec(items).ok().map(|text| hasher.hash_one(text));
        Marks { keys, whole }
    }

    fn follows(&self, number: u64, marks: &Marks) -> Result<(), Error> {
        let repeats = self.before.whole.is_some() && self.before.whole == marks.whole;
        let overlaps = !self.before.keys.is_disjoint(&marks.keys);
        if !repeats && !overlaps {
            return Ok(());
        }
        let what = if repeats { "repeats" } else { "holds records of" };
        let before = number - 1;
        Err(Error::own(
            ErrorKind::Paging,
            self.source.operation,
            format!(
                "page {number} {what} page {before}: either the server does not page this list, and then it is to be read \
                 as one page, or records moved while it was read, and then a fixed `sort` helps"
            ),
        ))
    }

    /// A short page is no end: the server may cap its pages. It is said once, and quietly: the last page mostly is one.
    fn notice(&mut self, number: u64, received: usize) {
        let asked = self.source.asked.get();
        if !self.short && received < asked as usize {
            self.short = true;
            tracing::debug!(
                operation = self.source.operation,
                page = number,
                asked,
                received,
                "a short page: going on to the next"
            );
        }
    }
}

/// Records, each with the place behind it.
type Steps<T> = Pin<Box<dyn Stream<Item = Result<(T, Position), Error>> + Send>>;

/// A list as a stream of records whose place can be read at any time.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::builder().client_id(sandbox.client_id()).client_secret(sandbox.client_secret());
/// # let show = show.api_url(sandbox.url()).token_url(sandbox.token_url()).build()?;
/// use futures_util::TryStreamExt;
///
/// let mut customers = show.customers().list().stream();
/// while let Some(customer) = customers.try_next().await? {
///     println!("{customer:?}");
///     // Keep this with what you did with the record: `List::start_at` goes on behind it.
///     let position = customers.position();
/// }
/// # Ok(()) }
/// ```
pub struct Records<T> {
    inner: Steps<T>,
    position: Position,
}

impl<T: Serialize + Send + 'static> Records<T> {
    pub(crate) fn new(source: Source<T>, start: Position) -> Self {
        Self { inner: Box::pin(source.records(start)), position: start }
    }
}

impl<T> Records<T> {
    /// The place behind the record that came last: a list that starts there goes on with the next one, as long as
    /// nothing moved.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }
}

impl<T> Stream for Records<T> {
    type Item = Result<T, Error>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        self.inner.poll_next_unpin(context).map(|next| {
            next.map(|result| {
                result.map(|(item, position)| {
                    self.position = position;
                    item
                })
            })
        })
    }
}

impl<T> std::fmt::Debug for Records<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Records").field("position", &self.position).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn source(pages: Vec<Vec<String>>, asked: u32) -> Source<String> {
        let fetch = move |number: u64| {
            let page = pages.get(usize::try_from(number - 1).unwrap()).cloned().unwrap_or_default();
            Box::pin(async move { Ok(page) }) as Fetched<String>
        };
        Source {
            operation: "thing_list",
            asked: NonZeroU32::new(asked).unwrap(),
            fetch: Arc::new(fetch),
            key: |item| item.strip_prefix("id-"),
        }
    }

    fn read(source: Source<String>, start: Position) -> (Vec<String>, Option<Error>) {
        let mut records = Records::new(source, start);
        let mut read = Vec::new();
        let failure = futures_executor::block_on(async {
            while let Some(record) = records.next().await {
                match record {
                    Ok(record) => read.push(record),
                    Err(error) => return Some(error),
                }
            }
            None
        });
        (read, failure)
    }

    fn texts(items: &[&str]) -> Vec<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    #[test]
    fn a_short_page_is_no_end_and_an_empty_one_is() {
        let pages = vec![texts(&["a", "b", "c"]), texts(&["d"]), texts(&["e", "f"]), vec![], texts(&["never"])];
        let (read, failure) = read(source(pages, 3), Position::default());
        assert_eq!(read, ["a", "b", "c", "d", "e", "f"]);
        assert!(failure.is_none());
    }

    #[test]
    fn a_page_that_comes_again_is_an_error_and_no_loop() {
        let pages = vec![texts(&["a", "b"]), texts(&["a", "b"]), texts(&["a", "b"])];
        let (read, failure) = read(source(pages, 2), Position::default());
        assert_eq!(read, ["a", "b"]);
        assert_eq!(failure.unwrap().kind(), ErrorKind::Paging);
    }

    #[test]
    fn a_page_that_overlaps_is_an_error_and_equal_records_without_an_id_are_not() {
        let (_, failure) =
            read(source(vec![texts(&["id-1", "id-2"]), texts(&["id-2", "id-3"])], 2), Position::default());
        assert!(failure.unwrap().to_string().contains("page 2 holds records of page 1"));
        let (read, failure) = read(source(vec![texts(&["x", "y"]), texts(&["y", "z"])], 2), Position::default());
        assert_eq!((read.len(), failure.is_none()), (4, true));
    }

    #[test]
    fn a_place_behind_the_end_of_its_page_is_an_error() {
        let pages = vec![texts(&["a", "b", "c"]), texts(&["d"])];
        let (read, failure) = read(source(pages, 3), Position::new(2, 2, 3));
        assert_eq!(read, [] as [String; 0]);
        assert_eq!(failure.unwrap().kind(), ErrorKind::Paging);
    }

    proptest! {
        /// Whatever the server's cap, stopping anywhere and going on from there loses and doubles nothing.
        #[test]
        fn a_list_goes_on_where_it_stopped(count in 0usize..60, cap in 1usize..9, stop in 0usize..60) {
            let all: Vec<String> = (0..count).map(|n| format!("id-{n}")).collect();
            let pages: Vec<Vec<String>> = all.chunks(cap).map(<[String]>::to_vec).collect();
            let mut first = Records::new(source(pages.clone(), 50), Position::default());
            let mut read_so_far: Vec<String> = futures_executor::block_on(
                (&mut first).take(stop).map(Result::unwrap).collect()
            );
            let (rest, failure) = read(source(pages, 50), first.position());
            prop_assert!(failure.is_none());
            read_so_far.extend(rest);
            prop_assert_eq!(read_so_far, all);
        }
    }
}
