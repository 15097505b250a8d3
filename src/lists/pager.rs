//! The pages and the records of a list, read by the paging engine.

use std::{future::Future, hash::Hasher, num::NonZeroU32, pin::Pin, sync::Arc};

use futures_util::{
    Stream, StreamExt, TryStreamExt,
    stream::{self, try_unfold},
};
use serde::Serialize;

use super::position::Position;
use crate::{
    error::Error,
    paging::{Fingerprint, Meaning, Pager, Plan, RowIdentity},
};

/// The possible causes of a repeated page, for its error.
const REPEAT_CAUSES: &str = "either the server does not page this list, and then it is to be read as one page, or its pages \
                             begin anew behind the last one, or records moved while it was read, and then a fixed `sort` \
                             helps";

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

/// A page that repeats nothing, with the position after each record; `None` for records read by an earlier stream.
type CheckedPage<T> = (Page<T>, Vec<Option<Position>>);

impl<T: Serialize + Send + 'static> Source<T> {
    /// Returns a stream of pages up to the first empty one.
    pub(crate) fn pages(self, start: Position) -> impl Stream<Item = Result<Page<T>, Error>> + Send + use<T> {
        self.checked_pages(start).map_ok(|(page, _)| page)
    }

    /// Returns a stream of records from this position, each with the position after it.
    pub(crate) fn records(self, start: Position) -> impl Stream<Item = Result<(T, Position), Error>> + Send + use<T> {
        let unread = |(item, position): (T, Option<Position>)| Some(Ok((item, position?)));
        self.checked_pages(start)
            .map_ok(move |(page, positions)| stream::iter(page.items.into_iter().zip(positions).filter_map(unread)))
            .try_flatten()
    }

    fn checked_pages(self, start: Position) -> impl Stream<Item = Result<CheckedPage<T>, Error>> + Send + use<T> {
        let pager = Pager::new(self.plan(start));
        try_unfold(Some((self, pager)), |state| async {
            let Some((source, mut pager)) = state else { return Ok(None) };
            let number = u64::try_from(pager.number()).unwrap_or_default();
            let items = (source.fetch)(number).await?;
            let positions = items.iter().map(|item| source.check(&mut pager, item)).collect::<Result<_, _>>()?;
            let is_end = pager.end(|_, _| Err("no key"))?.is_none();
            let page = (!items.is_empty()).then_some((Page { number, items }, positions));
            Ok(page.map(|page| (page, (!is_end).then_some((source, pager)))))
        })
    }

    fn plan(&self, start: Position) -> Plan {
        Plan {
            operation: self.operation,
            noun: "record",
            meaning: Meaning::Page,
            parameter: "page".to_owned(),
            limit: Some(self.asked.get().into()),
            start: start.cursor(),
            identity: if self.allow_repeats { RowIdentity::Ignored } else { RowIdentity::Shared },
            is_buffered: true,
            ends: Vec::new(),
            ahead: false,
            repeat_causes: REPEAT_CAUSES.to_owned(),
        }
    }

    /// Adds a record to the page. Records with an id are unique; the others are compared by their JSON.
    fn check(&self, pager: &mut Pager, item: &T) -> Result<Option<Position>, Error> {
        let hash = |bytes: &[u8]| Fingerprint::of(bytes).finish();
        let cursor = match ((self.key)(item), pager.identity()) {
            (Some(id), _) => pager.row(RowIdentity::Unique, Some(hash(id.as_bytes())))?,
            (None, RowIdentity::Ignored) => pager.row(RowIdentity::Ignored, None)?,
            (None, identity) => pager.row(identity, serde_json::to_vec(item).ok().map(|json| hash(&json)))?,
        };
        Ok(cursor.and_then(|cursor| Position::of(&cursor, self.asked)))
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
    use crate::error::ErrorKind;

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
        assert!(failure.unwrap().to_string().contains("records of page 2 are also on page 1"));
        let (read, failure) = read(source(vec![texts(&["x", "y"]), texts(&["y", "z"])], 2), Position::default());
        assert_eq!((read.len(), failure.is_none()), (4, true));
        // A record without an id beside those that have one changes nothing.
        let first = texts(&["x", "id-1", "id-2", "id-3", "id-4", "id-5"]);
        for id in &first[1..] {
            let pages = vec![first.clone(), vec!["y".to_owned(), id.clone()]];
            let (read, failure) = self::read(source(pages, 6), Position::default());
            assert_eq!((&read, failure.unwrap().kind()), (&first, ErrorKind::Paging));
        }
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
        // The page of the position has become empty.
        let (_, failure) = self::read(source(vec![texts(&["a"])], 1), Position::new(2, 1, 1));
        assert!(failure.unwrap().to_string().contains("1 records were read of page 2, which holds 0: records moved"));
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
