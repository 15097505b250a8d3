//! What a run did, for the log of the night and for whoever looks at it in the morning.

use std::fmt;

/// What a run did. Every record of the ERP is counted once: as unchanged, written, refused, or to be sent again.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Report {
    /// The show holds them already.
    pub unchanged: usize,
    /// Created or updated.
    pub written: usize,
    /// Refused by the show.
    pub refused: usize,
    /// Not sent, or nobody knows: the next run sends them.
    pub again: usize,
    /// Why records were refused, the most frequent reason first.
    pub refusals: Vec<Refusal>,
    /// Numbers that the ERP's file has twice with different data; neither was sent.
    pub contradictions: Vec<String>,
    /// Lines of the ERP's file that could not be read.
    pub unreadable: Vec<String>,
    /// Customers of the show that the ERP does not know. They stay.
    pub only_at_show: Vec<String>,
    /// Why the customers of the show could not be compared with those of the ERP.
    pub not_compared: Option<perenso::Error>,
    /// What ended the run early.
    pub error: Option<perenso::Error>,
}

/// One reason for which records were refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// In the words of the show.
    pub reason: String,
    /// How many records were refused for it.
    pub count: usize,
    /// The number of the first of them.
    pub first: String,
}

impl Refusal {
    pub(crate) fn new(reason: String, first: String) -> Self {
        Self { reason, count: 0, first }
    }
}

impl Report {
    /// Whether nobody needs to look at it.
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
            writeln!(f, "{count} refused, the first is {first}: {reason}")?;
        }
        if !self.contradictions.is_empty() {
            writeln!(f, "twice in the file, with different data: {}", self.contradictions.join(", "))?;
        }
        for line in &self.unreadable {
            writeln!(f, "not read: {line}")?;
        }
        match &self.not_compared {
            Some(error) => writeln!(f, "not compared with the customers of the show: {error}")?,
            None => writeln!(f, "{} at the show that the ERP does not know", self.only_at_show.len())?,
        }
        match &self.error {
            Some(error) => writeln!(f, "it ended early: {error}"),
            None => Ok(()),
        }
    }
}
