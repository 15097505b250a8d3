//! The counts of reading an export page by page.

use std::fmt;

/// The counts of one stream of pages. Rows before its start are not counted.
///
/// `Display` is one line:
///
/// ```
/// assert_eq!(
///     perenso::exports::PageReport::default().to_string(),
///     "0 rows (0 do not fit) on 0 pages; 0 rows requested, 0 received; 0 short, 0 retries, 0 discarded"
/// );
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageReport {
    /// The number of pages read to their end, without empty ones.
    pub pages: u64,
    /// The number of rows returned, including those that do not fit.
    pub rows: u64,
    /// The requested page size; 0 if the export has no parameter for it.
    pub page_size: u64,
    /// The number of rows of the largest page: the page size that the server applies.
    pub largest: u64,
    /// The number of pages with fewer rows than requested. The last one usually is such a page.
    pub short: u64,
    /// The number of rows that did not fit.
    pub mismatches: u64,
    /// The number of requests that were retries.
    pub retries: u64,
    /// The number of pages fetched ahead and discarded, since the page before had an unexpected number of rows.
    pub discarded: u64,
}

impl fmt::Display for PageReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pages, rows, page_size, largest, short, mismatches, retries, discarded } = self;
        write!(
            f,
            "{rows} rows ({mismatches} do not fit) on {pages} pages; {page_size} rows requested, {largest} received; {short} short, \
             {retries} retries, {discarded} discarded"
        )
    }
}
