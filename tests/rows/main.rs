//! Rows over real sockets: fast, slow, in single bytes, truncated. None is lost or duplicated.

#![allow(clippy::unwrap_used)]

mod coding;
mod server;

use std::{
    fmt::Write,
    io::Write as _,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use futures_util::{StreamExt, TryStreamExt};
use perenso::{
    CallErrorKind, Error, ErrorKind,
    exports::{RawRow, Rows},
};
use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use server::{Framing, Server, head_of, response};

#[derive(Debug, Deserialize, PartialEq)]
struct Row {
    n: u64,
    name: String,
}

const ARRAY: &str = "application/json";
const LINES: &str = "application/x-ndjson";
const CSV: &str = "text/csv";
const FORMS: [&str; 3] = [ARRAY, LINES, CSV];

/// Returns the number of rows, which `just proof` increases.
fn count(short: u64) -> u64 {
    std::env::var("ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(short)
}

/// A body with rows numbered from 1.
fn body(content_type: &str, rows: u64) -> String {
    let mut body = String::new();
    for n in 1..=rows {
        match content_type {
            ARRAY => write!(body, "{}{{\"n\":{n},\"name\":\"N° {n}\"}}", if n == 1 { "[" } else { ",\n" }).unwrap(),
            LINES => writeln!(body, "{{\"n\":{n},\"name\":\"N° {n}\"}}").unwrap(),
            _ => write!(body, "{}{n},N° {n}\r\n", if n == 1 { "n,name\r\n" } else { "" }).unwrap(),
        }
    }
    body + if content_type == ARRAY { "]" } else { "" }
}

async fn rows(server: &Server) -> Rows<Row> {
    server.show.exports().run("Rows").rows().await.unwrap()
}

/// Reads rows numbered from 1 to the end or the first error.
async fn read(rows: &mut Rows<Row>) -> (u64, Option<Error>) {
    let mut last = 0;
    while let Some(row) = rows.next().await {
        match row {
            Ok(row) => {
                assert_eq!((row.n, row.name), (last + 1, format!("N° {}", last + 1)));
                last = row.n;
            }
            Err(error) => return (last, Some(error)),
        }
    }
    assert_eq!(rows.received(), last);
    (last, None)
}

async fn read_all(server: &Server) -> (u64, Option<Error>) {
    let mut rows = rows(server).await;
    let read = read(&mut rows).await;
    assert!(rows.next().await.is_none() && rows.next().await.is_none(), "an item after the last one");
    read
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_rows_sent_fast_arrive_once_and_in_order() {
    let server = Server::start(|mut stream| async move {
        let body = body(ARRAY, 1_000_000);
        stream.write_all(head_of(ARRAY, body.len()).as_bytes()).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
    });
    let (read, error) = read_all(&server.await).await;
    assert_eq!((read, error.map(|error| error.to_string())), (1_000_000, None));
}

#[tokio::test]
async fn rows_sent_slowly_arrive_once_and_in_order() {
    for content_type in FORMS {
        let rows = count(2_000);
        let server = Server::start(move |mut stream| async move {
            let body = body(content_type, rows);
            stream.write_all(head_of(content_type, body.len()).as_bytes()).await.unwrap();
            // The pieces have varying lengths, unrelated to the rows.
            for (n, piece) in body.as_bytes().chunks(997).enumerate() {
                let (start, end) = piece.split_at(n % piece.len());
                for piece in [start, end] {
                    stream.write_all(piece).await.unwrap();
                    tokio::time::sleep(Duration::from_micros(300)).await;
                }
            }
        });
        let (read, error) = read_all(&server.await).await;
        assert_eq!((read, error.map(|error| error.to_string())), (rows, None), "{content_type}");
    }
}

#[tokio::test]
async fn rows_in_single_bytes_arrive_once_and_in_order() {
    for content_type in FORMS {
        let rows = count(7_000);
        let server = Server::start(move |mut stream| async move {
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ntransfer-encoding: chunked\r\n\r\n");
            stream.write_all(head.as_bytes()).await.unwrap();
            let body = body(content_type, rows);
            for piece in body.as_bytes().chunks(4096) {
                let chunks: Vec<u8> = piece.iter().flat_map(|byte| [b'1', b'\r', b'\n', *byte, b'\r', b'\n']).collect();
                stream.write_all(&chunks).await.unwrap();
            }
            stream.write_all(b"0\r\n\r\n").await.unwrap();
        });
        let (read, error) = read_all(&server.await).await;
        assert_eq!((read, error.map(|error| error.to_string())), (rows, None), "{content_type}");
    }
}

/// For the first `sent` bytes of three rows, returns the number of complete rows and whether the body looks complete.
fn whole(content_type: &str, body: &str, sent: usize) -> (u64, bool) {
    let part = &body.as_bytes()[..sent];
    let ends = |byte: u8| part.iter().filter(|other| **other == byte).count() as u64;
    match content_type {
        ARRAY => (ends(b'}'), part.ends_with(b"]")),
        LINES => (ends(b'}'), part.is_empty() || part.ends_with(b"}") || part.ends_with(b"\n")),
        _ => {
            // The first line is the header. The end of input may be within its last field or its line break.
            let records = ends(b'\r').saturating_sub(1);
            let line = part.rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
            let has_both = line.contains(&b',') && !line.ends_with(b"\r") && ends(b'\n') > 0;
            let is_text = std::str::from_utf8(part).is_ok();
            (
                records + u64::from(has_both && is_text),
                // Two columns with one name are an invalid header.
                part != b"n,n" && (line.is_empty() || line.contains(&b',') && is_text || ends(b'\n') == 0),
            )
        }
    }
}

#[tokio::test]
async fn a_truncated_body_gives_its_complete_rows_and_then_an_error() {
    for content_type in FORMS {
        let body = body(content_type, 3);
        for sent in 0..=body.len() {
            for framing in [Framing::Length, Framing::Chunks] {
                let server = Server::with(response(framing, content_type, body.as_bytes(), sent)).await;
                let (read, error) = read_all(&server).await;
                let place = format!("{content_type} {framing:?} {sent}");
                if sent == body.len() {
                    assert!(error.is_none() && read == 3, "{place}");
                    continue;
                }
                let error = error.unwrap();
                assert_eq!(error.kind(), ErrorKind::Call(CallErrorKind::Broken), "{place} {error}");
                // An array row ends with its bracket, a line or record with its line break.
                let end = match content_type {
                    ARRAY => '}',
                    LINES => '\n',
                    _ => '\r',
                };
                let ends = String::from_utf8_lossy(&body.as_bytes()[..sent]).matches(end).count() as u64;
                assert_eq!(read, ends.saturating_sub(u64::from(content_type == CSV)), "{place}");
            }
        }
    }
}

#[tokio::test]
async fn the_truncation_of_a_body_without_framing_is_detected_by_its_syntax() {
    for content_type in FORMS {
        let body = body(content_type, 3);
        for sent in 0..=body.len() {
            let server = Server::with(response(Framing::Close, content_type, body.as_bytes(), sent)).await;
            let mut rows = rows(&server).await;
            let (mut read, mut errors) = (0, Vec::new());
            while let Some(row) = rows.next().await {
                match row {
                    Ok(row) => {
                        read += 1;
                        assert_eq!(row.n, read);
                    }
                    Err(error) => errors.push(error),
                }
            }
            let (whole, looks_whole) = whole(content_type, &body, sent);
            assert_eq!((read, errors.is_empty()), (whole, looks_whole), "{content_type} {sent} {errors:?}");
            assert!(errors.len() <= 1);
        }
    }
}

#[tokio::test]
async fn a_row_that_does_not_fit_is_an_error_and_the_others_are_read() {
    let body = r#"[{"n":1,"name":"N° 1"},{"n":"s3cr3t","name":""},{"n":3},{"n":4,"name":"N° 4"}]"#;
    let server = Server::with(response(Framing::Chunks, ARRAY, body.as_bytes(), body.len())).await;
    let all: Vec<Result<Row, Error>> = rows(&server).await.collect().await;
    let errors: Vec<&Error> = all.iter().filter_map(|row| row.as_ref().err()).collect();
    assert_eq!(all.iter().filter_map(|row| row.as_ref().ok()).map(|row| row.n).collect::<Vec<_>>(), [1, 4]);
    assert_eq!(
        errors.iter().map(|error| (error.kind(), error.row())).collect::<Vec<_>>(),
        [(ErrorKind::Row, Some(2)), (ErrorKind::Row, Some(3))]
    );
    let expected = "export_run: the response (200, of content type `application/json`) cannot be read: row 2, at `n`: \
                    expected u64, found string";
    assert_eq!(errors[0].to_string(), expected);
    assert!(errors[1].to_string().ends_with("row 3: field `name` is missing"), "{}", errors[1]);
    assert!(!format!("{errors:?}").contains("s3cr3t"));
    // Reading the whole response fails instead of skipping the row.
    let error = server.show.exports().run("Rows").send().await.unwrap().rows::<Row>().unwrap_err();
    assert_eq!((error.kind(), error.row(), error.to_string()), (ErrorKind::Response, Some(2), expected.to_owned()));
}

#[tokio::test]
async fn garbage_ends_the_rows_and_the_connection() {
    let gone = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&gone);
    let server = Server::start(move |mut stream| {
        let seen = Arc::clone(&seen);
        async move {
            let start = format!("{}[{{\"n\":1,\"name\":\"N° 1\"}}<", head_of(ARRAY, 1 << 40));
            stream.write_all(start.as_bytes()).await.unwrap();
            while stream.write_all(&[b' '; 4096]).await.is_ok() {}
            seen.fetch_add(1, Ordering::SeqCst);
        }
    })
    .await;
    let mut rows = rows(&server).await;
    let (read, error) = read(&mut rows).await;
    assert_eq!((read, error.unwrap().kind()), (1, ErrorKind::Response));
    assert!(rows.next().await.is_none());
    let closed = async {
        while gone.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), closed).await.unwrap();
}

#[tokio::test]
async fn an_html_response_has_no_rows() {
    let server = Server::with(response(Framing::Length, "text/html", b"<p>s3cr3t", 9)).await;
    let error = server.show.exports().run("Rows").rows::<Row>().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Response);
    assert!(error.to_string().contains("of content type `text/html`"), "{error}");
}

