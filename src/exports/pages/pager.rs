//! The way through the pages of an export: rows and ends of pages go in, decisions come out. No effects.

use std::{
    collections::{HashMap, HashSet},
    hash::Hasher,
};

use http::StatusCode;

use super::{
    cursor::{Cursor, FirstPage, Place},
    paging::{Meaning, PageEnd, Plan},
    report::PageReport,
};
use crate::exports::{rows::raw::RawRow, values::key::Key, values::name::shown};
use crate::{
    error::{Error, ErrorKind},
    generated::operations::EXPORT_RUN,
    lists::Fingerprint,
};

/// Stands for the first page where an earlier stream has read it.
const FIRST: i64 = i64::MIN;

/// Stands for a row that has no mark.
const UNREAD: u64 = 0;

/// Where a stream of pages stands.
pub(crate) struct Pager {
    plan: Plan,
    /// The number of the page that is read, or of the rows before it: the value of the parameter, but for keys.
    at: i64,
    /// The key that asks for this page, and all that did for pages before.
    key: Option<Key>,
    keys: HashSet<Fingerprint>,
    /// The last row of this page that came, where it holds the next key.
    last: Option<RawRow>,
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
    /// The first page that was read, by this stream or the one that it goes on with.
    first_page: Option<FirstPage>,
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

impl Pager {
    pub(crate) fn new(plan: Plan) -> Self {
        let (at, skip, key) = match &plan.start.place {
            Place::Page { number, row, .. } => (*number, *row, None),
            Place::Offset(rows) => (*rows, 0, None),
            Place::Key { value, row } => (1, *row, Some(value.clone())),
        };
        let report = PageReport { asked: plan.limit.map_or(0, i64::unsigned_abs), ..PageReport::default() };
        let first_page = plan.start.first_page.filter(|_| !plan.repeats);
        Self {
            plan,
            at,
            key,
            keys: HashSet::new(),
            last: None,
            skip,
            came: 0,
            marks: Vec::new(),
            before: None,
            earlier: first_page.iter().map(|first| (first.page, FIRST)).collect(),
            first_rows: first_page.iter().map(|first| first.row).collect(),
            first_page,
            first: None,
            same: false,
            begins_anew: false,
            report,
        }
    }

    /// The value of the parameter for the page that is read.
    pub(crate) fn at(&self) -> Key {
        self.key.clone().unwrap_or(Key::Integer(self.at))
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
    pub(crate) fn row(&mut self, mark: Option<u64>, raw: Option<RawRow>) -> Result<Option<Cursor>, Error> {
        self.last = raw;
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
        if self.came <= self.skip {
            return Ok(None);
        }
        let place = match (&self.key, &self.plan.meaning) {
            (Some(value), _) => Place::Key { value: value.clone(), row: self.came },
            (None, Meaning::Offset) => Place::Offset(self.offset()?),
            (None, _) => Place::Page { number: self.at, row: self.came, limit: self.plan.limit },
        };
        Ok(Some(Cursor { place, first_page: self.first_page }))
    }

    /// The page that can be asked for while this one is read, once its first row has come.
    pub(crate) fn ahead(&self) -> Option<Key> {
        if !self.plan.ahead || self.came != 1 {
            return None;
        }
        let next = match (&self.plan.meaning, &self.before) {
            (Meaning::Page, _) => self.at.checked_add(1),
            (Meaning::Offset, Some(before)) => self.at.checked_add_unsigned(before.rows),
            (Meaning::Offset, None) | (Meaning::Key(_) | Meaning::Single, _) => None,
        };
        next.map(Key::Integer)
    }

    /// The page ended: gives the next one, or nothing where this one was empty.
    pub(crate) fn end(&mut self) -> Result<Option<Key>, Error> {
        // Rows behind a key may come on pages of any size.
        let skip = self.skip.saturating_sub(self.came);
        if skip > 0 && (self.key.is_none() || self.came == 0) {
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
        let is_end = self.plan.meaning == Meaning::Single
            || self.came < self.report.given && self.plan.ends.contains(&PageEnd::ShortPage);
        let next = match &self.plan.meaning {
            Meaning::Offset => self.offset()?,
            _ => self.at.checked_add(1).ok_or_else(|| self.beyond())?,
        };
        let next_key = match &self.plan.meaning {
            Meaning::Key(column) if !is_end => Some(self.next_key(column)?),
            _ => None,
        };
        self.count();
        if !self.plan.repeats {
            self.earlier.insert(fingerprint, self.at);
            // Only a page without unread rows is known again.
            if let (None, Some(row), false) = (self.first_page, self.first, self.marks.contains(&UNREAD)) {
                self.first_page = Some(FirstPage { row, page: fingerprint });
            }
            // The first row of the page before is known by its marks.
            let first = self.before.as_ref().map(|before| before.first);
            self.first_rows.extend(first.filter(|first| *first != UNREAD));
        }
        let marks = std::mem::take(&mut self.marks);
        let first = self.first.take().unwrap_or(UNREAD);
        self.before = Some(Before { at: self.at, rows: self.came, first, marks });
        (self.at, self.skip, self.came, self.same, self.begins_anew) = (next, skip, 0, false, false);
        if let Some(key) = next_key {
            let sent = self.key.replace(key);
            self.keys.extend(sent.map(|sent| Fingerprint::of(sent.text().as_bytes())));
        }
        Ok((!is_end).then(|| self.at()))
    }

    /// The key of the next page: none that asked for a page before, since that page would come again.
    fn next_key(&self, column: &str) -> Result<Key, Error> {
        let refused = |detail: String| Err(Error::own(ErrorKind::Paging, EXPORT_RUN.id, detail));
        let (page, column) = (self.page(), (column, shown(column)));
        let found = self.last.as_ref().map_or(Err("a row that cannot be read"), |row| row.key(column.0));
        let found = match (found, &self.key) {
            (Ok(found), Some(sent)) => found.like(sent).ok_or("a string that is no integer"),
            (found, _) => found,
        };
        let key = match found {
            Ok(key) => key,
            Err(found) => {
                let (column, parameter) = (column.1, shown(&self.plan.parameter));
                return refused(format!(
                    "{page} ends with a row whose {column} asks for no next one: expected a value of {parameter}, found {found}"
                ));
            }
        };
        let is_known = self.key.as_ref() == Some(&key) || self.keys.contains(&Fingerprint::of(key.text().as_bytes()));
        if is_known && !self.plan.repeats {
            let column = column.1;
            return refused(format!(
                "{page} leads back to a page that was read: its last row has a {column} that asked for one before; name a column without equal values"
            ));
        }
        Ok(key)
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
            _ if at == FIRST => "the first page".to_owned(),
            Meaning::Page => format!("page {at}"),
            Meaning::Offset => format!("the page behind row {at}"),
            Meaning::Key(_) => format!("page {at} of this stream"),
            Meaning::Single => "the only page".to_owned(),
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
            match &self.plan.meaning {
                Meaning::Page | Meaning::Single => "page number".to_owned(),
                Meaning::Offset => "number of rows to skip".to_owned(),
                Meaning::Key(column) => format!("{} to go on behind", shown(column)),
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
