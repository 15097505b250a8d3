//! Seeded records: each is a function of the seed and its number, so that none has to be kept.

use std::ops::RangeInclusive;

use chrono::{DateTime, NaiveDateTime, TimeDelta};
use fastrand::Rng;

use super::ids::Ids;
use super::key::Key;

/// The seeded records of one table, numbered from 1.
pub(crate) struct Seeded {
    pub(crate) count: u64,
    pub(crate) key: Key,
    seed: u64,
    ids: Ids,
    make: Box<Make>,
}

/// Makes the record of a number, as a JSON object.
type Make = dyn Fn(u64, &mut Rng) -> String + Send + Sync;

impl Seeded {
    pub(crate) fn new(
        seed: u64,
        count: u64,
        key: Key,
        make: impl Fn(u64, &mut Rng) -> String + Send + Sync + 'static,
    ) -> Self {
        Self { count, key, seed, ids: Ids::new(seed), make: Box::new(make) }
    }

    pub(crate) fn text(&self, number: u64) -> String {
        (self.make)(number, &mut random(self.seed, number))
    }

    pub(crate) fn modified(&self, number: u64) -> NaiveDateTime {
        modified(self.seed, number)
    }

    /// The id of a number, also of one beyond the seeded records.
    pub(crate) fn id(&self, number: u64) -> String {
        self.ids.id(number)
    }

    /// The number of the seeded record with this id.
    pub(crate) fn number(&self, id: &str) -> Option<u64> {
        self.ids.number(id).filter(|number| (1..=self.count).contains(number))
    }

    /// The numbers of the seeded records with this key.
    pub(crate) fn numbers_of(&self, key: &str) -> RangeInclusive<u64> {
        let each = self.key.each;
        match self.key.number(key).and_then(|number| number.checked_mul(each)) {
            Some(last) if last <= self.count => last - each + 1..=last,
            _ => RangeInclusive::new(1, 0),
        }
    }
}

/// One record was written every half minute, from January 2025 on.
pub(crate) fn modified(seed: u64, number: u64) -> NaiveDateTime {
    let seconds = 1_736_100_000 + 30 * i64::try_from(number).unwrap_or_default();
    let hundredths = random(seed, !number).i64(0..3_000);
    let since = TimeDelta::try_seconds(seconds).unwrap_or_default() + TimeDelta::milliseconds(hundredths * 10);
    DateTime::UNIX_EPOCH.naive_utc().checked_add_signed(since).unwrap_or(NaiveDateTime::MAX)
}

fn random(seed: u64, number: u64) -> Rng {
    Rng::with_seed(seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key::new("customerID", "C", 3);

    fn seeded(seed: u64, key: Key) -> Seeded {
        Seeded::new(seed, 2_000, key, |number, random| format!("{number}:{}", random.u64(..)))
    }

    #[test]
    fn a_record_follows_from_the_seed_and_its_number() {
        let (one, same, other) = (seeded(1, KEY), seeded(1, KEY), seeded(2, KEY));
        let all = |seeded: &Seeded| -> Vec<_> {
            (1..=2_000).map(|number| (seeded.id(number), seeded.text(number), seeded.modified(number))).collect()
        };
        assert_eq!(all(&one), all(&same));
        for (a, b) in all(&one).into_iter().zip(all(&other)) {
            assert!(a.0 != b.0 && a.1 != b.1, "{a:?} {b:?}");
        }
        assert_ne!(
            one.text(1).split_once(':').map(|(_, r)| r.to_owned()),
            one.text(2).split_once(':').map(|(_, r)| r.to_owned())
        );
    }

    #[test]
    fn ids_beyond_the_count_are_nobodys() {
        let seeded = seeded(1, KEY);
        assert_eq!(seeded.number(&seeded.id(2_000)), Some(2_000));
        assert_eq!(seeded.number(&seeded.id(2_001)), None);
        assert_eq!(seeded.number(&seeded.id(0)), None);
    }

    #[test]
    fn keys_lead_to_their_numbers() {
        let one = seeded(1, KEY);
        for (key, numbers) in [("C001", 1..=1), ("C999", 999..=999), ("C1000", 1_000..=1_000), ("C2000", 2_000..=2_000)]
        {
            assert_eq!(one.numbers_of(key), numbers, "{key}");
        }
        for key in ["C000", "C01", "C0001", "C+01", "C2001", "c001", "001", "C", "", "C18446744073709551616"] {
            assert!(one.numbers_of(key).is_empty(), "{key}");
        }
        let two = seeded(1, Key { each: 2, ..KEY });
        assert_eq!(two.numbers_of("C001"), 1..=2);
        assert_eq!(two.numbers_of("C1000"), 1_999..=2_000);
        assert!(two.numbers_of("C1001").is_empty());
        assert!(two.numbers_of("C18446744073709551615").is_empty());
    }
}
