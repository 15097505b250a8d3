//! A large export, complete and in order despite faults of every kind. `ROWS=1000000` sets the number of rows.

use std::time::Duration;

use futures_util::StreamExt;
use perenso::{
    CallErrorKind, ErrorKind, Perenso,
    auth::clock::ManualClock,
    exports::{Cursor, PageReport, Pages, Paging},
};
use perenso_sandbox::{DataType, Export, Fault, Parameter, RowSyntax, Rows, Sandbox};
use serde_json::json;

use crate::{builder, export::Thing, kept};

/// The maximum page size of the server. The client requests pages of 10,000 rows.
const CAP: u64 = 5_000;

fn total() -> u64 {
    std::env::var("ROWS").ok().map_or(200_000, |rows| rows.parse().unwrap())
}

struct Large {
    sandbox: Sandbox,
    show: Perenso,
    total: u64,
    /// Ends the validity of the tokens.
    end_of_tokens: Box<dyn Fn(&Sandbox)>,
}

impl Large {
    async fn start(total: u64, syntax: RowSyntax) -> Self {
        let integer = |name| Parameter::new(name, DataType::Integer);
        let export =
            Export::new("l4rge1", "Things").parameter(integer("Cursor")).parameter(integer("Limit")).syntax(syntax);
        let export = export.rows(Rows::generated(total, |id| json!({"id": id, "code": format!("{id:08}")})));
        let sandbox = Sandbox::builder().export(export).page_cap(CAP as usize).unlimited().journal_cap(10_000);
        let sandbox = sandbox.start().await.unwrap();
        let show = builder(sandbox.url(), &sandbox.token_url(), sandbox.client_id(), sandbox.client_secret());
        let show = show.build().unwrap();
        show.exports().catalog().await.unwrap();
        Self { sandbox, show, total, end_of_tokens: Box::new(|sandbox| sandbox.revoke_tokens()) }
    }

    /// Uses manual clocks, so tokens expire. Only for tests without retries, since their delays would never end.
    fn by_the_clock(self) -> Self {
        let (sandbox, clock) = (&self.sandbox, ManualClock::default());
        let show = builder(sandbox.url(), &sandbox.token_url(), sandbox.client_id(), sandbox.client_secret());
        let show = show.clock(clock.clone()).build().unwrap();
        let end_of_tokens = move |sandbox: &Sandbox| {
            clock.advance(Duration::from_secs(301));
            sandbox.advance(Duration::from_secs(301));
        };
        Self { show, end_of_tokens: Box::new(end_of_tokens), ..self }
    }

    async fn pages(&self, start: Option<Cursor>) -> Pages<Thing> {
        let by_offset = self.sandbox.behavior().cursor_is_offset;
        let paging = if by_offset { Paging::by_offset() } else { Paging::by_page() }.limit(10_000);
        let paging = start.map_or(paging.clone(), |start| paging.start(start));
        self.show.exports().run("Things").pages(paging).await.unwrap()
    }

    fn runs(&self) -> u64 {
        self.sandbox.journal().iter().filter(|call| call.path.starts_with("/Export/")).count() as u64
    }

    /// Reads all rows, and resumes at the cursor after every error. Tokens expire between rows.
    async fn read(&self) -> (Vec<PageReport>, Vec<perenso::Error>) {
        let (mut next, mut reports, mut errors) = (0, Vec::new(), Vec::new());
        let mut pages = self.pages(None).await;
        loop {
            let error = match pages.next().await {
                Some(Ok(row)) => {
                    assert_eq!(row.id, next, "every row once, in their order; at {}", pages.cursor());
                    next += 1;
                    if next % (7 * CAP) == 6 {
                        (self.end_of_tokens)(&self.sandbox);
                    }
                    continue;
                }
                Some(Err(error)) => error,
                None => break,
            };
            reports.push(pages.report());
            errors.push(error);
            assert!(errors.len() < 20, "it gets nowhere: {errors:?}");
            pages = self.pages(Some(kept(pages.cursor()))).await;
        }
        assert_eq!(next, self.total);
        reports.push(pages.report());
        assert_eq!(reports.iter().map(|report| report.rows).sum::<u64>(), self.total);
        (reports, errors)
    }
}

#[tokio::test]
async fn a_large_export_comes_whole_and_in_order() {
    for (syntax, by_offset) in [(RowSyntax::Array, false), (RowSyntax::Lines, true), (RowSyntax::Csv, false)] {
        let large = Large::start(total(), syntax).await.by_the_clock();
        large.sandbox.set_behavior(|behavior| {
            behavior.cursor_is_offset = by_offset;
            behavior.gzip = syntax == RowSyntax::Lines;
        });
        let (reports, errors) = large.read().await;
        assert!(errors.is_empty(), "{errors:?}");
        let pages = large.total.div_ceil(CAP);
        assert_eq!((reports[0].pages, reports[0].largest, reports[0].short), (pages, CAP, pages));
        assert_eq!((large.runs(), reports[0].discarded), (pages + 1, 0), "no request too many");
    }
}

#[tokio::test]
async fn a_large_export_that_is_broken_again_and_again_comes_whole_and_in_order() {
    for (syntax, by_offset) in [(RowSyntax::Array, true), (RowSyntax::Lines, false), (RowSyntax::Csv, true)] {
        let large = Large::start(total() / 2, syntax).await;
        large.sandbox.set_behavior(|behavior| behavior.cursor_is_offset = by_offset);
        let html = |code| Fault::Status {
            code,
            content_type: "text/html".to_owned(),
            body: b"<html>try later</html>".to_vec(),
            headers: Vec::new(),
        };
        // The number of calls without a fault before each fault.
        for (calls, fault) in [
            (1, Fault::CutAfter(60_000)),
            (1, html(500)),
            (1, Fault::CutAfter(0)),
            (1, html(200)),
            (1, Fault::CutAfter(100_003)),
            (1, Fault::CutBody),
            (0, Fault::CutBody),
            (1, Fault::Slow { piece: 1_000, pause: Duration::from_millis(1) }),
            (1, html(422)),
        ] {
            large.sandbox.fault_after(calls, fault);
        }
        let (_, errors) = large.read().await;
        let kinds: Vec<_> = errors.iter().map(perenso::Error::kind).collect();
        assert!(kinds.iter().all(|kind| matches!(kind, ErrorKind::Response | ErrorKind::Call(_))), "{errors:?}");
        assert!(kinds.contains(&ErrorKind::Call(CallErrorKind::Status)), "{errors:?}");
    }
}

/// The export is small, since single bytes are slow.
#[tokio::test]
async fn pages_in_pieces_of_one_byte_come_whole() {
    let large = Large::start(40, RowSyntax::Array).await.by_the_clock();
    large.sandbox.set_behavior(|behavior| behavior.page_cap = Some(15));
    for _ in 0..4 {
        large.sandbox.fault(Fault::Slow { piece: 1, pause: Duration::ZERO });
    }
    let (reports, errors) = large.read().await;
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!((reports[0].pages, large.runs()), (3, 4));
}
