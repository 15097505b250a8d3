//! The query string of a list call.

use axum::http::StatusCode;
use axum::response::Response;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

use super::row_stream;
use crate::http::api_error::ApiError;
use crate::model::document::DOCUMENT;
use crate::model::table::{Record, Table};
use crate::show::behavior::Behavior;
use crate::show::journal::query_parameter;
use crate::show::lists::{ListQuery, Sort};

/// The parameters of most lists besides their filters.
const PAGING: [&str; 3] = ["page", "resultsPerPage", "sort"];

impl ListQuery {
    /// Parses the query. If the schema of the records is known, only its fields can be sorted by.
    ///
    /// Rejects unknown parameters, since a list that ignores one looks filtered.
    pub(crate) fn parse(query: Option<&str>, schema: Option<&str>, filters: &[&str]) -> Result<Self, ApiError> {
        let mut given = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        if let Some((name, _)) = given.find(|(name, _)| !PAGING.contains(&&**name) && !filters.contains(&&**name)) {
            return Err(ApiError::parameter(&name, "this list has no such parameter"));
        }
        let get = |name| query_parameter(query, name);
        Ok(Self {
            modified_after: get("modifiedAfter").map(|text| timestamp("modifiedAfter", &text)).transpose()?,
            sort: get("sort").map(|text| parse_sort(&text, schema)).transpose()?,
            page: get("page").map(|text| positive("page", &text)).transpose()?,
            page_size: get("resultsPerPage").map(|text| positive("resultsPerPage", &text)).transpose()?,
            filter: None,
        })
    }

    /// Selects only the records that match.
    pub(crate) fn with_filter(self, matches: impl Fn(&Record) -> bool + 'static) -> Self {
        Self { filter: Some(Box::new(matches)), ..self }
    }

    /// Returns the selected records as a response.
    pub(crate) fn respond(&self, table: &Table, name: &str, behavior: &Behavior) -> Result<Response, ApiError> {
        let rows = self.select(table, behavior).ok_or_else(|| {
            ApiError::new(StatusCode::NOT_FOUND, "not_found", format!("there is no such page of the {name} list"))
        })?;
        Ok(row_stream::array(rows))
    }
}

fn positive(name: &str, text: &str) -> Result<u64, ApiError> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| ApiError::parameter(name, "expected a whole number from 1"))
}

/// Parses a date or a timestamp. No sample of the vendor has a zone, so one is rejected.
pub(crate) fn timestamp(name: &str, text: &str) -> Result<NaiveDateTime, ApiError> {
    text.parse().or_else(|_| text.parse().map(|day: NaiveDate| day.and_time(NaiveTime::MIN))).map_err(|_| {
        ApiError::parameter(
            name,
            "expected a date or a date-time without a zone, like 2025-01-31 or 2025-01-31T09:00:00",
        )
    })
}

fn parse_sort(text: &str, schema: Option<&str>) -> Result<Sort, ApiError> {
    let (field, direction) =
        text.split_once(':').ok_or_else(|| ApiError::parameter("sort", "expected <field>:<asc or desc>"))?;
    let descending = match direction {
        "asc" => false,
        "desc" => true,
        _ => {
            return Err(ApiError::parameter("sort", "the direction must be asc or desc"));
        }
    };
    let schema = schema.and_then(|name| DOCUMENT.schema(name));
    let is_known = field == "id" || schema.is_none_or(|schema| schema.has(field));
    if field.is_empty() || !is_known {
        return Err(ApiError::parameter("sort", "there is no such field"));
    }
    Ok(Sort { field: field.to_owned(), descending })
}