#[tokio::test]
async fn limits_apply_to_a_row_and_to_the_response() {
    let body = body(ARRAY, 1000);
    let server = Server::with(response(Framing::Length, ARRAY, body.as_bytes(), body.len())).await;
    let run = || server.show.exports().run("Rows");
    // A row has 22 to 27 bytes.
    let (read_short, error) = read(&mut run().row_limit(24).rows().await.unwrap()).await;
    assert_eq!(read_short, 99);
    assert!(error.unwrap().to_string().ends_with("row 100 is larger than the limit of 24 bytes for a row"));
    let whole = body.len() as u64;
    let (all, error) = read(&mut run().total_limit(whole).rows().await.unwrap()).await;
    assert!(error.is_none() && all == 1000);
    for rows in [run().total_limit(whole - 1).rows().await, run().stream().await.unwrap().total_limit(whole - 1).rows()]
    {
        let error = read(&mut rows.unwrap()).await.1.unwrap();
        assert_eq!(error.kind(), ErrorKind::Response);
        assert!(error.to_string().ends_with(&format!("it is larger than the limit of {} bytes", whole - 1)), "{error}");
    }
    let bytes = run().stream().await.unwrap().total_limit(whole - 1).bytes();
    let pieces: Vec<_> = bytes.collect().await;
    assert!(pieces.last().unwrap().is_err() && pieces.iter().filter(|piece| piece.is_err()).count() == 1);
}

