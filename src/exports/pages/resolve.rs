//! A paging applied to an export: its parameters, their values, and the cursor to start at.

use super::paging::Paging;
use crate::{
    error::{Error, ErrorKind, name::shown},
    exports::{
        catalog::{checked::CheckedRequest, descriptor::Descriptor},
        values::value::Input,
    },
    generated::operations::EXPORT_RUN,
    paging::{Cursor, Key, Meaning, PAGE_SIZE, Place, Plan, RowIdentity},
    types::{ExportDataType, ExportParameter},
};

impl Paging {
    /// Returns values for the parameters that have none.
    pub(crate) fn missing(
        &self,
        export: &Descriptor,
        is_given: impl Fn(&str) -> bool,
    ) -> Result<Vec<(String, Input)>, Error> {
        self.refuse_without(export.parameters())?;
        let (first, limit) = match (self.start.as_ref().map(|start| &start.place), &self.meaning) {
            (Some(Place::Page { number, limit, .. }), _) => (Some(number.to_string()), *limit),
            (Some(Place::Offset(rows)), _) => (Some(rows.to_string()), None),
            (Some(Place::Key { value, .. }), _) => (Some(value.text()), None),
            (None, Meaning::Page) => (Some("1".to_owned()), None),
            (None, Meaning::Offset) => (Some("0".to_owned()), None),
            // Only the caller knows the value before all others.
            (None, Meaning::Key(_) | Meaning::Single) => (None, None),
        };
        let limit = self.limit.map(i64::from).or(limit).unwrap_or_else(|| PAGE_SIZE.get().into());
        let limit = self.limit_name.clone().map(|name| (name, limit.to_string()));
        let values = first.map(|first| (self.cursor.clone(), first)).into_iter().chain(limit);
        Ok(values.filter(|(name, _)| !is_given(name)).map(|(name, text)| (name, Input::Text(text))).collect())
    }

    /// Returns the plan for this request, and the request of its first page.
    pub(crate) fn resolve(&self, request: &CheckedRequest) -> Result<(Plan, CheckedRequest), Error> {
        self.refuse_without(request.parameters())?;
        let number = |name: &str| request.number(name).ok_or_else(|| no_number(name));
        let limit = match &self.limit_name {
            Some(name) => Some((name, self.limit.map_or_else(|| number(name), |limit| Ok(limit.into()))?)),
            None if self.limit.is_some() => {
                return Err(refusal(
                    "a limit is set, but `Paging::without_limit` says that it has no parameter for one".to_owned(),
                ));
            }
            None => None,
        };
        if let Some((name, limit @ ..1)) = limit {
            return Err(refusal(format!("{} is {limit}; expected 1 or more", shown(name))));
        }
        let start = match &self.start {
            Some(start) => self.start_at(start, limit, request.key(&self.cursor))?,
            None => match &self.meaning {
                Meaning::Offset => Cursor::offset(number(&self.cursor)?),
                Meaning::Key(_) => Cursor::key(request.key(&self.cursor).ok_or_else(|| no_number(&self.cursor))?, 0),
                Meaning::Page | Meaning::Single => {
                    let (number, limit) = (number(&self.cursor)?, limit.map(|(_, limit)| limit));
                    Cursor::at(Place::Page { number, row: 0, limit })
                }
            },
        };
        if let Place::Page { number: at @ ..0, .. } | Place::Offset(at @ ..0) = start.place {
            return Err(refusal(format!("{} is {at}; expected 0 or more", shown(&self.cursor))));
        }
        let request = match limit {
            Some((name, limit)) => request.with(name, &limit.into()),
            None => request.clone(),
        };
        let limit = limit.map(|(_, limit)| limit);
        Ok((self.plan(self.meaning.clone(), limit, start), request))
    }

    /// Returns the plan for an export with one page.
    pub(crate) fn single(&self) -> Result<Plan, Error> {
        let start = match &self.start {
            None => Cursor::at(Place::Page { number: 1, row: 0, limit: None }),
            Some(start) if matches!(start.place, Place::Page { number: 1, limit: None, .. }) => start.clone(),
            Some(_) => {
                let detail =
                    "it has no parameters for that, and the cursor to start at is not one of an export with one page";
                return Err(refusal(detail.to_owned()));
            }
        };
        Ok(self.plan(Meaning::Single, None, start))
    }

