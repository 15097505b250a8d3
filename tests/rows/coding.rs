//! Content codings: gzip with several members, trailing bytes, and unsupported codings.

use futures_util::{StreamExt, TryStreamExt};
use perenso::{
    CallErrorKind, Error, ErrorKind,
    exports::{Paging, RawRow, files::ToFile},
};
use tokio::io::AsyncReadExt;

use crate::{ARRAY, CSV, FORMS, LINES, Row, Server, body, gzipped};

const ROWS: u64 = 10;

/// A response with this coding: chunked, or with a length if there is one piece.
fn response(content_type: &str, coding: &str, pieces: &[&[u8]]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\ncontent-encoding: {coding}\r\n");
    if let [whole] = pieces {
        return [format!("{head}content-length: {}\r\n\r\n", whole.len()).as_bytes(), whole].concat();
    }
    let mut response = format!("{head}transfer-encoding: chunked\r\n\r\n").into_bytes();
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        response.extend([format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
    }
    [response, b"0\r\n\r\n".to_vec()].concat()
}

/// The body in two members, split within a row.
fn members(content_type: &str) -> (String, Vec<u8>) {
    let body = body(content_type, ROWS);
    let (first, second) = body.as_bytes().split_at(body.len() / 2 - 3);
    let zipped = [gzipped(first), gzipped(second)].concat();
    (body, zipped)
}

async fn numbers(server: &Server) -> Result<Vec<u64>, Error> {
    let rows = server.show.exports().run("Rows").rows::<Row>().await?;
    rows.map_ok(|row| row.n).try_collect().await
}

#[tokio::test]
async fn all_members_are_read_by_every_reader() {
    let all: Vec<u64> = (1..=ROWS).collect();
    for content_type in FORMS {
        let (body, zipped) = members(content_type);
        let (head, tail) = zipped.split_at(zipped.len() / 2);
        for pieces in [vec![zipped.as_slice()], vec![head, tail], zipped.chunks(1).collect()] {
            let name = format!("{content_type} {}", pieces.len());
            let server = Server::with(response(content_type, "gzip", &pieces)).await;
            let run = || server.show.exports().run("Rows");
            assert_eq!(numbers(&server).await.unwrap(), all, "{name}");
            let pages = server.show.exports().run("Pages").pages::<Row>(Paging::by_page().limit(10)).await.unwrap();
            let paged: Vec<u64> = pages.take(10).map_ok(|row| row.n).try_collect().await.unwrap();
            assert_eq!(paged, all, "{name}");
            let sent = run().send().await.unwrap();
            assert_eq!(sent.text().unwrap(), body, "{name}");
            assert_eq!(sent.rows::<Row>().unwrap().len(), all.len(), "{name}");
            let bytes: Vec<_> = run().stream().await.unwrap().bytes().try_collect().await.unwrap();
            assert_eq!(bytes.concat(), body.as_bytes(), "{name}");
            let mut text = String::new();
            run().stream().await.unwrap().reader().read_to_string(&mut text).await.unwrap();
            assert_eq!(text, body, "{name}");
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("rows");
            let to = if content_type == CSV { ToFile::csv(&path) } else { ToFile::json_lines(&path) };
            let written = to.write(run().rows::<RawRow>().await.unwrap()).await.unwrap();
            assert_eq!(written.rows, ROWS, "{name}");
        }
    }
}

#[tokio::test]
async fn members_are_read_wherever_a_chunk_ends() {
    let (_, zipped) = members(LINES);
    let all: Vec<u64> = (1..=ROWS).collect();
    for cut in 1..zipped.len() {
        let (head, tail) = zipped.split_at(cut);
        let server = Server::with(response(LINES, "GZip", &[head, tail])).await;
        assert_eq!(numbers(&server).await.unwrap(), all, "{cut}");
    }
}

#[tokio::test]
async fn truncated_members_and_left_over_bytes_are_errors_but_padding_is_not() {
    let (_, zipped) = members(ARRAY);
    for (bytes, words) in [
        (zipped[..zipped.len() - 1].to_vec(), "it was cut"),
        ([zipped.clone(), b"\r\n".to_vec()].concat(), "trailing bytes"),
        ([zipped.clone(), zipped[..5].to_vec()].concat(), "it was cut"),
        ([gzipped(b""), b"[]".to_vec()].concat(), "trailing bytes"),
        (b"[]".to_vec(), "no gzip header"),
    ] {
        let server = Server::with(response(ARRAY, "gzip", &[&bytes])).await;
        let run = || server.show.exports().run("Rows");
        let read = [
            numbers(&server).await.unwrap_err(),
            run().send().await.unwrap_err(),
            run().stream().await.unwrap().bytes().try_collect::<Vec<_>>().await.unwrap_err(),
        ];
        for error in read {
            assert_eq!(error.kind(), ErrorKind::Call(CallErrorKind::Broken), "{error}");
            assert!(error.to_string().contains(words), "{words}: {error}");
        }
    }
    let padded = [zipped, vec![0; 512]].concat();
    for coding in ["gzip", "x-gzip", "X-GZIP", "identity, gzip", " gzip "] {
        let server = Server::with(response(ARRAY, coding, &[&padded])).await;
        assert_eq!(numbers(&server).await.unwrap().len() as u64, ROWS, "{coding}");
    }
}

#[tokio::test]
async fn a_coding_that_is_not_decoded_is_named() {
    let plain = body(CSV, ROWS);
    for coding in ["", "identity", "Identity"] {
        let server = Server::with(response(CSV, coding, &[plain.as_bytes()])).await;
        assert_eq!(numbers(&server).await.unwrap().len() as u64, ROWS, "{coding}");
    }
    for coding in ["br", "zstd", "deflate", "gzip, br", "gzip, gzip"] {
        let server = Server::with(response(CSV, coding, &[b"\x0b\x05\x80"])).await;
        let run = || server.show.exports().run("Rows");
        for error in [
            numbers(&server).await.unwrap_err(),
            run().send().await.unwrap_err(),
            run().stream().await.unwrap().bytes().try_collect::<Vec<_>>().await.unwrap_err(),
        ] {
            assert!(error.to_string().contains(&format!("content coding `{coding}`")), "{error}");
            assert!(!error.is_transient(), "{error:?}");
        }
    }
}
