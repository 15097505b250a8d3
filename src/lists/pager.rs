//! The pager of lists: a stream that ends at an empty page and fails on a page that repeats.

use std::{future::Future, hash::Hasher, num::NonZeroU32, pin::Pin, sync::Arc};

use futures_util::{Stream, StreamExt, TryStreamExt, stream::try_unfold};
use serde::Serialize;

use super::position::Position;
use crate::{
    error::{Error, ErrorKind},
    paging::{Fingerprint, PageHistory, PreviousPage, Repeats},
};

/// The default page size.
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

type Fetched<T> = Pin<Box<dyn Future<Output = Result<Vec<T>, Error>> + Send>>;

/// The source of pages: a function that fetches a page by number, and the id of a record.
pub(crate) struct Source<T> {
    pub(crate) operation: &'static str,
    pub(crate) asked: NonZeroU32,
    pub(crate) fetch: Arc<dyn Fn(u64) -> Fetched<T> + Send + Sync>,
    pub(crate) key: fn(&T) -> Option<&str>,
    /// Accepts pages of records without an id that equal an earlier page.
    pub(crate) allow_repeats: bool,
}

impl<T> Clone for Source<T> {
    fn clone(&self) -> Self {
        Self { fetch: Arc::clone(&self.fetch), ..*self }
    }
}

/// The pages of a list, one after another.
struct Pager<T> {
    source: Source<T>,
    next: u64,
    history: PageHistory<u64>,
    first_page: Option<Fingerprint>,
    short: bool,
}

impl<T: Serialize + Send + 'static> Source<T> {
    /// Returns a stream of pages up to the first empty one.
    pub(crate) fn pages(self, start: Position) -> impl Stream<Item = Result<Page<T>, Error>> + Send + use<T> {
        self.marked_pages(start).map_ok(|(page, _)| page)
    }

    /// Returns a stream of pages, each with the fingerprint of page 1.
    fn marked_pages(
        self,
        start: Position,
    ) -> impl Stream<Item = Result<(Page<T>, Option<Fingerprint>), Error>> + Send + use<T> {
        let next = start.page.max(1);
        let first_page = start.first_page.filter(|_| next > 1);
        let history = PageHistory::resumed(first_page.map(|page| (page, 1)));
        try_unfold(Pager { source: self, next, history, first_page, short: false }, |mut pager| async move {
            let number = pager.next;
            let items = (pager.source.fetch)(number).await?;
            if items.is_empty() {
                return Ok(None);
            }
            pager.check(number, &items)?;
            pager.notice(number, items.len());
            pager.next += 1;
            Ok(Some(((Page { number, items }, pager.first_page), pager)))
        })
    }

    /// Returns a stream of records from this position, each with the position after it.
    pub(crate) fn records(self, start: Position) -> impl Stream<Item = Result<(T, Position), Error>> + Send + use<T> {
        let (operation, asked) = (self.operation, self.asked.get());
        self.marked_pages(start)
            .and_then(move |(page, first_page)| async move {
                let skip = if page.number == start.page { start.item } else { 0 };
                let skip = usize::try_from(skip).unwrap_or(usize::MAX);
                if page.items.len() < skip {
                    let (number, found) = (page.number, page.items.len());
                    let detail =
                        format!("{skip} records were read of page {number}, which holds {found}: records moved");
                    return Err(Error::own(ErrorKind::Paging, operation, detail));
                }
                let records = page.items.into_iter().zip(1u64..).skip(skip);
                let behind = records.map(move |(item, read)| {
                    Ok((item, Position { first_page, ..Position::new(page.number, read, asked) }))
                });
                Ok(futures_util::stream::iter(behind))
            })
            .try_flatten()
    }
}

impl<T: Serialize> Pager<T> {
    /// Fails when the page repeats an earlier page, or shares a record with the previous one.
    ///
    /// Pages are equal when their records have the same set of ids. If a record has no id, the bytes are compared; a page with a
    /// single such record is compared with the previous page only.
    fn check(&mut self, number: u64, items: &[T]) -> Result<(), Error> {
        let mut ids: Vec<&str> = items.iter().filter_map(self.source.key).collect();
        let has_ids = ids.len() == items.len();
        ids.sort_unstable();
        ids.dedup();
        let page = if has_ids {
            Some(Fingerprint::of_all(ids.iter().map(|id| id.as_bytes())))
        } else {
            serde_json::to_vec(items).ok().filter(|_| !self.source.allow_repeats).map(|bytes| Fingerprint::of(&bytes))
        };
        if number == 1 {
            self.first_page = page;
        }
        let repeats = if has_ids || items.len() > 1 { Repeats::Anywhere } else { Repeats::InARow };
        if let Some(earlier) = page.and_then(|page| self.history.repeated(page, repeats)) {
            return Err(self.out_of_order(number, "repeats", earlier));
        }
        let mut rows: Vec<u64> = ids.iter().map(|id| Fingerprint::of(id.as_bytes()).finish()).collect();
        if let Some(previous) = self.history.previous()
            && rows.iter().any(|id| previous.contains(*id))
        {
            return Err(self.out_of_order(number, "holds records of", previous.number));
        }
        rows.sort_unstable();
        self.history.add(PreviousPage { number, fingerprint: page, rows });
        Ok(())
    }

