//! Keys, ids, timestamps and random numbers of made-up records. All follow from a number, most of them from a seed too.

use chrono::{DateTime, NaiveDateTime, TimeDelta};
use fastrand::Rng;

const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const LENGTH: usize = 6;
/// The number of combinations of three letters.
const HALF: u64 = 36 * 36 * 36;

/// The keys of one table: a prefix, then a number padded to at least `digits` digits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    /// The field that holds the key.
    pub(crate) field: &'static str,
    prefix: &'static str,
    digits: usize,
}

impl Key {
    pub(crate) const fn new(field: &'static str, prefix: &'static str, digits: usize) -> Self {
        Self { field, prefix, digits }
    }

    /// Returns the key with this number.
    pub(crate) fn of(&self, number: u64) -> String {
        format!("{}{number:0digits$}", self.prefix, digits = self.digits)
    }
}

/// The seed of one table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seeded {
    seed: u64,
    /// The round keys of the ids.
    round_keys: [u64; 4],
}

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        Self { seed, round_keys: std::array::from_fn(|_| random.u64(..)) }
    }

    /// Returns the id with this number: six lower-case letters and digits that look random, as in the vendor's samples.
    ///
    /// A Feistel network makes them unique until they repeat after two thousand million.
    pub(crate) fn id(&self, number: u64) -> String {
        let number = number % (HALF * HALF);
        let (left, right) = self
            .round_keys
            .iter()
            .fold((number / HALF, number % HALF), |(left, right), key| (right, (left + round(right, *key)) % HALF));
        let mut rest = left * HALF + right;
        let mut id = [LETTERS[0]; LENGTH];
        for letter in id.iter_mut().rev() {
            *letter = LETTERS[(rest % 36) as usize];
            rest /= 36;
        }
        id.iter().copied().map(char::from).collect()
    }

    /// Returns the random numbers for the record with this number.
    pub(crate) fn random(&self, number: u64) -> Rng {
        Rng::with_seed(self.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    /// Returns the timestamp of the record with this number: one every half minute, from January 2025 on.
    pub(crate) fn modified(&self, number: u64) -> NaiveDateTime {
        let seconds = 1_736_100_000 + 30 * i64::try_from(number).unwrap_or_default();
        let hundredths = self.random(!number).i64(0..3_000);
        let since = TimeDelta::try_seconds(seconds).unwrap_or_default() + TimeDelta::milliseconds(hundredths * 10);
        DateTime::UNIX_EPOCH.naive_utc().checked_add_signed(since).unwrap_or(NaiveDateTime::MAX)
    }
}

fn round(half: u64, key: u64) -> u64 {
    Rng::with_seed(half ^ key).u64(..HALF)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_unique() {
        let ids = Seeded::new(7);
        let numbers = (0..20_000).chain(HALF * HALF - 1_000..HALF * HALF);
        let mut seen = HashSet::new();
        for number in numbers {
            let id = ids.id(number);
            assert!(id.len() == 6 && id.bytes().all(|letter| LETTERS.contains(&letter)), "{id}");
            seen.insert(id);
        }
        assert_eq!(seen.len(), 21_000);
        assert_ne!(Seeded::new(8).id(1), ids.id(1));
    }

    #[test]
    fn ids_look_random() {
        let ids = Seeded::new(1);
        for place in 0..LENGTH {
            let letters: HashSet<u8> = (1..500).map(|number| ids.id(number).as_bytes()[place]).collect();
            assert!(letters.len() > 30, "place {place} has {} letters only", letters.len());
        }
    }
}
