//! The way through the pages of an export: rows and ends of pages go in, decisions come out. No effects.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    hash::Hasher,
};

use http::StatusCode;

use super::{
    cursor::Cursor,
    paging::{Meaning, PageEnd, Plan},
};
use crate::{
    error::{Error, ErrorKind},
    fingerprint::Fingerprint,
    generated::operations::EXPORT_RUN,
};

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
    /// How many rows a page was asked for.
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

/// Stands for a row that has no mark.
const UNREAD: u64 = 0;

/// Where a stream of pages stands.
pub(crate) struct Walk {
    plan: Plan,
    /// The value of the parameter for the page that is read.
    at: i64,
    /// How many rows of this page were handed out by an earlier stream.
    skip: u64,
    /// How many rows of this page came.
    came: u64,
    /// The marks of the rows of this page that came.
    marks: Vec<u64>,
    before: Option<Before>,
    /// The pages before, by their fingerprints, and the marks of their first rows, but for the page before.
    earlier: HashMap<Fingerprint, i64>,
    first_rows: HashSet<u64>,
    /// The mark of the first row of this page.
    first: Option<u64>,
    /// Whether all rows of this page were those of the page before so far, where only whole pages are compared.
    same: bool,
    /// Whether the first row of this page was that of an earlier page.
    begins_anew: bool,
    pub(crate) report: PageReport,
}

/// What is remembered of the page before.
struct Before {
    at: i64,
    rows: u64,
    /// The mark of its first row.
    first: u64,
    /// In the order of the rows where whole pages are compared, else sorted.
    marks: Vec<u64>,
}

impl Walk {
    pub(crate) fn new(plan: Plan) -> Self {
        let (at, skip) = match plan.start {
            Cursor::Page { number, row, .. } => (number, row),
            Cursor::Offset(rows) => (rows, 0),
        };
        let report = PageReport { asked: plan.limit.unsigned_abs(), ..PageReport::default() };
        Self {
            plan,
            at,
            skip,
            came: 0,
            marks: Vec::new(),
            before: None,
            earlier: HashMap::new(),
            first_rows: HashSet::new(),
            first: None,
            same: false,
            begins_anew: false,
            report,
        }
    }

    /// The value of the parameter for the page that is read.
    pub(crate) fn at(&self) -> i64 {
        self.at
    }

    /// How many rows of this page came.
    pub(crate) fn came(&self) -> u64 {
        self.came
    }

    /// Whether rows must not be handed out yet: they may turn out to be those of the page before.
    pub(crate) fn holds(&self) -> bool {
        self.same || self.begins_anew
    }

    /// A row came: gives the place behind it, or nothing where it was handed out by an earlier stream. A row that could
    /// not be read at all has no mark: it is no proof of a doubled row, but a page of nothing else must not come for ever.
    pub(crate) fn row(&mut self, mark: Option<u64>) -> Result<Option<Cursor>, Error> {
        if let (Some(mark), 0) = (mark, self.came) {
            // A page that repeats an earlier one hands out no row, so this one is compared as a whole.
            let was_before = self.before.as_ref().is_some_and(|before| before.marks.contains(&mark));
            let is_whole = match was_before && !self.plan.alike {
                true => self.plan.ends.contains(&PageEnd::RepeatedPage),
                false => self.first_rows.contains(&mark),
            };
            self.begins_anew = !self.plan.repeats && is_whole;
        }
        match &self.before {
            _ if self.plan.repeats => {}
            Some(before) if self.plan.alike => {
                let first = self.came == 0;
                self.same = (first || self.same) && before.marks.get(self.marks.len()) == Some(&mark.unwrap_or(UNREAD));
            }
            _ if self.begins_anew => {}
            Some(before) if mark.is_some_and(|mark| before.marks.binary_search(&mark).is_ok()) => {
                let row = self.came + 1;
                return Err(self.doubled(&format!("row {row} of {} stood on {}", self.page(), self.name(before.at))));
            }
            _ => {}
        }
        if self.came == 0 {
            self.first = Some(mark.unwrap_or(UNREAD));
        }
        self.came += 1;
        self.marks.push(mark.unwrap_or(UNREAD));
        let behind = match self.plan.meaning {
            Meaning::Page => Cursor::page(self.at, self.came, self.plan.limit),
            Meaning::Offset => Cursor::offset(self.offset()?),
        };
        Ok((self.came > self.skip).then_some(behind))
    }

    /// The page that can be asked for while this one is read, once its first row has come.
    pub(crate) fn ahead(&self) -> Option<i64> {
        if !self.plan.ahead || self.came != 1 {
            return None;
        }
        match (self.plan.meaning, &self.before) {
            (Meaning::Page, _) => self.at.checked_add(1),
            (Meaning::Offset, Some(before)) => self.at.checked_add_unsigned(before.rows),
            (Meaning::Offset, None) => None,
        }
    }

