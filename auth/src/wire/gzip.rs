//! Decodes gzip (RFC 1952) with any number of members, from chunks of any size.

use bytes::{Buf, Bytes};
use flate2::{Crc, Decompress, FlushDecompress, Status};

/// The maximum size of a decoded chunk.
const LARGEST_PIECE: usize = 64 * 1024;
/// The number of header bytes that are read first. Most headers have 10.
const SHORT_HEADER: usize = 64;
/// The maximum size of a member header, which may contain a name, a comment and extra fields.
const LARGEST_HEADER: usize = 64 * 1024;
/// CRC-32 and length, after the compressed data of a member.
const TRAILER: usize = 8;

/// The reason why a body is not valid gzip. Displayed after "the body ".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GzipError {
    #[error("ends within a gzip member: it was cut")]
    Cut,
    #[error("has no gzip header")]
    Header,
    #[error("has trailing bytes after its last gzip member")]
    Leftover,
    #[error("contains corrupt gzip data")]
    Damaged,
}

/// A decoder of one body.
pub(crate) struct Gunzip {
    state: State,
    inflate: Decompress,
    crc: Crc,
    /// The start of a header or trailer that has not arrived completely.
    part: Vec<u8>,
    members: u64,
    /// The last chunk was full, so the decoder may have more output.
    was_full: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Between members, where zeros are padding.
    Between,
    Header,
    Data,
    Trailer,
}

impl Gunzip {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Between,
            inflate: Decompress::new(false),
            crc: Crc::new(),
            part: Vec::new(),
            members: 0,
            was_full: false,
        }
    }

    /// Decodes the next chunk, which is never empty. Returns `None` once `input` is used up and more is needed.
    pub(crate) fn next(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, GzipError> {
        loop {
            match self.state {
                State::Between => {
                    let zeros = if self.members == 0 { 0 } else { input.iter().take_while(|byte| **byte == 0).count() };
                    input.advance(zeros);
                    if input.is_empty() {
                        return Ok(None);
                    }
                    self.state = State::Header;
                }
                State::Header => {
                    let known = self.part.len();
                    let step = input.len().min(known.max(SHORT_HEADER));
                    self.part.extend_from_slice(&input[..step]);
                    match header_length(&self.part) {
                        Ok(Some(length)) => {
                            input.advance(length - known);
                            self.part.clear();
                            self.inflate.reset(false);
                            self.crc.reset();
                            self.state = State::Data;
                        }
                        Ok(None) if self.part.len() <= LARGEST_HEADER => input.advance(step),
                        Ok(None) | Err(GzipError::Header) if self.members > 0 => return Err(GzipError::Leftover),
                        Ok(None) => return Err(GzipError::Header),
                        Err(error) => return Err(error),
                    }
                    if input.is_empty() && self.state == State::Header {
                        return Ok(None);
                    }
                }
                State::Data => match self.data(input)? {
                    Some(piece) => return Ok(Some(piece)),
                    None if self.state == State::Data => return Ok(None),
                    None => {}
                },
                State::Trailer => {
                    let missing = (TRAILER - self.part.len()).min(input.len());
                    self.part.extend_from_slice(&input.split_to(missing));
                    if self.part.len() < TRAILER {
                        return Ok(None);
                    }
                    let told = [self.crc.sum().to_le_bytes(), self.crc.amount().to_le_bytes()].concat();
                    if self.part != told {
                        return Err(GzipError::Damaged);
                    }
                    self.part.clear();
                    self.members += 1;
                    self.state = State::Between;
                }
            }
        }
    }

    /// Checks that the body may end here. An empty body may, since servers send it with a content coding.
    pub(crate) fn finish(&self) -> Result<(), GzipError> {
        if self.state == State::Between { Ok(()) } else { Err(GzipError::Cut) }
    }

    fn data(&mut self, input: &mut Bytes) -> Result<Option<Bytes>, GzipError> {
        while !input.is_empty() || self.was_full {
            let mut piece = Vec::with_capacity((input.len() * 4).clamp(1024, LARGEST_PIECE));
            let before = self.inflate.total_in();
            let status = self.inflate.decompress_vec(input, &mut piece, FlushDecompress::None);
            let status = status.map_err(|_| GzipError::Damaged)?;
            let used = usize::try_from(self.inflate.total_in() - before).unwrap_or(usize::MAX);
            input.advance(used.min(input.len()));
            self.crc.update(&piece);
            self.was_full = piece.len() == piece.capacity();
            if status == Status::StreamEnd {
                self.was_full = false;
                self.state = State::Trailer;
            }
            if !piece.is_empty() {
                return Ok(Some(piece.into()));
            }
            if status == Status::StreamEnd {
                return Ok(None);
            }
            if used == 0 && !input.is_empty() {
                return Err(GzipError::Damaged);
            }
        }
        Ok(None)
    }
}

