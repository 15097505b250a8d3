//! Reads the body of a response: decoded, within a limit of bytes, and within a timeout for each piece.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_LENGTH},
};

use crate::{
    clock::{Clock, within},
    wire::gzip::{Gunzip, GzipError},
};

/// The most of the body of an error response that is kept.
pub(crate) const MAX_ERROR_BODY_BYTES: usize = 64 * 1024;

/// The most of an unknown `Content-Encoding` that is shown.
const LONGEST_CODING: usize = 60;

/// Why a body was not read to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    TooLarge,
    Idle,
    Broken(reqwest::Error),
    /// It is not what its `Content-Encoding` says.
    Gzip(GzipError),
    /// Nobody asked for this `Content-Encoding`, and it is not decoded here.
    UnknownCoding(String),
}

/// The body of a response, of which no more than its headers may have arrived.
pub(crate) struct IncomingBody {
    response: reqwest::Response,
    coding: Coding,
}

enum Coding {
    Identity,
    // In a box, since most bodies are not compressed.
    Gzip(Box<(Gunzip, Bytes)>),
    Unknown(String),
}

impl IncomingBody {
    /// Separates headers and body. `Content-Encoding` and `Content-Length` of a body that is decoded here are removed.
    pub(crate) fn of(mut response: reqwest::Response) -> (HeaderMap, Self) {
        let mut headers = std::mem::take(response.headers_mut());
        let coding = Coding::of(&headers);
        if let Coding::Gzip(_) = coding {
            headers.remove(CONTENT_ENCODING);
            headers.remove(CONTENT_LENGTH);
        }
        (headers, Self { response, coding })
    }

    /// The next piece of the body; `None` at its end.
    pub(crate) async fn chunk(&mut self, clock: &dyn Clock, idle: Duration) -> Result<Option<Bytes>, Failure> {
        within(clock, idle, self.next()).await.unwrap_or(Err(Failure::Idle))
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        loop {
            if let Coding::Gzip(decoder) = &mut self.coding {
                let (gunzip, input) = &mut **decoder;
                if let Some(piece) = gunzip.next(input).map_err(Failure::Gzip)? {
                    return Ok(Some(piece));
                }
            }
            let chunk = self.response.chunk().await.map_err(Failure::Broken)?;
            match (&mut self.coding, chunk) {
                (Coding::Gzip(decoder), Some(chunk)) => decoder.1 = chunk,
                (Coding::Gzip(decoder), None) => return decoder.0.finish().map(|()| None).map_err(Failure::Gzip),
                // A body that is empty needs no decoder.
                (Coding::Unknown(coding), Some(chunk)) if !chunk.is_empty() => {
                    return Err(Failure::UnknownCoding(coding.clone()));
                }
                (_, chunk) => return Ok(chunk),
            }
        }
    }
}

impl Coding {
    fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(CONTENT_ENCODING).iter();
        let codings = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
        let codings: Vec<_> =
            codings.filter(|coding| !coding.eq_ignore_ascii_case(b"identity") && !coding.is_empty()).collect();
        match codings.as_slice() {
            [] => Self::Identity,
            [one] if one.eq_ignore_ascii_case(b"gzip") || one.eq_ignore_ascii_case(b"x-gzip") => {
                Self::Gzip(Box::new((Gunzip::new(), Bytes::new())))
            }
            codings => {
                let text = String::from_utf8_lossy(&codings.join(&b", "[..])).into_owned();
                Self::Unknown(text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(LONGEST_CODING).collect())
            }
        }
    }
}

/// The whole body, at most `limit` bytes after decompression.
pub(crate) async fn collect(
    mut body: IncomingBody,
    limit: usize,
    clock: &dyn Clock,
    idle: Duration,
) -> Result<Bytes, Failure> {
    let Some(first) = body.chunk(clock, idle).await? else { return Ok(Bytes::new()) };
    if first.len() > limit {
        return Err(Failure::TooLarge);
    }
    // Most bodies are one chunk, and that one needs no copy.
    let Some(second) = body.chunk(clock, idle).await? else { return Ok(first) };
    let mut whole = BytesMut::with_capacity(first.len() + second.len());
    whole.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(piece) = next {
        if whole.len() + piece.len() > limit {
            return Err(Failure::TooLarge);
        }
        whole.extend_from_slice(&piece);
        next = body.chunk(clock, idle).await?;
    }
    Ok(whole.freeze())
}

/// As much of the body as arrives within `limit` bytes and `timeout`: for error pages, of which a part is enough. Besides,
/// the coding that kept it from being read.
pub(crate) async fn part(
    mut body: IncomingBody,
    limit: usize,
    clock: &dyn Clock,
    timeout: Duration,
) -> (Bytes, Option<String>) {
    let (mut part, mut coding) = (BytesMut::new(), None);
    let read = async {
        loop {
            match body.next().await {
                Ok(Some(chunk)) => {
                    let room = limit - part.len();
                    part.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
                }
                Err(Failure::UnknownCoding(unknown)) => coding = Some(unknown),
                Ok(None) | Err(_) => break,
            }
            if part.len() == limit || coding.is_some() {
                break;
            }
        }
    };
    // The part that arrived until then is kept.
    let _ = within(clock, timeout, read).await;
    (part.freeze(), coding)
}

/// Returns a body without the byte order mark that some servers and editors put before JSON.
pub(crate) fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)
}
