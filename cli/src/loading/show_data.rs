//! Reads the records of the show that the rows are about.

use std::{collections::HashMap, pin::pin};

use futures_util::TryStreamExt;
use perenso::{Perenso, Timestamp};
use serde_json::{Map, Value};

use super::{
    check::Check,
    columns::Column,
    field::{Field, FieldKind},
    input::Input,
    target::LoadTarget,
};
use crate::{
    output::{Failure, counted},
    sheet::shown,
};

/// The page size of the lists.
const PAGE_SIZE: u32 = 500;

/// The data of the show for the rows of a file.
#[derive(Debug, Default)]
pub(crate) struct ShowData {
    /// The number of rows whose key the show has.
    pub(crate) found: u32,
    /// The number of rows with a key that the show does not have.
    pub(crate) absent: u32,
    /// Columns without a rule for empty cells, by their positions: the number of empty cells whose field holds data in the
    /// show, and the first line.
    held: HashMap<usize, (u32, u64)>,
}

impl ShowData {
    /// Reads the list of the resource. A resource without a list holds nothing that an empty cell could be about.
    pub(crate) async fn read(show: &Perenso, input: &Input, check: &Check) -> Result<Self, Failure> {
        let mut data = Self::default();
        let target = input.target();
        if target.list.is_none() {
            return Ok(data);
        }
        let mut wanted: HashMap<String, (u64, Vec<usize>)> = HashMap::new();
        let mut rows = input.rows()?;
        while let Some((number, row)) = rows.next()? {
            let line = row.line;
            let checked = input.record(row);
            if check.problems(number, &checked).is_none()
                && let Some(key) = checked.key
            {
                wanted.insert(key, (line, checked.undecided));
            }
        }
        let total = wanted.len();
        each_record(show, target, |key, record| {
            let Some((line, undecided)) = wanted.remove(key) else { return };
            for position in undecided {
                if !is_blank(value_at(record, input.columns[position].field)) {
                    let held = data.held.entry(position).or_insert((0, line));
                    *held = (held.0 + 1, held.1.min(line));
                }
            }
        })
        .await?;
        data.absent = u32::try_from(wanted.len()).unwrap_or(u32::MAX);
        data.found = u32::try_from(total - wanted.len()).unwrap_or(u32::MAX);
        Ok(data)
    }

    /// Returns an error if nothing is said of empty cells whose fields hold data in the show.
    pub(crate) fn require_rules(&self, input: &Input) -> Result<(), Failure> {
        let mut held: Vec<_> = self.held.iter().collect();
        held.sort();
        let columns = held.into_iter().map(|(position, (rows, line))| (&input.columns[*position], *rows, *line));
        require_rules(columns.collect(), " of records that have a value in the show")
    }
}

impl Check {
    /// Returns an error if nothing is said of empty cells. Without the show, nobody knows what they are about.
    pub(crate) fn require_rules(&self, input: &Input) -> Result<(), Failure> {
        if input.target().list.is_none() {
            return Ok(());
        }
        let columns = self.undecided.iter();
        let columns = columns.map(|of| (&input.columns[of.position], of.rows, of.first_line));
        require_rules(columns.collect(), "")
    }

    /// Returns true if empty cells have no rule.
    pub(crate) fn has_undecided(&self, input: &Input) -> bool {
        input.target().list.is_some() && !self.undecided.is_empty()
    }
}

/// Returns an error if there are columns whose empty cells have no rule: the columns, the number of those cells, the first line.
fn require_rules(columns: Vec<(&Column, u32, u64)>, of: &str) -> Result<(), Failure> {
    let Some((first, ..)) = columns.first() else { return Ok(()) };
    let first = shown(&first.name);
    let columns = columns.into_iter().map(|(column, rows, line)| {
        let cells = counted(rows.into(), "empty cell");
        format!("`{}` has {cells}{of} (the first in line {line})", shown(&column.name))
    });
    Err(Failure::usage(format!(
        "{}. Say what an empty cell means: `--empty keep` leaves the field of the show as it is, `--empty clear` clears it, \
         `--empty refuse` does not load the row; for one column: `--empty {first}=keep`",
        columns.collect::<Vec<_>>().join(", ")
    )))
}