    fn plan(&self, meaning: Meaning, limit: Option<i64>, start: Cursor) -> Plan {
        let (identity, hint) = match (self.repeats, self.alike) {
            (true, _) => (RowIdentity::Ignored, ""),
            (false, true) => (RowIdentity::Shared, ""),
            (false, false) => {
                (RowIdentity::Unique, "; if rows of this export may be equal, set `Paging::rows_may_be_alike`")
            }
        };
        let parameter = &self.cursor;
        let expected = match &meaning {
            Meaning::Page | Meaning::Single => "page number".to_owned(),
            Meaning::Offset => "number of rows to skip".to_owned(),
            Meaning::Key(column) => format!("value of {}", shown(column)),
        };
        let repeat_causes = format!(
            "either the server ignores `{parameter}`, or it expects something other than a {expected} (`Paging`), or \
             rows moved while they were read{hint}"
        );
        Plan {
            operation: EXPORT_RUN.id,
            noun: "row",
            meaning,
            parameter: parameter.clone(),
            limit,
            start,
            identity,
            is_buffered: false,
            ends: self.ends.clone(),
            ahead: self.ahead,
            repeat_causes,
        }
    }

    /// Returns the cursor to start at. Fails if it does not fit this paging.
    fn start_at(&self, start: &Cursor, limit: Option<(&String, i64)>, sent: Option<Key>) -> Result<Cursor, Error> {
        let refused = |detail: &str| Err(refusal(format!("the cursor to start at {detail}")));
        match (&start.place, &self.meaning) {
            (Place::Page { limit: kept, .. }, Meaning::Page) if *kept != limit.map(|(_, limit)| limit) => {
                let asked = limit.map(|(name, limit)| format!("{} is {limit}", shown(name)));
                let asked = asked.unwrap_or_else(|| "the paging has no limit".to_owned());
                match kept {
                    Some(kept) => refused(&format!("is for pages of {kept} rows, but {asked}: set {kept}")),
                    None => refused(&format!("is for pages without a limit, but {asked}: set `Paging::without_limit`")),
                }
            }
            (Place::Page { .. }, Meaning::Page) | (Place::Offset(_), Meaning::Offset) => Ok(start.clone()),
            (Place::Key { value, row }, Meaning::Key(_)) => match sent.and_then(|sent| value.like(&sent)) {
                Some(value) => Ok(Cursor { first_page: start.first_page, ..Cursor::key(value, *row) }),
                None => refused(&format!("is a string, but {} takes an integer", shown(&self.cursor))),
            },
            (Place::Page { .. }, _) => refused("counts pages; read it with `Paging::by_page`"),
            (Place::Offset(_), _) => refused("counts rows; read it with `Paging::by_offset`"),
            (Place::Key { .. }, _) => refused("is a key; read it with `Paging::by_key`"),
        }
    }

    /// Returns true if an export has none of the parameters of the paging.
    pub(crate) fn is_foreign_to(&self, export: &Descriptor) -> bool {
        let is_there = |name: &String| export.parameters().iter().any(|parameter| parameter.name == *name);
        !is_there(&self.cursor) && !self.limit_name.as_ref().is_some_and(is_there)
    }

    fn refuse_without(&self, parameters: &[ExportParameter]) -> Result<(), Error> {
        let fitting = [ExportDataType::Integer, ExportDataType::Text];
        let fitting = parameters.iter().filter(|parameter| fitting.contains(&parameter.data_type));
        let fitting: Vec<&str> = fitting.map(|parameter| parameter.name.as_str()).collect();
        let limit = self.limit_name.as_ref().map(|name| (name, "limit_parameter"));
        let wanted = [(&self.cursor, "cursor_parameter")].into_iter().chain(limit);
        let missing: Vec<_> = wanted.filter(|(name, _)| !fitting.contains(&name.as_str())).collect();
        if !missing.is_empty() {
            let names: Vec<String> = missing.iter().map(|(name, _)| shown(name)).collect();
            let setters: Vec<String> = missing.iter().map(|(_, setter)| format!("`Paging::{setter}`")).collect();
            let found = match fitting.as_slice() {
                [] => "none".to_owned(),
                found => found.iter().map(|name| shown(name)).collect::<Vec<_>>().join(", "),
            };
            let lacks_limit = missing.iter().any(|(_, setter)| *setter == "limit_parameter");
            return Err(refusal(format!(
                "it has no Integer or Text parameter {}: of these types it has {found}; set {}{}",
                names.join(" and no "),
                setters.join(" and "),
                if lacks_limit { ", or `Paging::without_limit` if it has none for the page size" } else { "" }
            )));
        }
        if self.limit_name.as_ref() == Some(&self.cursor) {
            return Err(refusal(format!("{} cannot be both its cursor and its limit", shown(&self.cursor))));
        }
        Ok(())
    }
}

fn refusal(detail: String) -> Error {
    Error::own(ErrorKind::Input, EXPORT_RUN.id, format!("the export cannot be read page by page: {detail}"))
}

fn no_number(name: &str) -> Error {
    refusal(format!("the value of {} is not a number; expected digits such as `1`", shown(name)))
}