    fn out_of_order(&self, number: u64, verb: &str, earlier: u64) -> Error {
        let detail = format!(
            "page {number} {verb} page {earlier}: either the server does not page this list, and then it is to be read as \
             one page, or its pages begin anew behind the last one, or records moved while it was read, and then a fixed \
             `sort` helps"
        );
        Error::own(ErrorKind::Paging, self.source.operation, detail)
    }

    /// Logs the first short page. It does not end the list, since the server may cap its page size.
    fn notice(&mut self, number: u64, received: usize) {
        let asked = self.source.asked.get();
        if !self.short && received < asked as usize {
            self.short = true;
            tracing::debug!(
                target: "perenso::list",
                operation = self.source.operation,
                page = number,
                asked,
                received,
                "a short page: going on to the next"
            );
        }
    }
}

/// A stream of records, each with the position after it.
type Steps<T> = Pin<Box<dyn Stream<Item = Result<(T, Position), Error>> + Send>>;

/// A stream of the records of a list, with its current position.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sandbox = perenso_sandbox::Sandbox::start().await?;
/// # let show = perenso::Perenso::from_vars(sandbox.vars())?;
/// use futures_util::TryStreamExt;
///
/// let mut customers = show.customers().list().stream();
/// while let Some(customer) = customers.try_next().await? {
///     println!("{customer:?}");
///     // Store this with the result: `List::start_at` resumes after this record.
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
    /// Returns the position after the last record. A list that starts there continues with the next record, unless records
    /// moved in the meantime.
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
            allow_repeats: false,
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

    /// A list that starts again after its last page, forever.
    fn round(pages: &[&[&str]]) -> Source<String> {
        let pages: Vec<_> = pages.iter().map(|page| texts(page)).collect();
        let fetch = move |number: u64| {
            assert!(number < 20, "a loop");
            let page = pages[usize::try_from(number - 1).unwrap() % pages.len()].clone();
            Box::pin(async move { Ok(page) }) as Fetched<String>
        };
        Source { fetch: Arc::new(fetch), ..source(Vec::new(), 2) }
    }

    #[test]
    fn pages_that_start_again_are_an_error_and_none_of_their_records_is_returned() {
        for pages in [[&["id-1", "id-2"][..], &["id-3"], &["id-4"]], [&["a", "b"], &["c", "d"], &["e", "f"]]] {
            let (read, failure) = read(round(&pages), Position::default());
            assert_eq!(read, pages.concat());
            let failure = failure.unwrap();
            assert_eq!(failure.kind(), ErrorKind::Paging);
            assert!(failure.to_string().contains("page 4 repeats page 1"), "{failure}");
        }
        // Starts in the middle, sees the same ids in another order, and returns to a page other than the first.
        let (rest, failure) = read(round(&[&["id-1"], &["id-2"], &["id-3"]]), Position::new(2, 0, 2));
        assert_eq!((rest.len(), failure.unwrap().kind()), (3, ErrorKind::Paging));
        let pages = [&["id-1"][..], &["id-2", "id-3"], &["id-4"], &["id-3", "id-2"]];
        let (_, failure) = read(round(&pages), Position::default());
        assert!(failure.unwrap().to_string().contains("page 4 repeats page 2"));
    }

    #[test]
    fn single_records_without_an_id_may_come_again_later_and_whole_pages_where_it_is_said() {
        let pages = vec![texts(&["x"]), texts(&["y"]), texts(&["x"]), texts(&["z"])];
        assert!(matches!(read(source(pages, 1), Position::default()), (read, None) if read.len() == 4));
        let pages = vec![texts(&["x", "y"]), texts(&["x", "y"]), texts(&["x", "y"])];
        let alike = Source { allow_repeats: true, ..source(pages, 2) };
        assert!(matches!(read(alike, Position::default()), (read, None) if read.len() == 6));
        let pages = vec![texts(&["id-1", "id-2"]), texts(&["id-3"]), texts(&["id-1", "id-2"])];
        let with_ids = Source { allow_repeats: true, ..source(pages, 2) };
        assert!(read(with_ids, Position::default()).1.is_some(), "an id is never there twice");
    }

    #[test]
    fn a_place_behind_the_end_of_its_page_is_an_error() {
        let pages = vec![texts(&["a", "b", "c"]), texts(&["d"])];
        let (read, failure) = read(source(pages, 3), Position::new(2, 2, 3));
        assert_eq!(read, [] as [String; 0]);
        assert_eq!(failure.unwrap().kind(), ErrorKind::Paging);
    }

    proptest! {
        /// Stopping anywhere and resuming neither loses nor repeats a record, for every page cap of the server.
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