    /// The page ended: gives the next one, or nothing where this one was empty.
    pub(crate) fn end(&mut self) -> Result<Option<i64>, Error> {
        if self.came < self.skip {
            let detail =
                format!("{} rows were read of {}, which holds {}: rows moved", self.skip, self.page(), self.came);
            return Err(Error::own(ErrorKind::Paging, EXPORT_RUN.id, detail));
        }
        if self.came == 0 {
            return Ok(None);
        }
        if !self.plan.alike {
            self.marks.sort_unstable();
        }
        let fingerprint = self.fingerprint();
        if let Some(at) = self.repeated(fingerprint) {
            if self.plan.ends.contains(&PageEnd::RepeatedPage)
                && self.before.as_ref().is_some_and(|before| before.at == at)
            {
                return Ok(None);
            }
            return Err(self.doubled(&format!("{} repeats {}", self.page(), self.name(at))));
        }
        if let Some(before) = &self.before
            && self.begins_anew
            && !self.plan.alike
            && self.marks.iter().any(|mark| *mark != UNREAD && before.marks.binary_search(mark).is_ok())
        {
            return Err(self.doubled(&format!("rows of {} stood on {}", self.page(), self.name(before.at))));
        }
        let is_short = self.came < self.report.given;
        let next = match self.plan.meaning {
            Meaning::Page => self.at.checked_add(1).ok_or_else(|| self.beyond())?,
            Meaning::Offset => self.offset()?,
        };
        self.count();
        if !self.plan.repeats {
            self.earlier.insert(fingerprint, self.at);
            // The first row of the page before is known by its marks.
            let first = self.before.as_ref().map(|before| before.first);
            self.first_rows.extend(first.filter(|first| *first != UNREAD));
        }
        let marks = std::mem::take(&mut self.marks);
        let first = self.first.take().unwrap_or(UNREAD);
        self.before = Some(Before { at: self.at, rows: self.came, first, marks });
        (self.at, self.skip, self.came, self.same, self.begins_anew) = (next, 0, 0, false, false);
        Ok((!is_short || !self.plan.ends.contains(&PageEnd::ShortPage)).then_some(next))
    }

    /// The fingerprint of this page: of its rows in their order where rows can be alike, else in any order.
    fn fingerprint(&self) -> Fingerprint {
        let mut fingerprint = Fingerprint::default();
        self.marks.iter().for_each(|mark| fingerprint.write(&mark.to_le_bytes()));
        fingerprint
    }

    /// The page before that this one repeats.
    fn repeated(&self, fingerprint: Fingerprint) -> Option<i64> {
        if self.plan.repeats {
            return None;
        }
        if let Some(before) = &self.before
            && before.marks == self.marks
        {
            return Some(before.at);
        }
        // Rows that cannot be read are not known again, and one row that may be alike proves nothing.
        let is_proof = !self.marks.contains(&UNREAD) && (!self.plan.alike || self.came > 1);
        self.earlier.get(&fingerprint).copied().filter(|_| is_proof)
    }

    /// Returns true where a response of this status is the end of the pages.
    pub(crate) fn ends_with(&self, status: StatusCode) -> bool {
        self.came == 0 && self.report.pages > 0 && self.plan.ends.contains(&PageEnd::Status(status))
    }

    /// The page as errors call it.
    pub(crate) fn page(&self) -> String {
        self.name(self.at)
    }

    fn name(&self, at: i64) -> String {
        match self.plan.meaning {
            Meaning::Page => format!("page {at}"),
            Meaning::Offset => format!("the page behind row {at}"),
        }
    }

    fn offset(&self) -> Result<i64, Error> {
        self.at.checked_add_unsigned(self.came).ok_or_else(|| self.beyond())
    }

    fn beyond(&self) -> Error {
        let (parameter, page) = (&self.plan.parameter, self.page());
        let detail = format!("what follows {page} cannot be asked for: `{parameter}` would not fit 64 bits");
        Error::own(ErrorKind::Paging, EXPORT_RUN.id, detail)
    }

    fn doubled(&self, what: &str) -> Error {
        let parameter = &self.plan.parameter;
        let alike = if self.plan.alike {
            ""
        } else {
            "; where rows of this export can be alike, say `Paging::rows_may_be_alike`"
        };
        let detail = format!(
            "{what}: either the server takes no notice of `{parameter}`, or means something else by it than a \
             {} (`Paging`), or rows moved while they were read{alike}",
            match self.plan.meaning {
                Meaning::Page => "page number",
                Meaning::Offset => "number of rows to skip",
            }
        );
        Error::own(ErrorKind::Paging, EXPORT_RUN.id, detail)
    }

    /// A short page is no end: the server may cap its pages. It is said once, and quietly: the last page mostly is one.
    fn count(&mut self) {
        let Self { report, came, at, .. } = self;
        report.pages += 1;
        report.given = report.given.max(*came);
        if *came < report.asked {
            if report.short == 0 {
                let asked = report.asked;
                tracing::debug!(
                    target: "perenso::export",
                    operation = EXPORT_RUN.id,
                    page = *at,
                    asked,
                    received = *came,
                    "a short page: going on to the next"
                );
            }
            report.short += 1;
        }
    }
}
