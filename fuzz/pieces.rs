//! Bytes given to a reader of rows in pieces, cut anywhere: how they are cut makes no difference.

use perenso::{
    ErrorKind,
    exports::{FromRow, RowReader},
};

/// What a reader gave: the rows, `None` for one that does not fit, and the error at the end.
#[derive(Debug, PartialEq)]
pub struct Given<V> {
    pub rows: Vec<Option<V>>,
    pub error: Option<String>,
}

/// What comes of the bytes in one piece.
pub fn given_whole<T: FromRow, V>(reader: &impl Fn() -> RowReader, bytes: &[u8], value: &impl Fn(T) -> V) -> Given<V> {
    read(reader(), [bytes], false, value)
}

/// That the same comes of the bytes in pieces, and that a limit for rows only takes rows away.
pub fn given<T: FromRow, V: PartialEq + std::fmt::Debug>(
    reader: &impl Fn() -> RowReader,
    bytes: &[u8],
    value: &impl Fn(T) -> V,
    whole: &Given<V>,
) {
    assert_eq!(&read(reader(), bytes.chunks(1), true, value), whole);
    let mut random = Random::of(bytes);
    let at = random.below(bytes.len() + 1);
    assert_eq!(&read(reader(), [&bytes[..at], &bytes[at..]], true, value), whole, "cut at {at}");
    let pieces = random.cut(bytes);
    assert_eq!(&read(reader(), pieces.iter().copied(), false, value), whole, "{pieces:?}");

    // What is broken and large is an error for either reason.
    let limit = random.below(40);
    let limited = read(reader().row_limit(limit), [bytes], false, value);
    let in_pieces = read(reader().row_limit(limit), random.cut(bytes), true, value);
    assert_eq!((&in_pieces.rows, in_pieces.error.is_some()), (&limited.rows, limited.error.is_some()), "limit {limit}");
    assert!(whole.rows.starts_with(&limited.rows));
    assert!(limited == *whole || limited.error.is_some());
}

/// `is_eager`: rows are taken as soon as they are there.
fn read<'b, T: FromRow, V>(
    mut reader: RowReader,
    pieces: impl IntoIterator<Item = &'b [u8]>,
    is_eager: bool,
    value: &impl Fn(T) -> V,
) -> Given<V> {
    let mut given = Given { rows: Vec::new(), error: None };
    for piece in pieces {
        reader.push(piece.to_vec());
        if is_eager {
            take(&mut reader, &mut given, value);
        }
    }
    reader.finish();
    take(&mut reader, &mut given, value);
    reader.push(&b"{}"[..]);
    take(&mut reader, &mut given, value);
    given
}

fn take<T: FromRow, V>(reader: &mut RowReader, given: &mut Given<V>, value: &impl Fn(T) -> V) {
    while let Some(row) = reader.next_row::<T>() {
        assert!(given.error.is_none(), "something follows the error");
        match row {
            Ok(row) => given.rows.push(Some(value(row))),
            Err(error) if error.kind() == ErrorKind::Row => {
                given.rows.push(None);
                assert_eq!(error.row(), Some(given.rows.len() as u64));
            }
            Err(error) => {
                assert!(error.kind() == ErrorKind::Response && error.row().is_none());
                given.error = Some(error.to_string());
            }
        }
        assert_eq!(reader.received(), given.rows.len() as u64);
    }
}

/// Numbers that depend on the input alone, so that it fails again.
struct Random(u64);

impl Random {
    fn of(bytes: &[u8]) -> Self {
        // FNV-1a.
        Self(
            bytes
                .iter()
                .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3)),
        )
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    /// Pieces of a few bytes, some of them empty.
    fn cut<'b>(&mut self, bytes: &'b [u8]) -> Vec<&'b [u8]> {
        let (mut pieces, mut rest) = (Vec::new(), bytes);
        while !rest.is_empty() {
            let (piece, other) = rest.split_at(self.below(9).min(rest.len()));
            pieces.push(piece);
            rest = other;
        }
        pieces
    }
}