/// Calls `found` for the records of the list with their keys.
pub(super) async fn each_record(
    show: &Perenso,
    target: &LoadTarget,
    mut found: impl FnMut(&str, &Map<String, Value>),
) -> Result<(), Failure> {
    let (Some(path), Some(key)) = (target.list, target.key_field()) else { return Ok(()) };
    let mut each = |record: &Map<String, Value>| {
        if let Some(key) = value_at(record, key).and_then(Value::as_str) {
            found(key, record);
        }
    };
    let mut records = pin!(show.records(path)?.list().page_size(PAGE_SIZE).stream());
    while let Some(record) = records.try_next().await? {
        match target.items {
            None => each(record.fields()),
            Some(items) => {
                let items = record.fields().get(items).and_then(Value::as_array).into_iter().flatten();
                items.filter_map(Value::as_object).for_each(&mut each);
            }
        }
    }
    Ok(())
}

/// Returns the value of a field in a record that was read.
fn value_at<'a>(record: &'a Map<String, Value>, field: &Field) -> Option<&'a Value> {
    let mut names = field.read_at?.trim_start_matches('/').split('/');
    let first = record.get(names.next()?)?;
    names.try_fold(first, |value, name| value.get(name))
}

fn is_blank(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(items)) => items.is_empty(),
        Some(_) => false,
    }
}

/// The result of a comparison of a record that was sent with the one in the show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Different,
    /// A field cannot be compared, and all others are equal.
    Unclear,
}

/// Compares a record that was sent with the one in the show.
pub(super) fn compare(target: &LoadTarget, sent: &Map<String, Value>, read: &Map<String, Value>) -> Comparison {
    let mut result = Comparison::Equal;
    for (name, value) in sent {
        let Some(field) = target.fields.iter().find(|field| field.name == name) else { continue };
        if field.read_at.is_none() {
            result = Comparison::Unclear;
        } else if !is_same(field.kind, value, value_at(read, field)) {
            return Comparison::Different;
        }
    }
    result
}

fn is_same(kind: FieldKind, sent: &Value, read: Option<&Value>) -> bool {
    let read = match (is_blank(Some(sent)), read) {
        (true, read) => return is_blank(read),
        (false, None) => return false,
        (false, Some(read)) => read,
    };
    match (kind, sent, read) {
        (FieldKind::Timestamp, Value::String(sent), Value::String(read)) => {
            // A response may show the date alone.
            let time = |text: &str| {
                let timestamp = Timestamp::from(text);
                timestamp.local().or_else(|| timestamp.date()?.and_hms_opt(0, 0, 0))
            };
            time(sent).is_some_and(|sent| time(read) == Some(sent))
        }
        (FieldKind::Text, Value::String(sent), Value::Number(read)) => *sent == read.to_string(),
        (_, sent, read) => sent == read,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::loading::target::{CUSTOMERS, ORDER_LINES};

    fn compared(target: &LoadTarget, sent: Value, read: Value) -> Comparison {
        compare(target, sent.as_object().unwrap(), read.as_object().unwrap())
    }

    #[test]
    fn a_record_is_compared_field_by_field() {
        let read = json!({"customerID": "5041", "city": "Fargo", "fax": "", "priceZone": 702, "salesReps": ["A", "B"]});
        for (sent, expected) in [
            (json!({"customerID": "5041", "city": "Fargo"}), Comparison::Equal),
            (json!({"customerID": "5041", "fax": null, "state": null}), Comparison::Equal),
            (json!({"priceZone": 702, "salesReps": ["A", "B"]}), Comparison::Equal),
            (json!({"salesReps": ["B"]}), Comparison::Different),
            (json!({"city": "Minot"}), Comparison::Different),
            (json!({"city": null}), Comparison::Different),
            (json!({"state": "Ohio"}), Comparison::Different),
            (json!({"orderingGroups": [], "city": "Fargo"}), Comparison::Unclear),
            (json!({"orderingGroups": [], "city": "Minot"}), Comparison::Different),
        ] {
            assert_eq!(compared(&CUSTOMERS, sent.clone(), read.clone()), expected, "{sent}");
        }
        let read = json!({"orderLineID": "11", "quantity": 4, "deliveryDate": "2024-07-22T00:00:00",
            "purchaseOrder": {"id": "PO1", "notes": null}});
        for (sent, expected) in [
            (json!({"id": "11", "orderQty": 4, "deliveryDate": "2024-07-22"}), Comparison::Equal),
            (json!({"id": "11", "purchaseOrderId": "PO1", "notes": null}), Comparison::Equal),
            (json!({"id": "11", "deliveryDate": "2024-07-23"}), Comparison::Different),
            (json!({"id": "11", "purchaseOrderId": "PO2"}), Comparison::Different),
        ] {
            assert_eq!(compared(&ORDER_LINES, sent.clone(), read.clone()), expected, "{sent}");
        }
    }
}
