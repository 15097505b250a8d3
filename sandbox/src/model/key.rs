//! Keys of made-up records.

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
