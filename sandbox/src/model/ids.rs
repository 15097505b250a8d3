//! Ids of records: a number and its id follow from each other, so that no list of ids has to be kept.

use fastrand::Rng;

const LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const LENGTH: usize = 6;
/// As many numbers as three letters can stand for.
const HALF: u64 = 36 * 36 * 36;

/// The ids of one table, which look random: six lower-case letters and digits, as in the vendor's samples.
///
/// A Feistel network over the two halves of a number: it goes backwards whatever is mixed in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids {
    keys: [u64; 4],
}

impl Ids {
    pub(crate) fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        Self { keys: std::array::from_fn(|_| random.u64(..)) }
    }

    /// The id of a number. They begin to repeat after two thousand million.
    pub(crate) fn id(&self, number: u64) -> String {
        let number = number % (HALF * HALF);
        let (left, right) = self
            .keys
            .iter()
            .fold((number / HALF, number % HALF), |(left, right), key| (right, (left + mixed(right, *key)) % HALF));
        let mut rest = left * HALF + right;
        let mut id = [LETTERS[0]; LENGTH];
        for letter in id.iter_mut().rev() {
            *letter = LETTERS[(rest % 36) as usize];
            rest /= 36;
        }
        id.iter().copied().map(char::from).collect()
    }

    /// The number of an id; `None` for a text that is the id of no number.
    pub(crate) fn number(&self, id: &str) -> Option<u64> {
        if id.len() != LENGTH {
            return None;
        }
        let value = id.bytes().try_fold(0, |value, letter| {
            let digit = LETTERS.iter().position(|known| *known == letter)?;
            Some(value * 36 + digit as u64)
        })?;
        let (left, right) =
            self.keys.iter().rev().fold((value / HALF, value % HALF), |(left, right), key| {
                ((right + HALF - mixed(left, *key)) % HALF, left)
            });
        Some(left * HALF + right)
    }
}

fn mixed(half: u64, key: u64) -> u64 {
    Rng::with_seed(half ^ key).u64(..HALF)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::HashSet;

    use super::*;

    #[test]
    fn a_number_and_its_id_follow_from_each_other() {
        let ids = Ids::new(7);
        let numbers = (0..20_000).chain(HALF * HALF - 1_000..HALF * HALF);
        let mut seen = HashSet::new();
        for number in numbers {
            let id = ids.id(number);
            assert_eq!(ids.number(&id), Some(number), "{id}");
            assert!(id.len() == 6 && id.bytes().all(|letter| LETTERS.contains(&letter)), "{id}");
            seen.insert(id);
        }
        assert_eq!(seen.len(), 21_000);
        assert_ne!(Ids::new(8).id(1), ids.id(1));
    }

    #[test]
    fn ids_look_random() {
        let ids = Ids::new(1);
        for place in 0..LENGTH {
            let letters: HashSet<u8> = (1..500).map(|number| ids.id(number).as_bytes()[place]).collect();
            assert!(letters.len() > 30, "place {place} has {} letters only", letters.len());
        }
    }

    #[test]
    fn a_text_that_is_no_id_has_no_number() {
        let ids = Ids::new(7);
        for text in ["", "abc12", "abc1234", "ABC123", "abc/12", "ab c12", "äbc12", "äbcd1"] {
            assert_eq!(ids.number(text), None, "{text}");
        }
    }
}
