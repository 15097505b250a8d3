//! The pager: a state machine without effects.

use std::collections::HashSet;

use http::StatusCode;

use super::{
    cursor::{Cursor, Place},
    fingerprint::Fingerprint,
    key::Key,
    plan::{Meaning, PageEnd, Plan},
    repetition::{FIRST, Repetition, RepetitionCheck, RowIdentity},
    report::PageReport,
};
use crate::error::{Error, ErrorKind, name::shown};

/// Decides which page is next. It receives each row and the end of each page.
pub(crate) struct Pager {
    plan: Plan,
    /// The number of this page, or of the rows before it. It is the value of the parameter, unless that is a key.
    at: i64,
    /// The key that requests this page, and those of all pages before.
    key: Option<Key>,
    keys: HashSet<Fingerprint>,
    /// The number of rows of this page that an earlier stream returned.
    skip: u64,
    /// The number of rows of this page so far.
    received: u64,
    check: RepetitionCheck,
    pub(crate) report: PageReport,
}

impl Pager {
    pub(crate) fn new(plan: Plan) -> Self {
        let (at, skip, key) = match &plan.start.place {
            Place::Page { number, row, .. } => (*number, *row, None),
            Place::Offset(rows) => (*rows, 0, None),
            Place::Key { value, row } => (1, *row, Some(value.clone())),
        };
        let report = PageReport { page_size: plan.limit.map_or(0, i64::unsigned_abs), ..PageReport::default() };
        let compares_pages = plan.is_buffered || plan.ends.contains(&PageEnd::RepeatedPage);
        let check = RepetitionCheck::new(compares_pages, plan.start.first_page);
        Self { plan, at, key, keys: HashSet::new(), skip, received: 0, check, report }
    }

    /// Returns the value of the parameter for this page.
    pub(crate) fn at(&self) -> Key {
        self.key.clone().unwrap_or(Key::Integer(self.at))
    }

    /// Returns the number of this page.
    pub(crate) fn number(&self) -> i64 {
        self.at
    }

    /// Returns the identity of rows that have none of their own.
    pub(crate) fn identity(&self) -> RowIdentity {
        self.plan.identity
    }

    /// Returns the number of rows of this page so far.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Returns true while rows must be withheld, since they may turn out to be those of an earlier page.
    pub(crate) fn withholds(&self) -> bool {
        self.check.withholds()
    }

    /// Adds a row by its identity and hash, which is `None` for a row that could not be read. Returns the cursor after it, or
    /// `None` if an earlier stream returned the row.
    pub(crate) fn row(&mut self, identity: RowIdentity, hash: Option<u64>) -> Result<Option<Cursor>, Error> {
        if let Err(earlier) = self.check.row(identity, hash) {
            let (noun, row) = (self.plan.noun, self.received + 1);
            return Err(self.repetition(&format!("{noun} {row} of {} is also on {}", self.page(), self.name(earlier))));
        }
        self.received += 1;
        if self.received <= self.skip {
            return Ok(None);
        }
        let place = match (&self.key, &self.plan.meaning) {
            (Some(value), _) => Place::Key { value: value.clone(), row: self.received },
            (None, Meaning::Offset) => Place::Offset(self.offset()?),
            (None, _) => Place::Page { number: self.at, row: self.received, limit: self.plan.limit },
        };
        Ok(Some(Cursor { place, first_page: self.check.first_page() }))
    }

    /// Returns the parameter of the page to fetch ahead, when the first row of this page has arrived.
    pub(crate) fn ahead(&self) -> Option<Key> {
        if !self.plan.ahead || self.received != 1 {
            return None;
        }
        let next = match (&self.plan.meaning, self.check.previous_count()) {
            (Meaning::Page, _) => self.at.checked_add(1),
            (Meaning::Offset, Some(rows)) => self.at.checked_add_unsigned(rows),
            (Meaning::Offset, None) | (Meaning::Key(_) | Meaning::Single, _) => None,
        };
        next.map(Key::Integer)
    }