/// Sends rows until the connection closes, and counts their bytes.
async fn flood(mut stream: TcpStream, sent: Arc<AtomicUsize>) {
    let rows = r#"{"n":1,"name":""}"#.to_owned() + "\n";
    let rows = rows.repeat(1000);
    stream.write_all(head_of(LINES, 1 << 40).as_bytes()).await.unwrap();
    while stream.write_all(rows.as_bytes()).await.is_ok() {
        sent.fetch_add(rows.len(), Ordering::SeqCst);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_not_read_ahead() {
    let sent = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&sent);
    let server = Server::start(move |stream| flood(stream, Arc::clone(&count))).await;
    let mut rows: Rows<Row> = server.show.exports().run("Rows").rows().await.unwrap();
    let mut before = 0;
    for _ in 0..3 {
        rows.next().await.unwrap().unwrap();
        // Waits until the socket buffers are full and sending stops.
        let mut still = 0;
        let mut last = 0;
        while still < 20 {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let now = sent.load(Ordering::SeqCst);
            still = if now == last { still + 1 } else { 0 };
            last = now;
        }
        // Socket buffers hold a few megabytes; reading ahead would have received hundreds.
        assert!(last < 64 << 20, "{last}");
        assert!(before == 0 || last - before < 4 << 20, "{before} {last}");
        before = last;
    }
    // Reading continues.
    rows.by_ref().take(2 * before / 18).try_for_each(|_| async { Ok(()) }).await.unwrap();
    assert!(sent.load(Ordering::SeqCst) > before);
}

fn gzipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// A server that sends the first `sent` bytes of a compressed body. Its `Content-Length` matches, so only the decoder can
/// detect the truncation.
async fn compressed(body: &[u8], sent: Option<usize>) -> Server {
    let zipped = gzipped(body);
    let part = &zipped[..sent.unwrap_or(zipped.len())];
    let head = format!("{}\r\ncontent-encoding: gzip\r\n\r\n", head_of(ARRAY, part.len()).trim_end());
    Server::with([head.as_bytes(), part].concat()).await
}

#[tokio::test]
async fn a_compressed_body_is_decoded() {
    let body = body(ARRAY, 10_000);
    let server = compressed(body.as_bytes(), None).await;
    assert_eq!(read_all(&server).await.0, 10_000);
    let mut bytes = Vec::new();
    let mut pieces = server.show.exports().run("Rows").stream().await.unwrap().bytes();
    while let Some(piece) = pieces.try_next().await.unwrap() {
        bytes.extend_from_slice(&piece);
    }
    assert!(bytes == body.as_bytes());
    let mut text = String::new();
    let mut reader = server.show.exports().run("Rows").stream().await.unwrap().reader();
    reader.read_to_string(&mut text).await.unwrap();
    assert!(text == body);
}

#[tokio::test]
async fn a_truncated_compressed_body_is_an_error_in_every_reader() {
    let body = body(ARRAY, 10_000);
    let length = gzipped(body.as_bytes()).len();
    for sent in [length - 1, length - 8, length - 9, length / 2, 20] {
        let server = compressed(body.as_bytes(), Some(sent)).await;
        let (read, error) = read_all(&server).await;
        let error = error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Call(CallErrorKind::Broken), "{sent} {error}");
        assert!(read > 0 || sent == 20, "{sent}");
        let run = || async { server.show.exports().run("Rows").stream().await.unwrap() };
        let pieces: Vec<_> = run().await.bytes().collect().await;
        assert!(pieces.last().unwrap().is_err());
        let error = run().await.reader().read_to_end(&mut Vec::new()).await.unwrap_err();
        let error = error.get_ref().and_then(|error| error.downcast_ref::<Error>()).unwrap();
        assert_eq!(error.kind(), ErrorKind::Call(CallErrorKind::Broken));
    }
}

#[tokio::test]
async fn raw_rows_are_unchanged() {
    let server = Server::with(response(Framing::Chunks, CSV, b"code,zone\n0940,\"a,b\"\n", 21)).await;
    let rows: Vec<RawRow> = server.show.exports().run("Rows").rows().await.unwrap().try_collect().await.unwrap();
    assert_eq!(rows[0].fields().unwrap().collect::<Vec<_>>(), [("code", "0940"), ("zone", "a,b")]);
    let server = Server::with(response(Framing::Chunks, ARRAY, b"[ {\"a\" : 1.50}, null ]", 22)).await;
    let rows: Vec<RawRow> = server.show.exports().run("Rows").rows().await.unwrap().try_collect().await.unwrap();
    assert_eq!(rows.iter().filter_map(RawRow::json).collect::<Vec<_>>(), ["{\"a\" : 1.50}", "null"]);
}
