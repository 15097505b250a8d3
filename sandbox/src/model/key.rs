//! Keys of made-up records: a prefix and a number.

/// The keys of one table: a prefix, then a number padded to at least `digits` digits.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Key {
    /// The field that holds the key.
    pub(crate) field: &'static str,
    pub(crate) prefix: &'static str,
    pub(crate) digits: usize,
    /// The number of consecutive records that share a key.
    pub(crate) each: u64,
}

impl Key {
    pub(crate) const fn new(field: &'static str, prefix: &'static str, digits: usize) -> Self {
        Self { field, prefix, digits, each: 1 }
    }

    /// Returns the key with this number.
    pub(crate) fn of(&self, number: u64) -> String {
        format!("{}{number:0digits$}", self.prefix, digits = self.digits)
    }

    /// Returns the number of a key, or `None` if the string is not a key.
    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        let number = key.strip_prefix(self.prefix)?.parse().ok().filter(|number| *number > 0)?;
        // `parse` also accepts signs and further leading zeros.
        (self.of(number) == key).then_some(number)
    }
}
