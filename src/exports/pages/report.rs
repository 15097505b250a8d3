//! The counts of reading an export page by page.

use std::fmt;

/// What came of reading an export page by page, by this stream: what was read before its start is not counted.
///
/// `Display` is one line:
///
/// ```
/// assert_eq!(
///     perenso::exports::PageReport::default().to_string(),
///     "0 rows (0 do not fit) on 0 pages; 0 rows asked for, 0 given; 0 short, 0 retries, 0 thrown away"
/// );
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageReport {
    /// Pages that were read to their end and had rows.
    pub pages: u64,
    /// Rows that were handed out, those that do not fit included.
    pub rows: u64,
    /// How many rows a page was asked for; 0 where the export has no parameter for it.
    pub asked: u64,
    /// How many rows the largest page had: the page size that the server really gives.
    pub given: u64,
    /// Pages that had fewer rows than they were asked for. The last one mostly is one of them.
    pub short: u64,
    /// Rows that did not fit.
    pub misfits: u64,
    /// Requests that had to be repeated.
    pub retries: u64,
    /// Pages that were fetched ahead and thrown away, since the page before had another number of rows than expected.
    pub discarded: u64,
}

impl fmt::Display for PageReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pages, rows, asked, given, short, misfits, retries, discarded } = self;
        write!(
            f,
            "{rows} rows ({misfits} do not fit) on {pages} pages; {asked} rows asked for, {given} given; {short} short, \
             {retries} retries, {discarded} thrown away"
        )
    }
}
