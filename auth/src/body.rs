//! Reading the body of an answer: never more of it than is allowed, and never longer than it keeps coming.

use std::time::Duration;

use bytes::{Bytes, BytesMut};

use crate::clock::{Clock, within};

/// Why a body was not read to its end.
#[derive(Debug)]
pub(crate) enum Failure {
    TooLarge,
    Idle,
    Broken(reqwest::Error),
}

/// The whole body, at most `limit` bytes after decompression.
pub(crate) async fn collect(
    mut response: reqwest::Response,
    limit: usize,
    clock: &dyn Clock,
    idle: Duration,
) -> Result<Bytes, Failure> {
    let Some(first) = chunk(&mut response, clock, idle).await? else { return Ok(Bytes::new()) };
    if first.len() > limit {
        return Err(Failure::TooLarge);
    }
    // Most answers are one chunk, and that one needs no copy.
    let Some(second) = chunk(&mut response, clock, idle).await? else { return Ok(first) };
    let mut whole = BytesMut::with_capacity(first.len() + second.len());
    whole.extend_from_slice(&first);
    let mut next = Some(second);
    while let Some(piece) = next {
        if whole.len() + piece.len() > limit {
            return Err(Failure::TooLarge);
        }
        whole.extend_from_slice(&piece);
        next = chunk(&mut response, clock, idle).await?;
    }
    Ok(whole.freeze())
}

/// As much of the body as comes within `limit` bytes and `patience`: for error pages, of which a part is enough.
pub(crate) async fn part(
    mut response: reqwest::Response,
    limit: usize,
    clock: &dyn Clock,
    patience: Duration,
) -> Bytes {
    let mut part = BytesMut::new();
    let read = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = limit - part.len();
            part.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if part.len() == limit {
                break;
            }
        }
    };
    // What came until then is kept.
    let _ = within(clock, patience, read).await;
    part.freeze()
}

/// The next piece of the body; `None` at its end.
pub(crate) async fn chunk(
    response: &mut reqwest::Response,
    clock: &dyn Clock,
    idle: Duration,
) -> Result<Option<Bytes>, Failure> {
    match within(clock, idle, response.chunk()).await {
        Some(chunk) => chunk.map_err(Failure::Broken),
        None => Err(Failure::Idle),
    }
}
