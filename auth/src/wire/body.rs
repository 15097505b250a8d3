//! Reads and decodes the body of a response, within a size limit and an idle timeout.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt;
use http::{
    HeaderMap,
    header::{CONTENT_ENCODING, CONTENT_LENGTH},
};

use crate::{
    clock::{Clock, within},
    wire::gzip::{Gunzip, GzipError},
};

/// The maximum size of the body of an error response that is kept.
pub(crate) const MAX_ERROR_BODY_BYTES: usize = 64 * 1024;

/// The maximum length of an unknown `Content-Encoding` in messages.
const LONGEST_CODING: usize = 60;

/// The reason why a body was not read to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    TooLarge,
    Idle,
    Broken(reqwest::Error),
    /// The body does not match its `Content-Encoding`.
    Gzip(GzipError),
    /// This `Content-Encoding` was not requested and cannot be decoded.
    UnknownCoding(String),
}

/// The body of a response that is still being received.
pub(crate) struct IncomingBody {
    response: reqwest::Response,
    coding: Coding,
}

enum Coding {
    Identity,
    // Boxed, since most bodies are not compressed.
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

    /// Returns the next chunk of the body, or `None` at its end.
    pub(crate) fn chunk(
        &mut self,
        clock: &dyn Clock,
        idle: Duration,
    ) -> impl Future<Output = Result<Option<Bytes>, Failure>> + Send {
        within(clock, idle, self.next()).map(|chunk| chunk.unwrap_or(Err(Failure::Idle)))
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
                // An empty body needs no decoder.
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
        if !headers.contains_key(CONTENT_ENCODING) {
            return Self::Identity;
        }
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

/// Reads the whole body, at most `limit` bytes after decompression.
pub(crate) async fn collect(
    body: &mut IncomingBody,
    limit: usize,
    clock: &dyn Clock,
    idle: Duration,
) -> Result<Bytes, Failure> {
    let Some(first) = body.chunk(clock, idle).await? else { return Ok(Bytes::new()) };
    if first.len() > limit {
        return Err(Failure::TooLarge);
    }
    // Most bodies are a single chunk, which is not copied.
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

/// Reads the start of a body: at most `limit` bytes, and only until `timeout`. Also returns the content coding if it is
/// unknown. For error responses, of which a part is enough.
pub(crate) async fn part(
    body: &mut IncomingBody,
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
