//! Pages from a server of rows that rejects requests and breaks connections as planned.

use std::sync::{
    Mutex,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::stream;
use perenso_auth::decode::Mismatch;
use proptest::prelude::*;

use super::*;
use crate::paging::RowIdentity;

/// The outcome of a request.
#[derive(Clone, Copy, Debug)]
enum Event {
    Answer,
    /// An error instead of a response.
    Refuse,
    /// This number of rows, then the body breaks off.
    Cut(usize),
}

/// A server with the rows from 0 to `total`. Some rows do not fit.
struct Server {
    meaning: Meaning,
    total: i64,
    /// The maximum page sizes, used in turn. Paging by page number uses only the first.
    caps: Vec<i64>,
    events: Mutex<VecDeque<Event>>,
    /// The requested pages with their numbers of rows.
    asked: Mutex<Vec<(i64, i64)>>,
}

fn fits(row: i64) -> bool {
    row % 7 != 3
}

/// A transient error.
fn passing() -> Error {
    static ERROR: std::sync::LazyLock<Error> = std::sync::LazyLock::new(|| {
        let nowhere = "http://127.0.0.1:1";
        let show = Perenso::builder().client_id("SHOWID").client_secret("secret").api_url(nowhere);
        let show = show.token_url(nowhere).retry(perenso_auth::RetryPolicy::never());
        let pause = std::time::Duration::from_millis(1);
        let show = show.token_policy(perenso_auth::TokenPolicy::default().backoff(pause, pause)).build().unwrap();
        let lost = async move { show.customers().list().send().await.unwrap_err() };
        std::thread::spawn(|| runtime().block_on(lost)).join().unwrap()
    });
    ERROR.clone()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

impl Server {
    fn new(meaning: Meaning, total: i64, caps: &[i64]) -> Self {
        let (events, asked) = Default::default();
        Self { meaning, total, caps: caps.to_vec(), events, asked }
    }

    fn response(&self, at: i64, limit: i64) -> Result<FetchedPage<i64>, Error> {
        let event = self.events.lock().unwrap().pop_front().unwrap_or(Event::Answer);
        let mut asked = self.asked.lock().unwrap();
        let cap = match self.meaning {
            Meaning::Page => self.caps[0],
            _ => self.caps[asked.len() % self.caps.len()],
        };
        let size = cap.min(limit);
        let first = match self.meaning {
            Meaning::Page => (at - 1) * size,
            Meaning::Key(_) => at + 1,
            _ => at,
        };
        let rows: Vec<i64> = (first..self.total.min(first + size)).collect();
        asked.push((at, rows.len() as i64));
        let row = |row: i64| {
            let misfit = Mismatch { path: ".".to_owned(), detail: "expected another".to_owned() };
            let raw = RawRow::from_value(&serde_json::json!({"id": row})).ok();
            Ok(FingerprintedRow { hash: row as u64 + 1, row: if fits(row) { Ok(row) } else { Err(misfit) }, raw })
        };
        let rows = rows.into_iter().map(row);
        let rows = match event {
            Event::Answer => stream::iter(rows).boxed(),
            Event::Refuse => return Err(passing()),
            Event::Cut(after) => stream::iter(rows.take(after).chain([Err(passing())])).boxed(),
        };
        Ok(FetchedPage { rows, attempts: 1 })
    }

    fn source(self: &Arc<Self>, limit: i64) -> Source<i64> {
        let server = Arc::clone(self);
        Arc::new(move |at: &Key| {
            let (server, at) = (Arc::clone(&server), number(at));
            async move { server.response(at, limit) }.boxed()
        })
    }

    fn asked(&self) -> Vec<i64> {
        self.asked.lock().unwrap().iter().map(|(at, _)| *at).collect()
    }
}

fn by_key() -> Meaning {
    Meaning::Key("id".to_owned())
}

fn number(at: &Key) -> i64 {
    let Key::Integer(at) = at else { panic!("a string") };
    *at
}

fn plan(meaning: Meaning, limit: i64) -> Plan {
    let start = match meaning {
        Meaning::Key(_) => Cursor::key(-1, 0),
        Meaning::Offset => Cursor::offset(0),
        _ => Cursor::page(1, 0, limit),
    };
    Plan {
        operation: EXPORT_RUN.id,
        noun: "row",
        meaning,
        parameter: "Cursor".to_owned(),
        limit: Some(limit),
        start,
        identity: RowIdentity::Unique,
        is_buffered: false,
        ends: Vec::new(),
        ahead: true,
        repeat_causes: String::new(),
    }
}

/// Returns all rows that fit, and the error that ended them.
async fn read(pages: &mut Pages<i64>) -> (Vec<i64>, Option<Error>) {
    let mut read = Vec::new();
    while let Some(row) = pages.next().await {
        match row {
            Ok(row) => read.push(row),
            Err(error) if error.kind() == ErrorKind::Row => {}
            Err(error) => {
                assert!(pages.next().await.is_none(), "an error is the end");
                return (read, Some(error));
            }
        }
    }
    (read, None)
}

fn fitting(rows: std::ops::Range<i64>) -> Vec<i64> {
    rows.filter(|row| fits(*row)).collect()
}

#[tokio::test]
async fn pages_by_number_are_asked_for_to_the_first_empty_one_and_no_further() {
    let server = Arc::new(Server::new(Meaning::Page, 25, &[10]));
    let mut pages = Pages::of(server.source(20), plan(Meaning::Page, 20));
    assert!(server.asked().is_empty(), "nothing before it is polled");
    assert_eq!(read(&mut pages).await.0, fitting(0..25));
    assert_eq!(server.asked(), [1, 2, 3, 4]);
    assert_eq!(pages.cursor(), Cursor::page(3, 5, 20));
    let report =
        PageReport { pages: 3, rows: 25, page_size: 20, largest: 10, short: 3, mismatches: 4, ..Default::default() };
    assert_eq!(pages.report(), report);
    assert_eq!(
        pages.report().to_string(),
        "25 rows (4 do not fit) on 3 pages; 20 rows requested, 10 received; 3 short, 0 retries, 0 discarded"
    );
}

#[tokio::test]
async fn a_wrong_forecast_of_an_offset_costs_one_request() {
    let server = Arc::new(Server::new(Meaning::Offset, 25, &[10]));
    let mut pages = Pages::of(server.source(20), plan(Meaning::Offset, 20));
    for row in 0..25 {
        assert_eq!(pages.next().await.unwrap().is_ok(), fits(row));
        tokio::task::yield_now().await;
    }
    assert!(pages.next().await.is_none());
    // 30 was requested ahead, since the page at 20 was expected to have as many rows as the pages before.
    assert_eq!(server.asked(), [0, 10, 20, 30, 25]);
    assert_eq!((pages.report().discarded, pages.cursor()), (1, Cursor::offset(25)));
}

#[tokio::test]
async fn without_fetching_ahead_nothing_is_asked_for_before_its_turn() {
    for meaning in [Meaning::Page, Meaning::Offset, by_key()] {
        let server = Arc::new(Server::new(meaning.clone(), 25, &[10]));
        let mut pages = Pages::of(server.source(10), Plan { ahead: false, ..plan(meaning, 10) });
        for row in 0..25 {
            assert_eq!(server.asked().len(), usize::try_from((row + 9) / 10).unwrap());
            assert_eq!(pages.next().await.unwrap().is_ok(), fits(row));
            tokio::task::yield_now().await;
        }
        assert!(pages.next().await.is_none());
        assert_eq!(server.asked().len(), 4);
    }
}

#[tokio::test]
async fn a_cursor_that_would_not_fit_is_an_error_and_no_wrap() {
    let endless = |_: &Key| -> Fetch<i64> {
        static MARKS: AtomicUsize = AtomicUsize::new(0);
        let mark = MARKS.fetch_add(1, Ordering::Relaxed) as u64;
        async move {
            Ok(FetchedPage {
                rows: stream::iter([Ok(FingerprintedRow { hash: mark, row: Ok(0), raw: None })]).boxed(),
                attempts: 1,
            })
        }
        .boxed()
    };
    for (start, expected) in [
        (Cursor::page(i64::MAX - 1, 0, 1), "the page that follows page 9223372036854775807 cannot be requested"),
        (
            Cursor::offset(i64::MAX - 2),
            "the page that follows the page after row 9223372036854775807 cannot be requested",
        ),
    ] {
        let meaning = if expected.contains("after row") { Meaning::Offset } else { Meaning::Page };
        let mut pages = Pages::of(Arc::new(endless), Plan { start, ..plan(meaning, 1) });
        let (rows, error) = read(&mut pages).await;
        let error = error.unwrap();
        assert_eq!((rows.len(), error.kind()), (2, ErrorKind::Paging), "{error}");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn a_page_fetched_ahead_that_fails_before_its_first_row_is_fetched_once_more_and_no_oftener() {
    for (events, requests, whole) in [
        (vec![Event::Answer, Event::Cut(0)], 4, true),
        (vec![Event::Answer, Event::Cut(0), Event::Answer, Event::Cut(0)], 5, true),
        (vec![Event::Answer, Event::Cut(0), Event::Cut(0)], 3, false),
        (vec![Event::Answer, Event::Cut(1)], 2, false),
        (vec![Event::Cut(0)], 1, false),
        (vec![Event::Answer, Event::Refuse], 4, true),
        (vec![Event::Answer, Event::Refuse, Event::Refuse], 3, false),
        (vec![Event::Answer, Event::Refuse, Event::Cut(0)], 3, false),
        (vec![Event::Answer, Event::Cut(0), Event::Refuse], 3, false),
        (vec![Event::Refuse], 1, false),
    ] {
        let server = Arc::new(Server::new(Meaning::Page, 5, &[3]));
        *server.events.lock().unwrap() = events.iter().copied().collect();
        let mut pages = Pages::of(server.source(3), plan(Meaning::Page, 3));
        let (rows, error) = read(&mut pages).await;
        assert_eq!((error.is_none(), server.asked().len()), (whole, requests), "{events:?}");
        assert_eq!(whole, rows == fitting(0..5));
        let again = |event: &Event| match event {
            Event::Answer => 0,
            Event::Refuse => u64::from(passing().attempts()),
            Event::Cut(_) => 1,
        };
        assert!(!whole || pages.report().retries == events.iter().map(again).sum::<u64>(), "{events:?}");
    }
}

#[tokio::test]
async fn a_stream_that_is_dropped_ends_the_task_that_fetches_ahead() {
    let alive = Arc::new(());
    let held = Arc::clone(&alive);
    let source = move |at: &Key| -> Fetch<i64> {
        let (held, at) = (Arc::clone(&held), number(at));
        async move {
            if at > 1 {
                std::future::pending::<()>().await;
            }
            drop(held);
            Ok(FetchedPage {
                rows: stream::iter([Ok(FingerprintedRow { hash: 1, row: Ok(1), raw: None })]).boxed(),
                attempts: 1,
            })
        }
        .boxed()
    };
    let mut pages = Pages::of(Arc::new(source), plan(Meaning::Page, 1));
    pages.next().await.unwrap().unwrap();
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(Arc::strong_count(&alive), 3, "the source has one, and so has the task");
    drop(pages);
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(Arc::strong_count(&alive), 1);
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = prop_oneof![4 => Just(Event::Answer), 1 => Just(Event::Refuse), 2 => (0usize..6).prop_map(Event::Cut)];
    prop::collection::vec(event, 0..20)
}

proptest! {
    /// With any page sizes, caps, faults, and rows that do not fit, stopped and resumed at any row.
    #[test]
    fn no_row_is_lost_and_none_doubled(
        meaning in prop::sample::select(vec![Meaning::Page, Meaning::Offset, by_key()]),
        total in 0i64..60,
        caps in prop::collection::vec(1i64..9, 1..5),
        limit in 1i64..9,
        events in events(),
        stops in prop::collection::vec(0usize..25, 0..8),
        ahead in any::<bool>(),
        alike in any::<bool>(),
    ) {
        let by_page = meaning == Meaning::Page;
        let server = Arc::new(Server::new(meaning.clone(), total, &caps));
        *server.events.lock().unwrap() = events.into();
        let mut stops = stops.into_iter();
        let identity = if alike { RowIdentity::Shared } else { RowIdentity::Unique };
        let mut plan = Plan { identity, ahead, ..plan(meaning, limit) };
        let mut handed = Vec::new();
        runtime().block_on(async {
            for _ in 0..100 {
                let mut pages = Pages::of(server.source(limit), plan.clone());
                let stop = stops.next().unwrap_or(usize::MAX);
                let mut count = 0;
                let ended = loop {
                    if count == stop {
                        break false;
                    }
                    match pages.next().await {
                        None => break true,
                        Some(Ok(row)) => handed.push(row),
                        Some(Err(error)) if error.kind() == ErrorKind::Row => handed.push(-1),
                        Some(Err(error)) => {
                            prop_assert!(error.call().is_some(), "{}", error);
                            break false;
                        }
                    }
                    count += 1;
                    prop_assert_eq!(pages.report().rows, count as u64);
                };
                let asked = server.asked.lock().unwrap();
                let empty = asked.iter().filter(|(_, rows)| *rows == 0).map(|(at, _)| *at).min();
                if by_page && let Some(empty) = empty {
                    prop_assert!(asked.iter().all(|(at, _)| *at <= empty), "{:?}", asked);
                }
                if ended {
                    let expected: Vec<i64> = (0..total).map(|row| if fits(row) { row } else { -1 }).collect();
                    prop_assert_eq!(&handed, &expected);
                    return Ok(());
                }
                let kept = serde_json::to_string(&pages.cursor()).unwrap();
                plan.start = serde_json::from_str(&kept).unwrap();
            }
            Err(TestCaseError::fail("it never ended"))
        })?;
    }
}