    /// Ends this page. Returns the parameter of the next one, or `None` at the end of the pages.
    ///
    /// `next_key` reads a column of the last row, as a value of the type of the key that is passed.
    pub(crate) fn end(
        &mut self,
        next_key: impl FnOnce(&str, &Key) -> Result<Key, &'static str>,
    ) -> Result<Option<Key>, Error> {
        // The rows after a key may arrive on pages of any size.
        let skip = self.skip.saturating_sub(self.received);
        if skip > 0 && (self.key.is_none() || self.received == 0) {
            let (noun, page) = (self.plan.noun, self.page());
            return Err(self.error(format!(
                "{} {noun}s were read of {page}, which holds {}: {noun}s moved",
                self.skip, self.received
            )));
        }
        if self.received == 0 {
            return Ok(None);
        }
        match self.check.end(self.at) {
            Some(Repetition::Page(earlier))
                if self.plan.ends.contains(&PageEnd::RepeatedPage) && self.check.previous_number() == Some(earlier) =>
            {
                return Ok(None);
            }
            Some(Repetition::Page(earlier)) => {
                return Err(self.repetition(&format!("{} repeats {}", self.page(), self.name(earlier))));
            }
            Some(Repetition::Rows(earlier)) => {
                return Err(self.repetition(&format!(
                    "{}s of {} are also on {}",
                    self.plan.noun,
                    self.page(),
                    self.name(earlier)
                )));
            }
            None => {}
        }
        let is_end = self.plan.meaning == Meaning::Single
            || self.received < self.report.largest && self.plan.ends.contains(&PageEnd::ShortPage);
        let next = match &self.plan.meaning {
            Meaning::Offset => self.offset()?,
            _ => self.at.checked_add(1).ok_or_else(|| self.beyond())?,
        };
        let next_key = match &self.plan.meaning {
            Meaning::Key(column) if !is_end => Some(self.next_key(column, next_key)?),
            _ => None,
        };
        self.count();
        (self.at, self.skip, self.received) = (next, skip, 0);
        if let Some(key) = next_key {
            let sent = self.key.replace(key);
            self.keys.extend(sent.map(|sent| Fingerprint::of(sent.text().as_bytes())));
        }
        Ok((!is_end).then(|| self.at()))
    }

    /// Returns the key of the next page. Fails for a key that requested an earlier page, since that page would repeat.
    fn next_key(&self, column: &str, read: impl FnOnce(&str, &Key) -> Result<Key, &'static str>) -> Result<Key, Error> {
        let (page, sent) = (self.page(), self.at());
        let key = match read(column, &sent) {
            Ok(key) => key,
            Err(found) => {
                let (column, parameter) = (shown(column), shown(&self.plan.parameter));
                return Err(self.error(format!(
                    "the {column} of the last row of {page} cannot request the next one: expected a value of {parameter}, found {found}"
                )));
            }
        };
        let is_known = sent == key || self.keys.contains(&Fingerprint::of(key.text().as_bytes()));
        if is_known && self.plan.identity != RowIdentity::Ignored {
            let column = shown(column);
            return Err(self.error(format!(
                "the {column} of the last row of {page} has requested an earlier page: expected a column without equal values"
            )));
        }
        Ok(key)
    }

    /// Returns true if a response with this status is the end of the pages.
    pub(crate) fn ends_with(&self, status: StatusCode) -> bool {
        self.received == 0 && self.report.pages > 0 && self.plan.ends.contains(&PageEnd::Status(status))
    }

    /// Returns the name of this page in errors.
    pub(crate) fn page(&self) -> String {
        self.name(self.at)
    }

    fn name(&self, at: i64) -> String {
        match self.plan.meaning {
            _ if at == FIRST => "the first page".to_owned(),
            Meaning::Page => format!("page {at}"),
            Meaning::Offset => format!("the page after row {at}"),
            Meaning::Key(_) => format!("page {at} of this stream"),
            Meaning::Single => "the only page".to_owned(),
        }
    }

    fn offset(&self) -> Result<i64, Error> {
        self.at.checked_add_unsigned(self.received).ok_or_else(|| self.beyond())
    }

    fn beyond(&self) -> Error {
        let (parameter, page) = (&self.plan.parameter, self.page());
        self.error(format!("the page that follows {page} cannot be requested: `{parameter}` would exceed 64 bits"))
    }

    fn repetition(&self, found: &str) -> Error {
        self.error(format!("{found}: {}", self.plan.repeat_causes))
    }

    fn error(&self, detail: String) -> Error {
        Error::own(ErrorKind::Paging, self.plan.operation, detail)
    }

    /// Counts the page. The first short page is logged at debug level: it is no end, since the server may cap its pages.
    fn count(&mut self) {
        let Self { report, received, at, .. } = self;
        report.pages += 1;
        report.largest = report.largest.max(*received);
        if *received < report.page_size {
            if report.short == 0 {
                let asked = report.page_size;
                tracing::debug!(
                    target: "perenso::paging",
                    operation = self.plan.operation,
                    page = *at,
                    asked,
                    received = *received,
                    "a short page: going on to the next"
                );
            }
            report.short += 1;
        }
    }
}
