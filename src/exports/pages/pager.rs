//! The pager of exports: a state machine without effects.

use std::collections::HashSet;

use http::StatusCode;

use super::{
    cursor::{Cursor, Place},
    paging::{Meaning, PageEnd, Plan},
    repetition::{FIRST, Repetition, RepetitionCheck, RowIdentity},
    report::PageReport,
};
use crate::exports::{rows::raw::RawRow, values::key::Key, values::name::shown};
use crate::{
    error::{Error, ErrorKind},
    generated::operations::EXPORT_RUN,
    paging::Fingerprint,
};

/// Decides which page is next. It receives each row and the end of each page.
pub(crate) struct Pager {
    plan: Plan,
    /// The number of this page, or of the rows before it. It is the value of the parameter, unless that is a key.
    at: i64,
    /// The key that requests this page, and those of all pages before.
    key: Option<Key>,
    keys: HashSet<Fingerprint>,
    /// The last row of this page so far, if it contains the next key.
    last: Option<RawRow>,
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
        let ends_on_repeat = plan.ends.contains(&PageEnd::RepeatedPage);
        let check = RepetitionCheck::new(plan.identity, ends_on_repeat, plan.start.first_page);
        Self { plan, at, key, keys: HashSet::new(), last: None, skip, received: 0, check, report }
    }

    /// Returns the value of the parameter for this page.
    pub(crate) fn at(&self) -> Key {
        self.key.clone().unwrap_or(Key::Integer(self.at))
    }

    /// Returns the number of rows of this page so far.
    pub(crate) fn received(&self) -> u64 {
        self.received
    }

    /// Returns true while rows must be withheld, since they may turn out to be those of an earlier page.
    pub(crate) fn withholds(&self) -> bool {
        self.check.withholds()
    }

    /// Adds a row by its hash, which is `None` for a row that could not be read. Returns the cursor after it, or `None` if
    /// an earlier stream returned the row.
    pub(crate) fn row(&mut self, hash: Option<u64>, raw: Option<RawRow>) -> Result<Option<Cursor>, Error> {
        self.last = raw;
        if let Err(earlier) = self.check.row(hash) {
            let row = self.received + 1;
            return Err(self.repetition(&format!("row {row} of {} is also on {}", self.page(), self.name(earlier))));
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
    pub(crate) fn end(&mut self) -> Result<Option<Key>, Error> {
        // The rows after a key may arrive on pages of any size.
        let skip = self.skip.saturating_sub(self.received);
        if skip > 0 && (self.key.is_none() || self.received == 0) {
            let detail =
                format!("{} rows were read of {}, which holds {}: rows moved", self.skip, self.page(), self.received);
            return Err(Error::own(ErrorKind::Paging, EXPORT_RUN.id, detail));
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
                return Err(self.repetition(&format!("rows of {} are also on {}", self.page(), self.name(earlier))));
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
            Meaning::Key(column) if !is_end => Some(self.next_key(column)?),
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
                    "the {column} of the last row of {page} cannot request the next one: expected a value of {parameter}, found {found}"
                ));
            }
        };
        let is_known = self.key.as_ref() == Some(&key) || self.keys.contains(&Fingerprint::of(key.text().as_bytes()));
        if is_known && self.plan.identity != RowIdentity::Ignored {
            let column = column.1;
            return refused(format!(
                "the {column} of the last row of {page} has requested an earlier page: expected a column without equal values"
            ));
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
        let detail = format!("the page that follows {page} cannot be requested: `{parameter}` would exceed 64 bits");
        Error::own(ErrorKind::Paging, EXPORT_RUN.id, detail)
    }

    fn repetition(&self, found: &str) -> Error {
        let parameter = &self.plan.parameter;
        let hint = match self.plan.identity {
            RowIdentity::Unique => "; if rows of this export may be equal, set `Paging::rows_may_be_alike`",
            RowIdentity::Shared | RowIdentity::Ignored => "",
        };
        let detail = format!(
            "{found}: either the server ignores `{parameter}`, or it expects something other than a {} (`Paging`), or \
             rows moved while they were read{hint}",
            match &self.plan.meaning {
                Meaning::Page | Meaning::Single => "page number".to_owned(),
                Meaning::Offset => "number of rows to skip".to_owned(),
                Meaning::Key(column) => format!("value of {}", shown(column)),
            }
        );
        Error::own(ErrorKind::Paging, EXPORT_RUN.id, detail)
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
                    target: "perenso::export",
                    operation = EXPORT_RUN.id,
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
