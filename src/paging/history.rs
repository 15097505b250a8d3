//! The history of a paged stream.

use std::collections::HashMap;

use super::fingerprint::Fingerprint;

/// The pages of a stream that were read, each by a fingerprint, and the rows of the last one.
pub(crate) struct PageHistory {
    numbers: HashMap<Fingerprint, i64>,
    previous: Option<PreviousPage>,
}

/// The last page that was read.
pub(crate) struct PreviousPage {
    pub(crate) number: i64,
    /// `None` if repeats of this page are not an error.
    pub(crate) fingerprint: Option<Fingerprint>,
    /// The hashes of its rows: sorted if rows are unique, otherwise in the order of the page.
    pub(crate) rows: Vec<u64>,
}

/// The rule by which equal pages are one page that was sent twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeats {
    /// A page that equals any page before it.
    Anywhere,
    /// A page that equals the page directly before it. A match further back could be chance.
    InARow,
}

impl PageHistory {
    /// Creates the history of a stream that resumes, and knows only the first page from an earlier stream.
    pub(crate) fn resumed(first_page: Option<(Fingerprint, i64)>) -> Self {
        Self { numbers: first_page.into_iter().collect(), previous: None }
    }

    /// Returns the last page that was added.
    pub(crate) fn previous(&self) -> Option<&PreviousPage> {
        self.previous.as_ref()
    }

    /// Returns the number of the page that a page with this fingerprint repeats.
    pub(crate) fn repeated(&self, fingerprint: Fingerprint, repeats: Repeats) -> Option<i64> {
        let previous = self.previous.as_ref().filter(|previous| previous.fingerprint == Some(fingerprint));
        match (previous, repeats) {
            (Some(previous), _) => Some(previous.number),
            (None, Repeats::Anywhere) => self.numbers.get(&fingerprint).copied(),
            (None, Repeats::InARow) => None,
        }
    }

    /// Adds a page, and forgets the rows of the page before it.
    pub(crate) fn add(&mut self, page: PreviousPage) {
        self.numbers.extend(page.fingerprint.map(|fingerprint| (fingerprint, page.number)));
        self.previous = Some(page);
    }
}

impl PreviousPage {
    /// Returns true if one of its rows, which must be sorted, has this hash.
    pub(crate) fn contains(&self, row: u64) -> bool {
        self.rows.binary_search(&row).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(number: i64, content: &str) -> PreviousPage {
        let rows = content.bytes().map(u64::from).collect();
        PreviousPage { number, fingerprint: Some(Fingerprint::of(content.as_bytes())), rows }
    }

    #[test]
    fn a_page_repeats_any_page_before_it_or_only_the_one_directly_before_it() {
        let mut history = PageHistory::resumed(Some((Fingerprint::of(b"first"), 1)));
        history.add(page(4, "ab"));
        history.add(page(5, "cd"));
        let repeated = |content: &str, repeats| history.repeated(Fingerprint::of(content.as_bytes()), repeats);
        for (content, number) in [("first", 1), ("ab", 4), ("cd", 5)] {
            assert_eq!(repeated(content, Repeats::Anywhere), Some(number));
        }
        assert_eq!(repeated("cd", Repeats::InARow), Some(5));
        for (content, repeats) in [("ab", Repeats::InARow), ("ef", Repeats::Anywhere)] {
            assert_eq!(repeated(content, repeats), None);
        }
    }

    #[test]
    fn the_rows_of_the_last_page_are_known() {
        let mut history = PageHistory::resumed(None);
        assert!(history.previous().is_none());
        history.add(page(1, "abc"));
        history.add(page(2, "xyz"));
        let previous = history.previous().unwrap();
        assert!("xyz".bytes().all(|row| previous.contains(row.into())));
        assert!(!previous.contains(b'a'.into()));
    }
}
