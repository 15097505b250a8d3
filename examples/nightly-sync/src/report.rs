//! The report of a run, for the log.

use std::fmt;

/// The result of a run. Each of [`Erp::customers`](crate::Erp::customers) counts once: as unchanged, written, refused, or to
/// be sent again.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// Records that the show already holds.
    pub unchanged: usize,
    /// Records that were created or updated.
    pub written: usize,
    /// Records that the show refused.
    pub refused: usize,
    /// Records that were not sent or whose outcome is unknown. The next run sends them.
    pub again: usize,
    /// The reasons for refusals, the most frequent first.
    pub refusals: Vec<Refusal>,
    /// Numbers that the ERP's file contains twice with different data. Neither record was sent.
    pub contradictions: Vec<String>,
    /// The errors of lines of the ERP's file that could not be read.
    pub unreadable: Vec<String>,
    /// Customers of the show that the ERP does not contain. They are not deleted.
    pub only_at_show: Vec<String>,
    /// The error that prevented the comparison with the customers of the show.
    pub not_compared: Option<perenso::Error>,
    /// The error that ended the run early.
    pub error: Option<perenso::Error>,
}

/// A reason for refusals.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The message of the show.
    pub reason: String,
    /// The number of records refused for this reason.
    pub count: usize,
    /// The customer number of the first of these records.
    pub first: String,
}

impl Refusal {
    pub(crate) fn new(reason: String, first: String) -> Self {
        Self { reason, count: 0, first }
    }
}

impl Report {
    /// Returns true if no record was refused, unreadable, contradictory or left for the next run, and no error occurred.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.refused + self.again + self.contradictions.len() + self.unreadable.len() == 0 && self.error.is_none()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { unchanged, written, refused, again, .. } = self;
        writeln!(f, "{written} written, {unchanged} unchanged, {refused} refused, {again} to be sent again")?;
        for Refusal { reason, count, first } in &self.refusals {
            writeln!(f, "{count} refused, first {first}: {reason}")?;
        }
        if !self.contradictions.is_empty() {
            writeln!(f, "twice in the file, with different data: {}", self.contradictions.join(", "))?;
        }
        for line in &self.unreadable {
            writeln!(f, "unreadable: {line}")?;
        }
        match &self.not_compared {
            Some(error) => writeln!(f, "not compared with the customers of the show: {error}")?,
            None => writeln!(f, "{} customers of the show are not in the ERP", self.only_at_show.len())?,
        }
        match &self.error {
            Some(error) => writeln!(f, "it ended early: {error}"),
            None => Ok(()),
        }
    }
}