/// Returns the length of the member header (RFC 1952 section 2.3) at the start of `bytes`, or `None` if it is incomplete.
fn header_length(bytes: &[u8]) -> Result<Option<usize>, GzipError> {
    const MAGIC_AND_DEFLATE: [u8; 3] = [0x1F, 0x8B, 8];
    const CHECKED: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    const RESERVED: u8 = 0xE0;
    let magic = bytes.len().min(MAGIC_AND_DEFLATE.len());
    if bytes[..magic] != MAGIC_AND_DEFLATE[..magic] {
        return Err(GzipError::Header);
    }
    let Some(flags) = bytes.get(3) else { return Ok(None) };
    if flags & RESERVED != 0 {
        return Err(GzipError::Header);
    }
    let short = |at: usize| Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
    let mut length = 10;
    if flags & EXTRA != 0 {
        let Some(extra) = short(length) else { return Ok(None) };
        length += 2 + usize::from(extra);
    }
    for flag in [NAME, COMMENT] {
        if flags & flag != 0 {
            let end = bytes.get(length..).and_then(|text| text.iter().position(|byte| *byte == 0));
            let Some(end) = end else { return Ok(None) };
            length += end + 1;
        }
    }
    if flags & CHECKED != 0 {
        let Some(told) = short(length) else { return Ok(None) };
        let mut crc = Crc::new();
        crc.update(&bytes[..length]);
        if crc.sum() & 0xFFFF != u32::from(told) {
            return Err(GzipError::Damaged);
        }
        length += 2;
    }
    Ok((length <= bytes.len()).then_some(length))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, GzBuilder, write::GzEncoder};
    use proptest::prelude::*;

    use super::*;

    fn member(content: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    /// A member with all optional fields of the header: extra, name, comment and checksum.
    fn labelled(content: &[u8]) -> Vec<u8> {
        let builder = GzBuilder::new().extra(vec![7; 300]).filename("rows.json").comment("made up");
        let mut encoder = builder.write(Vec::new(), Compression::fast());
        encoder.write_all(content).unwrap();
        let mut bytes = encoder.finish().unwrap();
        let header = header_length(&bytes).unwrap().unwrap();
        bytes[3] |= 2;
        let mut crc = Crc::new();
        crc.update(&bytes[..header]);
        let check = u16::try_from(crc.sum() & 0xFFFF).unwrap().to_le_bytes();
        bytes.splice(header..header, check);
        bytes
    }

    /// Decodes a body of these chunks.
    fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<u8>, GzipError> {
        let (mut gunzip, mut decoded) = (Gunzip::new(), Vec::new());
        for piece in pieces {
            let mut input = Bytes::copy_from_slice(piece);
            while let Some(piece) = gunzip.next(&mut input)? {
                assert!(!piece.is_empty() && piece.len() <= LARGEST_PIECE, "{}", piece.len());
                decoded.extend_from_slice(&piece);
            }
            assert!(input.is_empty());
        }
        gunzip.finish().map(|()| decoded)
    }

    #[test]
    fn all_members_are_decoded_wherever_the_body_is_cut() {
        let body = [member(b"one, "), labelled(b"two, "), member(b""), member(b"three"), vec![0; 5]].concat();
        for cut in 0..=body.len() {
            let (head, tail) = body.split_at(cut);
            assert_eq!(decode([head, tail]).unwrap(), b"one, two, three", "{cut}");
        }
        assert_eq!(decode(body.chunks(1)).unwrap(), b"one, two, three");
    }

    #[test]
    fn a_body_may_end_only_between_members() {
        let first = member(b"one");
        let body = [first.clone(), labelled(b"two")].concat();
        for end in 1..body.len() {
            let expected = if end == first.len() { Ok(b"one".to_vec()) } else { Err(GzipError::Cut) };
            assert_eq!(decode([&body[..end]]), expected, "{end}");
        }
        assert_eq!(decode([]).unwrap(), b"");
    }

    #[test]
    fn trailing_and_corrupt_bytes_are_errors() {
        let good = member(b"one");
        let with = |rest: &[u8]| decode([[&good, rest].concat().as_slice()]);
        assert_eq!(with(b"\0\0").unwrap(), b"one");
        for rest in [&b"\n"[..], b"x", b"\0\0x", b"\x1f\x8c", b"\x1f\x8b\x07", b"\x1f\x8b\x08\xff", &[0x1F; 99]] {
            assert_eq!(with(rest), Err(GzipError::Leftover), "{rest:?}");
        }
        assert_eq!(decode([&b"[]"[..]]), Err(GzipError::Header));
        let endless = [&b"\x1f\x8b\x08\x08\0\0\0\0\0\0"[..], &[b'x'; 2 * LARGEST_HEADER]].concat();
        assert_eq!(decode([endless.as_slice()]), Err(GzipError::Header));
        for at in [12, good.len() - 8, good.len() - 1] {
            let mut bad = good.clone();
            bad[at] ^= 0x15;
            assert!(matches!(decode([bad.as_slice()]), Err(GzipError::Damaged | GzipError::Cut)), "{at}");
        }
        let mut bad = labelled(b"two");
        bad[5] ^= 1;
        assert_eq!(decode([bad.as_slice()]), Err(GzipError::Damaged));
    }

    #[test]
    fn a_large_expansion_is_decoded_in_bounded_chunks() {
        let content = vec![b'x'; 3_000_000];
        // The decoder returns all output before it needs more input.
        let body = member(&content);
        let mut input = Bytes::from(body[..body.len() - 8].to_vec());
        let (mut gunzip, mut decoded) = (Gunzip::new(), 0);
        while let Some(piece) = gunzip.next(&mut input).unwrap() {
            decoded += piece.len();
        }
        assert_eq!(decoded, content.len());
    }

    proptest! {
        #[test]
        fn any_members_in_any_pieces(
            members in prop::collection::vec((prop::collection::vec(any::<u8>(), 0..300), 1_usize..400), 1..5),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let contents: Vec<Vec<u8>> = members.iter().map(|(bytes, times)| bytes.repeat(*times)).collect();
            let body: Vec<u8> = contents.iter().flat_map(|content| member(content)).collect();
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(body.len())).collect();
            cuts.extend([0, body.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|cut| &body[cut[0]..cut[1]]);
            prop_assert!(decode(pieces).unwrap() == contents.concat());
            // The reference implementation.
            let mut reference = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::MultiGzDecoder::new(body.as_slice()), &mut reference).unwrap();
            prop_assert!(reference == contents.concat());
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), good in any::<bool>()) {
            let body = if good { [member(b"one"), bytes].concat() } else { [b"\x1f\x8b\x08".to_vec(), bytes].concat() };
            let _ = decode(body.chunks(3));
        }
    }
}
