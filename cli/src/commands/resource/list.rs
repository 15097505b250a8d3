//! `perenso customers list`.

use std::pin::pin;

use clap::Args;
use futures_util::TryStreamExt;
use perenso::Direction;
use serde_json::Value;

use super::{RecordOutput, ResourceInfo};
use crate::{
    context::Context,
    output::{Code, Failure, counted},
};

/// Write all records, or those that match
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  perenso customers list
  perenso customers list --limit 10 --columns id,customerID,city
  perenso customers list --changed-after 2025-01-31 --format jsonl
  perenso customers list --where customerID=5041 --columns id,customerID
  perenso customers list -o customers.csv")]
pub(super) struct List {
    /// Only records changed after this date or time, by the clock of the show
    #[arg(long, value_name = "DATE")]
    changed_after: Option<String>,
    /// Sort by this field; with `:desc` from the last to the first
    #[arg(long, value_name = "FIELD[:desc]")]
    sort: Option<String>,
    /// Only records whose field has this value; may be repeated. All records are read for it
    #[arg(long = "where", value_name = "FIELD=VALUE", value_parser = crate::commands::name_and_value)]
    conditions: Vec<(String, String)>,
    /// Another query parameter of the API; may be repeated
    #[arg(long = "query", value_name = "NAME=VALUE", value_parser = crate::commands::name_and_value)]
    query: Vec<(String, String)>,
    /// End after this many records
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Ask for pages of this many records
    #[arg(long, value_name = "N", default_value_t = 100)]
    page_size: u32,
    #[command(flatten)]
    output: RecordOutput,
}

impl List {
    pub(super) async fn run(self, context: &Context, resource: &ResourceInfo) -> Result<Code, Failure> {
        let mut writer = self.output.writer(context, resource)?;
        let connection = context.connect().await?;
        let mut list = resource.of(&connection.show)?.list().page_size(self.page_size);
        if let Some(sort) = self.sort {
            let (field, direction) = match sort.rsplit_once(':') {
                None => (sort.as_str(), Direction::Ascending),
                Some((field, "asc")) => (field, Direction::Ascending),
                Some((field, "desc")) => (field, Direction::Descending),
                Some(_) => {
                    return Err(Failure::usage(format!(
                        "`{sort}` is no order: expected a field, or a field and `:desc`"
                    )));
                }
            };
            list = list.sort(field, direction);
        }
        if let Some(date) = self.changed_after {
            if perenso::Timestamp::from(date.as_str()).date().is_none() {
                return Err(Failure::usage(format!(
                    "`{date}` is no date: expected a date such as 2025-01-31, with or without a time"
                )));
            }
            list = list.filter(resource.since, date);
        }
        for (name, value) in self.query {
            list = list.filter(name, value);
        }
        let mut left = self.limit.unwrap_or(u64::MAX);
        let mut records = pin!(list.stream());
        while left > 0 {
            let Some(record) = records.try_next().await? else { break };
            let record = record.into_fields();
            if !self.conditions.iter().all(|(field, value)| has(record.get(field), value)) {
                continue;
            }
            writer.write(record)?;
            left -= 1;
        }
        let count = writer.finish().await?;
        context.output.note(&counted(count, "record"));
        Ok(Code::Done)
    }
}

/// Returns true if a field has the value that this text writes.
fn has(field: Option<&Value>, text: &str) -> bool {
    match field {
        None | Some(Value::Null) => text.is_empty(),
        Some(Value::String(value)) => value == text,
        Some(value) => serde_json::to_string(value).is_ok_and(|value| value == text),
    }
}
